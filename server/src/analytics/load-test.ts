import type { LoadTestStep } from './contract.ts';
import { ascending } from '@nines/maths/stats/numbers.ts';
import { quantileOf } from '@nines/maths/stats/robust.ts';

/** Pure: what requests of a load test come to, and when it must stop. Lengths in milliseconds of a monotonic clock. */

/** One request: `status` of its answer, or why there was none. */
export type Exchange = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly answer: { readonly status: number } | { readonly failure: string };
  readonly good: boolean;
};

/** Each step is measured in slices of at least a second; the first of them, in which it gathers speed, makes no point. */
const MAX_SLICES = 6;
const LEAST_SLICE_MS = 1_000;
/** So many failures one after the other are enough. */
const FAILURES_IN_A_ROW = 5;
/** Of the last so many requests shares and medians are taken, once there are as many as `LEAST_JUDGED`. */
const JUDGED = 50;
const LEAST_JUDGED = 20;

export type StopLimits = { readonly maxErrors: number; readonly maxLatencyMs: number };

/** Why a test must end now, in words; undefined while it may go on. `exchanges` are those of all steps, in the order they ended. */
export function stopReason(exchanges: readonly Exchange[], { maxErrors, maxLatencyMs }: StopLimits): string | undefined {
  const last = exchanges.slice(-JUDGED);
  const row = last.slice(-FAILURES_IN_A_ROW);
  if (row.length === FAILURES_IN_A_ROW && row.every(({ good }) => !good)) return `${FAILURES_IN_A_ROW} requests failed one after the other`;
  if (last.length < LEAST_JUDGED) return undefined;
  const failed = last.filter(({ good }) => !good).length;
  if (failed > maxErrors * last.length)
    return `${failed} of the last ${last.length} requests failed, at most ${Math.round(100 * maxErrors)} % may`;
  const median = quantileOf(ascending(last.map(({ fromMs, toMs }) => toMs - fromMs)), 0.5);
  return median > maxLatencyMs
    ? `half of the last ${last.length} requests took longer than ${Math.round(median)} ms, at most ${maxLatencyMs} ms may`
    : undefined;
}

type Measured = {
  readonly concurrency: number;
  readonly fromMs: number;
  /** When its time was over; what was under way then is waited for and not counted in rates. */
  readonly toMs: number;
  readonly exchanges: readonly Exchange[];
  readonly heldBack: number;
};

/** Rates and numbers under way are of the time of the step, counts and times of all of its requests. */
export function stepView({ concurrency, fromMs, toMs, exchanges, heldBack }: Measured): LoadTestStep {
  const seconds = Math.max(toMs - fromMs, 1) / 1_000;
  const times = ascending(exchanges.filter(({ good }) => good).map((one) => (one.toMs - one.fromMs) / 1_000));
  const statuses: Record<string, number> = {};
  const failures: Record<string, number> = {};
  for (const { answer } of exchanges) {
    const [counts, key] = 'status' in answer ? [statuses, String(answer.status)] : [failures, answer.failure];
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return {
    concurrency,
    seconds,
    requests: exchanges.length,
    errors: exchanges.filter(({ good }) => !good).length,
    throughput: endedIn(exchanges, fromMs, toMs) / seconds,
    under_way: underWay(exchanges, fromMs, toMs),
    latency:
      times.length === 0
        ? null
        : {
            mean: times.reduce((sum, one) => sum + one, 0) / times.length,
            median: quantileOf(times, 0.5),
            p95: quantileOf(times, 0.95),
            max: times.at(-1) ?? 0,
          },
    statuses,
    failures,
    held_back: heldBack,
  };
}

/** Numbers under way and good answers a second, slice by slice. */
export function pointsOf({ fromMs, toMs, exchanges }: Measured): [concurrency: number, throughput: number][] {
  // A span of two seconds on a running clock is 1 999.999… ms as often as not: to the microsecond it is what was meant.
  const count = Math.min(MAX_SLICES, Math.floor((toMs - fromMs + 0.001) / LEAST_SLICE_MS));
  if (count < 2) return [];
  const length = (toMs - fromMs) / count;
  return Array.from({ length: count - 1 }, (_, i): [number, number] => {
    const [from, to] = [fromMs + (i + 1) * length, fromMs + (i + 2) * length];
    return [underWay(exchanges, from, to), (1_000 * endedIn(exchanges, from, to)) / length];
  }).filter(([concurrency, throughput]) => concurrency > 0 && throughput > 0);
}

const endedIn = (exchanges: readonly Exchange[], fromMs: number, toMs: number): number =>
  exchanges.filter((one) => one.good && one.toMs > fromMs && one.toMs <= toMs).length;

/** The mean number under way in a span. */
function underWay(exchanges: readonly Exchange[], fromMs: number, toMs: number): number {
  const together = exchanges.reduce((sum, one) => sum + Math.max(0, Math.min(one.toMs, toMs) - Math.max(one.fromMs, fromMs)), 0);
  return together / Math.max(toMs - fromMs, 1);
}
