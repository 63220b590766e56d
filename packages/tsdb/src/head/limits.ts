import { type Labels, METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import type { RefusalReason } from '@nines/model/storage.ts';
import { isLonger } from './label-bytes.ts';

/**
 * How many series there may be and what they may look like. The limits stand before new series alone: a series that is
 * there keeps being written, whatever the limits are lowered to. All of them are inclusive.
 */
export type SeriesLimits = {
  /** Series in the store. At about 1 KB each in memory, the default is a gigabyte. */
  readonly series: number;
  readonly seriesPerMetric: number;
  /** Labels of one series, the metric's name included. */
  readonly labelsPerSeries: number;
  readonly labelNameBytes: number;
  readonly labelValueBytes: number;
  /** Within one minute of the clock. */
  readonly newSeriesPerMinute: number;
  readonly newSeriesPerMetricPerMinute: number;
};
export type LimitName = keyof SeriesLimits;

/** What a store takes that nobody configured: its own bounds alone. */
export const STORE_LIMITS: SeriesLimits = {
  series: 1_000_000,
  seriesPerMetric: Number.POSITIVE_INFINITY,
  labelsPerSeries: 64,
  labelNameBytes: 1024,
  labelValueBytes: 16 * 1024,
  newSeriesPerMinute: Number.POSITIVE_INFINITY,
  newSeriesPerMetricPerMinute: Number.POSITIVE_INFINITY,
};

/** Each limit with the reason it is refused for and the setting that changes it. */
export const LIMITS: Readonly<Record<LimitName, { readonly reason: RefusalReason; readonly setting: string }>> = {
  series: { reason: 'series_limit', setting: 'limits.series' },
  seriesPerMetric: { reason: 'metric_series_limit', setting: 'limits.series_per_metric' },
  labelsPerSeries: { reason: 'label_count_limit', setting: 'limits.labels_per_series' },
  labelNameBytes: { reason: 'label_name_limit', setting: 'limits.label_name_bytes' },
  labelValueBytes: { reason: 'label_value_limit', setting: 'limits.label_value_bytes' },
  newSeriesPerMinute: { reason: 'new_series_limit', setting: 'limits.new_series_per_minute' },
  newSeriesPerMetricPerMinute: { reason: 'metric_new_series_limit', setting: 'limits.new_series_per_metric_per_minute' },
};
export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

/** What the store has of what a new series would add to. */
export type SeriesUse = {
  readonly series: number;
  readonly seriesOfMetric: number;
  readonly newInMinute: number;
  readonly newOfMetricInMinute: number;
};
export type LimitRefusal = { readonly limit: LimitName; readonly reason: RefusalReason; readonly metric: string; readonly detail: string };

/** Why a series with these labels may not be added now; undefined when it may. */
export function judgeNewSeries(labels: Labels, use: SeriesUse, limits: SeriesLimits): LimitRefusal | undefined {
  const metric = labelValue(labels, METRIC_NAME);
  const refusal = (limit: LimitName, what: string): LimitRefusal => ({
    limit,
    reason: LIMITS[limit].reason,
    metric,
    detail: `${what}; new series are refused until there are fewer or ${LIMITS[limit].setting} is raised`,
  });
  const tooLong = longLabel(labels, limits);
  if (tooLong !== undefined) {
    const detail = `${tooLong.what} of ${metric}; shorten it at its source or raise ${LIMITS[tooLong.limit].setting}`;
    return { limit: tooLong.limit, reason: LIMITS[tooLong.limit].reason, metric, detail };
  }
  if (use.series >= limits.series)
    return refusal('series', `the store holds its limit of ${limits.series} series (this one is of ${metric})`);
  if (use.seriesOfMetric >= limits.seriesPerMetric)
    return refusal('seriesPerMetric', `the metric ${metric} holds its limit of ${limits.seriesPerMetric} series`);
  if (use.newInMinute >= limits.newSeriesPerMinute)
    return refusal(
      'newSeriesPerMinute',
      `this minute brought its limit of ${limits.newSeriesPerMinute} new series (this one is of ${metric})`,
    );
  if (use.newOfMetricInMinute >= limits.newSeriesPerMetricPerMinute) {
    const what = `this minute brought the metric ${metric} its limit of ${limits.newSeriesPerMetricPerMinute} new series`;
    return refusal('newSeriesPerMetricPerMinute', what);
  }
  return undefined;
}

/** Characters of a name that a refusal shows. */
const SHOWN = 40;

function longLabel(labels: Labels, limits: SeriesLimits): { readonly limit: LimitName; readonly what: string } | undefined {
  const count = labels.length / 2;
  if (count > limits.labelsPerSeries)
    return { limit: 'labelsPerSeries', what: `${count} labels, the limit is ${limits.labelsPerSeries}, in a series` };
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i] ?? '';
    if (isLonger(name, limits.labelNameBytes))
      return {
        limit: 'labelNameBytes',
        what: `a label name of more than ${limits.labelNameBytes} bytes ("${name.slice(0, SHOWN)}…") in a series`,
      };
    if (isLonger(labels[i + 1] ?? '', limits.labelValueBytes))
      return {
        limit: 'labelValueBytes',
        what: `a value of more than ${limits.labelValueBytes} bytes for the label ${JSON.stringify(name)}`,
      };
  }
  return undefined;
}
