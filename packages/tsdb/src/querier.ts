import type { Matcher } from '@nines/base/matcher.ts';
import { sortInTurns } from '@nines/base/sort.ts';
import { type Labels, compareLabels, compareText } from '@nines/model/labels.ts';
import type { Queryable, SelectOptions, SelectRange, Selection, SeriesColumns } from '@nines/model/storage.ts';
import type { PageHead } from './contract.ts';
import type { Head } from './head/head.ts';
import { type RolledDeps, visitRolled, walkRolled, wantsRollups } from './rollup/rolled-query.ts';
import { type Entry, SeriesReader } from './series-reader.ts';
import { findInSteps } from './pages/find-in-steps.ts';
import { type Steps, drive, finish } from './steps.ts';

/**
 * Reads: which series match comes from the index in memory, their samples from pages and head, merged series by series as
 * the caller walks on. A flush may move samples between two steps of such a walk; the plan of which page holds whom is then
 * made anew, so nothing is missed and nothing seen twice.
 */
export type QuerierDeps = RolledDeps;

/** Series looked at between two looks at the signal when only labels are asked for. */
const LABELS_PER_CHECK = 4096;

export class Querier implements Queryable {
  readonly #deps: QuerierDeps;

  constructor(deps: QuerierDeps) {
    this.#deps = deps;
  }

