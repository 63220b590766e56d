import { DAY_MS, type EpochMs, SECOND_MS } from '@nines/base/units.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Metadata } from './metadata-book.ts';
import { type KnownFamily, forgetFamilies, loadFamilies, saveFamilies } from './metadata-store.ts';

/**
 * Carries the book of metadata over a restart. What a crash takes of it is said again: by a scrape at once, by the others with
 * their next push.
 */
export type MetadataKeeper = {
  /** Fills the book, without what nobody has said for `FORGET_MS`. */
  load(nowMs: EpochMs): Promise<void>;
  /** Saves what has changed since the last time, and once a day removes what is forgotten. */
  save(nowMs: EpochMs): Promise<void>;
};

export const METADATA_SAVE_MS: number = 30 * SECOND_MS;
/** Metrics of a job that runs once a month are still known at its next run. */
const FORGET_MS = 35 * DAY_MS;

export function createMetadataKeeper({ sql, book }: { readonly sql: Sql; readonly book: Metadata }): MetadataKeeper {
  /** When what is stored says that a family was last described. */
  const seen = new Map<string, number>();
  let forgotAtMs = Number.NEGATIVE_INFINITY;
  return {
    async load(nowMs) {
      for (const { family, entry, seenAtMs } of await loadFamilies(sql)) {
        if (seenAtMs < nowMs - FORGET_MS) continue;
        book.restore(family, entry);
        seen.set(family, seenAtMs);
      }
    },
    async save(nowMs) {
      const due: KnownFamily[] = [];
      const recorded = book.takeRecorded();
      for (const [family, changed] of recorded) {
        const entry = book.get(family);
        const isDue = changed || nowMs - (seen.get(family) ?? 0) >= DAY_MS;
        if (entry !== undefined && isDue) due.push({ family, entry, seenAtMs: nowMs });
      }
      try {
        await saveFamilies(sql, due);
      } catch (thrown) {
        for (const { family } of due) book.markChanged(family);
        throw thrown;
      }
      for (const { family } of due) seen.set(family, nowMs);
      if (nowMs - forgotAtMs < DAY_MS) return;
      await forgetFamilies(sql, nowMs - FORGET_MS);
      forgotAtMs = nowMs;
    },
  };
}
