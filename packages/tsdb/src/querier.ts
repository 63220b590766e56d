import type { Matcher } from '@nines/base/matcher.ts';
import { type Labels, compareLabels, compareText } from '@nines/model/labels.ts';
import type { Queryable, SelectOptions, SelectRange, SeriesColumns } from '@nines/model/storage.ts';
import { Columns, mergeInto } from './codec/columns.ts';
import type { PageHead, PageStore } from './contract.ts';
import type { Head } from './head/head.ts';
import type { PageReader } from './pages/page-reader.ts';

/**
 * Reads: which series match comes from the index in memory, their samples from pages and head, merged series by series as
 * the caller walks on. A flush may move samples between two steps of such a walk; the plan of which page holds whom is then
 * made anew, so nothing is missed and nothing seen twice.
 */
export type QuerierDeps = {
  readonly head: Head;
  readonly pageStore: PageStore;
  readonly pages: PageReader;
  /** Changes whenever pages were added or removed. */
  readonly version: () => number;
  /** Nothing before this instant is given back. */
  readonly retainedFromMs: () => number;
  readonly checkOpen: () => void;
};

/** Series looked at between two looks at the signal when only labels are asked for. */
const LABELS_PER_CHECK = 4096;

export class Querier implements Queryable {
  readonly #deps: QuerierDeps;

  constructor(deps: QuerierDeps) {
    this.#deps = deps;
  }

  async select(matchers: readonly Matcher[], range: SelectRange, options: SelectOptions = {}): Promise<Iterable<SeriesColumns>> {
    this.#deps.checkOpen();
    options.signal?.throwIfAborted();
    const bounds = this.#bounds(range);
    const refs = this.#candidates(matchers, bounds, options);
    const deps = this.#deps;
    return { [Symbol.iterator]: () => walk(deps, refs, bounds, options) };
  }

  async series(matchers: readonly Matcher[], range: SelectRange, options: SelectOptions = {}): Promise<readonly Labels[]> {
    const refs = this.#present(matchers, range, options);
    return Array.from(refs, (ref) => this.#deps.head.index.labelsOf(ref)).sort(compareLabels);
  }

  async labelNames(matchers: readonly Matcher[], range: SelectRange, options: SelectOptions = {}): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const ref of this.#present(matchers, range, options)) {
      const labels = this.#deps.head.index.labelsOf(ref);
      for (let i = 0; i < labels.length; i += 2) names.add(labels[i] ?? '');
    }
    return [...names].sort(compareText);
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    range: SelectRange,
    options: SelectOptions = {},
  ): Promise<readonly string[]> {
    const values = new Set<string>();
    for (const ref of this.#present(matchers, range, options)) values.add(this.#deps.head.index.valueOf(ref, name));
    values.delete('');
    return [...values].sort(compareText);
  }

  #bounds({ fromMs, toMs }: SelectRange): SelectRange {
    return { fromMs: Math.max(fromMs, this.#deps.retainedFromMs()), toMs };
  }

  /** Series whose first and last sample leave room for one in the range. */
  #candidates(matchers: readonly Matcher[], { fromMs, toMs }: SelectRange, { scope }: SelectOptions): Uint32Array {
    const { head } = this.#deps;
    const refs = head.index.select([...matchers, ...(scope?.matchers ?? [])]);
    return refs.filter((ref) => (head.oldest[ref] ?? 0) <= toMs && (head.newest[ref] ?? 0) >= fromMs);
  }

  /** Candidates that memory or a page really holds in the range. */
  #present(matchers: readonly Matcher[], range: SelectRange, options: SelectOptions): Uint32Array {
    this.#deps.checkOpen();
    const bounds = this.#bounds(range);
    const { head } = this.#deps;
    const refs = this.#candidates(matchers, bounds, options);
    let plan: PagePlan | undefined;
    return refs.filter((ref, i) => {
      if (i % LABELS_PER_CHECK === 0) options.signal?.throwIfAborted();
      if (head.touches(ref, bounds.fromMs, bounds.toMs)) return true;
      plan ??= planPages(this.#deps, refs, bounds);
      return plan.pagesOf(ref).length > 0;
    });
  }
}

type Entry = { readonly head: PageHead; readonly index: number };
const NO_ENTRIES: readonly Entry[] = [];

/** Which pages hold a series of a selection, and where on them. */
class PagePlan {
  readonly version: number;
  readonly #heads: readonly PageHead[];
  /** Per reference (relative to the lowest): where its entries start in `#entries`. */
  readonly #lowest: number;
  readonly #starts: Uint32Array;
  /** Page number and place on it, in turn. */
  readonly #entries: Uint32Array;

  constructor(version: number, refs: Uint32Array, pages: readonly { readonly head: PageHead; readonly refs: Uint32Array }[]) {
    this.version = version;
    this.#heads = pages.map((page) => page.head);
    let lowest = Number.POSITIVE_INFINITY;
    let highest = -1;
    for (const ref of refs) {
      lowest = Math.min(lowest, ref);
      highest = Math.max(highest, ref);
    }
    this.#lowest = lowest;
    const wanted = new Uint8Array(Math.max(0, highest - lowest + 1));
    for (const ref of refs) wanted[ref - lowest] = 1;
    const starts = new Uint32Array(wanted.length + 2);
    for (const page of pages)
      for (const ref of page.refs) if (wanted[ref - lowest] === 1) starts[ref - lowest + 2] = (starts[ref - lowest + 2] ?? 0) + 1;
    for (let i = 2; i < starts.length; i++) starts[i] = (starts[i] ?? 0) + (starts[i - 1] ?? 0);
    const entries = new Uint32Array(2 * (starts.at(-1) ?? 0));
    pages.forEach((page, number) => {
      page.refs.forEach((ref, index) => {
        if (wanted[ref - lowest] !== 1) return;
        const at = starts[ref - lowest + 1] ?? 0;
        starts[ref - lowest + 1] = at + 1;
        entries[2 * at] = number;
        entries[2 * at + 1] = index;
      });
    });
    this.#starts = starts;
    this.#entries = entries;
  }

