import { ok } from '@nines/base/result.ts';
import { concurrencyFor, fitScalability, predictLoad, throughputAt, type Scalability } from '@nines/maths/stats/load.ts';
import { type Answer, refuse } from '@nines/maths/stats/refusal.ts';
import { medianOf } from '@nines/maths/stats/robust.ts';
import type { LoadView } from './contract.ts';
import { pointsOfResults } from './load-import.ts';

/** Pure: load scenarios by the Universal Scalability Law and Little's law. Runs in a thread. */

export type LoadQuestion = {
  /** Concurrency and throughput per second, in the order of time. */
  readonly points: readonly (readonly [concurrency: number, throughput: number])[];
  readonly factor: number;
  readonly level: number;
};

/** Load today is the middle of so many of the last points. */
const RECENT_POINTS = 10;
/** The law is not told from points closer together than this. */
const LEAST_SPREAD = 2;
/** Nothing is said of concurrencies further than this beyond the highest that was seen. */
const BELIEVED = 4;
const LEAST_EXPLAINED = 0.3;
/** Concurrencies and rates beyond these are none, and their squares would overflow. */
const [LEAST, MOST] = [1e-12, 1e15];
const CURVE_POINTS = 40;

export function load({ points, factor, level }: LoadQuestion): Answer<LoadView> {
  const known = points.filter(([concurrency, throughput]) => concurrency > 0 && throughput > 0);
  if (known.some((point) => point.some((one) => one < LEAST || one > MOST)))
    return refuse('not_finite', `a concurrency or a throughput is below ${LEAST} or above ${MOST}`);
  const [counts, rates] = [known.map(([count]) => count), known.map(([, rate]) => rate)];
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (known.length > 0 && most < LEAST_SPREAD * least)
    return refuse(
      'not_identifiable',
      `concurrency was only between ${shown(least)} and ${shown(most)}: how throughput grows with it is told from a range of 1 to ${LEAST_SPREAD} at least`,
    );
  const found = fitScalability(counts, rates);
  if (!found.ok) return found;
  const fit = found.value;
  if (fit.errors.gamma > fit.gamma / 2 || fit.r2 < LEAST_EXPLAINED)
    return refuse(
      'not_identifiable',
      `throughput does not follow from concurrency: the law explains ${shown(100 * Math.max(0, fit.r2))} % of it, and what one alone would do is known to ± ${shown((100 * fit.errors.gamma) / fit.gamma)} %`,
    );
  const left = points.length - known.length;
  return ok({
    parameters: {
      gamma: { value: fit.gamma, standard_error: fit.errors.gamma },
      alpha: { value: fit.alpha, standard_error: fit.errors.alpha },
      beta: { value: fit.beta, standard_error: fit.errors.beta },
    },
    r2: fit.r2,
    scatter: fit.scatter,
    n: fit.n,
    peak: fit.peak === null ? null : { concurrency: fit.peak, throughput: throughputAt(fit, fit.peak), seen: fit.peak <= most },
    range: { least, most },
    what_if: whatIf(fit, { counts, rates, most, factor, level }),
    curve: curveOf(fit, Math.min(BELIEVED * most, Math.max(most, 2 * (fit.peak ?? 0))), level),
    points: known.map(([count, rate]) => [count, rate]),
    notes: left > 0 ? [`${left} points without load were left out`] : [],
  });
}

const shown = (value: number): string => String(Number(value.toPrecision(3)));

type Today = {
  readonly counts: readonly number[];
  readonly rates: readonly number[];
  readonly most: number;
  readonly factor: number;
  readonly level: number;
};

function whatIf(fit: Scalability, { counts, rates, most, factor, level }: Today): LoadView['what_if'] {
  const now = { concurrency: medianOf(counts.slice(-RECENT_POINTS)), throughput: medianOf(rates.slice(-RECENT_POINTS)) };
  const target = factor * now.throughput;
  const common = { factor, now: { ...now, latency: now.concurrency / now.throughput }, target_throughput: target };
  const none = { ...common, concurrency: null, throughput: null, latency: null };
  const needed = concurrencyFor(fit, target);
  if (needed === undefined) {
    const ceiling = fit.peak === null ? fit.gamma / fit.alpha : throughputAt(fit, fit.peak);
    return {
      ...none,
      state: 'beyond_peak',
      reason: `${shown(target)} a second are more than the most there can be: ${shown(ceiling)} a second${fit.peak === null ? '' : ` at ${shown(fit.peak)} at once`}`,
    };
  }
  if (needed > BELIEVED * most)
    return { ...none, state: 'too_far', reason: `it would take ${shown(needed)} at once, and no more than ${shown(most)} were ever seen` };
  const { throughput, latency } = predictLoad(fit, needed, level);
  const isSeen = needed <= most;
  const reason = `${shown(target)} a second take ${shown(needed)} at once, each ${shown(latency.value)} s${isSeen ? '' : `: further than was ever seen (${shown(most)})`}`;
  return { ...common, state: isSeen ? 'served' : 'extrapolated', concurrency: needed, throughput, latency, reason };
}

function curveOf(fit: Scalability, most: number, level: number): LoadView['curve'] {
  return Array.from({ length: CURVE_POINTS }, (_, i) => {
    const concurrency = (most * (i + 1)) / CURVE_POINTS;
    const { throughput, latency } = predictLoad(fit, concurrency, level);
    return { concurrency, throughput: throughput.value, lower: throughput.lower, upper: throughput.upper, latency: latency.value };
  });
}

export function importedLoad({
  text,
  factor,
  level,
}: {
  readonly text: string;
  readonly factor: number;
  readonly level: number;
}): Answer<LoadView & { source: string; errors: number }> {
  const read = pointsOfResults(text);
  if (!read.ok) return read;
  const found = load({ points: read.value.points, factor, level });
  return found.ok
    ? ok({ ...found.value, source: read.value.source, errors: read.value.errors, notes: [...read.value.notes, ...found.value.notes] })
    : found;
}
