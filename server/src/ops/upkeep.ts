import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { RetentionReport, Store } from '@nines/tsdb/contract.ts';

/** How often `step` is to be called: windows that ended move to pages within a minute of their delay. */
export const UPKEEP_MS = MINUTE_MS;

export type Upkeep = {
  readonly step: (nowMs: EpochMs) => Promise<void>;
  /** What retention last did; undefined before its first run. */
  readonly retention: () => RetentionReport | undefined;
};

/** The store's housekeeping: move ended windows to pages, roll days up, join small pages, drop what retention no longer keeps. */
export function createUpkeep(
  store: Pick<Store, 'flush' | 'rollUp' | 'compact' | 'retain'>,
  { logger }: { readonly logger: Logger },
): Upkeep {
  let retainedAtMs = Number.NEGATIVE_INFINITY;
  let report: RetentionReport | undefined;
  const step = async (nowMs: EpochMs): Promise<void> => {
    const flushed = await store.flush(nowMs);
    if (flushed.pages > 0) logger.info('samples moved to pages', flushed);
    // One day at a time, so that flushes come in between while there is much to do.
    const rolled = await store.rollUp(nowMs, { maxDays: 1 });
    if (rolled.days > 0) logger.info('a day was rolled up', { series: rolled.series });
    // A clock that went back must not stop retention until it is there again.
    if (nowMs >= retainedAtMs && nowMs - retainedAtMs < HOUR_MS) return;
    retainedAtMs = nowMs;
    const saved = await store.compact(nowMs);
    report = await store.retain(nowMs);
    const { samples, series, buckets, excessBytes, ruleExcess } = report;
    if (saved > 0 || samples > 0 || buckets > 0)
      logger.info('store tidied', { pages_saved: saved, samples_dropped: samples, buckets_dropped: buckets, series_dropped: series });
    if (excessBytes > 0) logger.warn('the store is larger than retention.size', { excess_bytes: excessBytes });
    for (const { rule, bytes } of ruleExcess)
      logger.warn(`the series of retention.rules[${rule}] are larger than its size`, { excess_bytes: bytes });
  };
  return { step, retention: () => report };
}
