import { invariant } from '@nines/base/errors.ts';
import type { MetricFamily, PrintedSample } from '@nines/model/exposition-print.ts';
import { type Labels, METRIC_NAME, labelsFrom } from '@nines/model/labels.ts';
import { isClassicMetricName } from '@nines/model/series-text.ts';
import type { Counter, Gauge, Histogram, SelfLabels, SelfMetrics } from './contract.ts';

/** Most children of one self metric. A label that takes more values does not belong into a metric about ourselves. */
const MAX_CHILDREN = 1_000;

export type SelfRegistry = SelfMetrics & {
  /** Every family in order of registration, with its samples now. */
  collect(): readonly MetricFamily[];
};

type Child = { readonly labels: SelfLabels; value: number };
type Family = {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: () => readonly PrintedSample[];
};

/** What has label values beyond `maxChildren` is not counted and told to `onFull`, with its name. */
type RegistryOptions = { readonly maxChildren?: number; readonly onFull?: (name: string) => void };

export function createSelfMetrics({ maxChildren = MAX_CHILDREN, onFull = () => {} }: RegistryOptions = {}): SelfRegistry {
  const families = new Map<string, Family>();
  const register = (family: Family): void => {
    invariant(isClassicMetricName(family.name), `self metric named "${family.name}"`);
    invariant(!families.has(family.name), `self metric ${family.name} registered twice`);
    families.set(family.name, family);
  };
  const childrenOf = <T>(name: string): Children<T> => new Children<T>(maxChildren, () => onFull(name));
  return {
    counter(name, help): Counter {
      const children = childrenOf<Child>(name);
      register({ name, type: 'counter', help, samples: () => samplesOf(name, children) });
      return {
        add(amount = 1, labels = {}) {
          const child = children.of(labels, (of) => ({ labels: of, value: 0 }));
          if (child !== undefined) child.value += amount;
        },
      };
    },
    gauge(name, help): Gauge {
      const children = childrenOf<Child>(name);
      register({ name, type: 'gauge', help, samples: () => samplesOf(name, children) });
      return {
        set(value, labels = {}) {
          const child = children.of(labels, (of) => ({ labels: of, value }));
          if (child !== undefined) child.value = value;
        },
      };
    },
    watch(name, help, read, type = 'gauge') {
      register({ name, type, help, samples: () => [{ labels: named(name), value: read() }] });
    },
    histogram(name, help, buckets): Histogram {
      const children = childrenOf<HistogramChild>(name);
      register({
        name,
        type: 'histogram',
        help,
        samples: () => children.all().flatMap((child) => bucketSamples(name, buckets, child)),
      });
      return {
        observe(value, labels = {}) {
          const child = children.of(labels, (of) => ({
            labels: of,
            counts: new Float64Array(buckets.length + 1),
            sum: 0,
            count: 0,
          }));
          if (child === undefined) return;
          const at = buckets.findIndex((bound) => value <= bound);
          const slot = at < 0 ? buckets.length : at;
          child.counts[slot] = (child.counts[slot] ?? 0) + 1;
          child.sum += value;
          child.count++;
        },
      };
    },
    collect: () => [...families.values()].map(({ name, type, help, samples }) => ({ name, type, help, unit: '', samples: samples() })),
  };
}

/** The children of one metric by their label values. */
class Children<T> {
  readonly #most: number;
  readonly #onFull: () => void;
  readonly #byValues = new Map<string, T>();

  constructor(most: number, onFull: () => void) {
    this.#most = most;
    this.#onFull = onFull;
  }

  /** The child for these label values; undefined, and so not counted, beyond the limit. */
  of(labels: SelfLabels, make: (labels: SelfLabels) => T): T | undefined {
    const key = Object.values(labels).join('\u0000');
    const found = this.#byValues.get(key);
    if (found !== undefined) return found;
    if (this.#byValues.size >= this.#most) {
      this.#onFull();
      return undefined;
    }
    const made = make({ ...labels });
    this.#byValues.set(key, made);
    return made;
  }

  all(): readonly T[] {
    return [...this.#byValues.values()];
  }
}

type HistogramChild = { readonly labels: SelfLabels; readonly counts: Float64Array; sum: number; count: number };

const named = (name: string, labels: SelfLabels = {}): Labels => labelsFrom([[METRIC_NAME, name], ...Object.entries(labels)]);

const samplesOf = (name: string, children: Children<Child>): readonly PrintedSample[] =>
  children.all().map(({ labels, value }) => ({ labels: named(name, labels), value }));

function bucketSamples(name: string, buckets: readonly number[], child: HistogramChild): readonly PrintedSample[] {
  let sum = 0;
  const cumulative = [...buckets, Number.POSITIVE_INFINITY].map((bound, i) => {
    sum += child.counts[i] ?? 0;
    const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound);
    return { labels: named(`${name}_bucket`, { ...child.labels, le }), value: sum };
  });
  return [
    ...cumulative,
    { labels: named(`${name}_sum`, child.labels), value: child.sum },
    { labels: named(`${name}_count`, child.labels), value: child.count },
  ];
}
