import { ok } from '@nines/base/result.ts';
import { meanAbsoluteError, naiveScale, percentageError, symmetricError, weightedPercentageError } from './accuracy.ts';
import { type Errors, conformalHalfWidths } from './conformal.ts';
import { type ErrorScale, errorScaleOf } from './error-scale.ts';
import { type Forecaster, forecastersFor } from './forecasters.ts';
import { type Numbers, at, notFinite } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';
import { seasonsOf } from './season.ts';

export type Forecast = {
  /** One per step ahead, the first one step after the last value. */
  readonly values: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly level: number;
  /** What made it, in words for people: one method, or `ensemble of …`. */
  readonly method: string;
  /** Steps of the main season; 1 when there is none. */
  readonly season: number;
  readonly seasons: readonly { readonly name: string; readonly length: number; readonly strength: number }[];
  /** How it did on the part of the values that it had not seen. */
  readonly backtest: Backtest;
  /** What one should know before believing it. */
  readonly notes: readonly string[];
};

export type Backtest = {
  /** Mean absolute error in units of the seasonal naive forecast's inside the history; below 1 is better than it was there. */
  readonly mase: number;
  /** The same of the seasonal naive forecast over the same origins: what has to be beaten. */
  readonly naiveMase: number;
  readonly smape: number;
  /** Mean absolute percentage error as a share; null when a value is zero. */
  readonly mape: number | null;
  /** Σ|error| / Σ|value|; null when all values are zero. */
  readonly wape: number | null;
  /** Share of values inside the interval when the interval is made without the origins around it. */
  readonly coverage: number;
  readonly origins: number;
  /** Of the origins, those from which it erred less than the seasonal naive forecast did. */
  readonly beatNaive: number;
  /** Steps ahead that were tried; fewer than asked for where the history is short. */
  readonly horizon: number;
  /** What it said from the last origin, which has `horizon` values after it; undefined when nothing was tried. */
  readonly latest: Latest | undefined;
};
/** One per step tried; the interval is made without the origins around it. */
type Latest = { readonly values: Float64Array; readonly lower: Float64Array; readonly upper: Float64Array };

export const MAX_HORIZON = 2_000;
/** Fewer values than this and no origin is left to try on. */
export const MIN_VALUES = 12;
/** Origins of the rolling back-test, and of the first look that chooses who takes part. */
const MAX_ORIGINS = 40;
const SCREEN_ORIGINS = 8;
const FINALISTS = 5;
/** Values that a forecaster learns from: older ones tell of another time. */
const MAX_HISTORY = 6_000;
/** Values that all origins together are given: a long history is tried from fewer. */
const MAX_LEARNED = 80_000;
const MIN_ORIGINS = 12;
/** Forecasters worse than the best by more than this take no part in the ensemble. */
const ENSEMBLE_WITHIN = 1.25;
const ENSEMBLE_MOST = 4;

/**
 * Forecasts regular values (finite, one step apart). Forecasters are judged by rolling origin: each is given the past only, the best
 * make an ensemble weighted by their errors, and the intervals are the sizes of the ensemble's own errors. When nothing beats the
 * seasonal naive forecast that one is given, and it is said.
 */
