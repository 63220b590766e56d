import { capacityOf, leakOf } from '../stats/capacity.ts';
import { thinned } from '../stats/regular-series.ts';
import { medianOf } from '../stats/robust.ts';
import { at } from '../stats/numbers.ts';
import { type Examined, HOUR_MS, hourAt, nothing, type Outcome, unasked } from './examined.ts';

export type ExhaustionFinding = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly before: number;
  readonly now: number;
  readonly perDay: number;
  /** Null for a leak: nobody said what the limit is. */
  readonly limit: number | null;
  readonly days: { readonly expected: number; readonly earliest: number; readonly latest: number | null } | null;
};

const NEEDED = 5 * 24;
const TOGETHER = 6;
/** From the middle of the last hours taken together to the last of them. */
const LATE_DAYS = (TOGETHER - 1) / 2 / 24;
/** Limits that are reached later than this are nothing to do now. */
const FARTHEST_DAYS = 60;
/** A leak adds at least this share of what was used. */
const LEAST_LEAK = 0.2;

/** When what is used up is gone, or whether it is taken and not given back; the growth must go on to the end. */
export function findExhaustion(series: Examined): Outcome<ExhaustionFinding> {
  const { role, limit } = series;
  if (role === 'performance' || role === 'load' || (role === 'other' && limit === undefined)) return unasked('not_asked');
  if (series.values.length < NEEDED) return unasked('short_history');
  return limit === undefined ? leaking(series) : towardsLimit(series, limit);
}

function towardsLimit(series: Examined, limit: number): Outcome<ExhaustionFinding> {
  const own = thinned(series.values, TOGETHER);
  const stepMs = TOGETHER * HOUR_MS;
  const found = capacityOf(own, { stepMs, limit, side: series.side ?? 'above' });
  if (!found.ok) return unasked(found.error.reason);
  const { state, days: fromMiddle, trend } = found.value;
  if (state !== 'approaching' || fromMiddle === null) return nothing(state);
  const now = trend.now + trend.perDay * LATE_DAYS;
  const sooner = (one: number): number => Math.max(0, one - LATE_DAYS);
  const { expected, earliest, latest } = fromMiddle;
  const days = { expected: sooner(expected), earliest: sooner(earliest), latest: latest === null ? null : sooner(latest) };
  if (days.expected > FARTHEST_DAYS) return nothing('far_away');
  const before = now - (trend.perDay * (series.values.length - 1)) / 24;
  if (Math.abs(now - before) < series.leastChange) return nothing('too_small');
  if (!goesOn(series.values, trend.perDay)) return nothing('has_stopped');
  return { p: trend.p, found: { ...spanOf(series), before, now, perDay: trend.perDay, limit, days } };
}

function leaking(series: Examined): Outcome<ExhaustionFinding> {
  const leak = leakOf(series.values, HOUR_MS);
  if (!leak.ok) return unasked(leak.error.reason);
  const { perDay, p } = leak.value;
  if (!leak.value.leaking) return nothing('no_leak');
  const days = (series.values.length - 1) / 24;
  const now = medianOf(series.values.slice(-24));
  const before = now - perDay * days;
  if (perDay * days < Math.max(series.leastChange, LEAST_LEAK * Math.abs(before))) return nothing('too_small');
  if (!goesOn(series.values, perDay)) return nothing('has_stopped');
  return { p, found: { ...spanOf(series), before, now, perDay, limit: null, days: null } };
}

const spanOf = (series: Examined) => ({ fromMs: series.startMs, toMs: hourAt(series, series.values.length - 1) });

/** The last two days lie beyond the same time before it. */
function goesOn(values: Float64Array, perDay: number): boolean {
  const recent = medianOf(values.slice(-48));
  const earlier = medianOf(values.slice(-96, -48));
  const isFlat = values.slice(-24).every((value) => value === at(values, values.length - 1));
  return !isFlat && (recent - earlier) * perDay > 0;
}
