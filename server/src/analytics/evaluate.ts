import { ok } from '@nines/base/result.ts';
import { type PairQuestion, examine, examinePairs } from '@nines/maths/insights/examine.ts';
import type { Examined } from '@nines/maths/insights/examined.ts';
import { anomaliesOf } from '@nines/maths/stats/anomaly.ts';
import { capacityOf, leakOf, trendOf, type Trend } from '@nines/maths/stats/capacity.ts';
import { adjustedPairs, correlate } from '@nines/maths/stats/correlation.ts';
import { type ChangePoint, MAX_CHANGE_VALUES, changePoints } from '@nines/maths/stats/change-points.ts';
import { type Cell, driftOf, type FeatureDrift } from '@nines/maths/stats/drift.ts';
import { forecast } from '@nines/maths/stats/forecast.ts';
import { meanOf, notFinite } from '@nines/maths/stats/numbers.ts';
import { type Answer, refuse } from '@nines/maths/stats/refusal.ts';
import { multipleRegression, polynomialRegression } from '@nines/maths/stats/regression.ts';
import { instantAt, isInstant, type Point, type RegularSeries, regularSeries } from '@nines/maths/stats/regular-series.ts';
import { medianOf, theilSen } from '@nines/maths/stats/robust.ts';
import { calendarPeriods, decompose, deseasoned, isSeason, seasonStrength, seasonsOf } from '@nines/maths/stats/season.ts';
import type { z } from 'zod';
import type {
  AnomaliesBody,
  CapacityBody,
  CorrelationBody,
  DriftBody,
  ForecastBody,
  RegressionBody,
  SeasonalityBody,
  anomaliesView,
  capacityView,
  correlationView,
  driftView,
  forecastView,
  queryView,
  regressionView,
  seasonalityView,
  trendView,
} from './contract.ts';
import { capacityRow } from './capacity-row.ts';
import { importedLoad, load } from './load.ts';
import { MAX_CELLS, MAX_FEATURES, MAX_SERIES } from './contract.ts';
import { summaryOf } from './summary.ts';

/** Pure: a question as it was asked becomes an answer as it is given, or a refusal with its reason. Runs in a thread of its own. */

type View<T extends z.ZodType> = z.output<T>;

export function regression({ x, y, degree, level }: RegressionBody): Answer<View<typeof regressionView>> {
  const rows = x.length > 0 && Array.isArray(x[0]) ? (x as readonly (readonly number[])[]) : undefined;
  const found = rows === undefined ? polynomialRegression(x as readonly number[], y, degree, level) : several(rows, y, { degree, level });
  if (!found.ok) return found;
  const { standardErrors, pValues, halfWidths, adjustedR2, residualSd, residualSquares: _, ...rest } = found.value;
  const named = { standard_errors: [...standardErrors], p_values: [...pValues], half_widths: [...halfWidths] };
  return ok({ ...rest, coefficients: [...rest.coefficients], ...named, adjusted_r2: adjustedR2, residual_sd: residualSd });
}

function several(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  { degree, level }: { readonly degree: number; readonly level: number },
) {
  const width = rows[0]?.length ?? 0;
  if (rows.some((row) => row.length !== width)) return refuse('lengths_differ', 'the rows of x are not equally long');
  if (degree !== 1) return refuse('bad_degree', 'rows of several numbers are fitted with degree 1');
  const columns = Array.from({ length: width }, (_, k) => rows.map((row) => row[k] ?? Number.NaN));
  return multipleRegression(columns, y, level);
}

export function forecasted({ points, horizon, level }: ForecastBody): Answer<View<typeof forecastView>> {
  const series = regularSeries(points);
  if (!series.ok) return series;
  const { values, stepMs, notes } = series.value;
  const found = forecast(values, { stepMs, horizon, level });
  if (!found.ok) return found;
  const { backtest, seasons } = found.value;
  const { naiveMase, beatNaive, latest, ...measures } = backtest;
  const listed = (told: { readonly values: Float64Array; readonly lower: Float64Array; readonly upper: Float64Array }, first: number) =>
    Array.from(told.values, (value, j) => ({
      at_ms: instantAt(series.value, first + j),
      value,
      lower: told.lower[j] ?? value,
      upper: told.upper[j] ?? value,
    }));
  return ok({
    points: listed(found.value, values.length),
    level,
    method: found.value.method,
    season: found.value.season,
    seasons: [...seasons],
    backtest: {
      ...measures,
      naive_mase: naiveMase,
      beat_naive: beatNaive,
      latest: latest === undefined ? [] : listed(latest, values.length - latest.values.length),
    },
    notes: [...notes, ...found.value.notes],
  });
}

/** Distances that tell how far apart values usually are: few, so that what comes later changes no score. */
const STEP_SAMPLE = 20;