  async select(matchers: readonly Matcher[], range: SelectRange, options: SelectOptions = {}): Promise<Selection> {
    this.#deps.checkOpen();
    options.signal?.throwIfAborted();
    const { rollups, signal } = options;
    if (rollups !== undefined && wantsRollups(this.#deps, range, rollups)) {
      const refs = await drive(candidates(this.#deps, matchers, range, options), options);
      const selection = { refs, range, use: rollups, signal };
      return { [Symbol.iterator]: () => walkRolled(this.#deps, selection) };
    }
    const bounds = this.#bounds(range);
    const deps = this.#deps;
    const refs = await drive(candidates(deps, matchers, bounds, options), options);
    const order = await drive(inPageOrder(deps, refs), options);
    const plan = await drive(planPages(deps, order, bounds), options);
    return { atMost: order.length, [Symbol.iterator]: () => walk(deps, { order, plan, range: bounds }, options) };
  }

  async series(matchers: readonly Matcher[], range: SelectRange, options: SelectOptions = {}): Promise<readonly Labels[]> {
    const labels: Labels[] = [];
    await this.#visit(matchers, range, options, (ref) => labels.push(this.#deps.head.index.labelsOf(ref)));
    return sortInTurns(labels, compareLabels, options.yieldNow);
  }

  async labelNames(matchers: readonly Matcher[], range: SelectRange, options: SelectOptions = {}): Promise<readonly string[]> {
    const names = new Set<string>();
    await this.#visit(matchers, range, options, (ref) => {
      const labels = this.#deps.head.index.labelsOf(ref);
      for (let i = 0; i < labels.length; i += 2) names.add(labels[i] ?? '');
    });
    return sortInTurns([...names], compareText, options.yieldNow);
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    range: SelectRange,
    options: SelectOptions = {},
  ): Promise<readonly string[]> {
    const values = new Set<string>();
    await this.#visit(matchers, range, options, (ref) => values.add(this.#deps.head.index.valueOf(ref, name)));
    values.delete('');
    return sortInTurns([...values], compareText, options.yieldNow);
  }

  #bounds({ fromMs, toMs }: SelectRange): SelectRange {
    return { fromMs: Math.max(fromMs, this.#deps.retainedFromMs()), toMs };
  }

  /** Calls `visit` once for every series that memory or a page, of samples or of rollups, really holds in the range. */
  async #visit(matchers: readonly Matcher[], range: SelectRange, options: SelectOptions, visit: (ref: number) => void): Promise<void> {
    this.#deps.checkOpen();
    const bounds = this.#bounds(range);
    const deps = this.#deps;
    const refs = await drive(candidates(deps, matchers, bounds, options), options);
    if (range.fromMs >= deps.completeFromMs(0)) return drive(visitPresent(deps, refs, bounds, visit), options);
    const seen = new Set<number>();
    await drive(
      visitPresent(deps, refs, bounds, (ref) => seen.add(ref)),
      options,
    );
    // Where samples have expired, rollups say who was there.
    const possible = await drive(candidates(deps, matchers, range, options), options);
    await drive(visitRolled(deps, possible, { fromMs: range.fromMs, toMs: Math.min(range.toMs, deps.completeFromMs(0)) }, seen), options);
    for (const ref of seen) if (deps.head.index.isLive(ref)) visit(ref);
  }
}

/** Series whose first and last sample leave room for one in the range. */
function* candidates(
  { head }: QuerierDeps,
  matchers: readonly Matcher[],
  { fromMs, toMs }: SelectRange,
  { scope }: SelectOptions,
): Steps<Uint32Array> {
  const refs = yield* head.index.selecting([...matchers, ...(scope?.matchers ?? [])]);
  let kept = 0;
  for (let i = 0; i < refs.length; i++) {
    const ref = refs[i] as number;
    if (head.oldestOf(ref) <= toMs && head.newestOf(ref) >= fromMs) refs[kept++] = ref;
  }
  return refs.subarray(0, kept);
}

function* visitPresent(deps: QuerierDeps, refs: Uint32Array, range: SelectRange, visit: (ref: number) => void): Steps<void> {
  const { head, version } = deps;
  let plan: PagePlan | undefined;
  for (let i = 0; i < refs.length; i++) {
    const ref = refs[i] as number;
    if (i % LABELS_PER_CHECK === LABELS_PER_CHECK - 1) yield;
    if (head.touches(ref, range.fromMs, range.toMs)) visit(ref);
    else if (head.pagedOf(ref) >= range.fromMs) {
      if (plan === undefined || plan.version !== version()) plan = yield* planPages(deps, yield* inPageOrder(deps, refs), range);
      if (plan.pagesOf(ref).length > 0) visit(ref);
    }
  }
}

const NO_ENTRIES: readonly Entry[] = [];

/** Which pages hold a series of a selection, and where on them. */
class PagePlan {
  readonly version: number;
  readonly heads: readonly PageHead[];
  readonly #slotOf: (ref: number) => number;
  /** Per slot: where its entries start in `#entries`. A slot that is given anew in the meantime belongs to no series of the selection. */
  readonly #starts: Uint32Array;
  /** Page number and place on it, in turn. */
  readonly #entries: Uint32Array;

  constructor(
    { head: { index }, version }: { readonly head: Head; readonly version: number },
    refs: Uint32Array,
    pages: readonly { readonly head: PageHead; readonly refs: Uint32Array }[],
  ) {
    this.version = version;
    this.heads = pages.map((page) => page.head);
    this.#slotOf = (ref) => index.slotOf(ref);
    const wanted = new Uint8Array(pages.length === 0 ? 0 : index.slotCount);
    for (const ref of refs) {
      const slot = index.slotOf(ref);
      if (slot < wanted.length) wanted[slot] = 1;
    }
    const starts = new Uint32Array(wanted.length + 2);
    for (const page of pages) {
      for (const ref of page.refs) {
        const slot = index.slotOf(ref);
        if (wanted[slot] === 1) starts[slot + 2] = (starts[slot + 2] ?? 0) + 1;
      }
    }
    for (let i = 2; i < starts.length; i++) starts[i] = (starts[i] ?? 0) + (starts[i - 1] ?? 0);
    const entries = new Uint32Array(2 * (starts.at(-1) ?? 0));
    pages.forEach((page, number) => {
      page.refs.forEach((ref, place) => {
        const slot = index.slotOf(ref);
        if (wanted[slot] !== 1) return;
        const at = starts[slot + 1] ?? 0;
        starts[slot + 1] = at + 1;
        entries[2 * at] = number;
        entries[2 * at + 1] = place;
      });
    });
    this.#starts = starts;
    this.#entries = entries;
  }

  /** Ascending by page id. */
  pagesOf(ref: number): readonly Entry[] {
    const slot = this.#slotOf(ref);
    const from = this.#starts[slot] ?? 0;
    const to = this.#starts[slot + 1] ?? 0;
    if (to <= from) return NO_ENTRIES;
    const found: Entry[] = [];
    for (let i = from; i < to; i++) {
      const head = this.heads[this.#entries[2 * i] ?? 0];
      if (head !== undefined) found.push({ head, index: this.#entries[2 * i + 1] ?? 0 });
    }
    return found;
  }
}

/** Page references looked at between two chances to yield. */
const REFS_PER_STEP = 65_536;

/** `refs` in page order (see `inPageOrder`). */
function* planPages({ head, pageStore, pages, version }: QuerierDeps, refs: Uint32Array, range: SelectRange): Steps<PagePlan> {
  const planned = { head, version: version() };
  let first = 0;
  let last = refs.length - 1;
  const isPaged = (index: number): boolean => head.pagedOf(refs[index] as number) >= range.fromMs;
  while (first <= last && !isPaged(first)) first++;
  while (last > first && !isPaged(last)) last--;
  if (first > last) return new PagePlan(planned, new Uint32Array(0), []);
  const metricFrom = head.index.metricOf(refs[first] as number);
  const metricTo = head.index.metricOf(refs[last] as number);
  yield;
  const found: { readonly head: PageHead; readonly refs: Uint32Array }[] = [];
  let looked = 0;
  for (const page of yield* findInSteps(pageStore, { ...range, metricFrom, metricTo })) {
    const pageRefs = pages.refsOf(page);
    found.push({ head: page, refs: pageRefs });
    looked += pageRefs.length;
    if (looked < REFS_PER_STEP) continue;
    looked = 0;
    yield;
  }
  return new PagePlan(planned, refs, found);
}

/** Series of one metric stand together on pages: walk in that order and each page is unpacked once. */
function* inPageOrder({ head }: QuerierDeps, refs: Uint32Array): Steps<Uint32Array> {
  const { index } = head;
  const counts = new Map<number, number>();
  const names = new Map<number, string>();
  // Kept, as a series may be forgotten between two steps and its metric's number be given to another text.
  const metricOf = new Uint32Array(refs.length);
  for (let i = 0; i < refs.length; i++) {
    const metric = index.metricIdOf(refs[i] as number);
    metricOf[i] = metric;
    const count = counts.get(metric);
    if (count === undefined) names.set(metric, index.textOf(metric));
    counts.set(metric, (count ?? 0) + 1);
    if (i % REFS_PER_STEP === REFS_PER_STEP - 1) yield;
  }
  if (counts.size <= 1) return refs;
  const metrics = [...counts.keys()].sort((a, b) => compareText(names.get(a) ?? '', names.get(b) ?? ''));
  let at = 0;
  for (const metric of metrics) {
    const count = counts.get(metric) ?? 0;
    counts.set(metric, at);
    at += count;
  }
  const ordered = new Uint32Array(refs.length);
  for (let i = 0; i < refs.length; i++) {
    const metric = metricOf[i] as number;
    const to = counts.get(metric) ?? 0;
    ordered[to] = refs[i] as number;
    counts.set(metric, to + 1);
    if (i % REFS_PER_STEP === REFS_PER_STEP - 1) yield;
  }
  return ordered;
}

type Walk = { readonly order: Uint32Array; readonly plan: PagePlan; readonly range: SelectRange };

function* walk(deps: QuerierDeps, { order, plan: made, range }: Walk, options: SelectOptions): Generator<SeriesColumns> {
  const { index } = deps.head;
  const reader = new SeriesReader(deps, range, options);
  let plan = made;
  for (const ref of order) {
    options.signal?.throwIfAborted();
    deps.checkOpen();
    if (plan.version !== deps.version()) plan = finish(planPages(deps, order, range));
    // Retention may have forgotten it since the walk began.
    if (!index.isLive(ref)) continue;
    const read = reader.read(ref, plan.pagesOf(ref));
    if (read === undefined) continue;
    const { times, values, histograms } = read;
    const series = { labels: index.labelsOf(ref), times, values: options.reuse === true ? values : values.slice() };
    yield histograms === undefined ? series : { ...series, histograms };
  }
  if (options.onDamage === undefined || !deps.pages.hasDamage) return;
  for (const head of plan.heads)
    if (deps.pages.isDamaged(head.id))
      options.onDamage(`page ${head.id} of the store is damaged, its samples are missing here; see nines doctor`);
}
