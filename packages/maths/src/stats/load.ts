import { ok } from '@nines/base/result.ts';
import { tHalfWidth } from './distributions.ts';
import { type Numbers, at, notFinite, squaresAround, meanOf } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';

/**
 * Little's law: in a system that neither grows nor shrinks, the number inside is the rate of arrivals times the time each stays.
 * Two of the three give the third. Rates per second, times in seconds.
 */
export const concurrencyOf = (perSecond: number, seconds: number): number => perSecond * seconds;
export const throughputOf = (concurrency: number, seconds: number): number => concurrency / seconds;

/** The Universal Scalability Law: X(N) = γN / (1 + α(N - 1) + βN(N - 1)). Source: Gunther 2007. */
export type Scalability = {
  /** Throughput of one. */
  readonly gamma: number;
  /** Share of the work that waits for the rest (contention), 0..1. */
  readonly alpha: number;
  /** Cost of each pair keeping in step (coherence). */
  readonly beta: number;
  /** Concurrency with the highest throughput; null when there is none (β = 0). */
  readonly peak: number | null;
  readonly r2: number;
  readonly n: number;
  /** Standard errors of the parameters; 0 of one that is held at zero. */
  readonly errors: { readonly gamma: number; readonly alpha: number; readonly beta: number };
  /** How far single throughputs are from the law, as a share of it. */
  readonly scatter: number;
  /** The covariance of the coefficients of N / X = a + b (N - 1) + c N (N - 1), row by row. */
  readonly covariance: readonly number[];
};

const MIN_POINTS = 4;

/**
 * Fits the law to throughputs at several concurrencies by least squares of the relative errors (all three parameters kept at zero or
 * above). At least four points at three concurrencies or more. Standard errors are those of the linear form, carried over (delta method);
 * they take the errors of the points to be independent.
 */
export function fitScalability(concurrency: Numbers, throughput: Numbers): Answer<Scalability> {
  if (concurrency.length !== throughput.length) return refuse('lengths_differ', 'as many concurrencies as throughputs are needed');
  if (notFinite(concurrency) >= 0 || notFinite(throughput) >= 0) return refuse('not_finite', 'a value is not a finite number');
  const n = concurrency.length;
  if (n < MIN_POINTS || new Set(Array.from(concurrency)).size < 3)
    return refuse('too_few_points', 'at least four points at three different concurrencies are needed');
  for (let i = 0; i < n; i++)
    if (!(at(concurrency, i) > 0 && at(throughput, i) > 0)) return refuse('not_positive', 'concurrency and throughput must be above zero');
  // N / X is a parabola in N without other terms: its coefficients are 1/γ's shares. Weighted by X/N all errors are relative.
  const rows = Array.from({ length: n }, (_, i): Row => {
    const [count, weight] = [at(concurrency, i), at(throughput, i) / at(concurrency, i)];
    return [weight, weight * (count - 1), weight * count * (count - 1)];
  });
  const fitted = nonNegative(rows);
  if (fitted === undefined) return refuse('no_fit', 'the throughputs do not follow from any rate of one');
  const { x, covariance, scatter } = fitted;
  const [a, b, c] = x;
  const model = { gamma: 1 / a, alpha: b / a, beta: c / a };
  const predicted = Float64Array.from(concurrency, (count) => throughputAt(model, count));
  const total = squaresAround(throughput, meanOf(throughput));
  const left = predicted.reduce((sum, value, i) => sum + (value - at(throughput, i)) ** 2, 0);
  const peak = model.beta > 0 ? Math.sqrt(Math.max(0, (1 - model.alpha) / model.beta)) : null;
  const errorOf = (gradient: Row): number => Math.sqrt(Math.max(0, formOf(covariance, gradient)));
  const errors = {
    gamma: errorOf([1 / a ** 2, 0, 0]),
    alpha: b > 0 ? errorOf([-b / a ** 2, 1 / a, 0]) : 0,
    beta: c > 0 ? errorOf([-c / a ** 2, 0, 1 / a]) : 0,
  };
  const r2 = total > 0 ? 1 - left / total : 0;
  return ok({ ...model, peak: peak !== null && peak < 1 ? 1 : peak, r2, n, errors, scatter, covariance });
}

/** Throughput at a concurrency, by the law. */
export const throughputAt = ({ gamma, alpha, beta }: Pick<Scalability, 'gamma' | 'alpha' | 'beta'>, count: number): number =>
  (gamma * count) / (1 + alpha * (count - 1) + beta * count * (count - 1));

export type Predicted = { readonly value: number; readonly lower: number; readonly upper: number };

/**
 * Throughput and the time that each request stays (Little's law, in the unit of time that throughput is counted by), at a concurrency, with
 * the interval for a single measurement at `level`: of the law's own doubt and of the scatter around it.
 */
export function predictLoad(
  fit: Scalability,
  count: number,
  level = 0.95,
): { readonly throughput: Predicted; readonly latency: Predicted } {
  const perRequest = count / throughputAt(fit, count);
  const doubt = Math.max(0, formOf(fit.covariance, [1, count - 1, count * (count - 1)])) / perRequest ** 2;
  const half = tHalfWidth(1 - level, Math.max(1, fit.n - 3)) * Math.sqrt(doubt + fit.scatter ** 2);
  const [lower, upper] = [perRequest * Math.max(0, 1 - half), perRequest * (1 + half)];
  return {
    latency: { value: perRequest, lower, upper },
    throughput: { value: count / perRequest, lower: count / upper, upper: (count / perRequest) * (1 + half) },
  };
}

