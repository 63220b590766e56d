/** What was sent, kept back or given up. */
import type { NotificationView } from '@nines/server/notify/contract.ts';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { Items } from './wire.ts';

export type DeliveryFilter = { readonly status?: NotificationView['status'] | undefined; readonly channel?: string | undefined };

const PAGE = 100;
const SLOW_MS = 30_000;

/** The last messages about one alert. */
export const alertMessagesQuery = (alert: string) =>
  queryOptions({
    queryKey: ['notifications', 'of-alert', alert],
    queryFn: ({ signal }) => request<Items<NotificationView>>(withQuery('/api/notifications', { alert, limit: PAGE }), { signal }),
    refetchInterval: SLOW_MS,
  });

/** Newest first, a page at a time. */
export const deliveriesQuery = ({ status, channel }: DeliveryFilter) =>
  infiniteQueryOptions({
    queryKey: ['notifications', 'log', status ?? '', channel ?? ''],
    queryFn: ({ pageParam, signal }) =>
      request<Items<NotificationView>>(withQuery('/api/notifications', { status, channel, cursor: pageParam, limit: PAGE }), { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: SLOW_MS,
  });
