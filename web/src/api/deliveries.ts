/** Dashboards that are sent as PDF by mail. */
import type { DeliveryView } from '@nines/server/dashboards/deliveries/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';

export type { DeliveryView };

/** What is asked for when one is made; the server says what each may be. */
export type NewDelivery = {
  readonly cron: string;
  readonly zone: string;
  readonly to: readonly string[];
  readonly channel?: string;
  readonly range: string;
  readonly values: Readonly<Record<string, readonly string[]>>;
};

type Listed = { readonly items: readonly DeliveryView[]; readonly channels: readonly string[] };

const path = (dashboard: string, rest = ''): string => `/api/dashboards/${encodeURIComponent(dashboard)}/deliveries${rest}`;
const pathOf = ({ dashboard, id }: Pick<DeliveryView, 'dashboard' | 'id'>, rest = ''): string =>
  path(dashboard, `/${encodeURIComponent(id)}${rest}`);

/** What is being sent is looked at until it was. */
const WATCH_MS = 2_000;

export const deliveriesQuery = (dashboard: string) =>
  queryOptions({
    queryKey: ['deliveries', dashboard],
    queryFn: ({ signal }) => request<Listed>(path(dashboard), { signal }),
    refetchInterval: ({ state }) => (state.data?.items.some(({ last }) => last?.state === 'sending') === true ? WATCH_MS : false),
  });

function useChange<Variables, Answer>(dashboard: string, send: (variables: Variables) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Variables>({
    mutationFn: send,
    onSuccess: () => client.invalidateQueries({ queryKey: ['deliveries', dashboard] }),
  });
}

export const useMakeDelivery = (dashboard: string) =>
  useChange(dashboard, (body: NewDelivery) => request<DeliveryView>(path(dashboard), { method: 'POST', body }));

export const useEnableDelivery = (of: DeliveryView) =>
  useChange(of.dashboard, (enabled: boolean) => request<DeliveryView>(pathOf(of), { method: 'PATCH', body: { enabled } }));

export const useSendDelivery = (of: DeliveryView) =>
  useChange(of.dashboard, (_now: undefined) => request<DeliveryView>(pathOf(of, '/send'), { method: 'POST' }));

export const useRemoveDelivery = (of: DeliveryView) =>
  useChange(of.dashboard, (_id: undefined) => request(pathOf(of), { method: 'DELETE' }));
