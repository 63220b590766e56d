/** Widget kinds that administrators registered. */
import type { WidgetBody, WidgetRevisionBody, WidgetRevisionView, WidgetSummary, WidgetView } from '@nines/server/widgets/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { WidgetBody, WidgetRevisionView, WidgetSummary, WidgetView };

const of = (id: string): string => `/api/widgets/${encodeURIComponent(id)}`;

export const widgetsQuery = () =>
  queryOptions({ queryKey: ['widgets'], queryFn: ({ signal }) => request<Items<WidgetSummary>>('/api/widgets', { signal }) });

export const widgetQuery = (id: string) =>
  queryOptions({ queryKey: ['widgets', id], queryFn: ({ signal }) => request<WidgetView>(of(id), { signal }) });

export const widgetHistoryQuery = (id: string) =>
  queryOptions({
    queryKey: ['widgets', id, 'history'],
    queryFn: ({ signal }) => request<Items<WidgetRevisionView>>(`${of(id)}/history`, { signal }),
  });

/** What a version held. */
export const widgetRevision = (id: string, revision: number) => request<WidgetRevisionBody>(`${of(id)}/history/${revision}`);

export function useKeepWidget() {
  const client = useQueryClient();
  return useMutation<WidgetView, ApiProblem, { readonly id: string; readonly body: WidgetBody }>({
    mutationFn: ({ id, body }) => request<WidgetView>(of(id), { method: 'PUT', body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['widgets'] }),
  });
}

export function useRemoveWidget() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request<unknown>(of(id), { method: 'DELETE' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['widgets'] }),
  });
}
