import { compareText } from '@nines/model/labels.ts';
import type { RollupUse, SelectRange, SeriesColumns } from '@nines/model/storage.ts';
import { Columns, mergeInto } from '../codec/columns.ts';
import { type PageHead, type PageStore, type Resolution, windowOf } from '../contract.ts';
import type { Head } from '../head/head.ts';
import { findInSteps } from '../pages/find-in-steps.ts';
import type { PageReader } from '../pages/page-reader.ts';
import { ROLLUP_RESOLUTIONS, type RollupResolution, type RuleBook } from '../retention/policy.ts';
import type { Steps } from '../steps.ts';
import { BUCKET_COLUMNS, type BucketColumn, newBuckets } from './buckets.ts';
import { currentUntilMs, fittingResolution, onBucketGrid, resolutionFor } from './plan.ts';
import { type PageEntry, readBuckets } from './read-buckets.ts';
import { RolledSeries, columnsFor, copyOf } from './rolled-series.ts';

/**
 * Reads a selection with the help of rollups. Per series: buckets that fit the reader's windows as far as they are current;
 * then samples as they came where there are any; between the two, where samples have expired, the finest buckets that are left.
 * A part begins behind the last instant that the part before tells, on the grid of all buckets, so nothing is told twice.
 */
export type RolledDeps = {
  readonly head: Head;
  readonly pageStore: PageStore;
  readonly pages: PageReader;
  readonly rules: RuleBook;
  /** Changes whenever pages were added or removed. */
  readonly version: () => number;
  /** No sample before this instant is given back. */
  readonly retainedFromMs: () => number;
  /** From here on retention has removed no page of the resolution, of any series. */
  readonly completeFromMs: (resolutionMs: Resolution) => number;
  readonly checkOpen: () => void;
};
export type RolledSelection = {
  readonly refs: Uint32Array;
  readonly range: SelectRange;
  readonly use: RollupUse;
  readonly signal: AbortSignal | undefined;
};

/** Whether rollups can be of use for a range at all. */
export function wantsRollups({ pageStore, rules, completeFromMs }: RolledDeps, range: SelectRange, use: RollupUse): boolean {
  if (pageStore.totals(300_000).pages + pageStore.totals(3_600_000).pages === 0) return false;
  if (range.fromMs < completeFromMs(0)) return true;
  const fitting = fittingResolution(use);
  return (
    rules.policy.rules.some((rule) => resolutionFor(rule, fitting) > 0) && currentUntilMs(pageStore.days(), range.fromMs) >= range.fromMs
  );
}

export function* walkRolled(deps: RolledDeps, selection: RolledSelection): Generator<SeriesColumns> {
  const series = new RolledSeries(selection.use.statistic);
  for (const [resolution, refs] of groupsOf(deps, selection)) {
    let plan = planFor(deps, { ...selection, refs }, resolution);
    for (const ref of refs) {
      selection.signal?.throwIfAborted();
      deps.checkOpen();
      if (plan.version !== deps.version()) plan = planFor(deps, { ...selection, refs }, resolution);
      const found = readSeries(deps, plan, { ref, series });
      if (found !== undefined) yield found;
    }
  }
}

/** Adds those of the series to `seen` that have rollups in the range, to the precision of pages. */
export function* visitRolled({ pageStore, pages }: RolledDeps, refs: Uint32Array, range: SelectRange, seen: Set<number>): Steps<void> {
  const wanted = new Set(refs);
  for (const resolutionMs of ROLLUP_RESOLUTIONS) {
    for (const page of yield* findInSteps(pageStore, { resolutionMs, ...range })) {
      for (const ref of pages.refsOf(page)) if (wanted.has(ref)) seen.add(ref);
      yield;
    }
  }
}

/** Series by the resolution that their rule lets them be read with, each group in the order of pages. */
function groupsOf({ head, rules }: RolledDeps, { refs, use }: RolledSelection): ReadonlyMap<0 | RollupResolution, Uint32Array> {
  const fitting = fittingResolution(use);
  const groups = Map.groupBy(refs, (ref) => (head.histogramRefs.has(ref) ? 0 : resolutionFor(rules.ruleOf(ref), fitting)));
  return new Map(
    Array.from(groups, ([resolution, list]) => {
      const byMetric = Map.groupBy(list, (ref) => head.index.metricOf(ref));
      const ordered = [...byMetric.keys()].sort(compareText).flatMap((metric) => byMetric.get(metric) ?? []);
      return [resolution, Uint32Array.from(ordered)];
    }),
  );
}

type Entries = ReadonlyMap<number, readonly PageEntry[]>;
type Plan = {
  readonly version: number;
  readonly range: SelectRange;
  readonly columns: readonly BucketColumn[];
  readonly resolution: 0 | RollupResolution;
  /** Up to here fitting buckets tell everything. */
  readonly currentMs: number;
  readonly fitting: Entries;
  /** What tells of the time before, when the fitting ones are five minutes long and have expired there. */
  readonly expired: Entries;
  /** What may be told after that: the finest that is left, then samples. */
  readonly hours: Entries;
  readonly minutes: Entries;
  readonly samples: Entries;
};

