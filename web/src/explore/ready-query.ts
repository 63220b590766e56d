/** The query that a metric is most likely wanted for, by its type. Pure. */
import { type UnitName, UNIT_NAMES } from './search.ts';
import { t } from '../language/t.ts';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown' | (string & {});

export type ListedMetric = {
  readonly name: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly help: string;
  /** Undefined when it is not among those counted. */
  readonly series: number | undefined;
};

type Family = { readonly type: string; readonly help: string; readonly unit: string };

const PART = /_(bucket|count|sum)$/;

/** What is known of a stored name: by its family, otherwise by its ending. */
export function describe(
  name: string,
  families: Readonly<Record<string, readonly Family[]>>,
  counts: ReadonlyMap<string, number> | undefined,
): ListedMetric {
  const family = families[name]?.[0] ?? families[name.replace(PART, '')]?.[0] ?? families[name.replace(/_total$/, '')]?.[0];
  const type = family === undefined || family.type === '' || family.type === 'unknown' ? typeByName(name) : family.type;
  const unit = family?.unit === undefined || family.unit === '' ? unitByName(name) : family.unit;
  return { name, type, unit, help: family?.help ?? '', series: counts?.get(name) };
}

function typeByName(name: string): MetricType {
  if (name.endsWith('_total')) return 'counter';
  return PART.test(name) ? 'histogram' : 'unknown';
}

const UNIT_ENDING = /_(bytes|seconds|ratio|percent|celsius|volts|meters|joules|hertz)(?:_total|_bucket|_sum)?$/;
const unitByName = (name: string): string => (name.endsWith('_count') ? '' : (UNIT_ENDING.exec(name)?.[1] ?? ''));

const WINDOW = '5m';

/** A counter as its rate, a histogram as its 95th percentile, the sum of one as its mean, everything else as it is. */
export function readyQuery({ name, type }: Pick<ListedMetric, 'name' | 'type'>): string {
  if (type === 'histogram' || type === 'gaugehistogram') {
    const family = name.replace(PART, '');
    if (name.endsWith('_sum')) return `rate(${name}[${WINDOW}]) / rate(${family}_count[${WINDOW}])`;
    if (name.endsWith('_count')) return `rate(${name}[${WINDOW}])`;
    const by = name.endsWith('_bucket') ? ' by (le)' : '';
    return `histogram_quantile(0.95, sum${by} (rate(${name}[${WINDOW}])))`.replace('sum (', 'sum(');
  }
  const counts = type === 'counter' || (type === 'summary' && PART.test(name));
  return counts ? `rate(${name}[${WINDOW}])` : name;
}

/** First words of names with how many metrics begin so, the largest first. */
export function prefixesOf(names: readonly string[]): readonly (readonly [prefix: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const end = name.search(/[_:.]/);
    if (end > 0) counts.set(name.slice(0, end + 1), (counts.get(name.slice(0, end + 1)) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > 1).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/** How the values of a query read: by the names in it. */
export function unitOfQuery(query: string): UnitName {
  const rate = /\b(i?rate|deriv)\s*\(/.test(query);
  if (/\bcount(_values)?\s*(by|without)?\s*\(/.test(query)) return 'number';
  if (/_bytes(_total)?\b/.test(query)) return rate ? 'bytes_per_second' : 'bytes';
  if (/_seconds_bucket\b/.test(query)) return /histogram_quantile/.test(query) ? 'seconds' : 'number';
  if (/_seconds\b/.test(query) && !rate) return 'seconds';
  return /_percent\b/.test(query) ? 'percent' : 'number';
}

export const UNIT_WORDS: Readonly<Record<(typeof UNIT_NAMES)[number], string>> = {
  number: t('number||unit'),
  bytes: t('bytes||unit'),
  bytes_per_second: t('bytes a second||unit'),
  seconds: t('seconds||unit'),
  percent: t('percent||unit'),
};
