import { mustMatcher } from '@nines/base/matcher.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { labelValue, METRIC_NAME } from '@nines/model/labels.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import type { Queryable } from '@nines/model/storage.ts';
import type { ReplayResults } from './contract.ts';
import { subjectOf } from './voices.ts';

const SERIES = ['probe_success', 'probe_degraded', 'probe_duration_seconds'] as const;

/** Reads the results of checks back from their series: what a crash kept from the ledger. */
export function replayFrom(queryable: Queryable): ReplayResults {
  return async (fromMs, toMs, which) => {
    const matchers = [
      mustMatcher(METRIC_NAME, '=~', SERIES.join('|')),
      mustMatcher('job', '=', 'nines'),
      ...(which === 'voices' ? [mustMatcher('location', '!=', '')] : []),
    ];
    const values = {
      probe_success: new Map<string, Points>(),
      probe_degraded: new Map<string, Points>(),
      probe_duration_seconds: new Map<string, Points>(),
    };
    for (const { labels, times, values: column } of await queryable.select(matchers, { fromMs, toMs })) {
      const name = labelValue(labels, METRIC_NAME) as (typeof SERIES)[number];
      const check = subjectOf(labelValue(labels, 'check'), labelValue(labels, 'location') || undefined);
      const points = values[name].get(check) ?? new Map<number, number>();
      const bits = bitsOf(column);
      times.forEach((atMs, i) => {
        if (!isStale(bits, i)) points.set(atMs, column[i] ?? Number.NaN);
      });
      values[name].set(check, points);
    }
    return new Map(
      [...values.probe_success].map(([check, successes]) => [
        check,
        [...successes]
          .sort(([a], [b]) => a - b)
          .map(([atMs, success]) => {
            const degraded = values.probe_degraded.get(check)?.get(atMs) === 1;
            const lengthMs = Math.ceil((values.probe_duration_seconds.get(check)?.get(atMs) ?? 0) * 1000);
            const seen = success !== 1 ? 'down' : degraded ? 'degraded' : 'up';
            return { atMs: atMs as EpochMs, endMs: (atMs + lengthMs) as EpochMs, seen } as const;
          }),
      ]),
    );
  };
}

/** Values by instant. */
type Points = Map<number, number>;
