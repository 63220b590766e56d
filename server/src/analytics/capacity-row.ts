import { textIn } from '@nines/base/quantity.ts';
import { ok } from '@nines/base/result.ts';
import { DAY_MS } from '@nines/base/units.ts';
import { MIN_TREND_VALUES, capacityOf, chanceText, leakOf, trendOf, type Trend } from '@nines/maths/stats/capacity.ts';
import { thinned, instantAt, type RegularSeries, regularSeries } from '@nines/maths/stats/regular-series.ts';
import type { Answer } from '@nines/maths/stats/refusal.ts';
import { rightSizeOf } from '@nines/maths/stats/right-size.ts';
import type { CapacityRow } from './contract.ts';

/** Pure: one line of the capacity table from its points. Runs in a thread. */

export type RowQuestion = {
  readonly points: readonly (readonly [number, number])[];
  readonly limit: number | null;
  readonly side: 'above' | 'below';
  /** Whether what is taken has to be given back, as memory and files have. */
  readonly leaks: boolean;
  /** Whether the values are use of something whose size is `limit`. */
  readonly sized: boolean;
  /** Of the values, for the words of reasons. */
  readonly unit?: string;
};
export type RowFound = Omit<CapacityRow, 'name' | 'expr' | 'labels' | 'unit' | 'limit' | 'side'>;

/** Points of the picture. */
const PICTURE_POINTS = 60;
/** Days ahead within which the interval of a slope must stay clear of the limit for a series to be called steady. */
const STEADY_LENGTHS = 3;
const METHOD = 'robust slope (Theil-Sen) without seasons';

export function capacityRow(question: RowQuestion): Answer<RowFound> {
  const { limit, side, unit } = question;
  const series = regularSeries(question.points.map(([atMs, value]): [number, number] => [atMs, value]));
  const last = question.points.at(-1)?.[1] ?? null;
  const measured = question.points.length;
  if (measured > 0 && measured < MIN_TREND_VALUES)
    return ok(untold(last, `too little history yet: ${measured} of the ${MIN_TREND_VALUES} values that a trend needs`));
  if (!series.ok) return ok(untold(last, series.error.message));
  const { values, stepMs, notes } = series.value;
  const common = { value: last, points: pictureOf(series.value) };
  const trend = trendOf(values, stepMs);
  if (!trend.ok) return ok({ ...untold(last, trend.error.message), ...common });
  const told = {
    ...common,
    per_day: trend.value.perDay,
    confidence: confidenceOf(trend.value.p),
    method: METHOD,
    leak: question.leaks ? leakView(series.value, unit) : null,
    right_size: question.sized && limit !== null ? sizeView(series.value, limit, unit) : null,
  };
  const none = { days: null, days_lower: null, days_upper: null };
  const worded = (reason: string): string => [reason, ...notes].join('; ');
  if (limit === null)
    return ok({ ...told, ...none, state: directionOf(trend.value), reason: worded(`no limit is known: ${slopeWords(trend.value, unit)}`) });
  const found = capacityOf(values, { stepMs, limit, side, unit });
  if (!found.ok) return ok({ ...untold(last, found.error.message), ...common });
  const { state, days, reason } = found.value;
  const direction = directionOf(trend.value);
  if (state === 'reached') return ok({ ...told, days: 0, days_lower: 0, days_upper: 0, state: direction, reason: worded(reason) });
  if (days !== null)
    return ok({
      ...told,
      days: days.expected,
      days_lower: days.earliest,
      days_upper: days.latest,
      state: direction,
      reason: worded(reason),
    });
  const open = direction === 'steady' && !staysClear(trend.value, { limit, side, historyDays: (values.length * stepMs) / DAY_MS });
  return ok({ ...told, ...none, state: open ? 'unclear' : direction, reason: worded(reason) });
}

const untold = (value: number | null, reason: string): RowFound => ({
  value,
  state: 'refused',
  per_day: null,
  days: null,
  days_lower: null,
  days_upper: null,
  confidence: null,
  method: METHOD,
  leak: null,
  right_size: null,
  reason,
  points: [],
});

const DIRECTIONS = { rising: 'grows', falling: 'shrinks', none: 'steady' } as const;
const directionOf = ({ direction }: Trend): (typeof DIRECTIONS)[Trend['direction']] => DIRECTIONS[direction];

const slopeWords = ({ direction, perDay, p }: Trend, unit: string | undefined): string =>
  direction === 'none' ? `no trend (${chanceText(p)})` : `${direction} by ${textIn(unit)(Math.abs(perDay))} a day (${chanceText(p)})`;

/** Whether even the steepest slope of the interval stays away from the limit for as long as anything may be said. */
function staysClear(
  trend: Trend,
  { limit, side, historyDays }: { readonly limit: number; readonly side: 'above' | 'below'; readonly historyDays: number },
): boolean {
  const gap = side === 'above' ? limit - trend.now : trend.now - limit;
  const steepest = side === 'above' ? trend.upper : -trend.lower;
  return steepest * STEADY_LENGTHS * historyDays < gap;
}

function confidenceOf(p: number): CapacityRow['confidence'] {
  const value = 1 - Math.min(1, Math.max(0, p));
  return { value, words: value >= 0.999 ? 'very sure' : value >= 0.99 ? 'sure' : value >= 0.95 ? 'fairly sure' : 'not sure' };
}

function leakView({ values, stepMs, startMs, monthly, filled, notes }: RegularSeries, unit: string | undefined): CapacityRow['leak'] {
  const leak = leakOf(values, stepMs, unit);
  if (!leak.ok) return { state: 'refused', since_at_ms: null, p: null, reason: leak.error.message };
  const { leaking, p, reason } = leak.value;
  const since = leaking ? instantAt({ values, stepMs, startMs, monthly, filled, notes }, 0) : null;
  return { state: leaking ? 'leaks' : 'none', since_at_ms: since, p, reason };
}

function sizeView({ values, stepMs }: RegularSeries, limit: number, unit: string | undefined): CapacityRow['right_size'] {
  const size = rightSizeOf(values, stepMs, limit, unit);
  return size.ok ? size.value : null;
}

function pictureOf(series: RegularSeries): [number, number][] {
  const factor = Math.max(1, Math.ceil(series.values.length / PICTURE_POINTS));
  const own = factor > 1 ? thinned(series.values, factor) : series.values;
  const offset = series.values.length - own.length * factor;
  return Array.from(own, (value, i) => [instantAt(series, offset + i * factor), value]);
}
