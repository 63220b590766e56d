import { type Labels, METRIC_NAME, compareText, labelValue } from '@nines/model/labels.ts';
import { Columns, mergeInto } from '../codec/columns.ts';
import { type SeriesLabels, encodeLabelBlock } from '../codec/label-block.ts';
import { type Disk, type PageHead, type PageStore, type SeriesSpan, WINDOW_MS } from '../contract.ts';
import type { Head } from '../head/head.ts';
import { encodeLabels } from '../head/label-bytes.ts';
import { HISTOGRAM_REFS_KEY } from '../head/histogram-refs.ts';
import type { LimitRefusal } from '../head/limits.ts';
import { NONE } from '../head/series-index.ts';
import type { PageReader } from '../pages/page-reader.ts';
import { PageWriter } from '../pages/page-writer.ts';
import { NEXT_REF_KEY } from '../recover.ts';
import { type Gathered, leaveOut } from './gathered.ts';
import type { Tally } from './tally.ts';

/**
 * Writes what a backfill gathered for one window to pages of its own beside those that are there, without the instants that
 * pages or memory already hold. A step looks, commits and widens the spans without letting anybody in between, so a sample
 * that arrives meanwhile meets either no page or the finished one.
 */
export type WindowWriterDeps = {
  readonly head: Head;
  readonly pageStore: PageStore;
  readonly pages: PageReader;
  readonly disk: Disk;
  /** Called after every commit: pages have changed. */
  readonly changed: () => void;
  /** Lets a series in that is new, or says why not, for so many samples. */
  readonly admit: (labels: Labels, samples: number) => LimitRefusal | undefined;
  /** Nothing before this instant is written: retention removed it. */
  readonly retainedFromMs: number;
};
export type WindowSeries = { readonly labels: Labels; readonly samples: Gathered };

/** A page of a backfill says nothing about what the log may lack (docs/format/pages.md). */
const NO_SEGMENT = 0;
/** A step ends with whichever comes first: about 15 ms of packing and one transaction, or as long of finding everything there already. */
const PAGES_PER_STEP = 4;
const SAMPLES_PER_STEP = 200_000;

type Entry = WindowSeries & { readonly ref: number; readonly metric: string };

/** Throws `StoreUnavailable`; what was committed until then stays, and doing it again adds the rest. The caller keeps flush, retention and deletion away. */
export async function writeWindow(deps: WindowWriterDeps, windowMs: number, series: readonly WindowSeries[], tally: Tally): Promise<void> {
  const entries = resolve(deps, windowMs, series, tally);
  const held = heldOnPages(deps, windowMs, entries);
  for (let at = 0; at < entries.length; ) {
    at = writeStep(deps, { windowMs, entries, at, held }, tally);
    await deps.disk.yield();
  }
}

/** The series with their references, in page order. */
function resolve({ head, admit }: WindowWriterDeps, windowMs: number, series: readonly WindowSeries[], tally: Tally): readonly Entry[] {
  const entries: Entry[] = [];
  for (const { labels, samples } of series) {
    let ref = head.index.find(labels);
    if (ref === NONE) {
      const refusal = admit(labels, samples.count);
      if (refusal !== undefined) {
        tally.refuse(refusal.reason, { labels, atMs: windowMs, detail: refusal.detail }, samples.count);
        continue;
      }
      ref = head.addSeries(labels);
    }
    entries.push({ labels, samples, ref, metric: labelValue(labels, METRIC_NAME) });
  }
  return entries.sort((a, b) => compareText(a.metric, b.metric) || a.ref - b.ref);
}

type Place = { readonly page: PageHead; readonly index: number };

/** Where pages hold samples of the series in this window, ascending by page: the first is right. */
function heldOnPages({ pageStore, pages }: WindowWriterDeps, windowMs: number, entries: readonly Entry[]): ReadonlyMap<number, Place[]> {
  const held = new Map<number, Place[]>();
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return held;
  for (const { ref } of entries) held.set(ref, []);
  const range = { fromMs: windowMs, toMs: windowMs + WINDOW_MS - 1, metricFrom: first.metric, metricTo: last.metric };
  for (const page of pageStore.find(range))
    if (page.windowMs === windowMs) pages.refsOf(page).forEach((ref, index) => held.get(ref)?.push({ page, index }));
  return held;
}

