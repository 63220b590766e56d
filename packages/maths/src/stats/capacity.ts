import { plainText, textIn } from '@nines/base/quantity.ts';
import { ok } from '@nines/base/result.ts';
import { type Numbers, at } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';
import { thinned } from './regular-series.ts';
import { madOf, medianOf, theilSen } from './robust.ts';
import { stepOf } from './single-step.ts';
import { autocorrelations, calendarSeasons, deseasoned, freeShare } from './season.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type Trend = {
  /** Units per day, with its interval. */
  readonly perDay: number;
  readonly lower: number;
  readonly upper: number;
  readonly level: number;
  readonly p: number;
  readonly direction: 'rising' | 'falling' | 'none';
  /** It has a significant slope, but one change of level explains it better: that goes nowhere, so that `direction` is none. */
  readonly stepped: boolean;
  /** Where the line is now, seasons taken out. */
  readonly now: number;
  /** Deviation of the values around the line. */
  readonly scatter: number;
  readonly n: number;
};

/** Significance that a trend must have. */
const TREND_P = 0.01;
/** Values that a trend is told from, at least. */
export const MIN_TREND_VALUES = 10;
/** Values that the pairs of a robust line are made of; more are averaged. */
const TREND_VALUES = 1_000;

/**
 * The robust slope of regular values once their seasons are taken out; the interval allows for values that follow each other. A trend
 * only when it is significant, the interval does not hold zero, and it is no single step.
 */
export function trendOf(values: Numbers, stepMs: number, level = 0.95): Answer<Trend> {
  if (values.length < MIN_TREND_VALUES)
    return refuse('too_few_points', `a trend needs at least ${MIN_TREND_VALUES} values, there are ${values.length}`);
  // Only seasons that are there: of a few cycles of chance a profile takes away what would speak against a line.
  const periods = calendarSeasons(values, stepMs).map(({ period }) => period.length);
  const { rest } = deseasoned(values, periods, Number.POSITIVE_INFINITY);
  const factor = Math.ceil(rest.length / TREND_VALUES);
  const own = factor > 1 ? thinned(rest, factor) : rest;
  const days = Float64Array.from(own, (_, i) => (i * factor * stepMs) / DAY_MS);
  const first = theilSen(days, own, { level });
  if (!first.ok) return first;
  const left = own.map((value, i) => value - first.value.intercept - first.value.slope * at(days, i));
  const line = theilSen(days, own, { level, effective: worthOf(left, freeShare(values.length, periods)) });
  if (!line.ok) return line;
  const { slope, lower, upper, p, intercept } = line.value;
  const significant = p < TREND_P && lower * upper > 0;
  // A mean of several values stands for their middle; the line is wanted at the last of them.
  const now = intercept + slope * (at(days, days.length - 1) + ((factor - 1) / 2) * (stepMs / DAY_MS));
  const stepped = significant && stepOf(own) > 0;
  const direction = !significant || stepped ? 'none' : slope > 0 ? 'rising' : 'falling';
  return ok({ perDay: slope, lower, upper, level, p, direction, stepped, now, scatter: madOf(left), n: values.length });
}

/**
 * Independent values that those around a line are worth: n (1 - r) / (1 + r). r is taken larger than it looks, as the line has taken
 * some of it away. Source: Bayley & Hammersley 1946; Marriott & Pope 1954 for the bias.
 */
function worthOf(left: Float64Array, free = 1): number {
  const seen = Math.max(0, at(autocorrelations(left, 2), 1));
  const kept = Math.min(0.98, seen + (2 + 4 * seen) / left.length);
  return Math.max(3, (free * left.length * (1 - kept)) / (1 + kept));
}

export type Capacity = {
  readonly trend: Trend;
  /** `reached`: it is beyond the limit now; `no_trend`: nothing that goes towards it; `too_far`: later than three times the history. */
  readonly state: 'approaching' | 'reached' | 'no_trend' | 'too_far';
  /** Days until the line is at the limit, with the interval of what else the line may be; only when approaching. `latest` is null when it may never get there. */
  readonly days: { readonly expected: number; readonly earliest: number; readonly latest: number | null } | null;
  readonly reason: string;
};

/** Nothing is said of a day later than so many lengths of the history. */
const BELIEVED_LENGTHS = 3;

/** When regular values will cross `limit`, coming from the side they are on now unless `side` says which side is beyond. */
export function capacityOf(
  values: Numbers,
  question: {
    readonly stepMs: number;
    readonly limit: number;
    readonly level?: number;
    readonly side?: 'above' | 'below';
    readonly unit?: string | undefined;
  },
): Answer<Capacity> {
  const { stepMs, limit, level } = question;
  const text = textIn(question.unit);
  const found = trendOf(values, stepMs, level);
  if (!found.ok) return found;
  const trend = found.value;
  const recent = medianOf(Array.from(values).slice(-Math.max(3, Math.min(values.length, Math.ceil(values.length / 20)))));
  const side = question.side ?? (recent <= limit ? 'above' : 'below');
  const gap = side === 'above' ? limit - trend.now : trend.now - limit;
  const towards = (slope: number): number => (side === 'above' ? slope : -slope);
  const none = { trend, days: null };
  if (gap <= 0) return ok({ ...none, state: 'reached', reason: `the level ${text(trend.now)} is beyond the limit ${text(limit)} already` });
  if (trend.stepped) return ok({ ...none, state: 'no_trend', reason: 'no trend: the level changed once, and not steadily' });
  if (trend.direction === 'none')
    return ok({
      ...none,
      state: 'no_trend',
      reason: `no trend: the slope ${text(trend.perDay)} a day is not told from zero (${chanceText(trend.p)})`,
    });
  if (towards(trend.perDay) <= 0) return ok({ ...none, state: 'no_trend', reason: `it is ${trend.direction}, away from the limit` });
  const history = (values.length * stepMs) / DAY_MS;
  const expected = gap / towards(trend.perDay);
  if (expected > BELIEVED_LENGTHS * history)
    return ok({
      ...none,
      state: 'too_far',
      reason: `at this rate in ${shown(expected)} days, which ${shown(history)} days of history cannot tell`,
    });
  const [slow, fast] = [towards(trend.lower), towards(trend.upper)].toSorted((one, other) => one - other) as [number, number];
  // Another slope turns the line around the middle of its history, so that it is elsewhere now as well.
  const daysAt = (slope: number): number => Math.max(0, (gap - ((slope - towards(trend.perDay)) * history) / 2) / slope);
  const days = { expected, earliest: daysAt(fast), latest: slow > 0 ? daysAt(slow) : null };
  return ok({
    trend,
    state: 'approaching',
    days,
    reason: `${trend.direction} by ${text(Math.abs(trend.perDay))} a day towards ${text(limit)}`,
  });
}

