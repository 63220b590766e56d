import { fUpper } from './distributions.ts';
import { type Numbers, at, meanOf, varianceOf } from './numbers.ts';
import { withoutStep } from './single-step.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Seasons that people and machines have, by name and length. */
const CALENDAR: readonly { readonly name: string; readonly ms: number }[] = [
  { name: 'hourly', ms: HOUR_MS },
  { name: 'daily', ms: DAY_MS },
  { name: 'weekly', ms: 7 * DAY_MS },
  { name: 'yearly', ms: 365.25 * DAY_MS },
];
/** A season is looked for in at least so many of its cycles. */
const MIN_CYCLES = 2;
/** Points that a cycle has at least; fewer show no shape. */
const MIN_POINTS = 4;
/** Strength from which a season is one. Source: the threshold of Wang, Smith & Hyndman 2006 as used for STL features. */
export const SEASON_STRENGTH = 0.3;

export type Period = { readonly name: string /** In steps. */; readonly length: number };

/** The calendar seasons that a series of `count` values, `stepMs` apart, can show; ascending. */
export function calendarPeriods(stepMs: number, count: number): Period[] {
  return CALENDAR.flatMap(({ name, ms }) => {
    const length = Math.round(ms / stepMs);
    const off = Math.abs(length * stepMs - ms) / ms;
    return length >= MIN_POINTS && off < 0.02 && count >= MIN_CYCLES * length ? [{ name, length }] : [];
  });
}

/**
 * A seasonal profile, `period` long and around zero: entry k belongs to values whose index from the end of `values` is congruent to it,
 * so that the next value after the end has entry 0. Each cycle is freed of its mean and slope; newer cycles count more (`memory` is the
 * number of cycles after which weight has fallen to 1/e).
 */
export function seasonalProfile(values: Numbers, period: number, memory = 8): Float64Array {
  const cycles = Math.floor(values.length / period);
  const [sums, weights] = [new Float64Array(period), new Float64Array(period)];
  const means = Array.from({ length: cycles }, (_, back) => cycleMean(values, period, back));
  for (let back = 0; back < cycles; back++) {
    const [newer, older] = [means[back - 1] ?? means[back] ?? 0, means[back + 1] ?? means[back] ?? 0];
    const slope = cycles > 1 ? (newer - older) / (period * (back > 0 && back < cycles - 1 ? 2 : 1)) : 0;
    const weight = Math.exp(-back / memory);
    const start = values.length - (back + 1) * period;
    for (let k = 0; k < period; k++) {
      const own = at(values, start + k) - (means[back] ?? 0) - slope * (k - (period - 1) / 2);
      sums[k] = at(sums, k) + weight * own;
      weights[k] = at(weights, k) + weight;
    }
  }
  const raw = sums.map((sum, k) => (at(weights, k) > 0 ? sum / at(weights, k) : 0));
  const middle = meanOf(raw);
  return raw.map((value) => value - middle);
}

function cycleMean(values: Numbers, period: number, back: number): number {
  const start = values.length - (back + 1) * period;
  let sum = 0;
  for (let k = 0; k < period; k++) sum += at(values, start + k);
  return sum / period;
}

/** Share of the values that stay free when profiles of these periods are taken out: a profile of c cycles costs one of c. */
export const freeShare = (count: number, periods: readonly number[]): number =>
  periods.reduce((share, period) => share * (1 - 1 / Math.max(2, Math.floor(count / period))), 1);

/** `values` without the profiles, and what the profiles say of the next values: index 0 is the first value after the end. */
export type Deseasoned = {
  readonly rest: Float64Array;
  readonly next: (ahead: number) => number;
  readonly profiles: readonly Float64Array[];
};

/**
 * Takes seasons out one after the other, shortest first. A longer profile is shrunk by how much of it chance would make (James–Stein):
 * with few cycles it would mostly repeat noise.
 */
