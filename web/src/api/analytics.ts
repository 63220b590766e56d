/** What the analytics page asks: stored series with their trend, and what is told of the points of one. */
import type {
  CapacityRow,
  CapacityTable,
  QueryView,
  anomaliesView,
  correlationView,
  forecastView,
  loadImportView,
  loadView,
  seasonalityView,
  trendView,
} from '@nines/server/analytics/contract.ts';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import { request, withQuery } from './client.ts';
import type { Items } from './wire.ts';

export type { CapacityRow, CapacityTable };
export type SeriesWire = QueryView['series'][number];
export type QueryWire = QueryView;
export type TrendWire = z.output<typeof trendView>;
export type ForecastWire = z.output<typeof forecastView>;
export type AnomaliesWire = z.output<typeof anomaliesView>;
export type SeasonalityWire = z.output<typeof seasonalityView>;
export type CorrelationWire = z.output<typeof correlationView>;
export type AliasWire = { readonly name: string; readonly expr: string; readonly unit: string; readonly help: string };
export type FamilyWire = { readonly type: string; readonly help: string; readonly unit: string };

/** What is computed from thousands of points is not computed again because somebody looked at another tab. */
const KEPT_MS = 5 * 60_000;
const NAMES_MS = 60_000;

/** The points of a series as they are sent along. */
export type Points = readonly (readonly [number, number])[];

export const storedSeriesQuery = (pattern: string, window: string, step: string | undefined) =>
  queryOptions({
    queryKey: ['analytics', 'series', pattern, window, step],
    queryFn: ({ signal }) => request<QueryView>(withQuery('/api/analytics/query', { pattern, window, step }), { signal }),
    enabled: pattern !== '',
    staleTime: KEPT_MS,
    retry: false,
  });

/** `stamp` names the points: the key of a query is short, and they are long. */
function asked<Answer>(question: string, stamp: string, body: object) {
  return queryOptions({
    queryKey: ['analytics', question, stamp],
    queryFn: ({ signal }) => request<Answer>(`/api/analytics/${question}`, { method: 'POST', body, signal }),
    staleTime: Infinity,
    retry: false,
  });
}

export const forecastQuery = (stamp: string, points: Points, horizon: number) =>
  asked<ForecastWire>('forecast', `${stamp} ${horizon}`, { points, horizon });
export const anomaliesQuery = (
  stamp: string,
  points: Points,
  how: { readonly method: string; readonly sensitivity: number; readonly unit: string },
) => asked<AnomaliesWire>('anomalies', `${stamp} ${how.method} ${how.sensitivity} ${how.unit}`, { points, ...how });
export const seasonalityQuery = (stamp: string, points: Points) => asked<SeasonalityWire>('seasonality', stamp, { points });
export const correlationQuery = (stamp: string, series: Readonly<Record<string, Points>>, maxLag: number) => ({
  ...asked<CorrelationWire>('correlation', `${stamp} ${maxLag} ${Object.keys(series).join('\n')}`, { series, max_lag: maxLag }),
  enabled: Object.keys(series).length > 1,
});

/** What load a system bears; of imported results also what wrote them and the share of requests that failed. */
export type LoadWire = z.output<typeof loadView> & Partial<z.output<typeof loadImportView>>;

export const storedLoadQuery = (question: {
  readonly throughput: string;
  readonly concurrency: string;
  readonly window: string;
  readonly factor: number;
}) =>
  queryOptions({
    queryKey: ['analytics', 'load', question],
    queryFn: ({ signal }) => request<LoadWire>(withQuery('/api/analytics/load', question), { signal }),
    enabled: question.throughput !== '' && question.concurrency !== '',
    staleTime: KEPT_MS,
    retry: false,
  });

export const pairsLoadQuery = (stamp: string, points: Points, factor: number) =>
  asked<LoadWire>('load', `${stamp} ${factor}`, { points, what_if: { factor } });
export const fileLoadQuery = (stamp: string, text: string, factor: number) =>
  asked<LoadWire>('load/import', `${stamp} ${factor}`, { text, what_if: { factor } });

/** What fills up and when; the server reckons it anew every ten minutes. */
export const capacityTableQuery = () =>
  queryOptions({
    queryKey: ['analytics', 'capacity-table'],
    queryFn: ({ signal }) => request<CapacityTable>('/api/analytics/capacity-table', { signal }),
    staleTime: NAMES_MS,
    refetchInterval: KEPT_MS,
  });

export const aliasesQuery = () =>
  queryOptions({
    queryKey: ['analytics', 'aliases'],
    queryFn: ({ signal }) => request<Items<AliasWire>>('/api/metrics/aliases', { signal }),
    staleTime: Infinity,
  });

type Listed<Data> = { readonly data: Data };

export const metricNamesQuery = () =>
  queryOptions({
    queryKey: ['analytics', 'names'],
    queryFn: async ({ signal }) => (await request<Listed<readonly string[]>>('/api/v1/label/__name__/values', { signal })).data,
    staleTime: NAMES_MS,
  });
export const metadataQuery = () =>
  queryOptions({
    queryKey: ['analytics', 'metadata'],
    queryFn: async ({ signal }) =>
      (await request<Listed<Readonly<Record<string, readonly FamilyWire[]>>>>('/api/v1/metadata', { signal })).data,
    staleTime: NAMES_MS,
  });

/** Labels that the series of a selector carry, with the values each has. */
export const labelsQuery = (selector: string) =>
  queryOptions({
    queryKey: ['analytics', 'labels', selector],
    queryFn: async ({ signal }) => {
      const path = withQuery('/api/v1/series', { 'match[]': selector, limit: MOST_SERIES });
      return labelsOf((await request<Listed<readonly Readonly<Record<string, string>>[]>>(path, { signal })).data);
    },
    placeholderData: keepPreviousData,
    staleTime: NAMES_MS,
    retry: false,
  });

/** Series that label values are gathered from. */
const MOST_SERIES = 1_000;

function labelsOf(series: readonly Readonly<Record<string, string>>[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const labels of series)
    for (const [name, value] of Object.entries(labels)) {
      if (name === '__name__') continue;
      found.set(name, (found.get(name) ?? new Set()).add(value));
    }
  return new Map([...found].map(([name, values]) => [name, [...values].sort()] as const));
}
