/** People on call: what is read, and what people make, take and take back. */
import type { CalendarView, PersonView, ScheduleView, ShiftsView, WhoView } from '@nines/server/oncall/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { CalendarView, OverrideView, PersonView, ScheduleView, ShiftsView, WhoView } from '@nines/server/oncall/contract.ts';

const SLOW_MS = 30_000;
const part = encodeURIComponent;

export const whoQuery = () =>
  queryOptions({
    queryKey: ['oncall', 'who'],
    queryFn: ({ signal }) => request<Items<WhoView>>('/api/oncall/who', { signal }),
    refetchInterval: SLOW_MS,
  });

export const peopleQuery = () =>
  queryOptions({
    queryKey: ['oncall', 'people'],
    queryFn: ({ signal }) => request<Items<PersonView>>('/api/oncall/people', { signal }),
    refetchInterval: SLOW_MS,
  });

export const oncallSchedulesQuery = () =>
  queryOptions({
    queryKey: ['oncall', 'schedules'],
    queryFn: ({ signal }) => request<Items<ScheduleView>>('/api/oncall/schedules', { signal }),
    refetchInterval: SLOW_MS,
  });

/** Shifts of a schedule within `[fromMs, toMs)`. */
export const shiftsQuery = (schedule: string, fromMs: number, toMs: number) =>
  queryOptions({
    queryKey: ['oncall', 'shifts', schedule, fromMs, toMs],
    queryFn: ({ signal }) =>
      request<ShiftsView>(withQuery(`/api/oncall/schedules/${part(schedule)}/shifts`, { from: fromMs / 1000, to: toMs / 1000 }), {
        signal,
      }),
    refetchInterval: SLOW_MS,
  });

export const calendarsQuery = () =>
  queryOptions({
    queryKey: ['oncall', 'calendars'],
    queryFn: ({ signal }) => request<Items<CalendarView>>('/api/oncall/calendars', { signal }),
    refetchInterval: SLOW_MS,
  });

function useChange<Variables, Answer = unknown>(send: (variables: Variables) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Variables>({
    mutationFn: send,
    onSuccess: () => client.invalidateQueries({ queryKey: ['oncall'] }),
  });
}

export type OverrideBody = { readonly person: string; readonly from: string; readonly to: string; readonly note: string };

export const useMakeOverride = (schedule: string) =>
  useChange((body: OverrideBody) => request(`/api/oncall/schedules/${part(schedule)}/overrides`, { method: 'POST', body }));

export const useTakeBack = (schedule: string) =>
  useChange((id: string) => request(`/api/oncall/schedules/${part(schedule)}/overrides/${part(id)}`, { method: 'DELETE' }));

export type CalendarSubject = { readonly kind: 'person' | 'schedule'; readonly subject: string };

export const useMakeCalendar = () =>
  useChange((body: CalendarSubject) => request<CalendarView & { readonly url: string }>('/api/oncall/calendars', { method: 'POST', body }));

export const useRevokeCalendar = () => useChange((id: string) => request(`/api/oncall/calendars/${part(id)}`, { method: 'DELETE' }));
