/** What the pages of contracts read beyond the figures of an SLA. Keys begin with `slas`, so that the live stream makes them stale. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { timeZone } from '../figures/instant.ts';
import { request, withQuery } from './client.ts';
import type {
  AccountView,
  ArchivedReportView,
  BurnDownView,
  DayView,
  ExclusionView,
  IssuedView,
  Items,
  ReportTemplateWire,
  ReportWire,
  ScheduleView,
  SignedStatement,
  SlaView,
  TrendView,
  WhatIfView,
} from './wire.ts';

const SLOW_MS = 60_000;
const DAY_MS = 86_400_000;

const of = (id: string, what: string): string => `/api/slas/${encodeURIComponent(id)}/${what}`;
const span = (fromMs: number, toMs: number) => ({ from: fromMs / 1000, to: toMs / 1000 });

/** How each stretch of `[fromMs, toMs)` counts. */
export const accountQuery = (id: string, fromMs: number, toMs: number) =>
  queryOptions({
    queryKey: ['slas', 'account', id, fromMs, toMs],
    queryFn: ({ signal }) => request<AccountView>(withQuery(of(id, 'timeline'), span(fromMs, toMs)), { signal }),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

/** The last days in the reader's zone, today included. */
export const daysQuery = (id: string, count: number) =>
  queryOptions({
    queryKey: ['slas', 'days', id, count],
    queryFn: ({ signal }) => {
      const to = Date.now();
      const first = new Date(to - (count - 1) * DAY_MS).setHours(0, 0, 0, 0);
      return request<Items<DayView>>(withQuery(of(id, 'days'), { ...span(first, to), zone: timeZone }), { signal });
    },
    refetchInterval: SLOW_MS,
  });

/** Over the window that the figures are about; of a calendar's to the end of its period. */
export const burnDownQuery = (sla: SlaView) => {
  const { from_at_ms: fromMs, to_at_ms: untilMs } = sla.window;
  const toMs = sla.calendar?.ends_at_ms ?? untilMs;
  return queryOptions({
    queryKey: ['slas', 'burn-down', sla.id, fromMs, toMs],
    queryFn: ({ signal }) => request<BurnDownView>(withQuery(of(sla.id, 'burn-down'), span(fromMs, toMs)), { signal }),
    placeholderData: keepPreviousData,
  });
};

/** The contract's figures at even steps of `[fromMs, toMs)`. Its key does not begin with `slas`: the past does not change with each event. */
export const slaTrendQuery = (id: string, fromMs: number, toMs: number) =>
  queryOptions({
    queryKey: ['sla-trend', id, fromMs, toMs],
    queryFn: ({ signal }) => request<TrendView>(withQuery(of(id, 'trend'), span(fromMs, toMs)), { signal }),
    staleTime: SLOW_MS,
  });

export const exclusionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['slas', 'exclusions', id],
    queryFn: ({ signal }) => request<Items<ExclusionView>>(of(id, 'exclusions'), { signal }),
    refetchInterval: SLOW_MS,
  });

export type IssuedFilter = { readonly sla?: string; readonly customer?: string };

export const issuedQuery = (filter: IssuedFilter) =>
  queryOptions({
    queryKey: ['slas', 'statements', filter],
    queryFn: ({ signal }) => request<Items<IssuedView>>(withQuery('/api/statements', { ...filter }), { signal }),
    refetchInterval: SLOW_MS,
  });

export const statementQuery = (id: string) =>
  queryOptions({
    queryKey: ['slas', 'statement', id],
    queryFn: ({ signal }) => request<SignedStatement>(`/api/statements/${encodeURIComponent(id)}`, { signal }),
    // Issued bytes never change.
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The statement of a period that was perhaps never issued. */
export const reportQuery = (id: string, asked: Readonly<Record<string, string | number | undefined>>) =>
  queryOptions({
    queryKey: ['slas', 'report', id, asked],
    queryFn: ({ signal }) => request<SignedStatement>(withQuery(of(id, 'report'), asked), { signal }),
    retry: false,
  });

export const schedulesQuery = () =>
  queryOptions({
    queryKey: ['slas', 'schedules'],
    queryFn: ({ signal }) => request<Items<ScheduleView>>('/api/statement-schedules', { signal }),
    refetchInterval: SLOW_MS,
  });

/** The verdict under other terms; the body is what `POST /api/slas/{id}/what-if` takes. */
export const whatIfQuery = (id: string, body: Readonly<Record<string, unknown>>) =>
  queryOptions({
    queryKey: ['slas', 'what-if', id, body],
    queryFn: ({ signal }) => request<WhatIfView>(of(id, 'what-if'), { method: 'POST', body, signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

export type StatementKeyWire = { readonly key_id: string; readonly public_key: string; readonly retired_at_ms: number | null };

/** The public keys of this server, the present one first. */
export const statementKeysQuery = () =>
  queryOptions({
    queryKey: ['statement-keys'],
    queryFn: ({ signal }) => request<Items<StatementKeyWire>>('/api/statement-keys', { signal }),
    staleTime: 60_000,
  });

/** What a report over several contracts is asked about; without contracts those of the customer, or all. */
export type ReportFields = {
  readonly sla: readonly string[];
  readonly customer: string | undefined;
  readonly period: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly zone: string | undefined;
};

export const combinedQuery = (fields: ReportFields) =>
  queryOptions({
    queryKey: ['slas', 'combined', fields],
    queryFn: ({ signal }) => request<ReportWire>(withQuery('/api/reports/contracts', fields), { signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

export const reportTemplatesQuery = () =>
  queryOptions({
    queryKey: ['slas', 'report-templates'],
    queryFn: ({ signal }) => request<Items<ReportTemplateWire>>('/api/report-templates', { signal }),
    staleTime: SLOW_MS,
  });

export const archivedReportsQuery = () =>
  queryOptions({
    queryKey: ['slas', 'reports'],
    queryFn: ({ signal }) => request<Items<ArchivedReportView>>('/api/reports', { signal }),
    refetchInterval: SLOW_MS,
  });
