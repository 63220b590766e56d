/** Where alerts go, and where one would. */
import type { RoutingTestView, RoutingView } from '@nines/server/notify/contract.ts';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { request } from './client.ts';

export type { RouteView, RoutingTestView, RoutingView } from '@nines/server/notify/contract.ts';

const SLOW_MS = 60_000;

export const routingQuery = () =>
  queryOptions({
    queryKey: ['routing', 'view'],
    queryFn: ({ signal }) => request<RoutingView>('/api/routing', { signal }),
    refetchInterval: SLOW_MS,
  });

/** What would become of an alert with these labels, now. */
export const routingTestQuery = (labels: Readonly<Record<string, string>>) =>
  queryOptions({
    queryKey: ['routing', 'test', labels],
    queryFn: ({ signal }) => request<RoutingTestView>('/api/routing/test', { method: 'POST', body: { labels }, signal }),
    placeholderData: keepPreviousData,
  });
