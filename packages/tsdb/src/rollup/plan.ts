import { HOUR_MS } from '@nines/base/units.ts';
import type { RollupUse } from '@nines/model/storage.ts';
import { ROLLUP_WINDOW_MS, type RollupDay, rollupDayOf } from '../contract.ts';
import { ROLLUP_RESOLUTIONS, type RetentionRule, type RollupResolution } from '../retention/policy.ts';

/** Which rollups may answer what: pure decisions, described for users in docs/retention.md. */

const isMultiple = (value: number, of: number): boolean => value % of === 0;

/**
 * The coarsest buckets of which every window of a reader is made, 0 when there are none. An instant selector needs its last
 * bucket only, when that reaches back at least as far as the lookback.
 */
export function fittingResolution({ statistic, firstEndMs, stepMs, rangeMs }: RollupUse): 0 | RollupResolution {
  if (statistic === 'other') return 0;
  const fits = (resolution: number): boolean =>
    isMultiple(firstEndMs, resolution) &&
    isMultiple(stepMs, resolution) &&
    (statistic === 'newest' ? rangeMs <= resolution : isMultiple(rangeMs, resolution));
  return ROLLUP_RESOLUTIONS.findLast(fits) ?? 0;
}

/** The coarsest of `fitting` and finer buckets that a rule makes. */
export const resolutionFor = (rule: RetentionRule, fitting: 0 | RollupResolution): 0 | RollupResolution =>
  ROLLUP_RESOLUTIONS.findLast((resolution) => resolution <= fitting && rule.rollupMs[resolution] > 0) ?? 0;

/**
 * Up to where rollups tell the same as samples: the days from `fromMs` on that are current, without a gap. Days without
 * samples count. `fromMs - 1` when the first is not.
 */
export function currentUntilMs(days: readonly RollupDay[], fromMs: number): number {
  const firstDayMs = rollupDayOf(fromMs);
  const ahead = days.filter(({ dayMs }) => dayMs >= firstDayMs);
  const notCurrent = ahead.find(({ current }) => !current);
  const last = ahead.at(-1);
  const untilMs = notCurrent?.dayMs ?? (last === undefined ? Number.NEGATIVE_INFINITY : last.dayMs + ROLLUP_WINDOW_MS);
  return Math.max(untilMs, fromMs - 1);
}

/** The first instant on the grid of all buckets at or after `atMs`. */
export const onBucketGrid = (atMs: number): number => Math.ceil(atMs / HOUR_MS) * HOUR_MS;
