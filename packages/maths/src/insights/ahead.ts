import { normalUpper } from '../stats/distributions.ts';
import { forecast } from '../stats/forecast.ts';
import { at } from '../stats/numbers.ts';
import { thinned } from '../stats/regular-series.ts';
import { medianOf } from '../stats/robust.ts';
import { DAY_MS, type Examined, HOUR_MS, hourAt, nothing, type Outcome, unasked } from './examined.ts';

export type AheadFinding = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly now: number;
  readonly limit: number;
  /** When it is first expected beyond the limit, and the earliest instant at which its interval reaches there. */
  readonly crossesAtMs: number;
  readonly earliestAtMs: number;
  /** The farthest that is expected within the horizon. */
  readonly extreme: number;
  readonly method: string;
  readonly mase: number;
  readonly naiveMase: number;
  readonly coverage: number;
  readonly line: readonly (readonly [number, number])[];
  readonly band: readonly (readonly [number, number, number])[];
};

const NEEDED = 7 * 24;
/** Hours that are averaged, and days that are looked ahead. */
const TOGETHER = 3;
const AHEAD_DAYS = 7;
const HORIZON = (AHEAD_DAYS * 24) / TOGETHER;
const LEVEL = 0.95;
const Z = 1.959963984540054;
/** What was beyond the limit within this time is no prediction. */
const PAST_HOURS = 14 * 24;
/** Limits farther than this many ranges of the past are not reached within days. */
const REACH = 1.5;
/** Intervals that hold less than this in the back-test are not believed. */
const LEAST_COVERAGE = 0.85;

/** Whether the forecast for the next week passes a limit that was not passed lately, by more than its own errors. */
export function findAhead(series: Examined): Outcome<AheadFinding> {
  const { values, limit } = series;
  if (limit === undefined) return unasked('no_limit');
  if (values.length < NEEDED) return unasked('short_history');
  const sign = series.side === 'below' ? -1 : 1;
  const past = values.subarray(-PAST_HOURS);
  const most = past.reduce((one, other) => (sign * other > sign * one ? other : one));
  const least = past.reduce((one, other) => (sign * other < sign * one ? other : one));
  if (sign * (most - limit) >= 0) return unasked('reached');
  if (sign * (limit - most) > REACH * Math.abs(most - least)) return unasked('far_from_limit');
  const own = thinned(values, TOGETHER);
  const found = forecast(own, { stepMs: TOGETHER * HOUR_MS, horizon: HORIZON, level: LEVEL });
  if (!found.ok) return unasked(found.error.reason);
  const { values: expected, lower, upper, backtest, method } = found.value;
  const first = expected.findIndex((value) => sign * (value - limit) > 0);
  if (first < 0) return nothing('stays_inside');
  if (backtest.coverage < LEAST_COVERAGE) return nothing('forecast_not_trusted');
  if (backtest.mase > backtest.naiveMase) return nothing('no_better_than_repeating');
  const endMs = hourAt(series, values.length - 1);
  const instant = (step: number): number => endMs + (step + 1) * TOGETHER * HOUR_MS;
  // The chance that it stays inside where it is expected farthest outside.
  let p = 1;
  expected.forEach((value, j) => {
    const half = (at(upper, j) - at(lower, j)) / 2;
    if (half > 0) p = Math.min(p, normalUpper((sign * (value - limit)) / (half / Z)));
  });
  const outer = sign > 0 ? upper : lower;
  const earliest = outer.findIndex((value) => sign * (value - limit) > 0);
  const extreme = expected.reduce((one, other) => (sign * other > sign * one ? other : one));
  return {
    p,
    found: {
      fromMs: series.startMs,
      toMs: endMs + AHEAD_DAYS * DAY_MS,
      now: medianOf(values.slice(-24)),
      limit,
      crossesAtMs: instant(first),
      earliestAtMs: instant(Math.max(0, earliest)),
      extreme,
      method,
      mase: backtest.mase,
      naiveMase: backtest.naiveMase,
      coverage: backtest.coverage,
      line: Array.from(expected, (value, j): [number, number] => [instant(j), value]),
      band: Array.from(expected, (_, j): [number, number, number] => [instant(j), at(lower, j), at(upper, j)]),
    },
  };
}
