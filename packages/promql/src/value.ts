import { type Histogram, bucketsOf, inclusiveEnds } from '@nines/model/histogram.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { SeriesColumns } from '@nines/model/storage.ts';

/** What a query results in. An element with a histogram is that histogram; its `value` means nothing. */
export type VectorElement = { readonly labels: Labels; readonly atMs: number; readonly value: number; readonly histogram?: Histogram };
/** Times ascending, in Unix milliseconds; as long as `values`. Where there is a histogram the value means nothing. */
export type MatrixSeries = SeriesColumns;

export type ScalarValue = { readonly kind: 'scalar'; readonly atMs: number; readonly value: number };
export type StringValue = { readonly kind: 'string'; readonly atMs: number; readonly value: string };
/** In no particular order unless the expression sorts. */
export type VectorValue = { readonly kind: 'vector'; readonly elements: readonly VectorElement[] };
/** Sorted by labels. */
export type MatrixValue = { readonly kind: 'matrix'; readonly series: readonly MatrixSeries[] };
export type Value = ScalarValue | StringValue | VectorValue | MatrixValue;

/**
 * The text of a sample's value as Prometheus' API writes it: shortest digits that read back the same, plain unless
 * |x| < 1e-6 or |x| ≥ 1e21, exponents of at least two digits.
 */
export function formatValue(value: number): string {
  if (value !== value) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const text = String(value);
  return text.includes('e') ? text.replace(/e([+-])(\d)$/, 'e$10$2') : text;
}

/** Without an exponent whatever the size, as `count_values` writes label values. */
export function formatPlain(value: number): string {
  const text = formatValue(value);
  const parts = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = parts;
  const digits = whole + fraction;
  const point = whole.length + Number(exponentText);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Go's `%g` and `%v`: shortest digits, with an exponent when that is below -4 or at least 6. Used in messages and templates. */
export function formatShort(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || !Number.isFinite(value) || (magnitude >= 1e-4 && magnitude < 1e6)) return formatValue(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

/** A histogram in words: `{count:4, sum:5, [-0.001,0.001]:1, (0.5,1]:3}`, as Prometheus writes it into label values and templates. */
export function formatHistogram(h: Histogram): string {
  const buckets = Array.from(bucketsOf(h), (bucket) => {
    const inclusive = inclusiveEnds(h, bucket);
    const [open, close] = [inclusive.lower ? '[' : '(', inclusive.upper ? ']' : ')'];
    return `${open}${formatShort(bucket.lower)},${formatShort(bucket.upper)}${close}:${formatShort(bucket.count)}`;
  });
  return `{${[`count:${formatShort(h.count)}`, `sum:${formatShort(h.sum)}`, ...buckets].join(', ')}}`;
}