type Step = {
  readonly windowMs: number;
  readonly entries: readonly Entry[];
  readonly at: number;
  readonly held: ReadonlyMap<number, readonly Place[]>;
};

/** Writes series from `at` on and returns where the next step begins. */
function writeStep(deps: WindowWriterDeps, { windowMs, entries, at, held }: Step, tally: Tally): number {
  const { head, pageStore } = deps;
  const writer = new PageWriter(windowMs, NO_SEGMENT);
  const spans: SeriesSpan[] = [];
  const fresh: SeriesLabels[] = [];
  let seen = 0;
  let next = at;
  for (; next < entries.length && seen < SAMPLES_PER_STEP; next++) {
    const entry = entries[next];
    if (entry === undefined || (writer.pages === PAGES_PER_STEP - 1 && writer.partsBefore(entry.metric))) break;
    const { ref, metric, labels } = entry;
    seen += newSamples(deps, { windowMs, entry, places: held.get(ref) ?? [] }, tally);
    if (columns.length === 0) continue;
    if (columns.histograms !== undefined) head.histogramRefs.add(ref);
    writer.add(ref, metric, columns);
    spans.push({ ref, oldestMs: columns.times[0] ?? 0, newestMs: columns.times[columns.length - 1] ?? 0 });
    if (!head.isPersisted(ref)) fresh.push({ ref, labels: encodeLabels(labels) });
  }
  const pages = writer.finish();
  if (pages.length === 0) return next;
  pageStore.commit({
    addPages: pages,
    ...(fresh.length > 0 ? { addLabels: { refs: fresh.map(({ ref }) => ref), block: encodeLabelBlock(fresh) } } : {}),
    putSpans: spans,
    meta: {
      [NEXT_REF_KEY]: String(head.index.nextRef),
      ...(head.histogramRefs.isNew ? { [HISTOGRAM_REFS_KEY]: head.histogramRefs.text() } : {}),
    },
  });
  head.histogramRefs.isNew = false;
  for (const { ref, oldestMs, newestMs } of spans) head.markPersisted(ref, oldestMs, newestMs);
  tally.store(
    windowMs,
    pages.reduce((sum, page) => sum + page.samples, 0),
  );
  deps.changed();
  return next;
}

/** Leaves in `columns` what neither pages nor memory have; returns how many samples were looked at. */
function newSamples(
  { head, pages, retainedFromMs }: WindowWriterDeps,
  { windowMs, entry, places }: { readonly windowMs: number; readonly entry: Entry; readonly places: readonly Place[] },
  tally: Tally,
): number {
  const { ref, labels, samples } = entry;
  const onRepeat = (atMs: number, isSame: boolean): void => tally.repeat(labels, atMs, isSame);
  const window = { fromMs: windowMs, toMs: windowMs + WINDOW_MS - 1 };
  columns.clear();
  samples.read(columns, onRepeat);
  const seen = columns.length;
  const gone = columns.lowerBound(retainedFromMs);
  if (gone > 0) {
    const detail = `before ${new Date(retainedFromMs).toISOString()}, where retention begins`;
    tally.refuse('too_old', { labels, atMs: columns.times[0] ?? 0, detail }, gone);
    columns.cut(0, gone);
  }
  there.clear();
  for (const { page, index } of places) {
    part.clear();
    pages.read(page, index, window, part);
    mergeInto(there, part, scratch);
  }
  part.clear();
  head.read(ref, window.fromMs, window.toMs, part);
  mergeInto(there, part, scratch);
  leaveOut(columns, there, onRepeat);
  return seen + there.length;
}

const columns = new Columns();
const there = new Columns();
const part = new Columns();
const scratch = new Columns();
