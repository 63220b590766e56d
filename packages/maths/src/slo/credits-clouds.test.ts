import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CreditTerms, amountText, creditOf, parseAmount, shareOf } from './credits.ts';
import type { ExactRatio } from './exact.ts';

/**
 * Credit terms as two large clouds publish them, with worked examples. Amazon S3 Standard: the monthly uptime percentage is 100 % less the mean
 * of the error rates of its 5-minute intervals; below 99.9 % it credits 10 %, below 99.0 % 25 %, below 95.0 % 100 %. Google Cloud
 * Functions: 100 % less the share of downtime minutes, of which each has an error rate above 10 %; below 99.5 % it credits 10 %, below 99.0 % 25 %,
 * below 95.0 % 50 %, which is also the most.
 */
const percent = (text: string): ExactRatio => ({ numerator: BigInt(Math.round(Number(text) * 1_000)), denominator: 100_000n });
const tier = (below: string, credit: string) => ({ below: percent(below), credit: percent(credit) });
const S3: CreditTerms = { tiers: [tier('99.9', '10'), tier('99', '25'), tier('95', '100')], cap: percent('100') };
const FUNCTIONS: CreditTerms = { tiers: [tier('99.5', '10'), tier('99', '25'), tier('95', '50')], cap: percent('50') };

const owed = (terms: CreditTerms, counted: { goodMs: number; badMs: number }, fee: string): string => {
  const credit = creditOf(counted, terms);
  return credit === undefined ? '0.00' : amountText(shareOf(credit.share, parseAmount(fee, 2) ?? assert.fail()), 2);
};
const MINUTE_MS = 60_000;
/** 30 days of 5-minute intervals, of which so many had an error rate in per cent. */
function s3Month(...errors: readonly { readonly intervals: number; readonly percent: number }[]): { goodMs: number; badMs: number } {
  const badMs = errors.reduce((sum, { intervals, percent: rate }) => sum + intervals * 5 * MINUTE_MS * (rate / 100), 0);
  return { goodMs: 8_640 * 5 * MINUTE_MS - badMs, badMs };
}
/** A month of 30 days with so many bad minutes. */
const minutes = (bad: number): { goodMs: number; badMs: number } => ({ goodMs: (43_200 - bad) * MINUTE_MS, badMs: bad * MINUTE_MS });

test('object storage: an hour of errors in every second request', () => {
  // 12 of 8 640 intervals at 50 %: a mean of 0.0694 %, so 99.9306 %: nothing is owed.
  assert.equal(owed(S3, s3Month({ intervals: 12, percent: 50 }), '1234.56'), '0.00');
  // An hour and a half more at 100 %: (6 + 18) / 8 640 = 0.2778 %, 99.7222 %: a tenth of the fee.
  assert.equal(owed(S3, s3Month({ intervals: 12, percent: 50 }, { intervals: 18, percent: 100 }), '1234.56'), '123.46');
});

test('object storage: the borders belong to the better side, and a lost month is given back whole', () => {
  // 8.64 lost intervals are exactly 0.1 %.
  assert.equal(owed(S3, s3Month({ intervals: 864, percent: 1 }), '1234.56'), '0.00');
  assert.equal(owed(S3, s3Month({ intervals: 865, percent: 1 }), '1234.56'), '123.46');
  // 1 %: the first tier still; a hair more the second.
  assert.equal(owed(S3, s3Month({ intervals: 8_640, percent: 1 }), '999.99'), '100.00');
  assert.equal(owed(S3, s3Month({ intervals: 8_640, percent: 1 }, { intervals: 1, percent: 1 }), '999.99'), '250.00');
  assert.equal(owed(S3, s3Month({ intervals: 433, percent: 100 }), '0.05'), '0.05');
});

test('functions: minutes of downtime, at most half of the fee', () => {
  // 216 minutes are exactly 0.5 %.
  assert.deepEqual(
    [216, 217, 432, 433, 2_160, 2_161, 43_200].map((bad) => owed(FUNCTIONS, minutes(bad), '847.31')),
    ['0.00', '84.73', '84.73', '211.83', '211.83', '423.66', '423.66'],
  );
});
