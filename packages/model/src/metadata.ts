/** What is known about a metric family beside its samples. Types are OpenMetrics' words; what has no type is `unknown`. */
export const METRIC_TYPES = ['counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset', 'unknown'] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

export type MetricMetadata = { readonly type: MetricType; readonly help: string; readonly unit: string };

export const isMetricType = (text: string): text is MetricType => (METRIC_TYPES as readonly string[]).includes(text);
