import { lowerBound } from '@nines/base/lower-bound.ts';
import { type Labels, compareLabels, labelsKey } from '@nines/model/labels.ts';
import type { Past } from '@nines/model/storage.ts';
import type { MatrixSeries } from '@nines/promql/value.ts';

/**
 * Keeps the settled part of range queries, so that a dashboard that is looked at all day asks only for the newest steps.
 * Keys are exact: the text, the step, where the steps lie, the lookback and what the reader may see; nothing is aligned. What
 * late samples, imports, deletions and retention change is forgotten from there on.
 */

/** Memory of all answers kept; the one used longest ago goes first. */
export const MAX_CACHE_BYTES = 32 * 1024 * 1024;
/** One answer may take this part of it. */
const MAX_ENTRY_SHARE = 4;
/** What a series costs besides its points: labels, arrays, the object. */
const SERIES_BYTES = 300;

export type RangeAsked = { readonly startMs: number; readonly endMs: number; readonly stepMs: number };
export type Kept = { readonly series: readonly MatrixSeries[]; readonly infos: readonly string[] };
type Entry = Kept & { readonly startMs: number; readonly untilMs: number; readonly version: number; readonly bytes: number };

/** What is known of a query: steps up to and including `untilMs`. Undefined when nothing is. */
export type Found = Kept & { readonly untilMs: number };

export class AnswerCache {
  readonly #entries = new Map<string, Entry>();
  readonly #past: Past;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(past: Past, maxBytes = MAX_CACHE_BYTES) {
    this.#past = past;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** To be asked for before a query is evaluated, and given back with its answer. */
  get version(): number {
    return this.#past.version;
  }

  find(key: string, { startMs, endMs, stepMs }: RangeAsked): Found | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.startMs > startMs) return undefined;
    const changedMs = this.#past.earliestSince(entry.version);
    const untilMs = Math.min(entry.untilMs, lastStepBefore(Math.min(changedMs, endMs + 1), startMs, stepMs));
    if (untilMs < startMs) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return { untilMs, infos: entry.infos, series: entry.series.flatMap((each) => between(each, startMs, untilMs)) };
  }

  /** Keeps the steps that are over. `version` is what held before the evaluation. */
  keep(
    key: string,
    { startMs, endMs, stepMs }: RangeAsked,
    kept: Kept,
    { version, nowMs }: { readonly version: number; readonly nowMs: number },
  ): void {
    const untilMs = Math.min(lastStepBefore(nowMs - this.#past.presentMs, startMs, stepMs), lastStepBefore(endMs + 1, startMs, stepMs));
    this.#forget(key);
    if (untilMs < startMs) return;
    const series = kept.series.flatMap((each) => between(each, startMs, untilMs));
    const bytes = series.reduce(
      (sum, { values, histograms }) => sum + SERIES_BYTES + values.length * (histograms === undefined ? 16 : 500),
      key.length * 2,
    );
    if (bytes > this.#maxBytes / MAX_ENTRY_SHARE) return;
    this.#entries.set(key, { series, infos: kept.infos, startMs, untilMs, version, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** The last step of the grid that lies before `atMs`; below `startMs` when there is none. */
function lastStepBefore(atMs: number, startMs: number, stepMs: number): number {
  if (atMs === Number.NEGATIVE_INFINITY) return atMs;
  return startMs + (Math.ceil((atMs - startMs) / stepMs) - 1) * stepMs;
}

/** The points in `[fromMs, untilMs]`, as parts of the arrays there are; nothing when there are none. */
function between(series: MatrixSeries, fromMs: number, untilMs: number): readonly MatrixSeries[] {
  const { labels, times, values, histograms } = series;
  const from = lowerBound(times, times.length, fromMs);
  const to = lowerBound(times, times.length, untilMs + 1);
  if (to <= from) return [];
  if (from === 0 && to === times.length) return [series];
  const part = { labels, times: times.subarray(from, to), values: values.subarray(from, to) };
  return [histograms === undefined ? part : { ...part, histograms: histograms.slice(from, to) }];
}

/** Two parts of one answer, the second behind the first; sorted by labels. */
export function joinParts(earlier: readonly MatrixSeries[], later: readonly MatrixSeries[]): readonly MatrixSeries[] {
  if (earlier.length === 0) return later;
  const join = joiner();
  const rest = new Map(later.map((series) => [labelsKey(series.labels), series]));
  const joined = earlier.map((series) => {
    const key = labelsKey(series.labels);
    const more = rest.get(key);
    if (more === undefined) return series;
    rest.delete(key);
    return join(series, more);
  });
  if (rest.size === 0) return joined;
  return [...joined, ...rest.values()].sort((a, b) => compareLabels(a.labels, b.labels));
}

/** Series without gaps share their times; what they are joined to is shared as well. */
function joiner(): (a: MatrixSeries, b: MatrixSeries) => MatrixSeries {
  let last: { readonly a: Float64Array; readonly b: Float64Array; readonly times: Float64Array } | undefined;
  return (a, b) => {
    if (last === undefined || !isSamePart(last.a, a.times) || !isSamePart(last.b, b.times))
      last = { a: a.times, b: b.times, times: concat(a.times, b.times) };
    const joined = { labels: a.labels as Labels, times: last.times, values: concat(a.values, b.values) };
    if (a.histograms === undefined && b.histograms === undefined) return joined;
    const histogramsOf = ({ histograms, times }: MatrixSeries) => histograms ?? Array.from(times, () => undefined);
    return { ...joined, histograms: [...histogramsOf(a), ...histogramsOf(b)] };
  };
}

const isSamePart = (a: Float64Array, b: Float64Array): boolean =>
  a === b || (a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length);

function concat(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
