import type { ArrivalWay } from '../collect/contract.ts';
import type { FirstRunView, LocalProgram } from './contract.ts';

/** What there is of everything that a new installation begins with. */
export type Standing = {
  readonly services: readonly string[];
  readonly slas: readonly string[];
  readonly statusPages: readonly string[];
  /** `delivered`: something arrived through it in the last week, a test for instance. */
  readonly channels: readonly { readonly id: string; readonly delivered: boolean }[];
  readonly arrivals: readonly {
    readonly way: ArrivalWay;
    readonly firstAtMs: number;
    readonly metric: string;
    readonly samples: number;
  }[];
  readonly targets: readonly { readonly job: string; readonly state: string; readonly lastAtMs: number | null; readonly samples: number }[];
  readonly local: readonly LocalProgram[];
};

/** Which steps are done. A channel is done when something arrived through one: an address alone proves nothing. Pure. */
export function firstRun({ services, slas, statusPages, channels, arrivals, targets, local }: Standing): FirstRunView {
  const working = channels.filter(({ delivered }) => delivered);
  const scraped = targets.filter(({ state }) => state === 'up');
  const came = [
    ...arrivals.map(({ way, firstAtMs, metric, samples }) => ({ way, first_at_ms: firstAtMs, what: metric, samples })),
    ...[...Map.groupBy(scraped, ({ job }) => job)].map(([job, of]) => ({
      way: 'scrape' as const,
      first_at_ms: Math.min(...of.map(({ lastAtMs }) => lastAtMs ?? 0)),
      what: job,
      samples: of.reduce((sum, { samples }) => sum + samples, 0),
    })),
  ];
  return {
    steps: [
      stepOf('service', services),
      { id: 'metrics', done: came.length > 0, count: came.length, example: came[0]?.what ?? null },
      { id: 'channel', done: working.length > 0, count: channels.length, example: (working[0] ?? channels[0])?.id ?? null },
      stepOf('sla', slas),
      stepOf('status_page', statusPages),
    ],
    arrivals: came,
    local: [...local],
  };
}

const stepOf = (id: 'service' | 'sla' | 'status_page', ids: readonly string[]) => ({
  id,
  done: ids.length > 0,
  count: ids.length,
  example: ids[0] ?? null,
});