function planFor(deps: RolledDeps, { refs, range, use }: RolledSelection, resolution: 0 | RollupResolution): Plan {
  const { pageStore, completeFromMs } = deps;
  const currentMs = resolution === 0 ? range.fromMs - 1 : Math.min(currentUntilMs(pageStore.days(), range.fromMs), range.toMs);
  const entries = (resolutionMs: Resolution, fromMs: number, toMs: number): Entries =>
    fromMs > toMs ? NO_PAGES : entriesOf(deps, refs, { resolutionMs, fromMs, toMs });
  const after = currentMs + 1;
  const gapUntilMs = Math.min(range.toMs, onBucketGrid(completeFromMs(0)));
  return {
    version: deps.version(),
    range,
    columns: columnsFor(use.statistic),
    resolution,
    currentMs,
    fitting: resolution === 0 ? NO_PAGES : entries(resolution, range.fromMs, currentMs),
    expired: resolution === 300_000 ? entries(3_600_000, range.fromMs, Math.min(currentMs, completeFromMs(300_000))) : NO_PAGES,
    hours: entries(3_600_000, after, gapUntilMs),
    minutes: entries(300_000, after, gapUntilMs),
    samples: entries(0, after, range.toMs),
  };
}

const NO_PAGES: Entries = new Map();

/** Where each series stands on the pages of a resolution; of two rollup pages for a day only the first. */
function entriesOf(
  { head, pageStore, pages }: RolledDeps,
  refs: Uint32Array,
  { resolutionMs, ...range }: SelectRange & { readonly resolutionMs: Resolution },
): Entries {
  const [first = 0] = refs;
  const metricFrom = head.index.metricOf(first);
  const metricTo = head.index.metricOf(refs.at(-1) ?? first);
  const heads = pageStore.find({ resolutionMs, ...range, metricFrom, metricTo });
  const ordered = resolutionMs === 0 ? heads : heads.toSorted((a, b) => a.windowMs - b.windowMs || a.id - b.id);
  const wanted = new Set(refs);
  const found = new Map<number, { readonly head: PageHead; readonly place: number }[]>();
  for (const page of ordered) {
    pages.refsOf(page).forEach((ref, place) => {
      if (!wanted.has(ref)) return;
      const list = found.get(ref);
      if (list === undefined) found.set(ref, [{ head: page, place }]);
      else if (resolutionMs === 0 || list.at(-1)?.head.windowMs !== page.windowMs) list.push({ head: page, place });
    });
  }
  return found;
}

const NO_ENTRIES: readonly PageEntry[] = [];

function readSeries(
  deps: RolledDeps,
  plan: Plan,
  { ref, series }: { readonly ref: number; readonly series: RolledSeries },
): SeriesColumns | undefined {
  const { head, retainedFromMs } = deps;
  const { range, currentMs } = plan;
  const add = (entries: readonly PageEntry[], bounds: Parameters<RolledSeries['addBuckets']>[1]): void => {
    for (const entry of entries) {
      for (const name of BUCKET_COLUMNS) buckets[name].clear();
      readBuckets(deps.pages, entry, plan.columns, buckets);
      series.addBuckets(buckets, bounds);
    }
  };
  series.clear();
  const { resolution } = plan;
  const fitting = plan.fitting.get(ref) ?? NO_ENTRIES;
  const afterMs = range.fromMs - 1;
  const fittingMs = Math.min(fitting[0]?.head.windowMs ?? Number.POSITIVE_INFINITY, currentMs);
  add(plan.expired.get(ref) ?? NO_ENTRIES, { afterMs, untilMs: fittingMs, resolutionMs: 3_600_000, exact: false });
  add(fitting, { afterMs, untilMs: currentMs, resolutionMs: resolution, exact: true });
  const onPages = plan.samples.get(ref) ?? NO_ENTRIES;
  const samplesMs = Math.max(samplesFrom(head, ref, { ...range, fromMs: currentMs + 1 }, onPages), onBucketGrid(retainedFromMs()));
  const minutes = plan.minutes.get(ref) ?? NO_ENTRIES;
  const minutesMs = Math.min(minutes[0]?.head.windowMs ?? Number.POSITIVE_INFINITY, samplesMs);
  const untilMs = Math.min(samplesMs, range.toMs);
  const hour = { resolutionMs: 3_600_000, exact: resolution === 3_600_000 };
  add(plan.hours.get(ref) ?? NO_ENTRIES, { afterMs: currentMs, untilMs: Math.min(minutesMs, untilMs), ...hour });
  const minute = { resolutionMs: 300_000, exact: resolution > 0 };
  add(minutes, { afterMs: currentMs, untilMs, ...minute });
  readSamples(deps, { ref, entries: onPages, fromMs: Math.max(currentMs + 1, retainedFromMs()), toMs: range.toMs });
  // Histograms cannot stand among buckets, from a time when the series had numbers only.
  const hasBuckets = series.hasBuckets && merged.histograms === undefined;
  if (hasBuckets) series.addSamples(merged);
  else if (merged.length === 0) return undefined;
  return hasBuckets ? series.finish(head.index.labelsOf(ref)) : copyOf(head.index.labelsOf(ref), merged);
}

/** The start of the window from which on the series has samples in the range. */
function samplesFrom(head: Head, ref: number, range: SelectRange, onPages: readonly PageEntry[]): number {
  let fromMs = Number.POSITIVE_INFINITY;
  for (const { head: page } of onPages) fromMs = Math.min(fromMs, page.windowMs);
  return head.touches(ref, range.fromMs, range.toMs) ? Math.min(fromMs, windowOf(Math.max(range.fromMs, head.firstTime(ref)))) : fromMs;
}

/** Fills `merged`. */
function readSamples(
  { head, pages }: RolledDeps,
  {
    ref,
    entries,
    ...range
  }: { readonly ref: number; readonly entries: readonly PageEntry[]; readonly fromMs: number; readonly toMs: number },
): void {
  merged.clear();
  for (const entry of entries) {
    part.clear();
    pages.read(entry.head, entry.place, range, part);
    mergeInto(merged, part, scratch);
  }
  part.clear();
  head.read(ref, range.fromMs, range.toMs, part);
  mergeInto(merged, part, scratch);
}

const buckets = newBuckets();
const merged = new Columns();
const part = new Columns();
const scratch = new Columns();
