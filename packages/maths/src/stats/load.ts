import { ok } from '@nines/base/result.ts';
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
};

const PASSES = 2_000;

/**
 * Fits the law to throughputs at several concurrencies by least squares of the relative errors (all
 * three parameters kept at zero or above). At least four points at three concurrencies or more.
 */
export function fitScalability(concurrency: Numbers, throughput: Numbers): Answer<Scalability> {
  if (concurrency.length !== throughput.length) return refuse('lengths_differ', 'as many concurrencies as throughputs are needed');
  if (notFinite(concurrency) >= 0 || notFinite(throughput) >= 0) return refuse('not_finite', 'a value is not a finite number');
  const n = concurrency.length;
  if (n < 4 || new Set(Array.from(concurrency)).size < 3)
    return refuse('too_few_points', 'at least four points at three different concurrencies are needed');
  for (let i = 0; i < n; i++)
    if (!(at(concurrency, i) > 0 && at(throughput, i) > 0)) return refuse('not_positive', 'concurrency and throughput must be above zero');
  // N / X is a parabola in N without other terms: its coefficients are 1/γ's shares. Weighted by X/N all errors are relative.
  const rows = Array.from({ length: n }, (_, i) => {
    const [count, weight] = [at(concurrency, i), at(throughput, i) / at(concurrency, i)];
    return [weight, weight * (count - 1), weight * count * (count - 1)] as const;
  });
  const [a, b, c] = nonNegative(rows);
  if (!(a > 0)) return refuse('no_fit', 'the throughputs do not follow from any rate of one');
  const model = { gamma: 1 / a, alpha: b / a, beta: c / a };
  const predicted = Float64Array.from(concurrency, (count) => throughputAt(model, count));
  const total = squaresAround(throughput, meanOf(throughput));
  const left = predicted.reduce((sum, value, i) => sum + (value - at(throughput, i)) ** 2, 0);
  const peak = model.beta > 0 ? Math.sqrt(Math.max(0, (1 - model.alpha) / model.beta)) : null;
  return ok({ ...model, peak: peak !== null && peak < 1 ? 1 : peak, r2: total > 0 ? 1 - left / total : 0, n });
}

/** Throughput at a concurrency, by the law. */
export const throughputAt = ({ gamma, alpha, beta }: Pick<Scalability, 'gamma' | 'alpha' | 'beta'>, count: number): number =>
  (gamma * count) / (1 + alpha * (count - 1) + beta * count * (count - 1));

/** Least squares of rows · x = 1 with all x >= 0: coordinate descent, which cannot leave the quadrant. */
function nonNegative(rows: readonly (readonly [number, number, number])[]): [number, number, number] {
  const x: [number, number, number] = [1, 0, 0];
  for (let pass = 0; pass < PASSES; pass++)
    for (const k of [0, 1, 2] as const) {
      let [above, below] = [0, 0];
      for (const row of rows) {
        const rest = row.reduce((sum, value, j) => (j === k ? sum : sum + value * (x[j] ?? 0)), 0);
        above += row[k] * (1 - rest);
        below += row[k] ** 2;
      }
      x[k] = below > 0 ? Math.max(0, above / below) : 0;
    }
  return x;
}
