import type { Logger } from '@nines/base/logger.ts';
import type { Store } from '@nines/tsdb/contract.ts';
import { type EpochMs, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';

/** How often `step` is to be called: windows that ended move to pages within a minute of their delay. */
export const UPKEEP_MS = MINUTE_MS;

/** The store's housekeeping: move ended windows to pages, join small pages, drop what is older than the retention. */
export function createUpkeep(
  store: Pick<Store, 'flush' | 'compact' | 'deleteBefore'>,
  options: { readonly retentionMs: number; readonly logger: Logger },
): (nowMs: EpochMs) => Promise<void> {
  let retainedAtMs = Number.NEGATIVE_INFINITY;
  return async (nowMs) => {
    const flushed = await store.flush(nowMs);
    if (flushed.pages > 0) options.logger.info('samples moved to pages', flushed);
    if (nowMs - retainedAtMs < HOUR_MS) return;
    retainedAtMs = nowMs;
    const saved = await store.compact(nowMs);
    const dropped = await store.deleteBefore(epochMs(nowMs - options.retentionMs));
    if (saved > 0 || dropped.samples > 0)
      options.logger.info('store tidied', { pages_saved: saved, samples_dropped: dropped.samples, series_dropped: dropped.series });
  };
}
