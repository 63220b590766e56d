/**
 * What the pages read, as TanStack queries. The first word of a key is the record's name: the live stream invalidates by
 * it. Every query also asks again by itself, so that a page without a stream is late, never wrong.
 */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import { knowPermits } from './permits.ts';
import { type RangeQuery, type SamplesQuery, rangeQuery, storedSamples } from './prometheus.ts';
import type {
  AgentsView,
  AlertDetailWire,
  AlertView,
  CardinalityView,
  ChannelView,
  CheckDetailView,
  HealthReportView,
  TemplateView,
  DowntimeRevisionView,
  DowntimeView,
  HostWire,
  Items,
  NotificationView,
  ReliabilityView,
  ResultView,
  ServiceDetailView,
  ServiceView,
  SessionView,
  SlaView,
  TargetListView,
  TimelineView,
  IdentityView,
  ProvidersView,
  RoleView,
  TokenView,
  ViolationView,
} from './wire.ts';

const SLOW_MS = 30_000;
const QUICK_MS = 5_000;

const part = encodeURIComponent;

export const sessionQuery = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: async ({ signal }) => {
      const session = await request<SessionView>('/api/session', { signal });
      knowPermits(session);
      return session;
    },
    staleTime: 60_000,
  });

export const hostQuery = () =>
  queryOptions({
    queryKey: ['host'],
    queryFn: ({ signal }) => request<HostWire>('/api/metrics/current', { signal }),
    refetchInterval: QUICK_MS,
  });

export const healthQuery = () =>
  queryOptions({
    queryKey: ['health'],
    queryFn: ({ signal }) => request<HealthReportView>('/api/health/checks', { signal }),
    refetchInterval: SLOW_MS,
  });

/** What checks of common kinds of services begin with; it changes with the version only. */
export const templatesQuery = () =>
  queryOptions({
    queryKey: ['check-templates'],
    queryFn: ({ signal }) => request<Items<TemplateView>>('/api/check-templates', { signal }),
    staleTime: Infinity,
  });

/** Every service, without its checks: ten thousand of them are a list of their own. */
export const servicesQuery = () =>
  queryOptions({
    queryKey: ['services', 'list'],
    queryFn: ({ signal }) => request<Items<ServiceView>>('/api/services?checks=without', { signal }),
    refetchInterval: SLOW_MS,
  });

export const serviceQuery = (id: string) =>
  queryOptions({
    queryKey: ['services', 'one', id],
    queryFn: ({ signal }) => request<ServiceDetailView>(`/api/services/${part(id)}`, { signal }),
    refetchInterval: SLOW_MS,
  });

/** The exact intervals of `[fromMs, toMs)`. `toMs` must not lie after now: what nobody knows yet is unknown. */
export const timelineQuery = (id: string, fromMs: number, toMs: number) =>
  queryOptions({
    queryKey: ['timeline', id, fromMs, toMs],
    queryFn: ({ signal }) =>
      request<TimelineView>(withQuery(`/api/services/${part(id)}/timeline`, { from: fromMs / 1000, to: toMs / 1000 }), { signal }),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });

/** Figures of the outages of the last days. */
export const reliabilityQuery = (service: string, days: number) =>
  queryOptions({
    queryKey: ['reliability', service, days],
    queryFn: ({ signal }) => {
      const from = Math.floor(Date.now() / 1000) - days * 86_400;
      return request<ReliabilityView>(withQuery(`/api/services/${part(service)}/reliability`, { from }), { signal });
    },
    refetchInterval: SLOW_MS,
  });

export const downtimeQuery = (service: string) =>
  queryOptions({
    queryKey: ['downtime', service],
    queryFn: ({ signal }) => request<Items<DowntimeView>>(withQuery('/api/downtime', { service }), { signal }),
    refetchInterval: SLOW_MS,
  });

export const oneDowntimeQuery = (id: string) =>
  queryOptions({
    queryKey: ['downtime', 'one', id],
    queryFn: ({ signal }) => request<DowntimeView>(`/api/downtime/${part(id)}`, { signal }),
    refetchInterval: SLOW_MS,
  });

/** What people said of a downtime; asked anew with each revision. */
export const downtimeRevisionsQuery = (id: string, revision: number) =>
  queryOptions({
    queryKey: ['downtime', 'revisions', id, revision],
    queryFn: ({ signal }) => request<Items<DowntimeRevisionView>>(`/api/downtime/${part(id)}/revisions`, { signal }),
    placeholderData: keepPreviousData,
  });

export const checkQuery = (id: string) =>
  queryOptions({
    queryKey: ['checks', 'one', id],
    queryFn: ({ signal }) => request<CheckDetailView>(`/api/checks/${part(id)}`, { signal }),
    refetchInterval: QUICK_MS,
  });

