import { MINUTE_MS } from '@nines/base/units.ts';
import { LIMITS, LIMIT_NAMES, type LimitName, type SeriesLimits } from '@nines/tsdb/head/limits.ts';
import { MAX_LABELS, MAX_NAME_BYTES, MAX_VALUE_BYTES } from '@nines/tsdb/head/label-bytes.ts';
import type { SeriesReport } from '@nines/tsdb/contract.ts';
import { z } from 'zod';
import type { LimitView } from './contract.ts';

const count = (fallback: number, most = 100_000_000) => z.int().min(1).max(most).default(fallback);

/** The configuration section `limits`. New series beyond them are refused; those that are there keep being written. */
export const limitsConfig = z
  .strictObject({
    series: count(1_000_000),
    series_per_metric: count(100_000),
    labels_per_series: count(64, MAX_LABELS),
    label_name_bytes: count(256, MAX_NAME_BYTES),
    label_value_bytes: count(4096, MAX_VALUE_BYTES),
    new_series_per_minute: count(50_000),
    /** None unless set. */
    new_series_per_metric_per_minute: z.int().min(1).optional(),
  })
  .prefault({});
export type LimitsConfig = z.output<typeof limitsConfig>;

export const seriesLimits = (config: LimitsConfig): SeriesLimits => ({
  series: config.series,
  seriesPerMetric: config.series_per_metric,
  labelsPerSeries: config.labels_per_series,
  labelNameBytes: config.label_name_bytes,
  labelValueBytes: config.label_value_bytes,
  newSeriesPerMinute: config.new_series_per_minute,
  newSeriesPerMetricPerMinute: config.new_series_per_metric_per_minute ?? Number.POSITIVE_INFINITY,
});

/** A refusal is said aloud for this long: longer than the usual distance between two attempts of a sender. */
export const REFUSAL_MEMORY_MS = 5 * MINUTE_MS;

/** The largest use of the limits per metric. */
export type LargestMetric = { readonly series: number; readonly newInMinute: number };

/** Every limit with what stands against it, in the order of the configuration. */
export function limitViews(report: SeriesReport, largest: LargestMetric): readonly LimitView[] {
  const used: Readonly<Record<LimitName, number | null>> = {
    series: report.series,
    seriesPerMetric: largest.series,
    labelsPerSeries: null,
    labelNameBytes: null,
    labelValueBytes: null,
    newSeriesPerMinute: report.newInMinute,
    newSeriesPerMetricPerMinute: largest.newInMinute,
  };
  return LIMIT_NAMES.map((name) => ({
    name: LIMITS[name].setting.replace('limits.', ''),
    setting: LIMITS[name].setting,
    limit: Number.isFinite(report.limits[name]) ? report.limits[name] : null,
    used: used[name],
    refused_samples: report.refusedSamples[name],
  }));
}

/** A store is close to a limit from this share on. */
const CLOSE = 0.9;

/** Degraded while series are refused, and a word of warning before that. */
export function seriesHealth(report: SeriesReport, nowMs: number): { readonly status: 'ok' | 'degraded'; readonly detail: string } {
  const { lastRefusal, limits, series } = report;
  if (lastRefusal !== undefined && nowMs - lastRefusal.atMs < REFUSAL_MEMORY_MS) {
    const total = Object.values(report.refusedSamples).reduce((sum, samples) => sum + samples, 0);
    return {
      status: 'degraded',
      detail: `new series are refused: ${lastRefusal.refusal.detail} (${total} samples refused since the start; see GET /api/cardinality)`,
    };
  }
  const left = series >= CLOSE * limits.series ? `, close to the limit of ${limits.series}` : '';
  return { status: 'ok', detail: `${series} series${left}, ${report.newInHour} new in the last hour` };
}
