import type { Logger } from '@nines/base/logger.ts';
import { compareText } from '@nines/model/labels.ts';
import { Columns, mergeInto } from '../codec/columns.ts';
import {
  type Disk,
  FLUSH_DELAY_MS,
  type NewPage,
  type PageHead,
  type PageStore,
  ROLLUP_WINDOW_MS,
  type RollupReport,
  WINDOW_MS,
} from '../contract.ts';
import type { Head } from '../head/head.ts';
import type { PageReader } from '../pages/page-reader.ts';
import { PageWriter } from '../pages/page-writer.ts';
import { ROLLUP_RESOLUTIONS, type RollupResolution, type RuleBook, rollupFingerprint } from '../retention/policy.ts';
import { BUCKET_COLUMNS, type Buckets, furtherOf, mergeBuckets, newBuckets, rollUpSamples } from './buckets.ts';
import { readBuckets } from './read-buckets.ts';

/**
 * Rolls up the days that are over. A day is read series by series, in the order of its pages, and written in steps that each
 * hold the store for themselves; a flush, a deletion or a query may come between. The three steps that make this safe
 * against crashes and changes meanwhile stand in docs/format/pages.md.
 */
export type RollUpDeps = {
  readonly head: Head;
  readonly pageStore: PageStore;
  readonly pages: PageReader;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly rules: RuleBook;
  readonly outOfOrderWindowMs: number;
  /** Called after every commit: pages have changed. */
  readonly changed: () => void;
  /** Runs a step while no other upkeep does. */
  readonly exclusively: <T>(step: () => Promise<T>) => Promise<T>;
};

const FINGERPRINT_KEY = 'rolled_up_for';
/** Series between two commits: a page or more of each resolution. */
const SERIES_PER_STEP = 100;
/** Samples rolled up between two turns of others: about two milliseconds. */
const SAMPLES_PER_TURN = 15_000;
/** Series sorted into their metrics between two turns of others. */
const SERIES_PER_TURN = 20_000;

/** Rolls up days that are due and over at `nowMs`, oldest first. Rejects with `StoreUnavailable`; the next call goes on. */
export async function rollUpDays(deps: RollUpDeps, nowMs: number, maxDays: number): Promise<RollupReport> {
  const report = { days: 0, series: 0 };
  if (ROLLUP_RESOLUTIONS.every((resolution) => deps.rules.longestMs(resolution) === 0)) return report;
  await deps.exclusively(async () => noticeNewPolicy(deps));
  // Late samples stay in memory until the window in which they came has ended and moved to pages.
  const overBeforeMs = nowMs - deps.outOfOrderWindowMs - 2 * WINDOW_MS - FLUSH_DELAY_MS;
  const due = deps.pageStore.days().filter(({ dayMs, current }) => !current && dayMs + ROLLUP_WINDOW_MS <= overBeforeMs);
  for (const { dayMs } of due.slice(0, maxDays)) {
    report.series += await rollUpDay(deps, dayMs);
    report.days++;
  }
  return report;
}

/** Series that an earlier policy did not roll up must be before their samples expire. */
function noticeNewPolicy({ pageStore, rules }: RollUpDeps): void {
  const wanted = rollupFingerprint(rules.policy);
  if (pageStore.meta(FINGERPRINT_KEY) !== wanted) pageStore.commit({ allDaysDue: true, meta: { [FINGERPRINT_KEY]: wanted } });
}

async function rollUpDay(deps: RollUpDeps, dayMs: number): Promise<number> {
  const { pageStore, changed } = deps;
  const refs = await seriesOf(deps, dayMs);
  await deps.exclusively(async () => {
    pageStore.commit({ beginDay: dayMs });
    changed();
  });
  for (let at = 0; at < refs.length; at += SERIES_PER_STEP)
    await deps.exclusively(() => rollUpStep(deps, dayMs, refs.slice(at, at + SERIES_PER_STEP)));
  await deps.exclusively(async () => {
    pageStore.commit({ endDay: dayMs });
    changed();
  });
  return refs.length;
}

