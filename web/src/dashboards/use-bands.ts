import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { request, withQuery } from '../api/client.ts';
import type { Annotation } from '../api/dashboards.ts';
import { deploymentsQuery } from '../api/deployments.ts';
import { incidentsQuery } from '../api/incidents.ts';
import { occurrencesQuery } from '../api/maintenance.ts';
import { rangeQuery } from '../api/prometheus.ts';
import type { AlertView, Items } from '../api/wire.ts';
import { deploymentBand } from '../charts/deployment-band.ts';
import type { Band } from '../charts/plot-options.ts';
import { type View, queryStepMs } from '../timeline/view.ts';

/** Marks of one chart; more of them are a wall. */
const MOST = 200;

const NO_SERVICES: readonly string[] = [];

const within = (band: Band, view: View): boolean => band.toMs >= view.fromMs && band.fromMs <= view.toMs;

/** What stands behind the lines of all charts: deployments, incidents, maintenance, alerts, and whatever a query says is so. */
export function useBands(annotations: readonly Annotation[], view: View, enabled: boolean): readonly Band[] {
  const shows = (from: Annotation['from']): boolean => enabled && annotations.some((one) => one.from === from && one.shown);
  const stepMs = Math.max(60_000, queryStepMs(view, 240, 1_000));
  const [fromMs, toMs] = [Math.floor(view.fromMs / stepMs) * stepMs, Math.ceil(view.toMs / stepMs) * stepMs];
  const incidents = useQuery({ ...incidentsQuery('all'), enabled: shows('incidents') });
  const maintenance = useQuery({ ...occurrencesQuery(fromMs, toMs), enabled: shows('maintenance') });
  const alerts = useQuery({
    queryKey: ['alerts', 'board-bands', fromMs, toMs],
    enabled: shows('alerts'),
    queryFn: ({ signal }) =>
      request<Items<AlertView>>(withQuery('/api/alerts', { status: 'all', from: fromMs / 1000, to: toMs / 1000, limit: MOST }), { signal }),
  });
  const deployments = useQuery({ ...deploymentsQuery({ services: NO_SERVICES, fromMs, toMs }), enabled: shows('deployments') });
  const asked = annotations.flatMap((one) => (one.from === 'promql' && one.shown && enabled ? [one] : []));
  const queried = useQueries({
    queries: asked.map(({ expr }) => ({
      queryKey: ['board-bands', expr, fromMs, toMs],
      staleTime: stepMs,
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => rangeQuery({ expr, fromMs, toMs, stepMs }, signal),
    })),
  });
  const stamp = [incidents, maintenance, alerts, deployments, ...queried].map(({ dataUpdatedAt }) => dataUpdatedAt).join();
  return useMemo(() => {
    const bands: Band[] = [
      ...(maintenance.data?.items ?? []).map((one) => ({
        fromMs: one.from_at_ms,
        toMs: one.to_at_ms,
        state: 'maintenance' as const,
        name: one.name,
      })),
      ...(incidents.data?.items ?? []).map((one) => ({
        fromMs: one.started_at_ms,
        toMs: one.resolved_at_ms ?? Date.now(),
        state: 'down' as const,
        name: `INC-${one.number} ${one.title}`,
      })),
      ...(alerts.data?.items ?? []).map((one) => ({
        fromMs: one.starts_at_ms,
        toMs: one.ends_at_ms ?? Date.now(),
        state: 'degraded' as const,
        name: one.alertname,
      })),
      ...(deployments.data?.items ?? []).map((one) => deploymentBand(one, Date.now())),
      ...queried.flatMap(({ data }, at) =>
        (data ?? []).flatMap(({ points }) => stretches(points, { stepMs, name: asked[at]?.title ?? '' })),
      ),
    ];
    return bands.filter((band) => within(band, { fromMs, toMs })).slice(0, MOST);
  }, [stamp, fromMs, toMs]);
}

type Points = readonly (readonly [atMs: number, value: number])[];

/** Where a query is neither zero nor absent. */
export function stretches(points: Points, { stepMs, name }: { readonly stepMs: number; readonly name: string }): readonly Band[] {
  const bands: { fromMs: number; toMs: number }[] = [];
  for (const [atMs, value] of points) {
    if (!Number.isFinite(value) || value === 0) continue;
    const last = bands[bands.length - 1];
    if (last !== undefined && atMs - last.toMs <= stepMs) last.toMs = atMs;
    else bands.push({ fromMs: atMs, toMs: atMs });
  }
  return bands.map((band) => ({ ...band, state: 'degraded', name }));
}