const shown = plainText;
/** A chance in words; below a thousandth nobody counts zeros. */
export const chanceText = (p: number): string => (p < 0.001 ? 'p below 0.001' : `p ${plainText(p)}`);

export type Leak = {
  readonly leaking: boolean;
  /** Units per day of the floor that values fall back to. */
  readonly perDay: number;
  readonly p: number;
  readonly reason: string;
};

/** Time that a leak must last to be one. */
export const MIN_LEAK_MS = 6 * HOUR_MS;
const LEAK_P = 0.01;
/** Parts of the time whose floors are compared. */
const LEAK_PARTS = 24;
/** Parts that a sawtooth is followed through: shorter cycles have their floor in every part. */
const FLOOR_SHARE = 0.1;
/** A leak adds at least this share of the usual height of the values' swings. */
const LEAST_GROWTH = 0.25;

/**
 * Whether something that is taken is not given back: the floors of consecutive parts of the time rise, significantly and by more than a
 * share of the usual swings, and they rise to the end. What a garbage collector gives back is in no floor, so that its sawtooth is no leak.
 * At least six hours.
 */
export function leakOf(values: Numbers, stepMs: number, unit?: string): Answer<Leak> {
  const text = textIn(unit);
  const spanMs = values.length * stepMs;
  if (spanMs < MIN_LEAK_MS) return refuse('too_short', `a leak is told from at least 6 hours, there are ${shown(spanMs / HOUR_MS)}`);
  const perPart = Math.floor(values.length / LEAK_PARTS);
  if (perPart < 2) return refuse('too_few_points', `${2 * LEAK_PARTS} values are needed, there are ${values.length}`);
  const periods = calendarSeasons(values, stepMs)
    .map(({ period }) => period.length)
    .filter((period) => period > perPart);
  const { rest } = deseasoned(values, periods, Number.POSITIVE_INFINITY);
  const sawtooth = longestCycle(rest);
  const width = Math.max(perPart, sawtooth);
  const parts = Math.floor(rest.length / width);
  if (parts < 5) return ok({ leaking: false, perDay: 0, p: 1, reason: 'it falls back too rarely for its floor to be followed' });
  const offset = rest.length - parts * width;
  const floors = Float64Array.from({ length: parts }, (_, k) => {
    const own = rest.slice(offset + k * width, offset + (k + 1) * width).sort();
    return at(own, Math.floor(own.length * FLOOR_SHARE));
  });
  const days = Float64Array.from(floors, (_, k) => (k * width * stepMs) / DAY_MS);
  const first = theilSen(days, floors);
  if (!first.ok) return first;
  const left = floors.map((value, k) => value - first.value.intercept - first.value.slope * at(days, k));
  const line = theilSen(days, floors, { effective: worthOf(left, freeShare(values.length, periods)) });
  if (!line.ok) return line;
  const { slope, p, lower } = line.value;
  const swing = madOf(rest.map((value, i) => value - slope * ((i * stepMs) / DAY_MS)));
  const grown = slope * at(days, parts - 1);
  const stillRising =
    at(floors, parts - 1) >= at(floors, Math.floor(parts / 2)) && medianOf(floors.slice(-3)) > medianOf(floors.slice(0, 3));
  const leaking =
    slope > 0 && lower > 0 && p < LEAK_P && grown > LEAST_GROWTH * swing && stillRising && stepOf(floors) < 0 && stepOf(rest) < 0;
  const reason = leaking
    ? `the floor rises by ${text(slope)} a day (${chanceText(p)}) and nothing gives it back`
    : `the floor does not rise for certain: ${text(slope)} a day, ${chanceText(p)}`;
  return ok({ leaking, perDay: slope, p, reason });
}

/** Steps of the longest rise between two deep falls; 0 when there are none. A collection is a fall of more than half of the range. */
function longestCycle(values: Float64Array): number {
  const sorted = values.toSorted();
  const range = at(sorted, Math.floor(sorted.length * 0.98)) - at(sorted, Math.floor(sorted.length * 0.02));
  let [last, longest, high] = [-1, 0, Number.NEGATIVE_INFINITY];
  values.forEach((value, i) => {
    if (value > high) high = value;
    if (high - value <= range / 2) return;
    if (last >= 0) longest = Math.max(longest, i - last);
    last = i;
    high = value;
  });
  return longest;
}