/** Series that may have samples on the day and are to be rolled up, in page order. */
async function seriesOf({ head, rules, disk }: RollUpDeps, dayMs: number): Promise<readonly number[]> {
  const byMetric = new Map<string, number[]>();
  let seen = 0;
  for (const ref of head.index.refs()) {
    if (++seen % SERIES_PER_TURN === 0) await disk.yield();
    if (!head.index.isLive(ref) || head.oldestOf(ref) > dayMs + ROLLUP_WINDOW_MS || head.newestOf(ref) <= dayMs) continue;
    const { rollupMs } = rules.ruleOf(ref);
    if (rollupMs[300000] === 0 && rollupMs[3600000] === 0) continue;
    const metric = head.index.metricOf(ref);
    const list = byMetric.get(metric);
    if (list === undefined) byMetric.set(metric, [ref]);
    else list.push(ref);
  }
  return [...byMetric.keys()].sort(compareText).flatMap((metric) => byMetric.get(metric) ?? []);
}

type Entry = { readonly head: PageHead; readonly place: number };

async function rollUpStep(deps: RollUpDeps, dayMs: number, batch: readonly number[]): Promise<void> {
  const { head, pageStore, pages, rules, disk } = deps;
  const refs = batch.filter((ref) => head.index.isLive(ref));
  const range = { fromMs: dayMs + 1, toMs: dayMs + ROLLUP_WINDOW_MS };
  const samplesOn = entriesOf(deps, refs, pageStore.find({ ...range, ...metricsOf(head, refs) }));
  const writers = { 300000: new PageWriter(dayMs, 0, 300_000), 3600000: new PageWriter(dayMs, 0, 3_600_000) };
  const known = { 300000: knownBuckets(deps, 300_000, { dayMs, refs }), 3600000: knownBuckets(deps, 3_600_000, { dayMs, refs }) };
  let read = 0;
  for (const ref of refs) {
    merged.clear();
    for (const { head: page, place } of samplesOn.get(ref) ?? NO_ENTRIES) {
      part.clear();
      pages.read(page, place, range, part);
      mergeInto(merged, part, scratch);
    }
    part.clear();
    head.read(ref, range.fromMs, range.toMs, part);
    mergeInto(merged, part, scratch);
    // No bucket can tell of a histogram: series that have some are read as samples.
    merged.leaveOutHistograms();
    for (const resolution of ROLLUP_RESOLUTIONS) {
      if (rules.ruleOf(ref).rollupMs[resolution] === 0) continue;
      rollUpSamples(merged, resolution, fresh);
      const old = known[resolution](ref);
      const buckets = old === undefined ? fresh : mergeBuckets(old, fresh, resolution);
      if (buckets.first.length > 0) writers[resolution].add(ref, head.index.metricOf(ref), buckets.first, furtherOf(buckets));
    }
    read += merged.length;
    if (read < SAMPLES_PER_TURN) continue;
    read = 0;
    await disk.yield();
  }
  const addPages: NewPage[] = ROLLUP_RESOLUTIONS.flatMap((resolution) => writers[resolution].finish());
  pageStore.commit({ addPages });
  deps.changed();
}

const NO_ENTRIES: readonly Entry[] = [];
const merged = new Columns();
const part = new Columns();
const scratch = new Columns();
const fresh = newBuckets();

/** The span of metric names of series in page order. */
function metricsOf(head: Head, refs: readonly number[]): { readonly metricFrom: string; readonly metricTo: string } {
  const [first = 0] = refs;
  return { metricFrom: head.index.metricOf(first), metricTo: head.index.metricOf(refs.at(-1) ?? first) };
}

/** Where each of the series stands on the pages, ascending by page id. */
function entriesOf({ pages }: RollUpDeps, refs: readonly number[], heads: readonly PageHead[]): ReadonlyMap<number, readonly Entry[]> {
  const found = new Map<number, Entry[]>(refs.map((ref) => [ref, []]));
  for (const head of heads) pages.refsOf(head).forEach((ref, place) => found.get(ref)?.push({ head, place }));
  return found;
}

/** The buckets a series had before this day was begun anew: they stand on the page with the lower id. */
function knownBuckets(
  deps: RollUpDeps,
  resolutionMs: RollupResolution,
  { dayMs, refs }: { readonly dayMs: number; readonly refs: readonly number[] },
): (ref: number) => Buckets | undefined {
  const heads = deps.pageStore
    .find({ resolutionMs, fromMs: dayMs + 1, toMs: dayMs + ROLLUP_WINDOW_MS, ...metricsOf(deps.head, refs) })
    .filter(({ windowMs }) => windowMs === dayMs);
  const places = entriesOf(deps, refs, heads);
  const buckets = newBuckets();
  return (ref) => {
    const entry = places.get(ref)?.[0];
    if (entry === undefined) return undefined;
    for (const name of BUCKET_COLUMNS) buckets[name].clear();
    readBuckets(deps.pages, entry, BUCKET_COLUMNS, buckets);
    return buckets;
  };
}
