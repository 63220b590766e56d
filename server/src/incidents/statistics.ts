/** How fast incidents are detected, acknowledged and ended, by what they are about. Pure. */
import type { StatisticsView } from './contract.ts';
import { type Incident, isUnresolved, lengthsOf } from './evaluate.ts';

type Counted = { readonly incident: Incident; readonly services: readonly string[] };
type Row = { incidents: number; open: number; detect: number[]; acknowledge: number[]; resolve: number[] };

/** An incident counts for each of its services, once for everything else. One that went into another does not count. */
export function statisticsOf(counted: readonly Counted[], by: StatisticsView['by']): StatisticsView['items'] {
  const rows = new Map<string, Row>();
  for (const { incident, services } of counted) {
    if (incident.mergedInto !== null) continue;
    const { detectMs, acknowledgeMs, resolveMs } = lengthsOf(incident);
    for (const key of keysOf(incident, services, by)) {
      const row = rows.get(key) ?? { incidents: 0, open: 0, detect: [], acknowledge: [], resolve: [] };
      rows.set(key, row);
      row.incidents++;
      if (isUnresolved(incident)) row.open++;
      row.detect.push(detectMs);
      if (acknowledgeMs !== null) row.acknowledge.push(acknowledgeMs);
      if (resolveMs !== null) row.resolve.push(resolveMs);
    }
  }
  const items = [...rows].map(([key, { incidents, open, detect, acknowledge, resolve }]) => ({
    key,
    incidents,
    open,
    mttd_ms: mean(detect),
    mtta_ms: mean(acknowledge),
    mttr_ms: mean(resolve),
  }));
  return items.sort((a, b) => b.incidents - a.incidents || (a.key < b.key ? -1 : 1));
}

function keysOf(incident: Incident, services: readonly string[], by: StatisticsView['by']): readonly string[] {
  switch (by) {
    case 'service':
      return services;
    case 'category':
      return [incident.category];
    case 'team':
      return [incident.team];
    case 'severity':
      return [incident.severity];
  }
}

/** In whole milliseconds; null of nothing. */
const mean = (lengths: readonly number[]): number | null =>
  lengths.length === 0 ? null : Math.round(lengths.reduce((sum, one) => sum + one, 0) / lengths.length);