/** What failing attempts of a check saw, as far as it is kept, newest first. Both ends inclusive. */
export const failuresQuery = (check: string, within: { readonly fromMs: number; readonly toMs: number } | undefined) =>
  queryOptions({
    queryKey: ['check-failures', check, within],
    queryFn: ({ signal }) =>
      request<{ readonly items: readonly ResultView[] }>(
        withQuery(`/api/checks/${part(check)}/failures`, {
          from: within === undefined ? undefined : within.fromMs / 1000,
          to: within === undefined ? undefined : within.toMs / 1000,
        }),
        { signal },
      ),
    refetchInterval: within === undefined ? SLOW_MS : false,
  });

/** Agents at other places. */
export const agentsQuery = () =>
  queryOptions({
    queryKey: ['agents'],
    queryFn: ({ signal }) => request<AgentsView>('/api/agents', { signal }),
    refetchInterval: QUICK_MS,
  });

/** Scrape targets, and those that relabelling dropped. */
export const targetsQuery = () =>
  queryOptions({
    queryKey: ['targets'],
    queryFn: ({ signal }) => request<TargetListView>('/api/targets', { signal }),
    refetchInterval: QUICK_MS,
  });

export const slasQuery = () =>
  queryOptions({
    queryKey: ['slas', 'list'],
    queryFn: ({ signal }) => request<Items<SlaView>>('/api/slas', { signal }),
    refetchInterval: SLOW_MS,
  });

export const slaQuery = (id: string) =>
  queryOptions({
    queryKey: ['slas', 'one', id],
    queryFn: ({ signal }) => request<SlaView>(`/api/slas/${part(id)}`, { signal }),
    refetchInterval: SLOW_MS,
  });

export const violationsQuery = (id: string) =>
  queryOptions({
    queryKey: ['slas', 'violations', id],
    queryFn: ({ signal }) => request<Items<ViolationView>>(`/api/slas/${part(id)}/violations`, { signal }),
    refetchInterval: SLOW_MS,
  });

export type AlertFilter = { readonly status?: string; readonly severity?: string; readonly service?: string };

export const alertsQuery = (filter: AlertFilter) =>
  queryOptions({
    queryKey: ['alerts', 'list', filter],
    queryFn: ({ signal }) => request<Items<AlertView>>(withQuery('/api/alerts', { ...filter }), { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: SLOW_MS,
  });

export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ['alerts', 'one', id],
    queryFn: ({ signal }) => request<AlertDetailWire>(`/api/alerts/${part(id)}`, { signal }),
  });

export const channelsQuery = () =>
  queryOptions({
    queryKey: ['notifications', 'channels'],
    queryFn: ({ signal }) => request<Items<ChannelView>>('/api/channels', { signal }),
    refetchInterval: SLOW_MS,
  });

/** Notifications that were given up. */
export const deadLettersQuery = () =>
  queryOptions({
    queryKey: ['notifications', 'dead'],
    queryFn: ({ signal }) => request<Items<NotificationView>>('/api/notifications?status=dead', { signal }),
    refetchInterval: SLOW_MS,
  });

/** Limits of series and the ten metrics with the most. */
export const cardinalityQuery = () =>
  queryOptions({
    queryKey: ['cardinality'],
    queryFn: ({ signal }) => request<CardinalityView>('/api/cardinality?limit=10', { signal }),
    refetchInterval: SLOW_MS,
  });

/** How people may sign in. */
export const providersQuery = () =>
  queryOptions({
    queryKey: ['sso'],
    queryFn: ({ signal }) => request<ProvidersView>('/api/sso', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const tokensQuery = () =>
  queryOptions({ queryKey: ['tokens'], queryFn: ({ signal }) => request<Items<TokenView>>('/api/tokens', { signal }) });

/** Roles, what they permit and who holds them. */
export const rolesQuery = () =>
  queryOptions({ queryKey: ['roles'], queryFn: ({ signal }) => request<Items<RoleView>>('/api/roles', { signal }) });

/** The identities at identity providers of whoever asks. */
export const identitiesQuery = () =>
  queryOptions({ queryKey: ['identities'], queryFn: ({ signal }) => request<Items<IdentityView>>('/api/identities', { signal }) });

export const rangeOptions = (query: RangeQuery) =>
  queryOptions({
    queryKey: ['range', query.expr, query.fromMs, query.toMs, query.stepMs],
    queryFn: ({ signal }) => rangeQuery(query, signal),
    placeholderData: keepPreviousData,
    staleTime: query.stepMs,
  });

export const samplesOptions = (query: SamplesQuery) =>
  queryOptions({
    queryKey: ['samples', query.expr, query.fromMs, query.toMs],
    queryFn: ({ signal }) => storedSamples(query, signal),
    staleTime: 60_000,
  });