export function anomalies({ points, method, sensitivity, seed, unit }: AnomaliesBody): Answer<View<typeof anomaliesView>> {
  const order = points.map((point, index) => ({ atMs: point[0], value: point[1], index })).sort((one, other) => one.atMs - other.atMs);
  const known = order.filter((point): point is typeof point & { value: number } => Number.isFinite(point.value));
  if (points.length === 0) return refuse('empty', 'there are no points');
  if (points.some(([atMs]) => !isInstant(atMs))) return refuse('bad_instant', 'an instant is beyond 8e15 ms from 1970');
  if (known.length === 0) return refuse('all_missing', 'no point has a finite value');
  const gaps = known.slice(1, STEP_SAMPLE + 1).map(({ atMs }, i) => atMs - (known[i]?.atMs ?? 0));
  const stepMs = medianOf(gaps.filter((gap) => gap > 0));
  const periods = stepMs > 0 ? calendarPeriods(stepMs, Number.MAX_SAFE_INTEGER).map(({ length }) => length) : [];
  const missing = known.map(({ atMs }, i) =>
    i === 0 || !(stepMs > 0) ? 0 : Math.max(0, Math.round((atMs - (known[i - 1]?.atMs ?? 0)) / stepMs) - 1),
  );
  const found = anomaliesOf(
    known.map(({ value }) => value),
    { method, sensitivity, seed, periods, missing, unit },
  );
  if (!found.ok) return found;
  const scores = points.map(() => 0);
  known.forEach(({ index }, i) => (scores[index] = found.value.scores[i] ?? 0));
  const left = points.length - known.length;
  return ok({
    scores,
    episodes: found.value.episodes.map(({ from, to, score, reason }) => ({
      from_at_ms: known[from]?.atMs ?? 0,
      to_at_ms: known[to]?.atMs ?? 0,
      score,
      reason,
    })),
    method,
    sensitivity,
    notes: left > 0 ? [`${left} points without a value have score 0`] : [],
  });
}

export function drift({ reference, current, importance, critical }: DriftBody): Answer<View<typeof driftView>> {
  const names = [...new Set([...Object.keys(reference), ...Object.keys(current)])];
  if (names.length === 0) return refuse('empty', 'there are no features');
  if (names.length > MAX_FEATURES) return refuse('too_large', `${names.length} features, the limit is ${MAX_FEATURES}`);
  const columnsOf = (side: Readonly<Record<string, readonly Cell[]>>) =>
    new Map(names.map((name) => [name, Object.hasOwn(side, name) ? (side[name] ?? []) : []]));
  const [r, c] = [columnsOf(reference), columnsOf(current)];
  const cells = [...r.values(), ...c.values()].reduce((sum, column) => sum + column.length, 0);
  if (cells > MAX_CELLS) return refuse('too_large', `${cells} cells, the limit is ${MAX_CELLS}: compare a sample`);
  const report = driftOf(r, c, { importance: new Map(Object.entries(importance)), critical: new Set(critical) });
  const features = Object.fromEntries([...report.features].map(([name, feature]) => [name, featureView(feature)]));
  return ok({ drifted: report.drifted, share: report.share, features });
}

function featureView({ tests, ...rest }: FeatureDrift): View<typeof driftView>['features'][string] {
  if (tests === undefined) return { ...rest, rows: { ...rest.rows }, tests: {} };
  const { ks, psi, wasserstein, jensenShannon, chiSquare, missing } = tests;
  return {
    ...rest,
    tests: {
      ...(ks && { ks }),
      psi,
      ...(wasserstein && { wasserstein }),
      jensen_shannon: jensenShannon,
      ...(chiSquare && { chi_square: { statistic: chiSquare.statistic, p: chiSquare.p, dof: chiSquare.dof, cramer_v: chiSquare.cramerV } }),
      missing,
    },
  };
}

/** Seasons are tried on at least so many values. */
const MIN_SEASON_VALUES = 8;

export function seasonality({ points }: SeasonalityBody): Answer<View<typeof seasonalityView>> {
  const series = regularSeries(points);
  if (!series.ok) return series;
  const { values, stepMs, notes } = series.value;
  if (values.length < MIN_SEASON_VALUES)
    return refuse('too_few_points', `seasons need at least ${MIN_SEASON_VALUES} values, there are ${values.length}`);
  const present = seasonsOf(values, stepMs);
  const lengths = present.map(({ period }) => period.length);
  const { rest } = deseasoned(values, lengths, Number.POSITIVE_INFINITY);
  const absent = calendarPeriods(stepMs, values.length)
    .filter(({ length }) => !present.some(({ period }) => period.length === length))
    .map((period) => ({ period, strength: seasonStrength(rest, period.length) }));
  const { trend, seasons, remainder } = decompose(values, lengths);
  const viewOf = ({ period, strength }: (typeof present)[number], isPresent: boolean) => ({
    ...period,
    length_ms: period.length * stepMs,
    strength: strength.strength,
    foretold: strength.foretold,
    present: isPresent && isSeason(strength),
    profile: Array.from(strength.profile),
  });
  return ok({
    seasons: [...present.map((one) => viewOf(one, true)), ...absent.map((one) => viewOf(one, false))],
    points: Array.from(values, (value, i) => ({
      at_ms: instantAt(series.value, i),
      value,
      trend: trend[i] ?? 0,
      season: seasons.reduce((sum, season) => sum + (season[i] ?? 0), 0),
      remainder: remainder[i] ?? 0,
    })),
    changes: changesOf(series.value, rest),
    notes: [...notes],
  });
}

