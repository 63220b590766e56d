/** Status pages and what is announced on them: what is read, and what people do. */
import type { AnnouncementView, StatusPageView } from '@nines/server/status-pages/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { AnnouncementState, AnnouncementView, StatusPageView } from '@nines/server/status-pages/contract.ts';

const SLOW_MS = 30_000;
const part = encodeURIComponent;

export const statusPagesQuery = () =>
  queryOptions({
    queryKey: ['status-pages'],
    queryFn: ({ signal }) => request<Items<StatusPageView>>('/api/status-pages', { signal }),
    refetchInterval: SLOW_MS,
  });

export const announcementsQuery = () =>
  queryOptions({
    queryKey: ['announcements'],
    queryFn: ({ signal }) => request<Items<AnnouncementView>>('/api/announcements', { signal }),
    refetchInterval: SLOW_MS,
  });

type Said = { readonly state: string; readonly text: string; readonly notify: boolean };
export type NewAnnouncement = Said & { readonly title: string; readonly pages: readonly string[]; readonly services: readonly string[] };

function useSaid<Variables>(send: (variables: Variables) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, Variables>({
    mutationFn: send,
    onSettled: () => Promise.all(['announcements', 'status-pages'].map((record) => client.invalidateQueries({ queryKey: [record] }))),
  });
}

export const useAnnounce = () => useSaid((body: NewAnnouncement) => request('/api/announcements', { method: 'POST', body }));

export const useUpdateAnnouncement = () =>
  useSaid(({ id, ...body }: Said & { readonly id: string }) => request(`/api/announcements/${part(id)}/updates`, { method: 'POST', body }));

export const useWithdraw = () => useSaid((id: string) => request(`/api/announcements/${part(id)}`, { method: 'DELETE' }));

/** What `POST /api/status-pages` takes, as far as the pages write it. */
export type NewStatusPage = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly services: readonly string[];
  readonly private?: { readonly password: string };
};

export const useMakeStatusPage = () => useSaid((body: NewStatusPage) => request('/api/status-pages', { method: 'POST', body }));
export const useRemoveStatusPage = () => useSaid((id: string) => request(`/api/status-pages/${part(id)}`, { method: 'DELETE' }));

/** Opens a page, also a private one: the server lends a link that holds for a few minutes. */
export function useOpenPage() {
  return useMutation<{ readonly path: string }, ApiProblem, string>({
    mutationFn: (id) => request(`/api/status-pages/${part(id)}/link`, { method: 'POST' }),
    onSuccess: ({ path }) => window.location.assign(path),
  });
}
