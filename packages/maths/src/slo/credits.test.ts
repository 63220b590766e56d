import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRatio } from '@nines/base/decimal.ts';
import fc from 'fast-check';
import { type CreditTerms, amountText, creditOf, parseAmount, shareOf } from './credits.ts';

const ratio = (text: string) => {
  const parsed = parseRatio(text);
  assert.ok(parsed.ok);
  return parsed.value;
};
const terms = (tiers: Readonly<Record<string, string>>, cap = '100%'): CreditTerms => ({
  tiers: Object.entries(tiers).map(([below, credit]) => ({ below: ratio(below), credit: ratio(credit) })),
  cap: ratio(cap),
});
/** The published tiers of two clouds: object storage, and functions. */
const STORAGE = terms({ '99.9%': '10%', '99%': '25%', '95%': '100%' });
const FUNCTIONS = terms({ '99.5%': '10%', '99%': '25%', '95%': '50%' }, '50%');

/** A month of thirty days of which so much was bad, and what a bill of 1 234.56 is credited. */
function owed(of: CreditTerms, badMs: number): string | undefined {
  const credit = creditOf({ goodMs: 2_592_000_000 - badMs, badMs }, of);
  return credit === undefined ? undefined : amountText(shareOf(credit.share, parseAmount('1234.56', 2) ?? 0n), 2);
}

test('published tiers, worked by hand to the cent, and to the millisecond at each edge', () => {
  assert.equal(owed(STORAGE, 0), undefined);
  assert.equal(owed(STORAGE, 2_592_000), undefined, 'exactly 99.9 % is not below 99.9 %');
  assert.equal(owed(STORAGE, 2_592_001), '123.46');
  assert.equal(owed(STORAGE, 25_920_000), '123.46');
  assert.equal(owed(STORAGE, 25_920_001), '308.64');
  assert.equal(owed(STORAGE, 129_600_001), '1234.56');
  assert.equal(owed(FUNCTIONS, 12_960_000), undefined);
  assert.equal(owed(FUNCTIONS, 12_960_001), '123.46');
  assert.equal(owed(FUNCTIONS, 129_600_001), '617.28');
});

test('a cap holds what a tier would give, and says so', () => {
  const credit = creditOf({ goodMs: 1, badMs: 9 }, terms({ '99%': '80%' }, '30%'));
  assert.deepEqual([credit?.isCapped, credit?.share.numerator, credit?.share.denominator], [true, 30n, 100n]);
});

test('nothing counted owes nothing', () => assert.equal(creditOf({ goodMs: 0, badMs: 0 }, STORAGE), undefined));

test('less attained never owes less, and a credit is never more than the fee', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.bigInt(0n, 10n ** 15n), (a, b, fee) => {
      const [less, more] = a < b ? [a, b] : [b, a];
      const of = (badMs: number) => {
        const credit = creditOf({ goodMs: 1_000_000 - badMs, badMs }, STORAGE);
        return credit === undefined ? 0n : shareOf(credit.share, fee);
      };
      assert.ok(of(less) <= of(more));
      assert.ok(of(more) <= fee);
    }),
  );
});

test('amounts have the digits of their currency and no more', () => {
  assert.deepEqual(
    [parseAmount('12', 2), parseAmount('12.5', 2), parseAmount('12.345', 2), parseAmount('-1', 2), parseAmount('12', 0)],
    [1_200n, 1_250n, undefined, undefined, 12n],
  );
  assert.deepEqual([amountText(5n, 2), amountText(1_200n, 2), amountText(12n, 0)], ['0.05', '12.00', '12']);
});
