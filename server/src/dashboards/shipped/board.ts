import { type DashboardSpec, type Layout, type PanelQuery, type Source, type WrittenDashboard, dashboardSpec } from '../model.ts';
import {
  ACTIVE_USERS,
  CPU_PERCENT,
  ERROR_PERCENT,
  MEMORY_PERCENT,
  RECEIVED_BYTES,
  REQUESTS_PER_SECOND,
  RESPONSE_SECONDS,
  SENT_BYTES,
} from './queries.ts';

type WrittenPanel = WrittenDashboard['panels'][string];
type WrittenPromql = { from: 'promql'; queries: PanelQuery[] };

/** `expr` alone, or with what its series are called. */
export const asked = (...queries: readonly (string | readonly [expr: string, legend: string])[]): WrittenPromql => ({
  from: 'promql',
  queries: queries.map((one) => (typeof one === 'string' ? { expr: one } : { expr: one[0], legend: one[1] })),
});
/** What is taken of a whole, and what is left of it. */
export const ring = (taken: readonly [string, string], left: readonly [string, string]): WrittenPromql => ({
  from: 'promql',
  queries: [
    { expr: taken[0], legend: taken[1] },
    { expr: left[0], legend: left[1], rest: true },
  ],
});
export const slas = (figure: 'attained' | 'budget_left'): Extract<Source, { from: 'slas' }> => ({ from: 'slas', ids: [], figure });
export const SERVICES = { from: 'services' as const };
export const OPEN_ALERTS = { from: 'alerts' as const };
const ALL_ANNOTATIONS = [{ from: 'incidents' as const }, { from: 'maintenance' as const }, { from: 'deployments' as const }];

// What more than one dashboard shows.
export const cpu = { title: 'CPU', unit: 'percent', source: asked([CPU_PERCENT, '{{instance}}']) } as const;
export const memory = { title: 'Memory', unit: 'percent', source: asked([MEMORY_PERCENT, '{{instance}}']) } as const;
export const network = {
  title: 'Network',
  unit: 'bytes_per_second',
  source: asked([RECEIVED_BYTES, '{{instance}} received'], [SENT_BYTES, '{{instance}} sent']),
} as const;
export const response = { title: 'Response time', unit: 'seconds', source: asked(RESPONSE_SECONDS) } as const;
export const errors = { title: 'Answers that failed', unit: 'percent', source: asked(ERROR_PERCENT) } as const;
export const throughput = { title: 'Requests', unit: 'per_second', source: asked(REQUESTS_PER_SECOND) } as const;
export const users = { title: 'Active users', description: 'Fed by active_users.', source: asked([ACTIVE_USERS, 'users']) } as const;

type Written = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly panels: Readonly<Record<string, WrittenPanel>>;
  readonly layout: Exclude<Layout['kind'], 'custom'>;
  /** Panels by section; all in one without a title when there is none. */
  readonly sections?: Readonly<Record<string, readonly string[]>>;
  readonly range?: string;
};

export function shipped({ panels, layout, sections, ...rest }: Written): DashboardSpec {
  const placed = sections ?? { '': Object.keys(panels) };
  return dashboardSpec.parse({
    ...rest,
    tags: ['shipped'],
    panels,
    layout: { kind: layout, sections: Object.entries(placed).map(([title, ids]) => ({ title, panels: [...ids] })) },
    annotations: ALL_ANNOTATIONS,
  });
}
