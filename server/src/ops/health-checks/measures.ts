/** What the five built-in health checks look at, and from when on each figure is a warning or critical. */

export const HEALTH_CHECKS = {
  system_resources: 'System resources',
  service_availability: 'Service availability',
  process_health: 'Process health',
  network_connectivity: 'Network connectivity',
  file_system: 'File system',
} as const;
export type HealthCheckId = keyof typeof HEALTH_CHECKS;

/** Inclusive: a figure at the threshold has reached it. */
export type Thresholds = { readonly warning: number; readonly critical: number };

/** Asked of our own samples of this host, by a dotted name or an expression, the worst series counting; or of a part of this process. */
type Source =
  | { readonly kind: 'metric'; readonly metric: string }
  | { readonly kind: 'expr'; readonly expr: string }
  | { readonly kind: 'part'; readonly part: 'services_down' | 'parts_unwell' | 'references_unreachable' };

export type Measure = {
  readonly check: HealthCheckId;
  readonly id: string;
  readonly name: string;
  readonly unit: 'percent' | 'count' | 'seconds' | 'ratio';
  readonly source: Source;
  readonly thresholds: Thresholds;
  /** Where it has no figure there is nothing to measure (no swap, no references), and it is left out instead of unknown. */
  readonly optional?: true;
};

const perHost = (numerator: string, denominator: string): string =>
  `100 * sum by (instance) (rate(${numerator}[5m])) / (sum by (instance) (rate(${denominator}[5m])) > 1)`;

export const MEASURES: readonly Measure[] = [
  measure('system_resources.cpu', 'CPU in use', metric('system.cpu.percent', 'percent'), [85, 95]),
  measure('system_resources.memory', 'Memory in use', metric('system.memory.percent', 'percent'), [85, 95]),
  { ...measure('system_resources.swap', 'Swap in use', metric('system.swap.percent', 'percent'), [50, 90]), optional: true },
  measure(
    'system_resources.load',
    'Load for each core',
    expr('max by (instance) (node_load5) / on (instance) count by (instance) (node_cpu_seconds_total{mode="idle"})', 'ratio'),
    [2, 4],
  ),
  measure('service_availability.down', 'Services down', part('services_down', 'count'), [1, 5]),
  measure('process_health.parts', 'Parts unwell (2: failing)', part('parts_unwell', 'count'), [1, 2]),
  measure(
    'process_health.memory',
    'Memory of Nines',
    expr(
      '100 * max by (instance) (process_resident_memory_bytes{job="nines"}) / on (instance) max by (instance) (node_memory_MemTotal_bytes)',
      'percent',
    ),
    [50, 75],
  ),
  measure(
    'process_health.event_loop',
    'Lateness of Nines (p99)',
    expr('nodejs_eventloop_lag_seconds{job="nines",stat="p99"}', 'seconds'),
    [0.5, 2],
  ),
  measure('process_health.file_descriptors', 'Open files', metric('system.file_descriptors.percent', 'percent'), [70, 90]),
  {
    ...measure('network_connectivity.references', 'References unreachable', part('references_unreachable', 'percent'), [1, 100]),
    optional: true,
  },
  measure('network_connectivity.errors', 'Errors on links', metric('system.network.errors_per_second', 'count'), [1, 100]),
  {
    ...measure(
      'network_connectivity.retransmitted',
      'TCP sent again',
      expr(perHost('node_netstat_Tcp_RetransSegs', 'node_netstat_Tcp_OutSegs'), 'percent'),
      [5, 20],
    ),
    optional: true,
  },
  measure('file_system.space', 'Space in use, fullest file system', metric('system.disk.percent', 'percent'), [85, 95]),
  {
    ...measure(
      'file_system.inodes',
      'Inodes in use',
      expr('100 * (1 - node_filesystem_files_free / (node_filesystem_files > 0))', 'percent'),
      [85, 95],
    ),
    optional: true,
  },
];

type Read = Pick<Measure, 'unit' | 'source'>;
function metric(name: string, unit: Measure['unit']): Read {
  return { unit, source: { kind: 'metric', metric: name } };
}
function expr(text: string, unit: Measure['unit']): Read {
  return { unit, source: { kind: 'expr', expr: text } };
}
function part(name: Extract<Source, { kind: 'part' }>['part'], unit: Measure['unit']): Read {
  return { unit, source: { kind: 'part', part: name } };
}
/** `path` is `check.id`. */
function measure(path: `${HealthCheckId}.${string}`, name: string, read: Read, [warning, critical]: readonly [number, number]): Measure {
  const [check, id = ''] = path.split('.');
  return { check: check as HealthCheckId, id, name, ...read, thresholds: { warning, critical } };
}
