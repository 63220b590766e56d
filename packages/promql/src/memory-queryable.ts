import { lowerBound } from '@nines/base/lower-bound.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { type Histogram, withHints } from '@nines/model/histogram.ts';
import { type Labels, compareLabels, labelPairs, labelValue, labelsKey } from '@nines/model/labels.ts';
import { bitsOf, isStale, setStale } from '@nines/model/stale.ts';
import type { Queryable, SelectOptions, SelectRange, SeriesColumns } from '@nines/model/storage.ts';

/** Series held in memory: for unit tests of rules, and for tests and benchmarks of whatever reads a `Queryable`. */
export type Sample = number | 'stale' | Histogram;

export class MemoryQueryable implements Queryable {
  readonly #series = new Map<string, SeriesColumns>();
  /** Columns of series that `append` fills, with places to spare. */
  readonly #room = new Map<string, { readonly times: Float64Array<ArrayBuffer>; readonly values: Float64Array<ArrayBuffer> }>();

  /** Adds samples to a series; an instant it already has keeps its first value. */
  add(labels: Labels, samples: Iterable<readonly [atMs: number, value: Sample]>, starts: ReadonlyMap<number, number> = new Map()): void {
    const key = labelsKey(labels);
    const earlier = this.#series.get(key);
    const byTime = new Map<number, Sample>();
    if (earlier !== undefined) {
      const bits = bitsOf(earlier.values);
      earlier.times.forEach((at, i) =>
        byTime.set(at, earlier.histograms?.[i] ?? (isStale(bits, i) ? 'stale' : (earlier.values[i] ?? Number.NaN))),
      );
    }
    for (const [at, value] of samples) if (!byTime.has(at)) byTime.set(at, value);
    const sorted = [...byTime].sort(([a], [b]) => a - b);
    const times = Float64Array.from(sorted, ([at]) => at);
    const values = Float64Array.from(sorted, ([, value]) => (typeof value === 'number' ? value : 0));
    sorted.forEach(([, value], i) => {
      if (value === 'stale') setStale(values, i);
    });
    this.#room.delete(key);
    this.#series.set(key, { labels, times, values, ...histogramsOf(sorted.map(([, value]) => value)), ...startsOf(times, starts) });
  }

  /** One sample newer than all others of its series, which costs no copy of them; an older one is added. */
  append(labels: Labels, atMs: number, sample: Sample): void {
    const key = labelsKey(labels);
    const { times, values, histograms, starts } = this.#series.get(key) ?? {};
    const last = times?.at(-1);
    if (times === undefined || values === undefined || last === undefined || last >= atMs || typeof sample === 'object')
      return this.add(labels, [[atMs, sample]]);
    if (histograms !== undefined || starts !== undefined) return this.add(labels, [[atMs, sample]]);
    const count = times.length;
    let room = this.#room.get(key);
    if (room === undefined || room.times.length === count) {
      room = { times: new Float64Array(2 * count), values: new Float64Array(2 * count) };
      room.times.set(times);
      bitsOf(room.values).set(bitsOf(values));
      this.#room.set(key, room);
    }
    room.times[count] = atMs;
    if (sample === 'stale') setStale(room.values, count);
    else room.values[count] = sample;
    this.#series.set(key, { labels, times: room.times.subarray(0, count + 1), values: room.values.subarray(0, count + 1) });
  }

  /** Takes whole columns as they are. */
  addColumns(series: SeriesColumns): void {
    this.#room.delete(labelsKey(series.labels));
    this.#series.set(labelsKey(series.labels), series);
  }

  clear(): void {
    this.#room.clear();
    this.#series.clear();
  }

  async select(matchers: readonly Matcher[], { fromMs, toMs }: SelectRange, options: SelectOptions = {}): Promise<Iterable<SeriesColumns>> {
    const all = [...matchers, ...(options.scope?.matchers ?? [])];
    return this.#walk(all, { fromMs, toMs });
  }

  *#walk(matchers: readonly Matcher[], { fromMs, toMs }: SelectRange): Generator<SeriesColumns> {
    for (const { labels, times, values, histograms, starts } of this.#series.values()) {
      if (!matchers.every((each) => each.matches(labelValue(labels, each.name)))) continue;
      const from = lowerBound(times, times.length, fromMs);
      const to = lowerBound(times, times.length, toMs + 1);
      if (to <= from) continue;
      const part = { labels, times: times.subarray(from, to), values: values.subarray(from, to) };
      yield {
        ...part,
        ...(histograms === undefined ? {} : { histograms: histograms.slice(from, to) }),
        ...(starts === undefined ? {} : { starts: starts.slice(from, to) }),
      };
    }
  }

  async series(matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly Labels[]> {
    const found = await this.select(matchers, range, options);
    return Array.from(found, ({ labels }) => labels).sort(compareLabels);
  }

  async labelNames(matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly string[]> {
    const found = await this.series(matchers, range, options);
    return [...new Set(found.flatMap((labels) => Array.from(labelPairs(labels), ([name]) => name)))].sort();
  }

  async labelValues(name: string, matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly string[]> {
    const found = await this.series(matchers, range, options);
    return [...new Set(found.map((labels) => labelValue(labels, name)))].filter((value) => value !== '').sort();
  }
}

const startsOf = (times: Float64Array, starts: ReadonlyMap<number, number>): Pick<SeriesColumns, 'starts'> =>
  starts.size === 0 ? {} : { starts: times.map((at) => starts.get(at) ?? 0) };

function histogramsOf(samples: readonly Sample[]): Pick<SeriesColumns, 'histograms'> {
  if (!samples.some((sample) => typeof sample === 'object')) return {};
  return { histograms: withHints(samples.map((sample) => (typeof sample === 'object' ? sample : undefined))) };
}
