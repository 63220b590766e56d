/** Who is told next while nobody takes an alert, who else must know, and signs of life. */
import type { PolicyView, SignalView, StakeholderView, StandingView, WrittenPolicy } from '@nines/server/escalation/contract.ts';
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type {
  PolicyView,
  SignalView,
  StakeholderView,
  StandingView,
  WrittenPolicy,
  WrittenTarget,
} from '@nines/server/escalation/contract.ts';

const SLOW_MS = 30_000;

export const policiesQuery = () =>
  queryOptions({
    queryKey: ['escalation', 'policies'],
    queryFn: ({ signal }) => request<Items<PolicyView>>('/api/escalation/policies', { signal }),
    refetchInterval: SLOW_MS,
  });

export const stakeholdersQuery = () =>
  queryOptions({
    queryKey: ['escalation', 'stakeholders'],
    queryFn: ({ signal }) => request<Items<StakeholderView>>('/api/escalation/stakeholders', { signal }),
    refetchInterval: SLOW_MS,
  });

export const signalsQuery = () =>
  queryOptions({
    queryKey: ['escalation', 'signals'],
    queryFn: ({ signal }) => request<SignalView>('/api/escalation/signals', { signal }),
    refetchInterval: SLOW_MS,
  });

/** Where one alert stands; stale with the alerts. */
export const standingQuery = (alert: string) =>
  queryOptions({
    queryKey: ['alerts', 'standing', alert],
    queryFn: ({ signal }) => request<StandingView>(`/api/alerts/${encodeURIComponent(alert)}/escalation`, { signal }),
    refetchInterval: SLOW_MS,
  });

const part = encodeURIComponent;

/** Whom a policy would tell now, before it is saved. */
export const policyPreviewQuery = (policy: WrittenPolicy) =>
  queryOptions({
    queryKey: ['escalation', 'preview', policy],
    queryFn: ({ signal }) => request<PolicyView>('/api/escalation/policies/preview', { method: 'POST', body: policy, signal }),
    placeholderData: keepPreviousData,
    retry: false,
  });

/** Makes a policy, or changes the one of `revision`. */
export function useSavePolicy(known: Pick<PolicyView, 'id' | 'revision'> | undefined) {
  const client = useQueryClient();
  return useMutation<PolicyView, ApiProblem, WrittenPolicy>({
    mutationFn: (body) =>
      known === undefined
        ? request('/api/escalation/policies', { method: 'POST', body })
        : request(`/api/escalation/policies/${part(known.id)}?revision=${known.revision}`, { method: 'PUT', body }),
    onSettled: () => client.invalidateQueries({ queryKey: ['escalation'] }),
  });
}

export function useRemovePolicy() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/escalation/policies/${part(id)}`, { method: 'DELETE' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['escalation'] }),
  });
}
