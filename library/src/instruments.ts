import { AppError } from '@nines/base/errors.ts';
import { METRIC_NAME, labelPairs } from '@nines/model/labels.ts';
import { isClassicMetricName } from '@nines/model/series-text.ts';
import { createSelfMetrics } from '@nines/server/collect/self.ts';
import type { Counter, Gauge, Histogram, HistogramOptions, InstrumentOptions, Item, LabelSet } from './contract.ts';
import { refused } from './given.ts';

/** Label values of one metric that are kept apart. */
export const MAX_CHILDREN = 10_000;
/** From an answer out of memory to one that nobody waits for, in seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type ByKind = { readonly counter: Counter; readonly gauge: Gauge; readonly histogram: Histogram };
type Made = { readonly kind: keyof ByKind; readonly instrument: Counter | Gauge | Histogram };

export type InstrumentsDeps = {
  /** Labels of every series. */
  readonly labels: LabelSet;
  /** Called when the first one is made. */
  readonly onFirst: () => void;
  /** A metric has more label values than `MAX_CHILDREN`: what came beyond them is not counted. */
  readonly onFull: (name: string) => void;
};

/** Counters, gauges and histograms of the program, by name. */
export class Instruments {
  readonly #deps: InstrumentsDeps;
  readonly #registry: ReturnType<typeof createSelfMetrics>;
  readonly #made = new Map<string, Made>();

  constructor(deps: InstrumentsDeps) {
    this.#deps = deps;
    const told = new Set<string>();
    this.#registry = createSelfMetrics({
      maxChildren: MAX_CHILDREN,
      onFull: (name) => {
        if (!told.has(name)) deps.onFull(name);
        told.add(name);
      },
    });
  }

  counter(name: string, { help = '' }: InstrumentOptions): Counter {
    return this.#make(name, 'counter', () => {
      const counter = this.#registry.counter(name, help);
      const labelled = sameNames(name);
      return {
        add(amount = 1, labels = {}) {
          if (!(amount >= 0 && amount < Number.POSITIVE_INFINITY))
            throw refused('bad_amount', name, `a counter grows by 0 or more, not by ${amount}`);
          counter.add(amount, labelled(labels));
        },
      };
    });
  }

  gauge(name: string, { help = '' }: InstrumentOptions): Gauge {
    return this.#make(name, 'gauge', () => {
      const gauge = this.#registry.gauge(name, help);
      const labelled = sameNames(name);
      return { set: (value, labels = {}) => gauge.set(value, labelled(labels)) };
    });
  }

  histogram(name: string, { help = '', buckets = SECONDS }: HistogramOptions): Histogram {
    return this.#make(name, 'histogram', () => {
      const ascends = buckets.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > (buckets[i - 1] ?? bound)));
      if (buckets.length === 0 || !ascends) throw refused('bad_buckets', 'buckets', 'expected finite upper bounds in ascending order');
      const histogram = this.#registry.histogram(name, help, [...buckets]);
      const labelled = sameNames(name);
      return {
        observe(value, labels = {}) {
          if (Object.hasOwn(labels, 'le')) throw refused('bad_labels', name, 'the label le belongs to the buckets');
          histogram.observe(value, labelled(labels));
        },
      };
    });
  }

  /** What all of them hold, as items to be stored. */
  items(atMs: number): readonly Item[] {
    return this.#registry.collect().flatMap(({ samples }) =>
      samples.map(({ labels, value }) => {
        const pairs = [...labelPairs(labels)];
        const own = Object.fromEntries(pairs.filter(([name]) => name !== METRIC_NAME));
        return {
          name: pairs.find(([name]) => name === METRIC_NAME)?.[1] ?? '',
          value,
          at_ms: atMs,
          labels: { ...this.#deps.labels, ...own },
        };
      }),
    );
  }

  families() {
    return this.#registry.collect();
  }

  #make<K extends keyof ByKind>(name: string, kind: K, create: () => ByKind[K]): ByKind[K] {
    const known = this.#made.get(name);
    if (known !== undefined) {
      if (known.kind !== kind) throw new AppError('conflict', 'metric_exists', `${name} is a ${known.kind} already, not a ${kind}`);
      // Of that kind, as was just compared.
      return known.instrument as ByKind[K];
    }
    if (!isClassicMetricName(name))
      throw refused('invalid_metric_name', 'name', `"${name}" is no name: letters, digits, "_" and ":", not beginning with a digit`);
    const instrument = create();
    this.#made.set(name, { kind, instrument });
    if (this.#made.size === 1) this.#deps.onFirst();
    return instrument;
  }
}

/** Labels in the order of their names, which are the same at every call. */
function sameNames(metric: string): (labels: LabelSet) => LabelSet {
  let known: string | undefined;
  return (labels) => {
    const names = Object.keys(labels).sort();
    const key = names.join(', ');
    known ??= key;
    if (key !== known) throw refused('label_names_differ', metric, `it has the labels (${known}), not (${key})`);
    return Object.fromEntries(names.map((name) => [name, labels[name] ?? '']));
  };
}
