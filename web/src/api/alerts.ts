/** The inbox, silences and statistics of alerts: what is read, and what people do to alerts and silences. */
import type { AlertPastWire, AlertStatisticsWire, SnapshotWire } from '@nines/server/alerting/contract.ts';
import type { SilenceView } from '@nines/server/silences/contract.ts';
import {
  type InfiniteData,
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import type { AlertQuestion } from '../alerts/inbox-search.ts';
import { type AlertPage, type OpenList, type Stretch, readAgain } from '../alerts/inbox-state.ts';
import type { Step } from '../alerts/undo.ts';
import { request, withQuery } from './client.ts';
import { ApiProblem } from './problem.ts';
import type { BulkWire, Items, Severity, AlertState } from './wire.ts';

export type { AlertPastWire, AlertStatisticsWire, SnapshotWire, SilenceView };

const SLOW_MS = 30_000;
const MINUTE_MS = 60_000;
const PAGE = 200;
/** The most that the server gives at once. */
const MOST_AT_ONCE = 1_000;
/** Of alerts that ended so many pages are read one after the other; the rest is found by a filter. */
export const MOST_PAGES = 25;
const GROUP_PAGE = 100;
/** Most ids of one request. */
const MAX_IDS = 1_000;

const part = encodeURIComponent;
const MANY: Readonly<Record<string, string>> = { order: 'urgency' };

/** Alerts that ended, or any, page by page. They have no order by urgency. */
export const endedInboxQuery = (question: AlertQuestion) =>
  infiniteQueryOptions<AlertPage, Error, InfiniteData<AlertPage>, readonly unknown[], string>({
    queryKey: ['inbox', 'ended', question],
    initialPageParam: '',
    queryFn: ({ signal, pageParam: cursor }) =>
      request<AlertPage>(withQuery('/api/alerts', { ...question, limit: PAGE, cursor }), { signal }),
    getNextPageParam: (last, pages) => (pages.length >= MOST_PAGES ? undefined : (last.next ?? undefined)),
    placeholderData: keepPreviousData,
  });

/** What stands at these places of the list of open alerts. */
export async function stretchOf(
  question: AlertQuestion,
  { offset, limit }: { readonly offset: number; readonly limit: number },
  signal?: AbortSignal,
): Promise<Stretch> {
  const asked = withQuery('/api/alerts', { ...MANY, ...question, offset, limit: Math.min(limit, MOST_AT_ONCE) });
  const { items, total = 0 } = await request<AlertPage>(asked, signal === undefined ? {} : { signal });
  return { offset, items, total };
}

/** The list of open alerts: whoever reads it says what is in sight. It is kept up by facts, and read again where those do not suffice. */
export const openInboxQuery = (question: AlertQuestion, inSight: () => { readonly offset: number; readonly limit: number }) =>
  queryOptions({
    queryKey: ['inbox', 'open', question],
    queryFn: async ({ signal, client, queryKey }) =>
      readAgain(client.getQueryData<OpenList>(queryKey), await stretchOf(question, inSight(), signal)),
    placeholderData: keepPreviousData,
    refetchInterval: SLOW_MS,
    // Tens of thousands of places are not compared one by one.
    structuralSharing: false,
  });

/** The few that are most urgent. */
export const urgentAlertsQuery = (limit: number) =>
  queryOptions({
    queryKey: ['alerts', 'urgent', limit],
    queryFn: ({ signal }) => request<AlertPage>(withQuery('/api/alerts', { ...MANY, limit }), { signal }),
    refetchInterval: SLOW_MS,
  });

export type AlertCountsWire = {
  readonly total: number;
  readonly firing: number;
  readonly by_severity: Readonly<Record<Severity, Readonly<Record<AlertState, number>>>>;
};

export const alertCountsQuery = (question: AlertQuestion) =>
  queryOptions({
    queryKey: ['alerts', 'counts', question],
    queryFn: ({ signal }) => request<AlertCountsWire>(withQuery('/api/alerts/counts', question), { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: SLOW_MS,
  });

export type AlertGroupWire = {
  readonly key: string;
  readonly total: number;
  readonly firing: number;
  readonly severity: Severity;
  readonly newest_at_ms: number;
};

export const alertGroupsQuery = (question: AlertQuestion, by: string) =>
  queryOptions({
    queryKey: ['alerts', 'groups', by, question],
    queryFn: ({ signal }) =>
      request<{ readonly items: readonly AlertGroupWire[]; readonly total: number }>(withQuery('/api/alerts/groups', { ...question, by }), {
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: SLOW_MS,
  });

/** The first alerts of one group. */
export const alertsOfGroupQuery = (question: AlertQuestion) =>
  queryOptions({
    queryKey: ['alerts', 'group', question],
    queryFn: ({ signal }) => request<AlertPage>(withQuery('/api/alerts', { ...MANY, ...question, limit: GROUP_PAGE }), { signal }),
    placeholderData: keepPreviousData,
  });

export const alertSnapshotQuery = (id: string) =>
  queryOptions({
    queryKey: ['alert-snapshot', id],
    queryFn: async ({ signal }) => {
      const { snapshot } = await request<{ readonly snapshot: SnapshotWire | null }>(`/api/alerts/${part(id)}/snapshot`, { signal });
      return snapshot;
    },
    staleTime: MINUTE_MS,
  });

export const alertPastQuery = (id: string, days: number) =>
  queryOptions({
    queryKey: ['alerts', 'past', id, days],
    queryFn: ({ signal }) => request<AlertPastWire>(withQuery(`/api/alerts/${part(id)}/history`, { days }), { signal }),
    placeholderData: keepPreviousData,
  });

export const alertStatisticsQuery = (days: number, service: string | undefined) =>
  queryOptions({
    queryKey: ['alert-statistics', days, service],
    queryFn: ({ signal }) => {
      const to = Math.floor(Date.now() / 1000);
      return request<AlertStatisticsWire>(withQuery('/api/alerts/statistics', { from: to - days * 86_400, to, service }), { signal });
    },
    placeholderData: keepPreviousData,
    refetchInterval: MINUTE_MS,
  });

/** One action over any number of alerts. What is refused is told after all others were done. */
async function act({ action: { name, ...fields }, ids }: Step): Promise<void> {
  const refused: { error: string; code: string }[] = [];
  for (let from = 0; from < ids.length; from += MAX_IDS) {
    const body = { ...fields, ids: ids.slice(from, from + MAX_IDS) };
    const answer = await request<BulkWire>(`/api/alerts/${name}`, { method: 'POST', body });
    for (const item of answer.items) if (!item.ok) refused.push({ error: item.error ?? 'refused', code: item.code ?? 'refused' });
  }
  const [first] = refused;
  if (first === undefined) return;
  const others = ids.length === 1 ? '' : ` (${refused.length} of ${ids.length} refused)`;
  throw new ApiProblem(`${first.error}${others}`, { status: 409, code: first.code, where: `POST /api/alerts/${name}` });
}

/** Carries steps out one after another. */
export function useAlertSteps() {
  const client = useQueryClient();
  return useMutation<void, ApiProblem, readonly Step[]>({
    mutationFn: async (steps) => {
      for (const step of steps) await act(step);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['alerts'] }),
  });
}

export const silencesQuery = () =>
  queryOptions({
    queryKey: ['silences'],
    queryFn: ({ signal }) => request<Items<SilenceView>>('/api/silences', { signal }),
    refetchInterval: SLOW_MS,
  });

export type WrittenMatcher = SilenceView['matchers'][number];
export type WrittenSilence = {
  readonly matchers: readonly WrittenMatcher[];
  readonly starts_at_ms?: number;
  readonly ends_at_ms: number;
  readonly comment: string;
};

export type PreviewWire = {
  readonly total: number;
  readonly items: readonly {
    readonly id: string;
    readonly alertname: string;
    readonly severity: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
};

/** What a silence with these matchers would hold back now. */
export const silencePreviewQuery = (matchers: readonly WrittenMatcher[]) =>
  queryOptions({
    queryKey: ['silence-preview', matchers],
    queryFn: ({ signal }) => request<PreviewWire>('/api/silences/preview', { method: 'POST', body: { matchers }, signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

function useSilenceChange<Variables>(send: (variables: Variables) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, Variables>({
    mutationFn: send,
    onSettled: () => Promise.all(['silences', 'alerts'].map((record) => client.invalidateQueries({ queryKey: [record] }))),
  });
}

/** Makes a silence, or changes the one of that id. */
export const useSaveSilence = (id: string | undefined) =>
  useSilenceChange((body: WrittenSilence) =>
    request(id === undefined ? '/api/silences' : `/api/silences/${part(id)}`, { method: id === undefined ? 'POST' : 'PUT', body }),
  );

export const useExpireSilence = () => useSilenceChange((id: string) => request(`/api/silences/${part(id)}`, { method: 'DELETE' }));
