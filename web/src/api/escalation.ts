/** Who is told next while nobody takes an alert, who else must know, and signs of life. */
import type { PolicyView, SignalView, StakeholderView, StandingView } from '@nines/server/escalation/contract.ts';
import { queryOptions } from '@tanstack/react-query';
import { request } from './client.ts';
import type { Items } from './wire.ts';

export type { PolicyView, SignalView, StakeholderView, StandingView } from '@nines/server/escalation/contract.ts';

const SLOW_MS = 30_000;

export const policiesQuery = () =>
  queryOptions({
    queryKey: ['escalation', 'policies'],
    queryFn: ({ signal }) => request<Items<PolicyView>>('/api/escalation/policies', { signal }),
    refetchInterval: SLOW_MS,
  });

export const stakeholdersQuery = () =>
  queryOptions({
    queryKey: ['escalation', 'stakeholders'],
    queryFn: ({ signal }) => request<Items<StakeholderView>>('/api/escalation/stakeholders', { signal }),
    refetchInterval: SLOW_MS,
  });

export const signalsQuery = () =>
  queryOptions({
    queryKey: ['escalation', 'signals'],
    queryFn: ({ signal }) => request<SignalView>('/api/escalation/signals', { signal }),
    refetchInterval: SLOW_MS,
  });

/** Where one alert stands; stale with the alerts. */
export const standingQuery = (alert: string) =>
  queryOptions({
    queryKey: ['alerts', 'standing', alert],
    queryFn: ({ signal }) => request<StandingView>(`/api/alerts/${encodeURIComponent(alert)}/escalation`, { signal }),
    refetchInterval: SLOW_MS,
  });
