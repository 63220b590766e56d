import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csvText } from './csv.ts';
import { parseCsv } from './csv-read.ts';

const fieldsOf = (text: string): readonly (readonly string[])[] => {
  const parsed = parseCsv(text);
  return parsed.ok ? parsed.value.map(({ fields }) => fields) : assert.fail(parsed.error);
};

test('records keep their fields and say on which line they begin', () => {
  const parsed = parseCsv('\uFEFFa,b\r\n\r\n"x ""y""","two\nlines"\nlast,');
  assert.deepEqual(parsed.ok && parsed.value, [
    { line: 1, fields: ['a', 'b'] },
    { line: 3, fields: ['x "y"', 'two\nlines'] },
    { line: 5, fields: ['last', ''] },
  ]);
  for (const text of ['"open', '"a"b,c', 'a\n"x" ,y']) assert.match(JSON.stringify(parseCsv(text)), /does not end/, text);
});

test('what is written is read again', () => {
  const field = fc.string().filter((text) => !csvText([[text]]).startsWith("'") && !csvText([[text]]).startsWith(`"'`));
  const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 5 }), { maxLength: 10 });
  fc.assert(fc.property(rows, (written) => assert.deepEqual(fieldsOf(csvText(written)), written)));
});

test('a field of any length is read, and one without an end is refused', () => {
  const long = 'x'.repeat(20_000_000);
  const read = parseCsv(`a,"${long}",b`);
  assert.ok(read.ok);
  assert.deepEqual(
    read.value[0]?.fields.map((field) => field.length),
    [1, long.length, 1],
  );
  for (const text of [`"${long}`, '"', '"a"b', 'a,"b']) assert.equal(parseCsv(text).ok, false, text.slice(0, 10));
});
