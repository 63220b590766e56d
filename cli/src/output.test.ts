import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatted } from './output.ts';

test('a cell that a spreadsheet would run is text, numbers stay numbers', () => {
  const rows = [
    ['=HYPERLINK("x")', '-1.5e-7'],
    ['@a', '+Inf'],
    ['-2+3', '-0'],
  ];
  const text = formatted('csv', { columns: ['a', 'b'], rows }, rows);
  assert.equal(text.trimEnd(), `a,b\r\n"'=HYPERLINK(""x"")",-1.5e-7\r\n'@a,+Inf\r\n'-2+3,-0`);
});

test('a label with control characters cannot move the cursor, and any number of rows is laid out', () => {
  const hostile = [['x\u001b[2J\n', '1']];
  assert.equal(formatted('table', { columns: ['a', 'b'], rows: hostile }, hostile), 'a       b\nx\ufffd[2J\ufffd  1');
  const rows = Array.from({ length: 200_000 }, () => ['x', '1']);
  assert.equal(formatted('table', { columns: ['a', 'b'], rows }, rows).length, 4 * 200_001 + 200_000);
});
