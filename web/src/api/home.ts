/** What a person meets first: the checklist of a new installation, and what they chose for themselves. */
import type { FirstRunView, PreferencesBody, PreferencesView } from '@nines/server/home/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';

export type { FirstRunView };

type StatusWire = { readonly version: string; readonly uptime_ms: number };
type Level = 'ok' | 'degraded' | 'failing';
type PartsWire = {
  readonly status: Level;
  readonly components: readonly { readonly name: string; readonly status: Level; readonly detail: string }[];
};
const SLOW_MS = 60_000;

/** The product in brief. */
export const statusQuery = () =>
  queryOptions({
    queryKey: ['status'],
    queryFn: ({ signal }) => request<StatusWire>('/api/status', { signal }),
    staleTime: SLOW_MS,
    refetchInterval: SLOW_MS,
  });

/** How each part of the product is. */
export const partsQuery = () =>
  queryOptions({
    queryKey: ['health', 'parts'],
    queryFn: ({ signal }) => request<PartsWire>('/api/health', { signal }),
    refetchInterval: SLOW_MS,
  });

/** What arrives is ticked while one looks. */
const WATCHED_MS = 2_000;

export const firstRunQuery = () =>
  queryOptions({
    queryKey: ['first-run'],
    queryFn: ({ signal }) => request<FirstRunView>('/api/first-run', { signal }),
    refetchInterval: ({ state }) => (state.data?.steps.every(({ done }) => done) === true ? false : WATCHED_MS),
  });

export function useScrapeLocal() {
  const client = useQueryClient();
  return useMutation<FirstRunView, ApiProblem, number>({
    mutationFn: (port) => request('/api/first-run/targets', { method: 'POST', body: { port } }),
    onSuccess: (view) => client.setQueryData(['first-run'], view),
  });
}

export const preferencesQuery = () =>
  queryOptions({ queryKey: ['preferences'], queryFn: ({ signal }) => request<PreferencesView>('/api/preferences', { signal }) });

export function useChangePreferences() {
  const client = useQueryClient();
  return useMutation<PreferencesView, ApiProblem, PreferencesBody>({
    mutationFn: (body) => request('/api/preferences', { method: 'PUT', body }),
    onSuccess: (view) => {
      client.setQueryData(['preferences'], view);
      void client.invalidateQueries({ queryKey: ['session'] });
    },
  });
}
