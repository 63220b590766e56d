/** The feed of insights: what is read, and what people say of a finding. */
import type { InsightKind, InsightView, MuteView, MutedThing, StatusView, Verdict } from '@nines/server/insights/contract.ts';
import { type InfiniteData, infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { InsightKind, InsightView, MuteView, MutedThing, StatusView, Verdict };

const MINUTE_MS = 60_000;
const PAGE = 30;

export type InsightPage = { readonly items: readonly InsightView[]; readonly next: string | null };

/** Open ones by rank, or all of them, newest first. */
export const insightsQuery = (status: 'open' | 'all', kind: InsightKind | undefined, limit = PAGE) =>
  infiniteQueryOptions<InsightPage, Error, InfiniteData<InsightPage>, readonly unknown[], string>({
    queryKey: ['insights', 'list', status, kind, limit],
    initialPageParam: '',
    queryFn: ({ signal, pageParam: cursor }) =>
      request<InsightPage>(withQuery('/api/insights', { status, kind, limit, cursor }), { signal }),
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: MINUTE_MS,
  });

export const insightStatusQuery = () =>
  queryOptions({
    queryKey: ['insights', 'status'],
    queryFn: ({ signal }) => request<StatusView>('/api/insights/status', { signal }),
    refetchInterval: MINUTE_MS,
  });

export const mutesQuery = () =>
  queryOptions({
    queryKey: ['insights', 'mutes'],
    queryFn: ({ signal }) => request<Items<MuteView>>('/api/insights/mutes', { signal }),
    refetchInterval: MINUTE_MS,
  });

const part = encodeURIComponent;

/** Useful, wrong, or neither any more. */
export function useFeedback(id: string) {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, Verdict | null>({
    mutationFn: (verdict) => request(`/api/insights/${part(id)}/feedback`, { method: 'POST', body: { verdict } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['insights'] }),
  });
}

export type MuteWish = { readonly id: string; readonly for: string; readonly what: MutedThing };

export function useMute() {
  const client = useQueryClient();
  return useMutation<MuteView, ApiProblem, MuteWish>({
    mutationFn: ({ id, ...body }) => request<MuteView>(`/api/insights/${part(id)}/mute`, { method: 'POST', body }),
    onSettled: () => client.invalidateQueries({ queryKey: ['insights'] }),
  });
}

export function useUnmute() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/insights/mutes/${part(id)}`, { method: 'DELETE' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['insights'] }),
  });
}

/** Everything is examined now instead of at the next hour. */
export function useRunInsights() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, undefined>({
    mutationFn: () => request('/api/insights/run', { method: 'POST' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['insights'] }),
  });
}