export function forecast(
  values: Numbers,
  question: { readonly stepMs: number; readonly horizon: number; readonly level: number },
): Answer<Forecast> {
  const { horizon, level } = question;
  const faulty = faultOf(values, question);
  if (faulty !== undefined) return faulty;
  const history = Float64Array.from(values).subarray(-MAX_HISTORY);
  if (history.every((value) => value === at(history, 0))) return ok(unchanging(history, horizon, level));
  const seasons = seasonsOf(history, question.stepMs).slice(0, 2);
  const periods = seasons.map(({ period }) => period.length);
  const plan = planOf(history.length, horizon, periods);
  const all = forecastersFor(periods);
  const first = rolled(all, history, { ...plan, origins: spread(plan, SCREEN_ORIGINS) });
  const finalists = best(first, FINALISTS).map(({ forecaster }) => forecaster);
  const naive = all[0] as Forecaster;
  const tried = rolled([...new Set([naive, ...finalists])], history, { ...plan, origins: spread(plan, originsOf(plan)) });
  const chosen = choose(tried, naive);
  const predicted = mixed(chosen.map(({ forecaster, weight }) => ({ values: forecaster.forecast(history, horizon), weight })));
  const floor = history.every((value) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY;
  const clipped = predicted.map((value) => Math.max(floor, value));
  const tries = triesOf(chosen, history, { plan, coming: clipped });
  const half = conformalHalfWidths(tries.errors, horizon, { level, windows: windowsOf(plan, tries.errors.length) });
  return ok({
    values: clipped,
    lower: clipped.map((value, j) => Math.max(floor, tries.scale.away(value, -at(half, j)))),
    upper: clipped.map((value, j) => tries.scale.away(value, at(half, j))),
    level,
    method:
      chosen.length === 1
        ? (chosen[0]?.forecaster.name ?? '')
        : `ensemble of ${chosen.map(({ forecaster }) => forecaster.name).join(', ')}`,
    season: periods[0] ?? 1,
    seasons: seasons.map(({ period, strength }) => ({ ...period, strength: strength.strength })),
    backtest: judged({ history, plan, tries, tried, naive, season: periods[0] ?? 1, level, floor }),
    notes: notesOf({ chosen, naive, plan, horizon }),
  });
}

function faultOf(values: Numbers, { horizon, level }: { readonly horizon: number; readonly level: number }) {
  if (!Number.isInteger(horizon) || horizon < 1 || horizon > MAX_HORIZON)
    return refuse('bad_horizon', `horizon must be an integer from 1 to ${MAX_HORIZON}`);
  if (!(level > 0.5 && level < 1)) return refuse('bad_level', 'level must be above 0.5 and below 1');
  if (values.length < MIN_VALUES)
    return refuse('too_few_points', `a forecast needs at least ${MIN_VALUES} values, there are ${values.length}`);
  const wrong = notFinite(values);
  if (wrong >= 0) return refuse('not_finite', `the value at index ${wrong} is not a finite number of at most 1e100 in size`);
  if (horizon > values.length)
    return refuse(
      'horizon_too_long',
      `${horizon} steps ahead cannot be told from ${values.length} values: ask for at most as many as there are`,
    );
  return undefined;
}

function unchanging(history: Float64Array, horizon: number, level: number): Forecast {
  const values = new Float64Array(horizon).fill(at(history, 0));
  const backtest = {
    mase: 0,
    naiveMase: 0,
    smape: 0,
    mape: null,
    wape: 0,
    coverage: 1,
    origins: 0,
    beatNaive: 0,
    horizon: 0,
    latest: undefined,
  };
  return {
    values,
    lower: values,
    upper: values,
    level,
    method: 'constant',
    season: 1,
    seasons: [],
    backtest,
    notes: ['the values have never changed'],
  };
}

type Plan = { readonly length: number; readonly firstOrigin: number; readonly tested: number };

/** From where on origins are tried and how far ahead. */
function planOf(length: number, horizon: number, periods: readonly number[]): Plan {
  const longest = periods.at(-1) ?? 1;
  const needed = Math.min(Math.max(8, Math.floor(2 * longest) + 1), length - 4);
  const firstOrigin = Math.max(needed, Math.min(Math.floor(length / 3), length - 3 * horizon));
  const tested = Math.max(1, Math.min(horizon, Math.floor((length - firstOrigin) / 2)));
  return { length, firstOrigin, tested };
}

const originsOf = ({ length }: Plan): number => Math.min(MAX_ORIGINS, Math.max(MIN_ORIGINS, Math.floor(MAX_LEARNED / length)));

/** Up to `most` origins from the first to the last that leaves `tested` values to compare with; the last is always among them. */
function spread({ length, firstOrigin, tested }: Plan, most: number): number[] {
  const final = length - tested;
  const count = Math.min(most, final - firstOrigin + 1);
  return [...new Set(Array.from({ length: count }, (_, k) => Math.round(final - (k * (final - firstOrigin)) / Math.max(1, count - 1))))];
}

type Run = {
  readonly forecaster: Forecaster;
  readonly errors: Errors /** Mean absolute error over all origins and steps. */;
  readonly error: number;
};

function rolled(forecasters: readonly Forecaster[], history: Float64Array, plan: Plan & { readonly origins: readonly number[] }): Run[] {
  return forecasters.map((forecaster) => {
    const errors = plan.origins.map((origin) => {
      const predicted = forecaster.forecast(history.subarray(0, origin), plan.tested);
      return predicted.map((value, j) => at(history, origin + j) - value);
    });
    const error = errors.reduce((sum, row) => sum + meanAbsoluteError(row, new Float64Array(row.length)), 0) / errors.length;
    return { forecaster, errors, error: Number.isFinite(error) ? error : Number.POSITIVE_INFINITY };
  });
}

const best = (runs: readonly Run[], count: number): Run[] => runs.toSorted((one, other) => one.error - other.error).slice(0, count);

type Chosen = { readonly forecaster: Forecaster; readonly run: Run; readonly weight: number };

/** The best and who is close to it, each weighted by the inverse square of its error; the seasonal naive alone when nothing beats it. */
function choose(runs: readonly Run[], naive: Forecaster): Chosen[] {
  const [leader] = best(runs, 1);
  if (leader === undefined) return [];
  if (leader.forecaster === naive || leader.error === 0) return [{ forecaster: leader.forecaster, run: leader, weight: 1 }];
  const close = best(runs, ENSEMBLE_MOST).filter(({ error }) => error <= leader.error * ENSEMBLE_WITHIN);
  const weights = close.map(({ error }) => (leader.error / error) ** 2);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return close.map((run, i) => ({ forecaster: run.forecaster, run, weight: (weights[i] ?? 0) / total }));
}

function mixed(parts: readonly { readonly values: Float64Array; readonly weight: number }[]): Float64Array {
  return Float64Array.from(parts[0]?.values ?? [], (_, j) => parts.reduce((sum, { values, weight }) => sum + weight * at(values, j), 0));
}

/** What the ensemble would have said at each origin, what came, and how far apart they were in the terms of `scale`. */
type Tries = {
  readonly actual: readonly Float64Array[];
  readonly predicted: readonly Float64Array[];
  readonly errors: Errors;
  readonly scale: ErrorScale;
};

function triesOf(
  chosen: readonly Chosen[],
  history: Float64Array,
  { plan, coming }: { readonly plan: Plan; readonly coming: Float64Array },
): Tries {
  const actual = spread(plan, originsOf(plan)).map((origin) => history.subarray(origin, origin + plan.tested));
  const predicted = actual.map((row, o) => {
    const off = mixed(chosen.map(({ run, weight }) => ({ values: run.errors[o] ?? row, weight })));
    return row.map((value, j) => value - at(off, j));
  });
  const scale = errorScaleOf(actual, predicted, coming);
  const errors = actual.map((row, o) => row.map((value, j) => scale.errorOf(value, at(predicted[o] ?? row, j))));
  return { actual, predicted, errors, scale };
}

/** How many windows of `tested` steps, one after the other, the origins cover. */
const windowsOf = ({ length, firstOrigin, tested }: Plan, origins: number): number => Math.min(origins, (length - firstOrigin) / tested);

type Judged = {
  readonly history: Float64Array;
  readonly plan: Plan;
  readonly tries: Tries;
  readonly tried: readonly Run[];
  readonly naive: Forecaster;
  readonly season: number;
  readonly level: number;
  /** Forecasts do not fall below. */
  readonly floor: number;
};

function judged({ history, plan, tries, tried, naive, season, level, floor }: Judged): Backtest {
  const origins = spread(plan, originsOf(plan));
  const scale = naiveScale(history, season);
  const { actual, predicted } = tries;
  const [allActual, allPredicted] = [actual, predicted].map((rows) => rows.flatMap((row) => Array.from(row))) as [number[], number[]];
  const scaled = (error: number): number => (scale > 0 ? error / scale : 0);
  const naiveRun = tried.find(({ forecaster }) => forecaster === naive);
  const missed = (row: Numbers): number => Array.from(row).reduce((sum, error) => sum + Math.abs(error), 0);
  return {
    mase: scaled(meanAbsoluteError(allActual, allPredicted)),
    naiveMase: scaled(naiveRun?.error ?? 0),
    smape: symmetricError(allActual, allPredicted),
    mape: finiteOrNull(percentageError(allActual, allPredicted)),
    wape: finiteOrNull(weightedPercentageError(allActual, allPredicted)),
    coverage: coverageOf(tries.errors, { origins, plan, level }),
    origins: origins.length,
    beatNaive: actual.filter((row, o) => {
      const own = row.map((value, j) => value - at(predicted[o] ?? row, j));
      return missed(own) < missed(naiveRun?.errors[o] ?? own);
    }).length,
    horizon: plan.tested,
    latest: latestOf(tries, halfWidthsApart(tries.errors, 0, { origins, plan, level }), floor),
  };
}

function latestOf({ predicted, scale }: Tries, half: Float64Array | undefined, floor: number): Latest | undefined {
  const [values] = predicted;
  if (values === undefined || half === undefined) return undefined;
  const clipped = values.map((value) => Math.max(floor, value));
  return {
    values: clipped,
    lower: clipped.map((value, j) => Math.max(floor, scale.away(value, -at(half, j)))),
    upper: clipped.map((value, j) => scale.away(value, at(half, j))),
  };
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

type Rolling = { readonly origins: readonly number[]; readonly plan: Plan; readonly level: number };

/** Half widths for origin `o` from the errors of the origins whose windows do not touch its own, as far as there are any. */
function halfWidthsApart(errors: Errors, o: number, { origins, plan, level }: Rolling): Float64Array | undefined {
  const apart = errors.filter((_, other) => Math.abs((origins[other] ?? 0) - (origins[o] ?? 0)) >= plan.tested);
  const others = apart.length > 0 ? apart : errors.filter((_, other) => other !== o);
  if (others.length === 0) return undefined;
  return conformalHalfWidths(others, plan.tested, { level, windows: Math.max(1, windowsOf(plan, others.length) - 1) });
}

/** Each origin is judged by an interval made of those whose windows do not touch its own, as far as there are any. */
function coverageOf(errors: Errors, rolling: Rolling): number {
  let [inside, total] = [0, 0];
  errors.forEach((row, o) => {
    const half = halfWidthsApart(errors, o, rolling);
    if (half === undefined) return;
    row.forEach((error, j) => {
      total += 1;
      if (Math.abs(error) <= at(half, j)) inside += 1;
    });
  });
  return total > 0 ? inside / total : 0;
}

function notesOf({
  chosen,
  naive,
  plan,
  horizon,
}: {
  readonly chosen: readonly Chosen[];
  readonly naive: Forecaster;
  readonly plan: Plan;
  readonly horizon: number;
}): string[] {
  const notes: string[] = [];
  if (chosen.length === 1 && chosen[0]?.forecaster === naive) notes.push(`no better than ${naive.name}: nothing that was tried beat it`);
  if (plan.tested < horizon)
    notes.push(`tried ${plan.tested} of ${horizon} steps ahead: the history is too short for more, later intervals are extrapolated`);
  return notes;
}
