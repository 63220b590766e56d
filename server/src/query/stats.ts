import type { Clock } from '@nines/base/clock.ts';
import type { Queryable, Selection, SeriesColumns } from '@nines/model/storage.ts';

/** What `stats=` answers. Times in seconds. */
export type QueryStats = {
  readonly timings: {
    readonly execQueueTime: number;
    readonly evalTotalTime: number;
    readonly execTotalTime: number;
  };
  readonly samples: { readonly totalQueryableSamples: number; readonly peakSamples: number; readonly samplesRead: number };
};

/** What one query costs, from the moment it was asked. */
export class QueryMeter {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #askedMs: number;
  #begunMs: number;
  #samplesRead = 0;
  #heldSamples = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#askedMs = clock.monotonic();
    this.#begunMs = this.#askedMs;
  }

  /** The query has its place among those that run. */
  begin(): void {
    this.#begunMs = this.#clock.monotonic();
  }

  held(samples: number): void {
    this.#heldSamples = Math.max(this.#heldSamples, samples);
  }

  end(): QueryStats {
    const endedMs = this.#clock.monotonic();
    return {
      timings: {
        execQueueTime: (this.#begunMs - this.#askedMs) / 1000,
        evalTotalTime: (endedMs - this.#begunMs) / 1000,
        execTotalTime: (endedMs - this.#askedMs) / 1000,
      },
      samples: { totalQueryableSamples: this.#samplesRead, peakSamples: this.#heldSamples, samplesRead: this.#samplesRead },
    };
  }

  /** The same store; the samples that are read from it count. */
  over(queryable: Queryable): Queryable {
    const select: Queryable['select'] = async (matchers, range, options) => this.#counted(await queryable.select(matchers, range, options));
    return {
      select,
      series: (matchers, range, options) => queryable.series(matchers, range, options),
      labelNames: (matchers, range, options) => queryable.labelNames(matchers, range, options),
      labelValues: (name, matchers, range, options) => queryable.labelValues(name, matchers, range, options),
    };
  }

  #counted(found: Selection): Selection {
    const count = (samples: number): void => void (this.#samplesRead += samples);
    const walk = function* (): Generator<SeriesColumns> {
      for (const series of found) {
        count(series.times.length);
        yield series;
      }
    };
    return found.atMost === undefined ? { [Symbol.iterator]: walk } : { [Symbol.iterator]: walk, atMost: found.atMost };
  }
}
