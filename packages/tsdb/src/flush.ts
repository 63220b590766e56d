import { compareText } from '@nines/model/labels.ts';
import { Columns } from './codec/columns.ts';
import { type SeriesLabels, encodeLabelBlock } from './codec/label-block.ts';
import { type Disk, type FlushReport, type PageStore, type SeriesSpan, WINDOW_MS, windowOf } from './contract.ts';
import type { Head } from './head/head.ts';
import { encodeLabels } from './head/label-bytes.ts';
import { PageWriter } from './pages/page-writer.ts';
import { HISTOGRAM_REFS_KEY } from './head/histogram-refs.ts';
import { NEXT_REF_KEY } from './recover.ts';

/**
 * Moves whole windows from the head to pages. A step packs some series, commits their pages and drops them from the head
 * without letting anybody in between, so a reader finds each sample in exactly one place; then others get a turn.
 */
export type FlushDeps = {
  readonly head: Head;
  readonly pageStore: PageStore;
  readonly disk: Disk;
  /** Called after every commit: pages have changed. */
  readonly changed: () => void;
};

/** Pages per step: about 2 MB of samples, some 15 ms of packing and one transaction. */
const PAGES_PER_STEP = 4;

/**
 * Moves every sample before `boundaryMs` (the start of a window, or Infinity). All log segments below `segment` have taken
 * effect. Throws `StoreUnavailable`; what was committed until then stays done.
 */
export async function flushBefore(deps: FlushDeps, boundaryMs: number, segment: number): Promise<FlushReport> {
  const report = { pages: 0, samples: 0 };
  const refs = dueSeries(deps.head, boundaryMs);
  for (;;) {
    const windowMs = firstWindow(deps.head, refs);
    if (windowMs >= boundaryMs) return report;
    for (let at = 0; at < refs.length; ) {
      const step = flushStep(deps, { refs, at, windowMs, segment });
      at = step.next;
      report.pages += step.pages;
      report.samples += step.samples;
      await deps.disk.yield();
    }
  }
}

/** Series with samples before the boundary, in page order. */
export function dueSeries(head: Head, boundaryMs: number): number[] {
  const due: { readonly ref: number; readonly metric: string }[] = [];
  for (const ref of head.index.refs()) {
    if (head.hasSamples(ref) && head.firstTime(ref) < boundaryMs) due.push({ ref, metric: head.index.metricOf(ref) });
  }
  return due.sort((a, b) => compareText(a.metric, b.metric) || a.ref - b.ref).map(({ ref }) => ref);
}

function firstWindow(head: Head, refs: readonly number[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const ref of refs) first = Math.min(first, head.firstTime(ref));
  return windowOf(first);
}

type Step = { readonly refs: readonly number[]; readonly at: number; readonly windowMs: number; readonly segment: number };

/** Packs series from `at` on whose oldest samples lie in the window; older ones that just came have their turn next round. */
function flushStep(
  { head, pageStore, changed }: FlushDeps,
  { refs, at, windowMs, segment }: Step,
): { next: number; pages: number; samples: number } {
  const writer = new PageWriter(windowMs, segment);
  const spans: SeriesSpan[] = [];
  const fresh: SeriesLabels[] = [];
  let next = at;
  for (; next < refs.length; next++) {
    const ref = refs[next] ?? 0;
    if (windowOf(head.firstTime(ref)) !== windowMs) continue;
    const metric = head.index.metricOf(ref);
    if (writer.pages === PAGES_PER_STEP - 1 && writer.partsBefore(metric)) break;
    columns.clear();
    head.read(ref, windowMs, windowMs + WINDOW_MS - 1, columns);
    writer.add(ref, metric, columns);
    spans.push({ ref, oldestMs: columns.times[0] ?? 0, newestMs: columns.times[columns.length - 1] ?? 0 });
    if (!head.isPersisted(ref)) fresh.push({ ref, labels: encodeLabels(head.index.labelsOf(ref)) });
  }
  const pages = writer.finish();
  if (pages.length > 0) {
    const { histogramRefs } = head;
    pageStore.commit({
      addPages: pages,
      ...(fresh.length > 0 ? { addLabels: { refs: fresh.map(({ ref }) => ref), block: encodeLabelBlock(fresh) } } : {}),
      putSpans: spans,
      meta: {
        [NEXT_REF_KEY]: String(head.index.nextRef),
        ...(histogramRefs.isNew ? { [HISTOGRAM_REFS_KEY]: histogramRefs.text() } : {}),
      },
    });
    histogramRefs.isNew = false;
    for (const { ref, oldestMs, newestMs } of spans) {
      head.dropBefore(ref, windowMs + WINDOW_MS);
      head.markPersisted(ref, oldestMs, newestMs);
    }
    changed();
  }
  return { next, pages: pages.length, samples: pages.reduce((sum, page) => sum + page.samples, 0) };
}

const columns = new Columns();
