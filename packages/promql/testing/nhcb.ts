import { CUSTOM_BUCKETS, EMPTY_HISTOGRAM, type Histogram, bucketsFrom } from '@nines/model/histogram.ts';
import { METRIC_NAME, type Labels, labelPairs, labelValue, labelsFrom, labelsKey } from '@nines/model/labels.ts';
import type { Sample } from '../src/memory-queryable.ts';
import type { LoadedSeries } from './script.ts';

/** Classic histograms (`x_bucket{le}`, `x_count`, `x_sum`) as native ones with custom buckets, under the name `x`. */
export function customBuckets(series: readonly LoadedSeries[]): readonly LoadedSeries[] {
  const groups = new Map<string, Classic>();
  for (const one of series) {
    const name = labelValue(one.labels, METRIC_NAME);
    const [, base, part] = (/^(.*)_(bucket|count|sum)$/.exec(name) ?? []) as [string?, string?, ('bucket' | 'count' | 'sum')?];
    if (base === undefined || part === undefined) continue;
    const labels = labelsFrom([
      ...[...labelPairs(one.labels)].filter(([label]) => label !== METRIC_NAME && label !== 'le'),
      [METRIC_NAME, base] as const,
    ]);
    const key = labelsKey(labels);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { labels, buckets: [], count: undefined, sum: undefined }));
    if (part === 'bucket')
      group.buckets.push({ bound: Number(labelValue(one.labels, 'le').replace('Inf', 'Infinity')), samples: one.samples });
    else group[part] = one.samples;
  }
  return [...groups.values()].filter((group) => group.buckets.length > 0).map(asCustom);
}

type Samples = readonly (Sample | undefined)[];
type Classic = {
  readonly labels: Labels;
  readonly buckets: { readonly bound: number; readonly samples: Samples }[];
  count: Samples | undefined;
  sum: Samples | undefined;
};

function asCustom({ labels, buckets, count, sum }: Classic): LoadedSeries {
  buckets.sort((a, b) => a.bound - b.bound);
  const bounds = buckets.map(({ bound }) => bound).filter(Number.isFinite);
  const length = Math.max(...buckets.map(({ samples }) => samples.length));
  const samples = Array.from({ length }, (_, i): Histogram | undefined => {
    const cumulative = buckets.map((bucket) => bucket.samples[i]).filter((each) => typeof each === 'number');
    if (cumulative.length < buckets.length) return undefined;
    const total = numberAt(count, i) ?? cumulative.at(-1) ?? 0;
    if (buckets.length === bounds.length) cumulative.push(total);
    const counts = cumulative.map((each, k) => each - (cumulative[k - 1] ?? 0));
    return { ...EMPTY_HISTOGRAM, schema: CUSTOM_BUCKETS, count: total, sum: numberAt(sum, i) ?? 0, bounds, positive: bucketsFrom(counts) };
  });
  return { labels, samples };
}

function numberAt(samples: Samples | undefined, index: number): number | undefined {
  const sample = samples?.[index];
  return typeof sample === 'number' ? sample : undefined;
}