export function deseasoned(values: Numbers, periods: readonly number[], memory = 8): Deseasoned {
  let rest = Float64Array.from(values);
  const profiles: Float64Array[] = [];
  for (const period of periods) {
    const profile = seasonalProfile(rest, period, memory);
    const kept = profiles.length === 0 ? 1 : shrinkage(rest, profile);
    const shrunk = profile.map((value) => value * kept);
    const offset = rest.length % period;
    rest = rest.map((value, i) => value - at(shrunk, (i - offset + period) % period));
    profiles.push(shrunk);
  }
  return { rest, profiles, next: (ahead) => profiles.reduce((sum, profile) => sum + at(profile, ahead % profile.length), 0) };
}

/** The share of a profile's variance that is not noise of its own averages. */
function shrinkage(values: Float64Array, profile: Float64Array): number {
  const cycles = Math.floor(values.length / profile.length);
  const seen = varianceOf(profile);
  if (!(seen > 0) || cycles < 2) return 0;
  const offset = values.length % profile.length;
  const left = values.map((value, i) => value - at(profile, (i - offset + profile.length) % profile.length));
  const change = left.map((value, i) => (i === 0 ? 0 : value - at(left, i - 1)));
  const noise = Math.min(varianceOf(left), varianceOf(change)) / Math.max(1, cycles - 1);
  return Math.max(0, 1 - noise / seen);
}

export type Decomposition = {
  readonly trend: Float64Array;
  /** One per period, as long as the values. */
  readonly seasons: readonly Float64Array[];
  readonly remainder: Float64Array;
};

/** Values = trend + seasons + remainder; the trend is a centred moving average over the longest period (or a tenth of the values). */
export function decompose(values: Numbers, periods: readonly number[]): Decomposition {
  const { rest, profiles } = deseasoned(values, periods, Number.POSITIVE_INFINITY);
  const width = Math.max(periods.at(-1) ?? 0, Math.ceil(values.length / 10), 3);
  const trend = centredMean(rest, width);
  const seasons = profiles.map((profile) => {
    const offset = values.length % profile.length;
    return Float64Array.from(values, (_, i) => at(profile, (i - offset + profile.length) % profile.length));
  });
  return { trend, seasons, remainder: rest.map((value, i) => value - at(trend, i)) };
}

/** Mean over `width` values around each; towards the ends the window shrinks on both sides alike. */
export function centredMean(values: Numbers, width: number): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) sums[i + 1] = at(sums, i) + at(values, i);
  return Float64Array.from(values, (_, i) => {
    const reach = Math.min(Math.floor(width / 2), i, values.length - 1 - i);
    return (at(sums, i + reach + 1) - at(sums, i - reach)) / (2 * reach + 1);
  });
}

export type SeasonStrength = {
  /** max(0, 1 - var(remainder) / var(season + remainder)), 0..1. Source: Wang, Smith & Hyndman 2006. */
  readonly strength: number;
  /** Share of a cycle's variance that the other cycles foretell; at most zero where there is no season. */
  readonly foretold: number;
  /** How often chance alone makes places in the cycle differ this much; allows for values that follow each other. */
  readonly p: number;
  /** As `seasonalProfile` has it, all cycles alike. */
  readonly profile: Float64Array;
};

/** How strong a season of `period` steps is. `values` hold at least two cycles. */
export function seasonStrength(values: Numbers, period: number): SeasonStrength {
  const { seasons, remainder } = decompose(values, [period]);
  const season = seasons[0] ?? new Float64Array(values.length);
  const both = varianceOf(remainder.map((value, i) => value + at(season, i)));
  const strength = both > 0 ? Math.max(0, 1 - varianceOf(remainder) / both) : 0;
  const profile = seasonalProfile(values, period, Number.POSITIVE_INFINITY);
  const foretold = both > 0 ? foretoldShare(season, remainder, period) : 0;
  return { strength, foretold, p: both > 0 ? chanceOf(foretold, remainder, period) : 1, profile };
}

/**
 * The F-test of one mean per place in the cycle against one for all. What the other cycles foretell has both of its parts: the share
 * within places is W = (1 - foretold) (c - 1)² / c². Degrees of freedom shrink by (1 - r) / (1 + r) with r of neighbours.
 */