/** Where the level changed, on means of neighbours where there are more values than change points are looked for in. */
function changesOf(series: RegularSeries, rest: Float64Array): View<typeof seasonalityView>['changes'] {
  const by = Math.ceil(rest.length / MAX_CHANGE_VALUES);
  const thinned = Float64Array.from({ length: Math.floor(rest.length / by) }, (_, i) => meanOf(rest.subarray(i * by, (i + 1) * by)));
  const told = (found: readonly ChangePoint[], added: (index: number) => number) =>
    found.map(({ index, before, after }) => ({
      at_ms: instantAt(series, index * by),
      before: before + added(index),
      after: after + added(index),
    }));
  const levels = changePoints(thinned);
  const places = thinned.map((_, i) => i);
  const line = levels.length === 0 ? undefined : theilSen(places, thinned);
  if (line?.ok !== true) return told(levels, () => 0);
  // A slope looks like a flight of stairs, and a step looks like a slope with corners: what needs fewer changes is what happened.
  const { intercept, slope } = line.value;
  const corners = changePoints(thinned.map((value, i) => value - intercept - slope * i));
  return corners.length < levels.length ? told(corners, (index) => intercept + slope * index) : told(levels, () => 0);
}

const SIGNIFICANT = 0.05;
/** Values that are compared, of all pairs at all lags: some seconds. */
const MAX_COMPARED = 5_000_000;

export function correlation(body: CorrelationBody): Answer<View<typeof correlationView>> {
  const gathered = seriesOf(body);
  if (!gathered.ok) return gathered;
  const { names, columns, stepMs, notes } = gathered.value;
  const compares = ((names.length * (names.length - 1)) / 2) * (2 * body.max_lag + 1) * (columns[0]?.length ?? 0);
  if (compares > MAX_COMPARED)
    return refuse('too_large', `${compares} values would be compared, the limit is ${MAX_COMPARED}: send fewer points, series or lags`);
  const periods = stepMs === null ? [] : calendarPeriods(stepMs, columns[0]?.length ?? 0).map(({ length }) => length);
  const compared = names.flatMap((x, i) =>
    names.slice(i + 1).map((y, k) => ({
      x,
      y,
      found: correlate(columns[i] ?? [], columns[i + 1 + k] ?? [], { maxLag: body.max_lag, periods }),
    })),
  );
  const told = compared.flatMap(({ x, y, found }) => (found.ok ? [{ x, y, value: found.value }] : []));
  const refused = compared.flatMap(({ x, y, found }) => (found.ok ? [] : [{ x, y, ...found.error }]));
  const [only] = refused;
  if (told.length === 0 && only !== undefined) return refuse(only.reason, only.message);
  const adjusted = adjustedPairs(told.map(({ value }) => value));
  const pairs = told.map(({ x, y, value }, i) => {
    const p = adjusted[i]?.p ?? 1;
    return { x, y, ...value, lag_ms: stepMs === null ? null : value.lag * stepMs, p, significant: p <= SIGNIFICANT };
  });
  return ok({ pairs, refused, notes });
}

type Columns = {
  readonly names: readonly string[];
  readonly columns: readonly Float64Array[];
  readonly stepMs: number | null;
  readonly notes: string[];
};

function seriesOf({ series, x, y }: CorrelationBody): Answer<Columns> {
  if (series === undefined && x !== undefined && y !== undefined && [x, y].every((side) => side.every((one) => typeof one === 'number'))) {
    const columns = [Float64Array.from(x as number[]), Float64Array.from(y as number[])];
    return ok({ names: ['x', 'y'], columns, stepMs: null, notes: [] });
  }
  const entries = Object.entries(series ?? { ...(x && { x }), ...(y && { y }) });
  if (entries.length < 2) return refuse('too_few_series', 'two series are needed: x and y, or two or more in series');
  if (entries.length > MAX_SERIES) return refuse('too_large', `${entries.length} series, the limit is ${MAX_SERIES}`);
  const regular: RegularSeries[] = [];
  for (const [name, points] of entries) {
    if (points.some((point) => !Array.isArray(point)))
      return refuse('bad_points', `${name} must hold points [at_ms, value] as the other does`);
    const one = regularSeries(points as readonly Point[]);
    if (!one.ok) return refuse(one.error.reason, `${name}: ${one.error.message}`);
    regular.push(one.value);
  }
  return aligned(
    entries.map(([name]) => name),
    regular,
  );
}

