import type { PageHead } from '../contract.ts';
import type { PageReader } from '../pages/page-reader.ts';
import { BUCKET_COLUMNS, type BucketColumn, type Buckets } from './buckets.ts';

/** Where a series stands on a page. */
export type PageEntry = { readonly head: PageHead; readonly place: number };

/** Appends the wanted columns of a series' day. A damaged page gives nothing and is reported. */
export function readBuckets(pages: PageReader, { head, place }: PageEntry, wanted: readonly BucketColumn[], out: Buckets): void {
  const before = wanted.map((name) => out[name].length);
  const range = { fromMs: head.fromMs, toMs: head.toMs };
  for (const name of wanted) pages.read(head, place * BUCKET_COLUMNS.length + BUCKET_COLUMNS.indexOf(name), range, out[name]);
  const lengths = wanted.map((name, i) => out[name].length - (before[i] ?? 0));
  // Damage inside a column is found only when it is read; half a bucket is none.
  if (lengths.some((length) => length !== lengths[0])) wanted.forEach((name, i) => (out[name].length = before[i] ?? 0));
}
