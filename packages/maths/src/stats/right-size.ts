import { plainText, textIn } from '@nines/base/quantity.ts';
import { ok } from '@nines/base/result.ts';
import { type Numbers, ascending, at, notFinite } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';
import { quantileOf } from './robust.ts';

const DAY_MS = 86_400_000;

/** Above the value that is passed 5 % of the time, and above the highest one. */
export const HEADROOM = { overP95: 0.3, overPeak: 0.1 };
/** Nothing is said of what was seen for less than a day, and nothing is taken away from what was seen for less than a week. */
const LEAST_MS = DAY_MS;
const LEAST_TO_SHRINK_MS = 7 * DAY_MS;
const LEAST_VALUES = 24;
/** Smaller is advised only where half would do. */
const TOO_BIG_SHARE = 0.5;

export type RightSize = {
  readonly advice: 'enough' | 'too_small' | 'too_big';
  readonly p95: number;
  readonly peak: number;
  /** What the use needs with headroom, in the unit of the values. */
  readonly suggested: number;
  /** What a resource of that size gives back; 0 unless it is too big. */
  readonly saves: number;
  readonly reason: string;
};

/**
 * Whether a resource of size `limit` fits what is used of it: 30 % above the 95th percentile and 10 % above the peak, whichever is more.
 * Values are use, one step apart, finite, of at least a day; "too big" needs a week, as a weekend tells nothing of Mondays. Growth is not
 * looked at: that is what `capacityOf` is for.
 */
export function rightSizeOf(values: Numbers, stepMs: number, limit: number, unit?: string): Answer<RightSize> {
  const text = textIn(unit);
  const spanMs = values.length * stepMs;
  if (!(limit > 0 && Number.isFinite(limit))) return refuse('bad_limit', 'the size must be a finite number above zero');
  if (notFinite(values) >= 0) return refuse('not_finite', 'a value is not a finite number of at most 1e100 in size');
  if (values.length < LEAST_VALUES || spanMs < LEAST_MS)
    return refuse('too_short', `the right size is told from at least a day and ${LEAST_VALUES} values`);
  const sorted = ascending(values);
  const [p95, peak] = [quantileOf(sorted, 0.95), at(sorted, sorted.length - 1)];
  const suggested = Math.max(0, p95 * (1 + HEADROOM.overP95), peak * (1 + HEADROOM.overPeak));
  const seen = `95 % of the time at most ${text(p95)} of ${text(limit)} were used and never more than ${text(peak)}, over ${plainText(spanMs / DAY_MS)} days`;
  const needs = `with 30 % above the former and 10 % above the latter that needs ${text(suggested)}`;
  const said = { p95, peak, suggested, saves: 0 };
  if (suggested > limit) return ok({ ...said, advice: 'too_small', reason: `${seen}: ${needs}` });
  if (suggested >= TOO_BIG_SHARE * limit) return ok({ ...said, advice: 'enough', reason: `${seen}: ${needs}` });
  if (spanMs < LEAST_TO_SHRINK_MS)
    return ok({ ...said, advice: 'enough', reason: `${seen}: ${needs}; whether less would do is told after seven days` });
  return ok({ ...said, advice: 'too_big', saves: limit - suggested, reason: `${seen}: ${needs}` });
}
