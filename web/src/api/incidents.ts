/** Incidents: what is read, and what people do. */
import type {
  ActionView,
  IncidentDetail,
  IncidentEdit,
  IncidentRules,
  IncidentState,
  IncidentView,
  PostMortemView,
  RulesPreview,
  StatisticsView,
} from '@nines/server/incidents/contract.ts';
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { ApiProblem } from './problem.ts';

export type {
  ActionView,
  IncidentDetail,
  IncidentRules,
  IncidentState,
  IncidentView,
  RulesPreview,
} from '@nines/server/incidents/contract.ts';

const SLOW_MS = 30_000;
const part = encodeURIComponent;

export const incidentsQuery = (status: string) =>
  queryOptions({
    queryKey: ['incidents', 'list', status],
    queryFn: ({ signal }) => request<{ readonly items: readonly IncidentView[] }>(withQuery('/api/incidents', { status }), { signal }),
    refetchInterval: SLOW_MS,
  });

/** Those that an alert is in, over ones too. */
export const incidentsOfAlertQuery = (alert: string) =>
  queryOptions({
    queryKey: ['incidents', 'of-alert', alert],
    queryFn: ({ signal }) =>
      request<{ readonly items: readonly IncidentView[] }>(withQuery('/api/incidents', { status: 'all', alert }), { signal }),
    refetchInterval: SLOW_MS,
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ['incidents', 'one', id],
    queryFn: ({ signal }) => request<IncidentDetail>(`/api/incidents/${part(id)}`, { signal }),
    refetchInterval: SLOW_MS,
  });

export const postMortemQuery = (id: string) =>
  queryOptions({
    queryKey: ['incidents', 'post-mortem', id],
    queryFn: ({ signal }) => request<PostMortemView>(`/api/incidents/${part(id)}/post-mortem`, { signal }),
  });

export const incidentFiguresQuery = (by: string) =>
  queryOptions({
    queryKey: ['incidents', 'statistics', by],
    queryFn: ({ signal }) => request<StatisticsView>(withQuery('/api/incidents/statistics', { by }), { signal }),
  });

function useChange<Variables, Answer = unknown>(send: (variables: Variables) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Variables>({
    mutationFn: send,
    onSuccess: () => client.invalidateQueries({ queryKey: ['incidents'] }),
  });
}

export const useOpenIncident = () =>
  useChange((body: { readonly title: string; readonly severity: string; readonly services: readonly string[] }) =>
    request<IncidentView>('/api/incidents', { method: 'POST', body }),
  );
export const useIncidentState = (id: string) =>
  useChange((body: { readonly state: IncidentState; readonly comment: string }) =>
    request(`/api/incidents/${part(id)}/state`, { method: 'POST', body }),
  );
/** What is not named stays as it is. */
export const useEditIncident = (id: string) =>
  useChange((body: Partial<Omit<IncidentEdit, 'started_at'>> & { readonly revision: number }) =>
    request(`/api/incidents/${part(id)}`, { method: 'PATCH', body }),
  );
export const useComment = (id: string) =>
  useChange((text: string) => request(`/api/incidents/${part(id)}/comments`, { method: 'POST', body: { text } }));
type LinkKey = { readonly kind: string; readonly ref: string };
export const useLinkIncident = (id: string) =>
  useChange((body: LinkKey & { readonly text: string }) => request(`/api/incidents/${part(id)}/links`, { method: 'POST', body }));
export const useUnlinkIncident = (id: string) =>
  useChange(({ kind, ref }: LinkKey) => request(`/api/incidents/${part(id)}/links/${part(kind)}/${part(ref)}`, { method: 'DELETE' }));
export const useAddAction = (id: string) =>
  useChange((body: { readonly text: string; readonly owner: string }) =>
    request<ActionView>(`/api/incidents/${part(id)}/actions`, { method: 'POST', body }),
  );
export const useActionDone = (id: string) =>
  useChange(({ action, done }: { readonly action: ActionView; readonly done: boolean }) =>
    request(`/api/incidents/${part(id)}/actions/${part(action.id)}`, { method: 'PATCH', body: { revision: action.revision, done } }),
  );
export const useSavePostMortem = (id: string) =>
  useChange((body: { readonly markdown: string; readonly revision: number }) =>
    request<PostMortemView>(`/api/incidents/${part(id)}/post-mortem`, { method: 'PUT', body }),
  );

type StandingRules = { readonly rules: IncidentRules; readonly revision: number };

export const incidentRulesQuery = () =>
  queryOptions({
    queryKey: ['incident-rules', 'standing'],
    queryFn: ({ signal }) => request<StandingRules>('/api/incident-rules', { signal }),
  });

/** What of the last 30 days would have opened an incident by these rules. */
export const rulesPreviewQuery = (rules: IncidentRules | undefined) =>
  queryOptions({
    queryKey: ['incident-rules', 'preview', rules],
    queryFn: ({ signal }) => request<RulesPreview>('/api/incident-rules/preview', { method: 'POST', body: { rules }, signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

/** Replaces the rules that were read as `revision`. */
export function useSaveIncidentRules(revision: number) {
  const client = useQueryClient();
  return useMutation<StandingRules, ApiProblem, IncidentRules>({
    mutationFn: (rules) => request('/api/incident-rules', { method: 'PUT', body: { rules, revision } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['incident-rules'] }),
  });
}
