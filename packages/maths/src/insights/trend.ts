import { capacityOf, trendOf } from '../stats/capacity.ts';
import { thinned } from '../stats/regular-series.ts';
import { DAY_MS, type Examined, HOUR_MS, hourAt, mediansOf, nothing, type Outcome, unasked } from './examined.ts';

export type TrendFinding = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly before: number;
  readonly after: number;
  readonly perDay: number;
  readonly lower: number;
  readonly upper: number;
  /** When the limit is passed at this pace; null without a limit, or when that cannot be told. */
  readonly passesAtMs: number | null;
};

/** Hours that are looked at, and that there must be. */
const LOOKED_AT = 14 * 24;
const NEEDED = 7 * 24;
/** Hours that are averaged: a robust line looks at every pair. */
const TOGETHER = 3;
/** A change by a smaller share of what it was is nothing to tell. */
const LEAST_SHARE = 0.15;
/** Each quarter of the time must add this share of the whole change: a single step is no trend. */
const LEAST_OF_QUARTER = 0.08;
/** Limits that are passed later than this are not spoken of. */
const FARTHEST_DAYS = 60;

/** Whether how something works, or what it is asked to do, has changed steadily over two weeks: significantly, by enough, and in every quarter. */
export function findTrend(series: Examined): Outcome<TrendFinding> {
  if (series.role === 'resource' || series.role === 'budget') return unasked('not_asked');
  if (series.values.length < NEEDED) return unasked('short_history');
  const from = Math.max(0, series.values.length - LOOKED_AT);
  const own = thinned(series.values.subarray(from), TOGETHER);
  const stepMs = TOGETHER * HOUR_MS;
  const trend = trendOf(own, stepMs);
  if (!trend.ok) return unasked(trend.error.reason);
  const { perDay, lower, upper, now, p, direction, scatter } = trend.value;
  if (direction === 'none') return nothing('no_trend');
  const before = now - (perDay * (own.length - 1) * stepMs) / DAY_MS;
  const change = now - before;
  if (Math.abs(change) < Math.max(series.leastChange, LEAST_SHARE * Math.abs(before))) return nothing('too_small');
  if (Math.abs(change) < scatter) return nothing('within_its_scatter');
  if (!isSteady(own, change)) return nothing('not_steady');
  const { limit, side } = series;
  const reached = limit === undefined ? undefined : capacityOf(own, { stepMs, limit, ...(side === undefined ? {} : { side }) });
  const days = reached?.ok === true ? reached.value.days?.expected : undefined;
  const toMs = hourAt(series, series.values.length - 1);
  // The line ends in the middle of the last hours taken together.
  const endMs = toMs - ((TOGETHER - 1) / 2) * HOUR_MS;
  return {
    p,
    found: {
      fromMs: hourAt(series, from),
      toMs,
      before,
      after: now,
      perDay,
      lower,
      upper,
      passesAtMs: days === undefined || days > FARTHEST_DAYS ? null : endMs + days * DAY_MS,
    },
  };
}

function isSteady(values: Float64Array, change: number): boolean {
  const quarters = mediansOf(values, 4);
  return quarters.slice(1).every((median, k) => (median - (quarters[k] ?? 0)) / change >= LEAST_OF_QUARTER);
}
