import { AppError } from '@nines/base/errors.ts';
import type { Result } from '@nines/base/result.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { labelsToRecord } from '@nines/model/labels.ts';
import type { SeriesColumns } from '@nines/model/storage.ts';
import { encodeHistogram } from '@nines/server/query/encode-histogram.ts';
import type { Answer, QueryError } from '@nines/server/query/service.ts';
import type { InstantAnswer, NativeHistogram, RangeAnswer, Series } from './contract.ts';

/** What a query found, or an `AppError` with the engine's own sentence. */
export function found(result: Result<Answer, QueryError>): Answer {
  if (result.ok) return result.value;
  const { type, message } = result.error;
  switch (type) {
    case 'bad_data':
      throw new AppError('bad_input', 'bad_query', message, { field: 'query' });
    case 'execution':
      throw new AppError('bad_input', 'query_failed', message, { field: 'query' });
    case 'unavailable':
      throw new AppError('limited', 'too_many_queries', message);
    case 'timeout':
    case 'canceled':
      throw new AppError('unavailable', `query_${type}`, message);
  }
}

export function instantAnswer({ value, remarks: { warnings, infos } }: Answer): InstantAnswer {
  const remarks = { warnings, infos };
  switch (value.kind) {
    case 'vector':
      return {
        kind: 'vector',
        ...remarks,
        items: value.elements.map(({ labels, atMs, value: number, histogram }) => ({
          labels: labelsToRecord(labels),
          at_ms: atMs,
          value: histogram === undefined ? number : Number.NaN,
          ...(histogram !== undefined && { histogram: nativeHistogram(histogram) }),
        })),
      };
    case 'matrix':
      return { kind: 'matrix', ...remarks, items: value.series.map(seriesOf) };
    case 'scalar':
    case 'string':
      return value.kind === 'scalar'
        ? { kind: 'scalar', ...remarks, at_ms: value.atMs, value: value.value }
        : { kind: 'string', ...remarks, at_ms: value.atMs, value: value.value };
  }
}

export function rangeAnswer({ value, remarks: { warnings, infos } }: Answer): RangeAnswer {
  if (value.kind !== 'matrix') throw new Error(`BUG: expected a matrix of a range query, found a ${value.kind}`);
  return { warnings, infos, items: value.series.map(seriesOf) };
}

function seriesOf({ labels, times, values, histograms }: SeriesColumns): Series {
  const points = Array.from(times, (atMs, i) => [atMs, histograms?.[i] === undefined ? (values[i] ?? Number.NaN) : Number.NaN] as const);
  const native = Array.from(times, (atMs, i) => ({ atMs, histogram: histograms?.[i] })).flatMap(({ atMs, histogram }) =>
    histogram === undefined ? [] : [[atMs, nativeHistogram(histogram)] as const],
  );
  return { labels: labelsToRecord(labels), points, ...(native.length > 0 && { histograms: native }) };
}

const nativeHistogram = (histogram: Histogram): NativeHistogram => JSON.parse(encodeHistogram(histogram)) as NativeHistogram;
