import type { MetricFamily, PrintedSample } from '@nines/model/exposition-print.ts';
import { METRIC_NAME, labelPairs, labelValue } from '@nines/model/labels.ts';

/**
 * Own figures as `/api/v1/status/self_metrics` gives them: Prometheus' MetricFamily messages in protobuf's JSON, where 64-bit
 * integers and numbers that JSON lacks are texts. Source: prometheus web/api/v1/api.go, serveSelfMetrics.
 */
type Pair = { readonly name: string; readonly value: string };
type Figure = { label?: readonly Pair[]; [type: string]: unknown };
export type SelfFamily = { readonly name: string; readonly help: string; readonly type: string; readonly metric: readonly Figure[] };

export function selfFamilies(families: readonly MetricFamily[], matches: (name: string) => boolean): readonly SelfFamily[] {
  return families
    .filter(({ name }) => matches(name))
    .map(({ name, help, type, samples }) => {
      const metric = type === 'histogram' ? histograms(samples) : samples.map((sample) => simple(type, sample));
      return { name, help, type: TYPES[type] ?? 'UNTYPED', metric };
    });
}

const TYPES: Readonly<Record<string, string>> = { counter: 'COUNTER', gauge: 'GAUGE', histogram: 'HISTOGRAM' };

function simple(type: string, { labels, value }: PrintedSample): Figure {
  const kind = type === 'counter' || type === 'gauge' ? type : 'untyped';
  return { ...labelled(pairsOf(labels)), [kind]: { value: jsonNumber(value) } };
}

function histograms(samples: readonly PrintedSample[]): readonly Figure[] {
  const byLabels = new Map<string, { readonly pairs: readonly Pair[]; readonly parts: PrintedSample[] }>();
  for (const sample of samples) {
    const pairs = pairsOf(sample.labels).filter(({ name }) => name !== 'le');
    const key = JSON.stringify(pairs);
    const found = byLabels.get(key) ?? { pairs, parts: [] };
    found.parts.push(sample);
    byLabels.set(key, found);
  }
  return [...byLabels.values()].map(({ pairs, parts }) => {
    const part = (ending: string): number => parts.find(({ labels }) => labelValue(labels, METRIC_NAME).endsWith(ending))?.value ?? 0;
    const bucket = parts
      .filter(({ labels }) => labelValue(labels, METRIC_NAME).endsWith('_bucket'))
      .map(({ labels, value }) => ({ cumulativeCount: String(value), upperBound: jsonNumber(bound(labelValue(labels, 'le'))) }));
    return { ...labelled(pairs), histogram: { sampleCount: String(part('_count')), sampleSum: jsonNumber(part('_sum')), bucket } };
  });
}

const bound = (le: string): number => (le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le));
const labelled = (label: readonly Pair[]): Figure => (label.length === 0 ? {} : { label });

function pairsOf(labels: PrintedSample['labels']): readonly Pair[] {
  return [...labelPairs(labels)].filter(([name]) => name !== METRIC_NAME).map(([name, value]) => ({ name, value }));
}

const jsonNumber = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
