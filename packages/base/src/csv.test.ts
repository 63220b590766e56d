import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvText } from './csv.ts';

test('fields are quoted where a comma, a quote or a line end stands in them, and every row ends', () => {
  assert.equal(csvText([['a', 'b,c'], ['say "no"', 'two\nlines'], ['']]), 'a,"b,c"\r\n"say ""no""","two\nlines"\r\n\r\n');
});

test('what a spreadsheet would run is disarmed, and numbers stay numbers', () => {
  const field = (text: string) => csvText([[text]]).trimEnd();
  for (const formula of ['=1+1', '+cmd', '-2+3', '@SUM(A1)', '\tx', '\0=1', '\u{feff}=1', '＝1+1', '＠SUM(A1)'])
    assert.ok(field(formula).startsWith("'"), formula);
  for (const number of ['-1', '+Inf', '-inf', '-1.5e-7', '12']) assert.equal(field(number), number);
});
