import { compareText } from '@nines/model/labels.ts';
import { Columns } from './codec/columns.ts';
import type { Disk, PageHead, PageStore } from './contract.ts';
import type { Head } from './head/head.ts';
import type { PageReader } from './pages/page-reader.ts';
import { PageWriter } from './pages/page-writer.ts';

/** Removes samples from pages by writing the pages anew without them. Doing it twice is doing it once. */
export type DeleteDeps = {
  readonly head: Head;
  readonly pageStore: PageStore;
  readonly pages: PageReader;
  readonly disk: Disk;
  /** Called after every commit: pages have changed. */
  readonly changed: () => void;
};
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
  for (const head of deps.pageStore.find({ ...deletion, ...metricsOf(deps.head, deletion.refs) })) {
    if (head.segment > deletion.segment) continue;
    if (!deps.pages.refsOf(head).some((ref) => deletion.refs.has(ref))) continue;
    removed += rewritePage(deps, head, deletion);
    await deps.disk.yield();
  }
  return removed;
}

/** The span of metric names that the series have. */
function metricsOf(head: Head, refs: ReadonlySet<number>): { readonly metricFrom: string; readonly metricTo: string } {
  const names = [...new Set(Array.from(refs, (ref) => head.index.metricOf(ref)))].sort(compareText);
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
