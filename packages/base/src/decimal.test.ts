import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decimalToNumber, parseRatio } from './decimal.ts';

test('a ratio is read exactly, as a percentage or a decimal', () => {
  const read = (text: string): string => {
    const parsed = parseRatio(text);
    return parsed.ok ? `${parsed.value.numerator}/${parsed.value.denominator}` : 'refused';
  };
  assert.deepEqual(['99.9%', '0.999', '100 %', '1', '0', '99.999999999999%'].map(read), [
    '999/1000',
    '999/1000',
    '100/100',
    '1/1',
    '0/1',
    '99999999999999/100000000000000',
  ]);
  for (const text of ['', '%', '1e-3', '-1', '+0.5', '.5', '0.', '1.1', '100.1%', '99,9%', 'NaN', '0'.repeat(40)])
    assert.equal(read(text), 'refused', text);
});

test('a ratio keeps every digit that was written', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 20n), (digits) => {
      const text = `0.${String(digits).padStart(21, '0')}`;
      const parsed = parseRatio(text);
      assert.ok(parsed.ok);
      assert.equal(parsed.value.numerator, digits);
      assert.ok(Math.abs(decimalToNumber(parsed.value) - Number(text)) <= 1e-15);
    }),
  );
});
