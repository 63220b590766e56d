import type { Histogram } from '@nines/model/histogram.ts';
import type { Labels } from '@nines/model/labels.ts';
import { type MatrixSeries, type Value, type VectorElement, formatValue } from '@nines/promql/value.ts';
import { encodeHistogram } from './encode-histogram.ts';
import type { QueryStats } from './stats.ts';
import { JsonBytes } from './json-bytes.ts';

/**
 * Answers in Prometheus' JSON, written by hand: a range query has hundreds of thousands of points, and making an object and
 * an array for each costs more than the query.
 */

/** The warning of every answer that a `limit` has cut. In Prometheus' words. */
const TRUNCATED = 'results truncated due to limit';

/** Remarks of an evaluation; both lists are left out when they are empty. */
export type Remarks = { readonly warnings: readonly string[]; readonly infos: readonly string[] };

/** Pieces are handed over when they hold about this much, so that a large answer never stands in memory as a whole. */
const PIECE_BYTES = 60 * 1024;

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

/**
 * The answer of a query, piece by piece. `limit` bounds the number of series or elements; 0 is no bound. Between two pieces the
 * caller may let others have their turn.
 */
export function* encodeAnswer(
  value: Value,
  options: { readonly limit: number; readonly remarks: Remarks; readonly stats?: QueryStats | undefined },
): Generator<Buffer> {
  const count = value.kind === 'vector' ? value.elements.length : value.kind === 'matrix' ? value.series.length : 0;
  const cut = options.limit > 0 && count > options.limit;
  const warnings = cut ? [...options.remarks.warnings, TRUNCATED] : options.remarks.warnings;
  const json = new JsonBytes();
  json.text(`{"status":"success","data":{"resultType":"${value.kind}","result":`);
  yield* writeResult(json, value, cut ? options.limit : count);
  const stats = options.stats === undefined ? '' : `,"stats":${JSON.stringify(options.stats)}`;
  json.text(`${stats}}${remarksJson({ warnings, infos: options.remarks.infos })}}`);
  yield json.take();
}

function* writeResult(json: JsonBytes, value: Value, upTo: number): Generator<Buffer> {
  switch (value.kind) {
    case 'scalar':
      json.text(`[${formatTime(value.atMs)},"${formatValue(value.value)}"]`);
      return;
    case 'string':
      json.text(`[${formatTime(value.atMs)},${JSON.stringify(value.value)}]`);
      return;
    case 'vector':
      yield* writeElements(json, value.elements, upTo);
      return;
    case 'matrix':
      yield* writeSeries(json, value.series, upTo);
  }
}

function* writeElements(json: JsonBytes, elements: readonly VectorElement[], upTo: number): Generator<Buffer> {
  json.text('[');
  for (let i = 0; i < upTo; i++) {
    const { labels, atMs, value, histogram } = elements[i] as VectorElement;
    json.text(`${i === 0 ? '' : ','}{"metric":${encodeLabels(labels)}`);
    if (histogram === undefined) {
      json.text(`,"value":[${formatTime(atMs)},"`);
      json.value(value);
      json.text('"]}');
    } else json.text(`,"histogram":[${formatTime(atMs)},${encodeHistogram(histogram)}]}`);
    if (json.length >= PIECE_BYTES) yield json.take();
  }
  json.text(']');
}

function* writeSeries(json: JsonBytes, series: readonly MatrixSeries[], upTo: number): Generator<Buffer> {
  json.text('[');
  for (let i = 0; i < upTo; i++) {
    const each = series[i] as MatrixSeries;
    json.text(`${i === 0 ? '' : ','}{"metric":${encodeLabels(each.labels)}`);
    if (each.histograms === undefined) yield* writeFloats(json, each);
    else yield* writeMixed(json, each, each.histograms);
    json.text('}');
  }
  json.text(']');
}

function* writeFloats(json: JsonBytes, { times, values }: Pick<MatrixSeries, 'times' | 'values'>): Generator<Buffer> {
  json.text(',"values":[');
  for (let i = 0; i < times.length; i++) {
    json.point(times[i] as number, values[i] as number, i === 0);
    if (json.length >= PIECE_BYTES) yield json.take();
  }
  json.text(']');
}

/** Floats in one list, histograms in another; a list with nothing in it is left out. */
function* writeMixed(json: JsonBytes, { times, values }: MatrixSeries, histograms: readonly (Histogram | undefined)[]): Generator<Buffer> {
  const floats = Array.from(times.keys()).filter((i) => histograms[i] === undefined);
  if (floats.length > 0) {
    const at = (column: Float64Array): Float64Array => Float64Array.from(floats, (i) => column[i] ?? Number.NaN);
    yield* writeFloats(json, { times: at(times), values: at(values) });
  }
  let separator = ',"histograms":[';
  for (const [i, histogram] of histograms.entries()) {
    if (histogram === undefined) continue;
    json.text(`${separator}[${formatTime(times[i] ?? 0)},${encodeHistogram(histogram)}]`);
    separator = ',';
    if (json.length >= PIECE_BYTES) yield json.take();
  }
  if (separator === ',') json.text(']');
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
