import { compareText } from '@nines/model/labels.ts';
import { Columns } from './codec/columns.ts';
import type { Disk, PageHead, PageStore } from './contract.ts';
import type { Head } from './head/head.ts';
import { findInSteps } from './pages/find-in-steps.ts';
import type { PageReader } from './pages/page-reader.ts';
import { PageWriter } from './pages/page-writer.ts';
import { type Steps, drive } from './steps.ts';

/** Removes samples from pages by writing the pages anew without them. Doing it twice is doing it once. */
export type DeleteDeps = {
  readonly head: Head;
  readonly pageStore: PageStore;
  readonly pages: PageReader;
  readonly disk: Disk;
  /** Called after every commit: pages have changed. */
  readonly changed: () => void;
};
/** Series looked at in one go: about a millisecond. */
const SERIES_PER_STEP = 8192;
/** For `drive`: everybody else has a turn between two steps. */
export const turns = ({ disk }: Pick<DeleteDeps, 'disk'>): { readonly yieldNow: () => Promise<void> } => ({ yieldNow: () => disk.yield() });

export type PageDeletion = {
  readonly refs: ReadonlySet<number>;
  readonly fromMs: number;
  readonly toMs: number;
  /** Pages of later flushes hold what came after the deletion. */
  readonly segment: number;
};

/** Returns how many samples went. Others get a turn between pages. Throws `StoreUnavailable`. A damaged page stays as it is. */
export async function deleteFromPages(deps: DeleteDeps, deletion: PageDeletion): Promise<number> {
  let removed = 0;
  const { fromMs, toMs } = deletion;
  const metrics = await drive(metricsOf(deps.head, deletion.refs), turns(deps));
  for (const head of await drive(findInSteps(deps.pageStore, { fromMs, toMs, ...metrics }), turns(deps))) {
    if (head.segment > deletion.segment) continue;
    if (!deps.pages.refsOf(head).some((ref) => deletion.refs.has(ref))) continue;
    removed += rewritePage(deps, head, deletion);
    await deps.disk.yield();
  }
  return removed;
}

/** Pages that go in one transaction: a few milliseconds. */
const PAGES_PER_STEP = 64;

/** Removes the pages of samples that end before an instant; rollups stay. Returns how many samples stood there. Throws `StoreUnavailable`. */
export async function dropPagesBefore(deps: DeleteDeps, cutoffMs: number): Promise<number> {
  const range = { fromMs: Number.NEGATIVE_INFINITY, toMs: cutoffMs - 1 };
  const old = (await drive(findInSteps(deps.pageStore, range), turns(deps))).filter((page) => page.toMs < cutoffMs);
  let samples = 0;
  for (let at = 0; at < old.length; at += PAGES_PER_STEP) {
    const step = old.slice(at, at + PAGES_PER_STEP);
    deps.pageStore.commit({ removePages: step.map((page) => page.id), keepsRollups: true });
    for (const page of step) {
      deps.pages.forget(page.id);
      samples += page.samples;
    }
    deps.changed();
    await deps.disk.yield();
  }
  return samples;
}

/** Drops the samples in memory before an instant and returns how many. */
export async function dropFromHeadBefore({ head, disk }: DeleteDeps, cutoffMs: number): Promise<number> {
  let samples = 0;
  const refs = head.index.refs();
  for (let at = 0; at < refs.length; at += SERIES_PER_STEP) {
    // Samples keep coming between two steps: what a step drops is what there is less after it.
    const before = head.samples;
    for (const ref of refs.subarray(at, at + SERIES_PER_STEP)) head.dropBefore(ref, cutoffMs);
    samples += before - head.samples;
    await disk.yield();
  }
  return samples;
}

/** The span of metric names that the series have. */
function* metricsOf(head: Head, refs: ReadonlySet<number>): Steps<{ readonly metricFrom: string; readonly metricTo: string }> {
  const metrics = new Map<number, string>();
  let looked = 0;
  for (const ref of refs) {
    const id = head.index.metricIdOf(ref);
    if (!metrics.has(id)) metrics.set(id, head.index.textOf(id));
    if (++looked % SERIES_PER_STEP === 0) yield;
  }
  const names = [...metrics.values()].sort(compareText);
  return { metricFrom: names[0] ?? '', metricTo: names.at(-1) ?? '' };
}

/** Returns how many samples went. A damaged page stays as it is. */
export function rewritePage(
  { head, pageStore, pages, changed }: DeleteDeps,
  page: PageHead,
  deletion: Omit<PageDeletion, 'segment'> & { readonly keepsRollups?: boolean },
): number {
  if (pages.open(page) === undefined) return 0;
  const writer = new PageWriter(page.windowMs, page.segment);
  const columns = new Columns();
  let removed = 0;
  pages.refsOf(page).forEach((ref, index) => {
    columns.clear();
    pages.read(page, index, { fromMs: page.fromMs, toMs: page.toMs }, columns);
    if (deletion.refs.has(ref)) {
      const from = columns.lowerBound(deletion.fromMs);
      const to = columns.lowerBound(deletion.toMs + 1);
      removed += to - from;
      columns.cut(from, to);
    }
    // A page may outlive a series that retention has forgotten.
    if (columns.length > 0 && head.index.isLive(ref)) writer.add(ref, head.index.metricOf(ref), columns);
  });
  if (removed === 0) return 0;
  pageStore.commit({ removePages: [page.id], addPages: writer.finish(), keepsRollups: deletion.keepsRollups === true });
  pages.forget(page.id);
  changed();
  return removed;
}
