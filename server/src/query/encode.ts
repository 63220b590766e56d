import type { Histogram } from '@nines/model/histogram.ts';
import { type Labels, compareLabels } from '@nines/model/labels.ts';
import { type MatrixSeries, type Value, type VectorElement, formatValue } from '@nines/promql/value.ts';
import { encodeHistogram } from './encode-histogram.ts';

/**
 * Answers in Prometheus' JSON, written by hand: a range query has hundreds of thousands of points, and making an object and
 * an array for each costs more than the query.
 */

/** The warning of every answer that a `limit` has cut. In Prometheus' words. */
const TRUNCATED = 'results truncated due to limit';

/** Remarks of an evaluation; both lists are left out when they are empty. */
export type Remarks = { readonly warnings: readonly string[]; readonly infos: readonly string[] };

/** Pieces are handed over when they hold about this much text, so that a large answer never exists as one string. */
const PIECE_CHARS = 64 * 1024;

export const envelope = (data: unknown): string => `{"status":"success","data":${JSON.stringify(data)}}`;

/** A list of what `encode` makes JSON of. `limit` bounds its length; 0 is no bound. */
export function encodeList<T>(items: readonly T[], encode: (item: T) => string, limit: number): string {
  const cut = limit > 0 && items.length > limit;
  const texts = (cut ? items.slice(0, limit) : items).map(encode);
  return `{"status":"success","data":[${texts.join(',')}]${remarksJson({ warnings: cut ? [TRUNCATED] : [], infos: [] })}}`;
}

function remarksJson({ warnings, infos }: Remarks): string {
  const list = (name: string, texts: readonly string[]): string => (texts.length === 0 ? '' : `,"${name}":${JSON.stringify(texts)}`);
  return list('warnings', warnings) + list('infos', infos);
}

/** The answer of a query, piece by piece. `limit` bounds the number of series or elements; 0 is no bound. */
export function* encodeAnswer(value: Value, options: { readonly limit: number; readonly remarks: Remarks }): Generator<string> {
  const count = value.kind === 'vector' ? value.elements.length : value.kind === 'matrix' ? value.series.length : 0;
  const cut = options.limit > 0 && count > options.limit;
  const warnings = cut ? [...options.remarks.warnings, TRUNCATED] : options.remarks.warnings;
  const upTo = cut ? options.limit : count;
  let piece = `{"status":"success","data":{"resultType":"${value.kind}","result":`;
  for (const part of resultParts(value, upTo)) {
    piece += part;
    if (piece.length >= PIECE_CHARS) {
      yield piece;
      piece = '';
    }
  }
  yield `${piece}}${remarksJson({ warnings, infos: options.remarks.infos })}}`;
}

function* resultParts(value: Value, upTo: number): Generator<string> {
  switch (value.kind) {
    case 'scalar':
      yield `[${formatTime(value.atMs)},"${formatValue(value.value)}"]`;
      return;
    case 'string':
      yield `[${formatTime(value.atMs)},${JSON.stringify(value.value)}]`;
      return;
    case 'vector':
      yield* listOf(value.elements, upTo, encodeElement);
      return;
    case 'matrix': {
      const series = [...value.series].sort((a, b) => compareLabels(a.labels, b.labels));
      yield* seriesList(series, upTo);
    }
  }
}

function* listOf<T>(items: readonly T[], upTo: number, encode: (item: T) => string): Generator<string> {
  yield '[';
  for (let i = 0; i < upTo; i++) {
    const item = items[i];
    if (item !== undefined) yield i === 0 ? encode(item) : `,${encode(item)}`;
  }
  yield ']';
}

function encodeElement({ labels, atMs, value, histogram }: VectorElement): string {
  const sample =
    histogram === undefined
      ? `"value":[${formatTime(atMs)},"${formatValue(value)}"]`
      : `"histogram":[${formatTime(atMs)},${encodeHistogram(histogram)}]`;
  return `{"metric":${encodeLabels(labels)},${sample}}`;
}

function* seriesList(series: readonly MatrixSeries[], upTo: number): Generator<string> {
  yield '[';
  for (let i = 0; i < upTo; i++) {
    const each = series[i];
    if (each === undefined) continue;
    yield `${i === 0 ? '' : ','}{"metric":${encodeLabels(each.labels)}`;
    if (each.histograms === undefined) {
      yield ',"values":[';
      yield* pointsOf(each);
      yield ']';
    } else yield* mixedPoints(each, each.histograms);
    yield '}';
  }
  yield ']';
}

function* pointsOf({ times, values }: MatrixSeries): Generator<string> {
  let text = '';
  for (let i = 0; i < times.length; i++) {
    text += `${i === 0 ? '' : ','}[${formatTime(times[i] ?? 0)},"${formatValue(values[i] ?? Number.NaN)}"]`;
    if (text.length >= PIECE_CHARS) {
      yield text;
      text = '';
    }
  }
  yield text;
}

/** Floats in one list, histograms in another; a list with nothing in it is left out. */
function* mixedPoints({ labels, times, values }: MatrixSeries, histograms: readonly (Histogram | undefined)[]): Generator<string> {
  const floats = Array.from(times.keys()).filter((i) => histograms[i] === undefined);
  if (floats.length > 0) {
    yield ',"values":[';
    const at = (column: Float64Array): Float64Array => Float64Array.from(floats, (i) => column[i] ?? Number.NaN);
    yield* pointsOf({ labels, times: at(times), values: at(values) });
    yield ']';
  }
  let separator = ',"histograms":[';
  for (const [i, histogram] of histograms.entries()) {
    if (histogram === undefined) continue;
    yield `${separator}[${formatTime(times[i] ?? 0)},${encodeHistogram(histogram)}]`;
    separator = ',';
  }
  if (separator === ',') yield ']';
}

/** Keys in label order. */
export function encodeLabels(labels: Labels): string {
  let text = '{';
  for (let i = 0; i < labels.length; i += 2) {
    text += `${i === 0 ? '' : ','}${JSON.stringify(labels[i])}:${JSON.stringify(labels[i + 1])}`;
  }
  return `${text}}`;
}

/** Unix seconds: an integer, or exactly three decimals. Source: prometheus util/jsonutil.MarshalTimestamp. */
export function formatTime(atMs: number): string {
  const rest = Math.abs(atMs % 1000);
  const whole = Math.trunc(atMs / 1000);
  const sign = atMs < 0 && whole === 0 ? '-' : '';
  return rest === 0 ? `${whole}` : `${sign}${whole}.${String(rest).padStart(3, '0')}`;
}
