import type { ExpositionFormat } from './exposition.ts';
import { type Labels, METRIC_NAME, labelPairs, labelValue } from './labels.ts';
import type { MetricMetadata, MetricType } from './metadata.ts';
import { escapeText, isClassicLabelName, isClassicMetricName } from './series-text.ts';

/** A metric family to be printed. Samples carry their full names (`x_total`, `x_bucket`) in `labels`; `name` is the family's. */
export type MetricFamily = MetricMetadata & { readonly name: string; readonly samples: readonly PrintedSample[] };
export type PrintedSample = { readonly labels: Labels; readonly value: number; readonly atMs?: number };

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What the older format has no word for, in the words it has. */
const TEXT_TYPES: Readonly<Record<MetricType, string>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  summary: 'summary',
  gaugehistogram: 'untyped',
  info: 'gauge',
  stateset: 'gauge',
  unknown: 'untyped',
};

/** The whole text, families and samples in the order given; `# EOF` included for OpenMetrics. */
export function printExposition(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const lines: string[] = [];
  for (const family of families) {
    lines.push(...headLines(family, format));
    for (const { labels, value, atMs } of family.samples) lines.push(sampleLine(printSeries(labels), { value, atMs }, format));
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** What stands above the samples of a family. */
export function headLines(family: Omit<MetricFamily, 'samples'>, format: ExpositionFormat): readonly string[] {
  const lines: string[] = [];
  const { name, type } = format === 'openmetrics' ? openMetricsHead(family) : { name: family.name, type: TEXT_TYPES[family.type] };
  const written = isClassicMetricName(name) ? name : `"${escapeText(name, true)}"`;
  if (family.help !== '') lines.push(`# HELP ${written} ${escapeText(family.help, format === 'openmetrics')}`);
  lines.push(`# TYPE ${written} ${type}`);
  if (format === 'openmetrics' && family.unit !== '' && name.endsWith(`_${family.unit}`)) lines.push(`# UNIT ${written} ${family.unit}`);
  return lines;
}

/** OpenMetrics names a counter's family without `_total`; a counter whose samples lack it cannot be called one. */
function openMetricsHead({ name, type }: Pick<MetricFamily, 'name' | 'type'>): { readonly name: string; readonly type: string } {
  if (type !== 'counter') return { name, type };
  return name.endsWith('_total') ? { name: name.slice(0, -'_total'.length), type } : { name, type: 'unknown' };
}

/** `series` as `printSeries` has it. */
export function sampleLine(
  series: string,
  { value, atMs }: { readonly value: number; readonly atMs: number | undefined },
  format: ExpositionFormat,
): string {
  const stamp = atMs === undefined ? '' : ` ${format === 'openmetrics' ? atMs / 1000 : atMs}`;
  return `${series} ${printValue(value)}${stamp}`;
}

/** The text that `parseSeriesText` reads back to the same set. */
export function printSeries(labels: Labels): string {
  const name = labelValue(labels, METRIC_NAME);
  const classic = isClassicMetricName(name);
  const parts = classic || name === '' ? [] : [`"${escapeText(name, true)}"`];
  for (const [label, value] of labelPairs(labels)) {
    if (label === METRIC_NAME) continue;
    parts.push(`${isClassicLabelName(label) ? label : `"${escapeText(label, true)}"`}="${escapeText(value, true)}"`);
  }
  return `${classic ? name : ''}${parts.length === 0 ? '' : `{${parts.join(',')}}`}`;
}

export function printValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
