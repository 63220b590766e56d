import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvText } from './csv.ts';

test('fields are quoted where a comma, a quote or a line end stands in them, and every row ends', () => {
  assert.equal(csvText([['a', 'b,c'], ['say "no"', 'two\nlines'], ['']]), 'a,"b,c"\r\n"say ""no""","two\nlines"\r\n\r\n');
});

test('what a spreadsheet would run is disarmed, and numbers stay numbers', () => {
  const field = (text: string) => csvText([[text]]).trimEnd();
  for (const formula of ['=1+1', '+cmd', '-2+3', '@SUM(A1)', '\tx', '\0=1', '\u{feff}=1', '＝1+1', '＠SUM(A1)', '\rx', '\n=1'])
    assert.match(field(formula), /^"?'/, formula);
  for (const sign of ['=', '+', '-', '@', '\t', '\r'])
    for (const front of ['"', "'", ' ', '  ', '\u{a0}', '" ', '\t'])
      assert.match(field(`${front}${sign}SUM(A1)`), /^"?'/, JSON.stringify(front + sign));
  for (const text of ['a=1', '"quoted"', ' indented', 'x-1']) assert.doesNotMatch(field(text), /^"?'/, text);
  for (const number of ['-1', '+Inf', '-inf', '-1.5e-7', '12']) assert.equal(field(number), number);
});
