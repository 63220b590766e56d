import type { Logger } from '@nines/base/logger.ts';
import { messageOf } from '@nines/base/errors.ts';
import { type Labels, METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import { NO_SERIES } from '@nines/model/storage.ts';
import type { ArrivalWay, Ingest } from '../collect/contract.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Clock } from '@nines/base/clock.ts';
import { listArrivals, saveArrival } from './store.ts';

type Arrival = { readonly firstAtMs: number; readonly metric: string };
export type ArrivalsDeps = {
  readonly sql: Sql;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  readonly labelsOfRef: (ref: number) => Labels | undefined;
};

/** By which ways samples have come from elsewhere: the first time is kept, later ones are counted. */
export class Arrivals {
  readonly #deps: ArrivalsDeps;
  readonly #known = new Map<ArrivalWay, Arrival>();
  readonly #counts = new Map<ArrivalWay, number>();

  constructor(deps: ArrivalsDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    for (const { way, first_at_ms, metric } of await listArrivals(this.#deps.sql))
      this.#known.set(way, { firstAtMs: Number(first_at_ms), metric });
  }

  list(): readonly (Arrival & { readonly way: ArrivalWay; readonly samples: number })[] {
    return [...this.#known].map(([way, arrival]) => ({ way, ...arrival, samples: this.#counts.get(way) ?? 0 }));
  }

  /** The way in, as before, for samples that come by `way`. */
  readonly through = (way: ArrivalWay, ingest: Ingest): Ingest => ({
    ...ingest,
    append: async (batch) => {
      const outcome = await ingest.append(batch);
      if (outcome.accepted > 0) this.#note(way, outcome.accepted, outcome.refs);
      return outcome;
    },
    appendSamples: async (samples) => {
      const outcome = await ingest.appendSamples(samples);
      if (outcome.accepted > 0) this.#note(way, outcome.accepted, outcome.refs);
      return outcome;
    },
  });

  #note(way: ArrivalWay, accepted: number, refs: Uint32Array): void {
    this.#counts.set(way, (this.#counts.get(way) ?? 0) + accepted);
    if (this.#known.has(way)) return;
    const { sql, clock, logger, labelsOfRef } = this.#deps;
    const ref = refs.find((one) => one !== NO_SERIES);
    const labels = ref === undefined ? undefined : labelsOfRef(ref);
    const metric = labels === undefined ? '' : (labelValue(labels, METRIC_NAME) ?? '');
    const arrival = { firstAtMs: clock.now(), metric };
    this.#known.set(way, arrival);
    // It is told to people who look, and stands in memory: samples do not wait for it.
    saveArrival(sql, { way, first_at_ms: arrival.firstAtMs, metric }).catch((thrown: unknown) =>
      logger.warn('the first arrival of samples was not kept', { way, error: messageOf(thrown) }),
    );
  }
}
