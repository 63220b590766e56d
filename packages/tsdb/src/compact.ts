import { compareText } from '@nines/model/labels.ts';
import { Columns, mergeInto } from './codec/columns.ts';
import type { PageHead } from './contract.ts';
import type { DeleteDeps } from './delete.ts';
import { PageWriter } from './pages/page-writer.ts';

/**
 * Joins the small pages of a window: samples that came late, or a flush of little. Series meet their neighbours again, share
 * time columns, and a query unpacks one page instead of many.
 */

/** Packed bytes up to which a page is small: about a sixth of what a full one has. */
const SMALL_PAGE_BYTES = 4 * 1024;
/** Small pages joined at once. Two megabytes of plain samples at most. */
const MAX_JOINED = 64;

/** Joins pages of windows before `beforeMs` and returns how many fewer there are. Throws `StoreUnavailable`. */
export async function joinSmallPages(deps: DeleteDeps, beforeMs: number): Promise<number> {
  let saved = 0;
  for (const [windowMs, pages] of deps.pageStore.small(beforeMs, SMALL_PAGE_BYTES)) {
    saved += joinPages(deps, windowMs, pages.slice(0, MAX_JOINED));
    await deps.disk.yield();
  }
  return saved;
}

function joinPages({ head, pageStore, pages, changed }: DeleteDeps, windowMs: number, heads: readonly PageHead[]): number {
  const whole = heads.filter((page) => pages.open(page) !== undefined);
  const bySeries = new Map<number, Columns>();
  const part = new Columns();
  const scratch = new Columns();
  for (const page of whole) {
    pages.refsOf(page).forEach((ref, index) => {
      if (!head.index.isLive(ref)) return;
      const columns = bySeries.get(ref) ?? new Columns(8);
      bySeries.set(ref, columns);
      part.clear();
      pages.read(page, index, { fromMs: page.fromMs, toMs: page.toMs }, part);
      mergeInto(columns, part, scratch);
    });
  }
  // What the log may lack of the joined page is what it may lack of every part; a sample replayed once too often changes nothing.
  const writer = new PageWriter(windowMs, Math.min(...whole.map((page) => page.segment)));
  const order = Array.from(bySeries.keys(), (ref) => ({ ref, metric: head.index.metricOf(ref) }));
  order.sort((a, b) => compareText(a.metric, b.metric) || a.ref - b.ref);
  for (const { ref, metric } of order) {
    const columns = bySeries.get(ref);
    if (columns !== undefined && columns.length > 0) writer.add(ref, metric, columns);
  }
  const joined = writer.finish();
  if (joined.length >= whole.length) return 0;
  pageStore.commit({ removePages: whole.map((page) => page.id), addPages: joined, keepsRollups: true });
  for (const page of whole) pages.forget(page.id);
  changed();
  return whole.length - joined.length;
}
