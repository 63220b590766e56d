import { type Numbers, at, meanOf } from './numbers.ts';
import { seasonalProfile } from './season.ts';

/**
 * Exponential smoothing with additive errors: level, damped trend, additive season. Source: Hyndman, Koehler, Ord & Snyder 2008, the
 * error-correction form; without a trend and a season it is simple smoothing, with a trend Holt's, with both Holt–Winters'.
 */
export type SmoothingShape = { readonly trend: boolean /** 1 for none. */; readonly period: number };

export type SmoothingWeights = {
  /** 0..1, how much a new value moves the level. */
  readonly level: number;
  /** 0..1, how much a new level moves the trend. */
  readonly trend: number;
  /** 0.8..1, what is left of the trend after each step. */
  readonly damping: number;
  /** 0..1, how much a new value moves its season. */
  readonly season: number;
};

type State = { level: number; slope: number; readonly season: Float64Array; error: number };

/** Steps of the search for the weights; each is one pass over the values. */
const MAX_PASSES = 140;

/** Runs through `values` and returns what is known at the end. `error` is the mean absolute error one step ahead. */
function run(values: Numbers, shape: SmoothingShape, weights: SmoothingWeights, start: Float64Array): State {
  const { period } = shape;
  const season = start.slice();
  let level = at(values, 0) - at(season, 0);
  let [slope, errors] = [0, 0];
  const warm = Math.min(Math.max(period, 3), values.length >> 1);
  for (let i = 0; i < values.length; i++) {
    const slot = i % period;
    const base = level + weights.damping * slope;
    const error = at(values, i) - base - at(season, slot);
    if (i >= warm) errors += Math.abs(error);
    level = base + weights.level * error;
    slope = weights.damping * slope + weights.level * weights.trend * error;
    season[slot] = at(season, slot) + weights.season * (1 - weights.level) * error;
  }
  return { level, slope, season, error: errors / Math.max(1, values.length - warm) };
}

/** The seasonal start: the profile of the first cycles. */
function startOf(values: Numbers, period: number): Float64Array {
  if (period === 1) return new Float64Array(1);
  const cycles = Math.min(4, Math.floor(values.length / period));
  const first = Float64Array.from({ length: cycles * period }, (_, i) => at(values, i));
  return seasonalProfile(first, period, Number.POSITIVE_INFINITY);
}

/** Forecast of `horizon` steps with the weights that would have served best one step ahead. At least two cycles, or three values. */
export function smoothingForecast(values: Numbers, shape: SmoothingShape, horizon: number): Float64Array {
  const start = startOf(values, shape.period);
  const weights = searchWeights((candidate) => run(values, shape, candidate, start).error, shape);
  const { level, slope, season } = run(values, shape, weights, start);
  const { damping } = weights;
  let [grown, factor] = [0, 1];
  return Float64Array.from({ length: horizon }, (_, j) => {
    factor *= damping;
    grown += factor;
    return level + slope * grown + at(season, (values.length + j) % shape.period);
  });
}

const LIMITS: Readonly<Record<keyof SmoothingWeights, readonly [number, number]>> = {
  level: [0.01, 0.99],
  trend: [0.005, 0.5],
  damping: [0.8, 0.99],
  season: [0, 0.6],
};

/** Compass search from a usual start: each weight up and down, the step halved when nothing helps. Deterministic. */
function searchWeights(errorOf: (weights: SmoothingWeights) => number, { trend, period }: SmoothingShape): SmoothingWeights {
  let best: SmoothingWeights = { level: 0.3, trend: trend ? 0.05 : 0, damping: trend ? 0.95 : 0, season: period > 1 ? 0.1 : 0 };
  const names: (keyof SmoothingWeights)[] = [
    'level',
    ...(trend ? (['trend', 'damping'] as const) : []),
    ...(period > 1 ? (['season'] as const) : []),
  ];
  let least = errorOf(best);
  let passes = 1;
  for (let step = 0.25; step > 0.01 && passes < MAX_PASSES; ) {
    let moved = false;
    for (const name of names)
      for (const sign of [1, -1]) {
        const [low, high] = LIMITS[name];
        const next = Math.min(high, Math.max(low, best[name] + sign * step * (high - low)));
        if (next === best[name]) continue;
        const candidate = { ...best, [name]: next };
        const error = errorOf(candidate);
        passes += 1;
        if (error < least * (1 - 1e-6)) [best, least, moved] = [candidate, error, true];
      }
    if (!moved) step /= 2;
  }
  return best;
}

/** Simple smoothing with half the slope of the whole as drift. At least three values. Source: Assimakopoulos & Nikolopoulos 2000. */
export function thetaForecast(values: Numbers, horizon: number): Float64Array {
  const flat = smoothingForecast(values, { trend: false, period: 1 }, horizon);
  const middle = (values.length - 1) / 2;
  const mean = meanOf(values);
  let [above, below] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    above += (i - middle) * (at(values, i) - mean);
    below += (i - middle) ** 2;
  }
  const drift = above / below / 2;
  return flat.map((value, j) => value + drift * (j + 1));
}
