import type { SelectRange } from '@nines/model/storage.ts';
import { PageBuilder } from '../codec/page.ts';
import type { PageHead } from '../contract.ts';
import { type DeleteDeps, turns } from '../delete.ts';
import { findInSteps } from '../pages/find-in-steps.ts';
import { drive } from '../steps.ts';
import { BUCKET_COLUMNS, type Buckets, bucketEnd, cutBuckets, furtherOf, newBuckets } from './buckets.ts';
import { readBuckets } from './read-buckets.ts';
import { ROLLUP_RESOLUTIONS } from '../retention/policy.ts';

/**
 * Writes a rollup page anew under its old number, which says which of two pages of a day is right. `edit` takes buckets out
 * of a series and returns how many. Returns how many went; a damaged page stays as it is.
 */
export function rewriteRollupPage(
  { head, pageStore, pages, changed }: DeleteDeps,
  page: PageHead,
  options: { readonly edit: (ref: number, buckets: Buckets) => number; readonly keepsRollups: boolean },
): number {
  if (pages.open(page) === undefined) return 0;
  const builder = new PageBuilder();
  const buckets = newBuckets();
  let removed = 0;
  pages.refsOf(page).forEach((ref, place) => {
    for (const name of BUCKET_COLUMNS) buckets[name].clear();
    readBuckets(pages, { head: page, place }, BUCKET_COLUMNS, buckets);
    removed += options.edit(ref, buckets);
    // A page may outlive a series that retention has forgotten.
    if (buckets.first.length > 0 && head.index.isLive(ref)) builder.add(ref, buckets.first, furtherOf(buckets));
  });
  if (removed === 0) return 0;
  const addPages = builder.seriesCount === 0 ? [] : [{ ...page, ...builder.finish() }];
  pageStore.commit({ removePages: [page.id], addPages, keepsRollups: options.keepsRollups });
  pages.forget(page.id);
  changed();
  return removed;
}

/** Takes every bucket that has an instant in the range out of the rollups of the series. Their days are due again. */
export async function deleteFromRollups(
  deps: DeleteDeps,
  { refs, ...range }: SelectRange & { readonly refs: ReadonlySet<number> },
): Promise<void> {
  for (const resolutionMs of ROLLUP_RESOLUTIONS) {
    const fromMs = bucketEnd(range.fromMs, resolutionMs) - resolutionMs + 1;
    const toMs = bucketEnd(range.toMs, resolutionMs);
    for (const page of await drive(findInSteps(deps.pageStore, { resolutionMs, fromMs, toMs }), turns(deps))) {
      if (!deps.pages.refsOf(page).some((ref) => refs.has(ref))) continue;
      const edit = (ref: number, buckets: Buckets): number => (refs.has(ref) ? cutBuckets(buckets, resolutionMs, range) : 0);
      rewriteRollupPage(deps, page, { edit, keepsRollups: false });
      await deps.disk.yield();
    }
  }
}
