import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, type EpochMs, SECOND_MS } from '@nines/base/units.ts';
import { startLoop } from '../platform/loop.ts';
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

const SAVE_MS = 30 * SECOND_MS;
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

/** Loads the book, and saves it every `SAVE_MS` and at the end. */
export async function keepMetadata(deps: {
  readonly sql: Sql;
  readonly book: Metadata;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<AsyncDisposable> {
  const { clock, logger } = deps;
  const keeper = createMetadataKeeper(deps);
  await keeper.load(clock.now());
  const loop = startLoop({ clock, logger, name: 'metadata', everyMs: SAVE_MS, firstAfterMs: SAVE_MS, step: (nowMs) => keeper.save(nowMs) });
  return {
    async [Symbol.asyncDispose]() {
      await loop[Symbol.asyncDispose]();
      await keeper.save(clock.now()).catch((thrown: unknown) => logger.warn('metadata could not be saved', { error: messageOf(thrown) }));
    },
  };
}