/** All series on the coarsest of their steps, over the time that all of them have. */
function aligned(names: readonly string[], regular: readonly RegularSeries[]): Answer<Columns> {
  const stepMs = Math.max(...regular.map((one) => one.stepMs));
  const fromMs = Math.max(...regular.map((one) => one.startMs));
  const toMs = Math.min(...regular.map((one) => instantAt(one, one.values.length - 1)));
  const length = Math.floor((toMs - fromMs) / stepMs) + 1;
  if (!(length > 1)) return refuse('no_overlap', 'the series have no time in common');
  const columns = regular.map((one) =>
    Float64Array.from({ length }, (_, i) => {
      const place = (fromMs + i * stepMs - one.startMs) / one.stepMs;
      const first = Math.round(place);
      const count = Math.max(1, Math.round(stepMs / one.stepMs));
      return meanOf(one.values.subarray(first, Math.min(one.values.length, first + count)));
    }),
  );
  return ok({ names, columns, stepMs, notes: regular.flatMap(({ notes }, i) => notes.map((note) => `${names[i]}: ${note}`)) });
}

export const trendViewOf = ({ perDay, lower, upper, level, p, direction, now, n }: Trend): View<typeof trendView> => ({
  per_day: perDay,
  lower,
  upper,
  level,
  p,
  direction,
  now,
  n,
});

const DAY_MS = 86_400_000;

export function capacity({ points, limit, side, level }: CapacityBody): Answer<View<typeof capacityView>> {
  const series = regularSeries(points);
  if (!series.ok) return series;
  const { values, stepMs, notes } = series.value;
  const found = capacityOf(values, { stepMs, limit, level, ...(side === undefined ? {} : { side }) });
  if (!found.ok) return found;
  const { days, state, reason, trend } = found.value;
  const leak = leakOf(values, stepMs);
  const lastMs = instantAt(series.value, values.length - 1);
  return ok({
    state,
    days,
    reached_at_ms: days === null ? null : Math.round(lastMs + days.expected * DAY_MS),
    reason,
    trend: trendViewOf(trend),
    leak: leak.ok ? { leaking: leak.value.leaking, per_day: leak.value.perDay, p: leak.value.p, reason: leak.value.reason } : null,
    notes: leak.ok ? [...notes] : [...notes, `leak: ${leak.error.message}`],
  });
}

export type SeriesQuestion = {
  readonly points: readonly (readonly [number, number])[];
  /** Steps that the window has: what is not among the points is missing. */
  readonly expected: number;
  readonly anomalies: Pick<AnomaliesBody, 'method' | 'sensitivity'> | undefined;
  readonly horizon: number | undefined;
  readonly level?: number;
};
export type Described = Pick<View<typeof queryView>['series'][number], 'summary' | 'trend' | 'anomalies' | 'forecast'>;

/** What a query says of one of its series. Parts that cannot be told say why. */
export function described({ points, expected, anomalies: asked, horizon, level = 0.95 }: SeriesQuestion): Answer<Described> {
  if (points.length === 0) return refuse('empty', 'there are no points');
  if (notFinite(points.map(([, one]) => one)) >= 0) return refuse('not_finite', 'a value is not a finite number of at most 1e100 in size');
  const own = points.map((point): [number, number] => [point[0], point[1]]);
  const series = regularSeries(own);
  const trend = series.ok ? trendOf(series.value.values, series.value.stepMs) : series;
  const flat = <T>(answer: Answer<T>) => (answer.ok ? answer.value : { reason: answer.error.reason, message: answer.error.message });
  return ok({
    summary: summaryOf(own, expected),
    trend: trend.ok ? trendViewOf(trend.value) : trend.error,
    ...(asked === undefined ? {} : { anomalies: flat(anomalies({ points: own, seed: 1, ...asked })) }),
    ...(horizon === undefined ? {} : { forecast: flat(forecasted({ points: own, horizon, level })) }),
  });
}

/** Every question, by the name its route has. */
export const QUESTIONS = {
  regression,
  forecast: forecasted,
  anomalies,
  drift,
  seasonality,
  correlation,
  capacity,
  capacity_row: capacityRow,
  load,
  load_import: importedLoad,
  described,
  examination: (series: Examined) => ok(examine(series)),
  relations: (question: PairQuestion) => ok(examinePairs(question)),
} as const;
export type QuestionName = keyof typeof QUESTIONS;
