/** Problems: alerts that belong together, with what probably caused them. */
import type { ProblemAlertView, ProblemView } from '@nines/server/problems/contract.ts';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { Items } from './wire.ts';

export type { ProblemView };
export type ProblemDetail = ProblemView & { readonly members: readonly ProblemAlertView[] };

const SLOW_MS = 30_000;
/** As many as there are groups in one answer. */
const MOST = 500;

export const problemQuery = (id: string) =>
  queryOptions({
    queryKey: ['alerts', 'problem', id],
    queryFn: ({ signal }) => request<ProblemDetail>(`/api/problems/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: SLOW_MS,
  });

/** Open ones, newest first. */
export const problemsQuery = () =>
  queryOptions({
    queryKey: ['alerts', 'problems'],
    queryFn: ({ signal }) => request<Items<ProblemView>>(withQuery('/api/problems', { limit: MOST }), { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: SLOW_MS,
  });