/** The lowest concurrency at which the law gives that throughput; undefined where it never does. */
export function concurrencyFor(fit: Pick<Scalability, 'gamma' | 'alpha' | 'beta'>, throughput: number): number | undefined {
  // X (1 + α(N-1) + βN(N-1)) = γN, a parabola in N.
  const { gamma, alpha, beta } = fit;
  const [square, linear, constant] = [throughput * beta, throughput * (alpha - beta) - gamma, throughput * (1 - alpha)];
  if (square === 0) return linear < 0 ? constant / -linear : undefined;
  const discriminant = linear ** 2 - 4 * square * constant;
  if (discriminant < 0 || linear >= 0) return undefined;
  // The smaller root without the difference of two nearly equal numbers.
  return (2 * constant) / (-linear + Math.sqrt(discriminant));
}

type Row = readonly [number, number, number];
type Fitted = { readonly x: Row; readonly covariance: readonly number[]; readonly scatter: number };

const SUBSETS = [[0], [0, 1], [0, 2], [0, 1, 2]] as const;

/** Least squares of rows · x = 1 with all x >= 0: of the subsets of parameters that may be above zero, the one that fits best. */
function nonNegative(rows: readonly Row[]): Fitted | undefined {
  let best: (Fitted & { readonly squares: number }) | undefined;
  for (const subset of SUBSETS) {
    const found = solved(rows, subset);
    if (found !== undefined && (best === undefined || found.squares < best.squares)) best = found;
  }
  return best;
}

function solved(rows: readonly Row[], subset: readonly number[]): (Fitted & { readonly squares: number }) | undefined {
  const scales = subset.map((k) => Math.sqrt(rows.reduce((sum, row) => sum + (row[k] ?? 0) ** 2, 0)));
  if (scales.some((scale) => !(scale > 0 && Number.isFinite(scale)))) return undefined;
  const columns = subset.map((k, j) => Float64Array.from(rows, (row) => (row[k] ?? 0) / (scales[j] ?? 1)));
  const dot = (one: Float64Array, other: Float64Array): number => one.reduce((sum, value, i) => sum + value * at(other, i), 0);
  const inverse = inverted(columns.map((one) => columns.map((other) => dot(one, other))));
  if (inverse === undefined) return undefined;
  const sums = columns.map((column) => column.reduce((sum, value) => sum + value, 0));
  const scaled = inverse.map((line) => line.reduce((sum, value, j) => sum + value * (sums[j] ?? 0), 0));
  const own: [number, number, number] = [0, 0, 0];
  subset.forEach((k, j) => (own[k] = (scaled[j] ?? 0) / (scales[j] ?? 1)));
  if (!(own[0] > 0) || own.some((value) => !(value >= 0))) return undefined;
  const squares = rows.reduce((sum, row) => sum + (1 - row[0] * own[0] - row[1] * own[1] - row[2] * own[2]) ** 2, 0);
  const variance = squares / Math.max(1, rows.length - subset.length);
  const covariance = Array.from({ length: 9 }, (_, cell) => {
    const [i, j] = [subset.indexOf(Math.floor(cell / 3)), subset.indexOf(cell % 3)];
    return i < 0 || j < 0 ? 0 : (variance * (inverse[i]?.[j] ?? 0)) / ((scales[i] ?? 1) * (scales[j] ?? 1));
  });
  return { x: own, covariance, scatter: Math.sqrt(variance), squares };
}

/** By Gauss and Jordan with pivots; undefined for what is singular to working precision. */
function inverted(matrix: readonly (readonly number[])[]): number[][] | undefined {
  const size = matrix.length;
  const work = matrix.map((line, i) => [...line, ...Array.from({ length: size }, (_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < size; k++) {
    const rest = work.slice(k).map((line) => Math.abs(line[k] ?? 0));
    const pivot = k + rest.indexOf(Math.max(...rest));
    const [line, other] = [work[pivot], work[k]];
    if (line === undefined || other === undefined || !(Math.abs(line[k] ?? 0) > SINGULAR)) return undefined;
    [work[k], work[pivot]] = [line, other];
    const scale = line[k] ?? 1;
    for (let j = 0; j < 2 * size; j++) line[j] = (line[j] ?? 0) / scale;
    for (const [i, target] of work.entries()) {
      const factor = target[k] ?? 0;
      if (i === k || factor === 0) continue;
      for (let j = 0; j < 2 * size; j++) target[j] = (target[j] ?? 0) - factor * (line[j] ?? 0);
    }
  }
  return work.map((line) => line.slice(size));
}

const SINGULAR = 1e-12;

/** gᵀ · covariance · g. */
const formOf = (covariance: readonly number[], g: Row): number =>
  g.reduce((sum, one, i) => sum + g.reduce((inner, other, j) => inner + one * other * (covariance[3 * i + j] ?? 0), 0), 0);
