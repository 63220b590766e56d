/** Dashboards: what is read, and what editors do. */
import type {
  DashboardSummary,
  DashboardView,
  DifferenceView,
  DraftView,
  ImportView,
  RevisionView,
  UnreadableDashboard,
} from '@nines/server/dashboards/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { DashboardSummary, DashboardView, DifferenceView, DraftView, ImportView, RevisionView };
export type DashboardSpec = DashboardView['spec'];
export type Panel = DashboardSpec['panels'][string];
export type PanelKind = Panel['kind'];
export type PanelOf<Kind extends PanelKind> = Extract<Panel, { kind: Kind }>;
export type Source = Exclude<Panel, { kind: 'text' }>['source'];
export type SourceKind = Source['from'];
export type Layout = DashboardSpec['layout'];
export type Variable = DashboardSpec['variables'][number];
export type Annotation = DashboardSpec['annotations'][number];
export type Refresh = DashboardSpec['refresh'];
export type Unit = Exclude<Panel, { kind: 'text' | 'alert_list' | 'slo_budget' | 'status_timeline' | 'state' }>['unit'];

const SLOW_MS = 60_000;
const one = (id: string, rest = ''): string => `/api/dashboards/${encodeURIComponent(id)}${rest}`;

export const dashboardsQuery = () =>
  queryOptions({
    queryKey: ['dashboards', 'list'],
    queryFn: ({ signal }) =>
      request<Items<DashboardSummary> & { readonly unreadable: readonly UnreadableDashboard[] }>('/api/dashboards', { signal }),
    refetchInterval: SLOW_MS,
  });

export const dashboardQuery = (id: string) =>
  queryOptions({
    queryKey: ['dashboards', 'one', id],
    queryFn: ({ signal }) => request<DashboardView>(one(id), { signal }),
    refetchInterval: SLOW_MS,
  });

export const revisionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['dashboards', 'history', id],
    queryFn: ({ signal }) => request<Items<RevisionView>>(one(id, '/history'), { signal }),
  });

/** What changed from `from` to `to`. */
export const differencesQuery = (id: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['dashboards', 'differences', id, from, to],
    queryFn: ({ signal }) => request<Items<DifferenceView>>(withQuery(one(id, `/history/${from}/differences`), { to }), { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const draftQuery = (id: string) =>
  queryOptions({
    queryKey: ['dashboard-draft', id],
    queryFn: async ({ signal }) => (await request<{ readonly draft: DraftView | null }>(one(id, '/draft'), { signal })).draft,
    // What the person types is newer than what the server keeps.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

function useChange<Variables, Answer>(send: (variables: Variables) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Variables>({
    mutationFn: send,
    onSuccess: () => client.invalidateQueries({ queryKey: ['dashboards'] }),
  });
}

type Saved = { readonly spec: DashboardSpec; readonly note: string };

export const useMakeDashboard = () =>
  useChange(({ spec, note }: Saved) => request<DashboardView>(withQuery('/api/dashboards', { note }), { method: 'POST', body: spec }));

type Brought = { readonly file: unknown; readonly id?: string; readonly dryRun?: boolean };

/** A dashboard of Grafana as it is here; with `dryRun` as it would be. */
export const useImportDashboard = () =>
  useChange(({ file, id, dryRun = false }: Brought) =>
    request<ImportView>(withQuery('/api/dashboards/import', { id, dry_run: dryRun ? 'true' : undefined }), { method: 'POST', body: file }),
  );

/** Refused when somebody else was first: `revision` is the one that the change began with. */
export const useSaveDashboard = (id: string) =>
  useChange(({ spec, note, revision }: Saved & { readonly revision: number }) =>
    request<DashboardView>(withQuery(one(id), { note, revision }), { method: 'PUT', body: spec }),
  );

export const useRemoveDashboard = () => useChange((id: string) => request(one(id), { method: 'DELETE' }));

export const useRestoreDashboard = (id: string) =>
  useChange((revision: number) => request<DashboardView>(one(id, `/history/${revision}/restore`), { method: 'POST' }));

export const keepDraft = (id: string, { spec, base }: { readonly spec: DashboardSpec; readonly base: number }): Promise<unknown> =>
  request(withQuery(one(id, '/draft'), { base_revision: base }), { method: 'PUT', body: spec });

export const dropDraft = (id: string): Promise<unknown> => request(one(id, '/draft'), { method: 'DELETE' });