  /** Ascending by page id. */
  pagesOf(ref: number): readonly Entry[] {
    const from = this.#starts[ref - this.#lowest] ?? 0;
    const to = this.#starts[ref - this.#lowest + 1] ?? 0;
    if (to <= from) return NO_ENTRIES;
    const found: Entry[] = [];
    for (let i = from; i < to; i++) {
      const head = this.#heads[this.#entries[2 * i] ?? 0];
      if (head !== undefined) found.push({ head, index: this.#entries[2 * i + 1] ?? 0 });
    }
    return found;
  }
}

function planPages({ head, pageStore, pages, version }: QuerierDeps, refs: Uint32Array, range: SelectRange): PagePlan {
  let metricFrom: string | undefined;
  let metricTo: string | undefined;
  for (const ref of refs) {
    if ((head.paged[ref] ?? 0) < range.fromMs) continue;
    const metric = head.index.metricOf(ref);
    if (metricFrom === undefined || compareText(metric, metricFrom) < 0) metricFrom = metric;
    if (metricTo === undefined || compareText(metric, metricTo) > 0) metricTo = metric;
  }
  if (metricFrom === undefined || metricTo === undefined) return new PagePlan(version(), new Uint32Array(0), []);
  const heads = pageStore.find({ ...range, metricFrom, metricTo });
  return new PagePlan(
    version(),
    refs,
    heads.map((page) => ({ head: page, refs: pages.refsOf(page) })),
  );
}

/** Series of one metric stand together on pages: walk in that order and each page is unpacked once. */
function inPageOrder({ head }: QuerierDeps, refs: Uint32Array): Uint32Array {
  const metrics = new Map<string, number[]>();
  for (const ref of refs) {
    const metric = head.index.metricOf(ref);
    const list = metrics.get(metric);
    if (list === undefined) metrics.set(metric, [ref]);
    else list.push(ref);
  }
  const sorted = [...metrics.keys()].sort(compareText);
  return Uint32Array.from(sorted.flatMap((metric) => metrics.get(metric) ?? []));
}

/** Where to read to: straight into the result while that is empty, which spares most series a copy. */
function emptyOr(merged: Columns, part: Columns): Columns {
  if (merged.length === 0) return merged;
  part.clear();
  return part;
}

/**
 * Samples of the arrays that successive series share, since making two arrays per series costs more than decoding them. The
 * first is small, for the many selections of a few series; each further one twice as large.
 */
const FIRST_SLAB_SAMPLES = 256;
const LARGEST_SLAB_SAMPLES = 8192;

/** Hands out the columns of series after series as parts of few arrays; series with equal times get the same times. */
class Slabs {
  #slab = new Columns(FIRST_SLAB_SAMPLES);
  #from = 0;
  #times = this.#slab.times.subarray(0, 0);

  /** Columns to append the next series to, with room for as many samples as the one before had. */
  begin(): Columns {
    const capacity = this.#slab.times.length;
    if (this.#slab.length + this.#times.length > capacity) this.#slab = new Columns(Math.min(2 * capacity, LARGEST_SLAB_SAMPLES));
    this.#from = this.#slab.length;
    return this.#slab;
  }

  /** What was appended since `begin`; undefined when that is nothing. */
  end(labels: () => Labels): SeriesColumns | undefined {
    const { times, values, length } = this.#slab;
    const from = this.#from;
    if (length === from) return undefined;
    if (!sameTimes(times, from, length, this.#times)) this.#times = times.subarray(from, length);
    return { labels: labels(), times: this.#times, values: values.subarray(from, length) };
  }
}

/** Whether `times[from, to)` equals `known`. Backwards, because series that differ do so at their newest sample. */
function sameTimes(times: Float64Array, from: number, to: number, known: Float64Array): boolean {
  if (to - from !== known.length) return false;
  for (let i = known.length - 1; i >= 0; i--) if (times[from + i] !== known[i]) return false;
  return true;
}

function* walk(deps: QuerierDeps, refs: Uint32Array, range: SelectRange, { signal }: SelectOptions): Generator<SeriesColumns> {
  const { head, pages } = deps;
  const order = inPageOrder(deps, refs);
  const merged = new Columns(0);
  const part = new Columns(0);
  const scratch = new Columns(0);
  const slabs = new Slabs();
  let plan = planPages(deps, order, range);
  for (const ref of order) {
    signal?.throwIfAborted();
    deps.checkOpen();
    if (plan.version !== deps.version()) plan = planPages(deps, order, range);
    const out = slabs.begin();
    const entries = plan.pagesOf(ref);
    if (entries.length === 0) head.read(ref, range.fromMs, range.toMs, out);
    else {
      merged.clear();
      for (const entry of entries) {
        const into = emptyOr(merged, part);
        pages.read(entry.head, entry.index, range, into);
        if (into === part) mergeInto(merged, part, scratch);
      }
      const into = emptyOr(merged, part);
      head.read(ref, range.fromMs, range.toMs, into);
      if (into === part) mergeInto(merged, part, scratch);
      out.append(merged, 0, merged.length);
    }
    const series = slabs.end(() => head.index.labelsOf(ref));
    if (series !== undefined) yield series;
  }
}
