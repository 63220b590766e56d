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

export function createSelfMetrics(): SelfRegistry {
  const families = new Map<string, Family>();
  const register = (family: Family): void => {
    invariant(isClassicMetricName(family.name), `self metric named "${family.name}"`);
    invariant(!families.has(family.name), `self metric ${family.name} registered twice`);
    families.set(family.name, family);
  };
  return {
    counter(name, help): Counter {
      const children = new Map<string, Child>();
      register({ name, type: 'counter', help, samples: () => samplesOf(name, children) });
      return {
        add(amount = 1, labels = {}) {
          const child = childOf(children, labels, (of) => ({ labels: of, value: 0 }));
          if (child !== undefined) child.value += amount;
        },
      };
    },
    gauge(name, help): Gauge {
      const children = new Map<string, Child>();
      register({ name, type: 'gauge', help, samples: () => samplesOf(name, children) });
      return {
        set(value, labels = {}) {
          const child = childOf(children, labels, (of) => ({ labels: of, value }));
          if (child !== undefined) child.value = value;
        },
      };
    },
    watch(name, help, read, type = 'gauge') {
      register({ name, type, help, samples: () => [{ labels: named(name), value: read() }] });
    },
    histogram(name, help, buckets): Histogram {
      const children = new Map<string, HistogramChild>();
      register({
        name,
        type: 'histogram',
        help,
        samples: () => [...children.values()].flatMap((child) => bucketSamples(name, buckets, child)),
      });
      return {
        observe(value, labels = {}) {
          const child = childOf(children, labels, (of) => ({ labels: of, counts: new Float64Array(buckets.length + 1), sum: 0, count: 0 }));
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

type HistogramChild = { readonly labels: SelfLabels; readonly counts: Float64Array; sum: number; count: number };

/** The child for these label values; undefined, and so not counted, beyond the limit. */
function childOf<T>(children: Map<string, T>, labels: SelfLabels, make: (labels: SelfLabels) => T): T | undefined {
  const key = Object.values(labels).join('\u0000');
  const found = children.get(key);
  if (found !== undefined || children.size >= MAX_CHILDREN) return found;
  const made = make({ ...labels });
  children.set(key, made);
  return made;
}

const named = (name: string, labels: SelfLabels = {}): Labels => labelsFrom([[METRIC_NAME, name], ...Object.entries(labels)]);

const samplesOf = (name: string, children: ReadonlyMap<string, Child>): readonly PrintedSample[] =>
  [...children.values()].map(({ labels, value }) => ({ labels: named(name, labels), value }));

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
