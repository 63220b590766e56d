/** Maintenance windows: what is read, and what people announce, change and end. */
import type { MaintenanceView, OccurrenceView, ScheduleSpec, WrittenMaintenance } from '@nines/server/maintenance/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { OccurrenceView, ScheduleSpec, WrittenMaintenance } from '@nines/server/maintenance/contract.ts';
/** A window with its schedule as it is stored. */
export type WindowView = Omit<MaintenanceView, 'schedule'> & { readonly schedule: ScheduleSpec };

const SLOW_MS = 30_000;
const part = encodeURIComponent;

export const maintenanceQuery = () =>
  queryOptions({
    queryKey: ['maintenance', 'windows'],
    queryFn: ({ signal }) => request<Items<WindowView>>('/api/maintenance', { signal }),
    refetchInterval: SLOW_MS,
  });

/** When maintenance was or is to be within `[fromMs, toMs)`. */
export const occurrencesQuery = (fromMs: number, toMs: number) =>
  queryOptions({
    queryKey: ['maintenance', 'occurrences', fromMs, toMs],
    queryFn: ({ signal }) =>
      request<Items<OccurrenceView>>(withQuery('/api/maintenance-occurrences', { from: fromMs / 1000, to: toMs / 1000 }), { signal }),
    refetchInterval: SLOW_MS,
  });

function useChange<Variables>(send: (variables: Variables) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, Variables>({
    mutationFn: send,
    onSuccess: () => Promise.all(['maintenance', 'services'].map((record) => client.invalidateQueries({ queryKey: [record] }))),
  });
}

/** Announces a window, or changes the one of that id. */
export const useSaveWindow = (known: boolean) =>
  useChange((body: WrittenMaintenance) =>
    request(known ? `/api/maintenance/${part(body.id)}` : '/api/maintenance', { method: known ? 'PUT' : 'POST', body }),
  );

export const useEndWindow = () => useChange((id: string) => request(`/api/maintenance/${part(id)}`, { method: 'DELETE' }));
