import type { Clock } from '@nines/base/clock.ts';
import type { SampleQuery } from '../collect/contract.ts';
import type { Actor } from '../platform/http/contract.ts';
import type { LoadQuery, LoadView } from './contract.ts';
import { lengthOf, rangeOf, refused, stepFor } from './query.ts';
import type { AskAnalytics } from './start.ts';

export type StoredLoad = (query: LoadQuery, actor: Actor) => Promise<LoadView>;

const LEVEL = 0.95;

/** The load model of two stored series, at the instants that both have. */
export function createStoredLoad({
  ask,
  samples,
  clock,
}: {
  readonly ask: AskAnalytics;
  readonly samples: SampleQuery;
  readonly clock: Clock;
}): StoredLoad {
  return async ({ throughput, concurrency, window, factor }, { scope }) => {
    const windowMs = lengthOf(window, 'window');
    const stepMs = stepFor(windowMs);
    const toMs = Math.floor(clock.now() / stepMs) * stepMs;
    const span = { fromMs: toMs - windowMs, toMs, stepMs, scope };
    const only = async (expr: string, field: 'throughput' | 'concurrency') => {
      const found = await rangeOf(samples, expr, span, field);
      const [one] = found;
      if (one === undefined) throw refused(field, `nothing was found in the last ${window}`);
      if (found.length > 1) throw refused(field, `gives ${found.length} series: make one of them, as with sum(…)`);
      return one;
    };
    const [rates, counts] = [await only(throughput, 'throughput'), await only(concurrency, 'concurrency')];
    const rateAt = new Map(Array.from(rates.times, (atMs, i) => [atMs, rates.values[i] ?? Number.NaN]));
    const points = Array.from(counts.times, (atMs, i): [number, number] => [
      counts.values[i] ?? Number.NaN,
      rateAt.get(atMs) ?? Number.NaN,
    ]).filter(([count, rate]) => Number.isFinite(count) && Number.isFinite(rate));
    return ask('load', { points, factor, level: LEVEL });
  };
}
