/** What the explore page asks: ranges with what they cost, values at an instant, and what each part of a query gives. */
import type { DashboardSummary, DashboardView } from '@nines/server/dashboards/contract.ts';
import type { ExplanationView } from '@nines/server/query/contract.ts';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { RangeSeries } from './prometheus.ts';
import type { CardinalityView, Items } from './wire.ts';
import { decimalText } from '../figures/percent.ts';
import { t } from '../language/t.ts';

export type { DashboardView, ExplanationView };

export type QueryCost = {
  readonly timings: { readonly execQueueTime: number; readonly evalTotalTime: number; readonly execTotalTime: number };
  readonly samples: { readonly peakSamples: number; readonly samplesRead: number };
};
type Remarks = { readonly warnings?: readonly string[]; readonly infos?: readonly string[] };
type Told<Data> = Remarks & { readonly data: Data & { readonly stats?: QueryCost } };
type Histogram = { readonly count: string; readonly sum: string };
export type Answered = { readonly stats: QueryCost | undefined; readonly remarks: readonly string[]; readonly tookMs: number };

type Metric = Readonly<Record<string, string>>;
type Matrix = {
  readonly resultType: 'matrix';
  readonly result: readonly {
    readonly metric: Metric;
    readonly values?: readonly (readonly [number, string])[];
    readonly histograms?: readonly (readonly [number, Histogram])[];
  }[];
};
type Vector = {
  readonly resultType: 'vector';
  readonly result: readonly {
    readonly metric: Metric;
    readonly value?: readonly [number, string];
    readonly histogram?: readonly [number, Histogram];
  }[];
};
type Single = { readonly resultType: 'scalar' | 'string'; readonly result: readonly [number, string] };

/** Rows of a table: `value` as the server writes it. */
export type ValueRow = { readonly labels: Metric; readonly atMs: number; readonly value: string };
export type RangeAnswer = Answered & { readonly series: readonly RangeSeries[]; readonly histograms: number };
export type ValuesAnswer = Answered & { readonly rows: readonly ValueRow[]; readonly kind: string };

/** Prometheus writes values as text: `NaN`, `+Inf`, `-Inf` or a decimal. */
export function valueOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

const remarksOf = ({ warnings = [], infos = [] }: Remarks): readonly string[] => [...warnings, ...infos];

export type RangeAsk = { readonly query: string; readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

export const rangeWithCost = ({ query, fromMs, toMs, stepMs }: RangeAsk) =>
  queryOptions({
    queryKey: ['explore', 'range', query, fromMs, toMs, stepMs],
    queryFn: async ({ signal }): Promise<RangeAnswer> => {
      const beganMs = performance.now();
      const asked = { query, start: fromMs / 1000, end: toMs / 1000, step: stepMs / 1000, stats: 'all' };
      const told = await request<Told<Matrix>>(withQuery('/api/v1/query_range', asked), { signal });
      const { result, stats } = told.data;
      return {
        series: result.map(({ metric, values = [] }) => ({
          labels: metric,
          points: values.map(([seconds, text]) => [Math.round(seconds * 1000), valueOf(text)] as const),
        })),
        histograms: result.filter(({ histograms = [] }) => histograms.length > 0).length,
        stats,
        remarks: remarksOf(told),
        tookMs: performance.now() - beganMs,
      };
    },
    placeholderData: keepPreviousData,
    staleTime: stepMs,
    retry: false,
  });

export const valuesAt = (query: string, atMs: number) =>
  queryOptions({
    queryKey: ['explore', 'values', query, atMs],
    queryFn: async ({ signal }): Promise<ValuesAnswer> => {
      const beganMs = performance.now();
      const told = await request<Told<Matrix | Vector | Single>>(withQuery('/api/v1/query', { query, time: atMs / 1000, stats: 'all' }), {
        signal,
      });
      const { data } = told;
      return {
        rows: rowsOf(data),
        kind: data.resultType,
        stats: data.stats,
        remarks: remarksOf(told),
        tookMs: performance.now() - beganMs,
      };
    },
    placeholderData: keepPreviousData,
    staleTime: 15_000,
    retry: false,
  });

const histogramText = ({ count, sum }: Histogram): string =>
  t('{count} observations, sum {sum}', { count: String(count), sum: decimalText(String(sum)) });

function rowsOf(data: Matrix | Vector | Single): readonly ValueRow[] {
  switch (data.resultType) {
    case 'matrix':
      return data.result.flatMap(({ metric, values = [], histograms = [] }) => [
        ...values.map(([seconds, value]) => ({ labels: metric, atMs: seconds * 1000, value })),
        ...histograms.map(([seconds, one]) => ({ labels: metric, atMs: seconds * 1000, value: histogramText(one) })),
      ]);
    case 'vector':
      return data.result.map(({ metric, value, histogram }) => {
        const [seconds, text] = value ?? [histogram?.[0] ?? 0, histogram === undefined ? '' : histogramText(histogram[1])];
        return { labels: metric, atMs: seconds * 1000, value: text };
      });
    default: {
      const [seconds, value] = data.result;
      return [{ labels: {}, atMs: seconds * 1000, value }];
    }
  }
}

export const explanationQuery = (query: string, atMs: number) =>
  queryOptions({
    queryKey: ['explore', 'explain', query, atMs],
    queryFn: ({ signal }) => request<ExplanationView>(withQuery('/api/metrics/explain', { query, time: atMs / 1000 }), { signal }),
    placeholderData: keepPreviousData,
    staleTime: 15_000,
    retry: false,
  });

const MOST_METRICS = 1_000;
/** Series per metric, of the metrics with the most. */
export const seriesPerMetricQuery = () =>
  queryOptions({
    queryKey: ['explore', 'cardinality'],
    queryFn: async ({ signal }) => {
      const { metrics } = await request<CardinalityView>(`/api/cardinality?limit=${MOST_METRICS}`, { signal });
      return new Map(metrics.map(({ name, series }) => [name, series] as const));
    },
    staleTime: 60_000,
    retry: false,
  });

export const dashboardListQuery = () =>
  queryOptions({
    queryKey: ['explore', 'dashboards'],
    queryFn: ({ signal }) => request<Items<DashboardSummary>>('/api/dashboards', { signal }),
    staleTime: 5_000,
  });

export const dashboardOf = (id: string): Promise<DashboardView> => request<DashboardView>(`/api/dashboards/${encodeURIComponent(id)}`);
type Spec = DashboardView['spec'];
export const makeDashboard = (spec: Spec): Promise<DashboardView> =>
  request<DashboardView>(withQuery('/api/dashboards', { note: t('made from Explore') }), { method: 'POST', body: spec });
export const changeDashboard = (id: string, revision: number, spec: Spec): Promise<DashboardView> =>
  request<DashboardView>(withQuery(`/api/dashboards/${encodeURIComponent(id)}`, { revision, note: t('a panel from Explore') }), {
    method: 'PUT',
    body: spec,
  });