function chanceOf(foretold: number, remainder: Float64Array, period: number): number {
  const cycles = Math.floor(remainder.length / period);
  const within = (1 - foretold) * ((cycles - 1) / cycles) ** 2;
  if (within >= 1) return 1;
  if (!(within > 1e-12)) return 0;
  const kept = Math.min(0.98, Math.max(0, at(autocorrelations(remainder, 2), 1)));
  const places = (period * (1 - kept)) / (1 + kept);
  const [between, inside] = [Math.max(1, places - 1), Math.max(1, places * (cycles - 1))];
  return fUpper((1 - within) / between / (within / inside), between, inside);
}

/** Leave-one-cycle-out: the profile of c cycles without one of them is (c P - own) / (c - 1). */
function foretoldShare(season: Float64Array, remainder: Float64Array, period: number): number {
  const cycles = Math.floor(season.length / period);
  let [errors, total] = [0, 0];
  for (let i = season.length - cycles * period; i < season.length; i++) {
    const own = at(season, i) + at(remainder, i);
    const others = (cycles * at(season, i) - own) / (cycles - 1);
    errors += (own - others) ** 2;
    total += own ** 2;
  }
  return total > 0 ? 1 - errors / total : 0;
}

/** Significance that a season must have: a few are tried. */
const SEASON_P = 0.005;

/** Whether it is a season and not chance. */
export const isSeason = ({ strength, foretold, p }: SeasonStrength): boolean =>
  strength >= SEASON_STRENGTH && foretold > 0.1 && p < SEASON_P;

/** Longest period that is looked for where the calendar offers none. */
const MAX_PERIOD = 1_000;

type Season = { readonly period: Period; readonly strength: SeasonStrength };

/** The seasons of the calendar that a series has, shortest first. */
export function calendarSeasons(values: Numbers, stepMs: number): Season[] {
  const found: Season[] = [];
  let rest: Numbers = values;
  for (const period of calendarPeriods(stepMs, values.length)) {
    const strength = seasonStrength(rest, period.length);
    if (!isSeason(strength)) continue;
    // Of few cycles the corners of a single step look like one: what is a season is one without the step, too.
    const level = withoutStep(rest);
    if (level !== undefined && !isSeason(seasonStrength(level, period.length))) continue;
    found.push({ period, strength });
    rest = deseasoned(rest, [period.length], Number.POSITIVE_INFINITY).rest;
  }
  return found;
}

/**
 * The seasons of a series, shortest first: those of the calendar that are strong enough, else the length at which the series repeats
 * itself best (the highest peak of the autocorrelation of its differences), if it is strong.
 */
export function seasonsOf(values: Numbers, stepMs: number): Season[] {
  const found = calendarSeasons(values, stepMs);
  if (found.length > 0) return found;
  const length = repeatingLength(values);
  if (length === undefined) return [];
  const strength = seasonStrength(values, length);
  return isSeason(strength) && strength.foretold > SEASON_STRENGTH ? [{ period: { name: 'detected', length }, strength }] : [];
}

function repeatingLength(values: Numbers): number | undefined {
  const smooth = centredMean(values, Math.max(3, Math.ceil(values.length / 4)));
  const flat = Float64Array.from(values, (value, i) => value - at(smooth, i));
  const most = Math.min(MAX_PERIOD, Math.floor(values.length / 3));
  const correlations = autocorrelations(flat, most + 1);
  const limit = Math.max(SEASON_STRENGTH, 3 / Math.sqrt(values.length));
  let best: number | undefined;
  for (let lag = MIN_POINTS; lag <= most; lag++) {
    const own = at(correlations, lag);
    if (own < limit || own < at(correlations, lag - 1) || own < at(correlations, lag + 1)) continue;
    // A multiple of a season repeats about as well as the season itself.
    if (best === undefined || own > at(correlations, best) + 0.05) best = lag;
  }
  return best;
}

/** Autocorrelation at lags 0 up to, not including, `lags`. */
export function autocorrelations(values: Numbers, lags: number): Float64Array {
  const mean = meanOf(values);
  const own = Float64Array.from(values, (value) => value - mean);
  const result = new Float64Array(lags);
  let total = 0;
  for (const value of own) total += value * value;
  for (let lag = 0; lag < lags; lag++) {
    let sum = 0;
    for (let i = lag; i < own.length; i++) sum += at(own, i) * at(own, i - lag);
    result[lag] = total > 0 ? sum / total : 0;
  }
  return result;
}
