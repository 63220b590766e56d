import { formatDuration } from '@nines/base/duration.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { MetricAlias, ResolveAlias } from './contract.ts';

/**
 * Dotted names beside node_exporter's: name, expression, unit. The table is documented in docs/metrics.md; a test holds the
 * two together. Expressions keep `instance`, so that one name serves every host that sends these metrics.
 */
export type Aliases = { readonly list: readonly MetricAlias[]; readonly resolve: ResolveAlias };

/** Samples that a rate should span, so that one late collection does not leave it without an answer. */
const RATE_SAMPLES = 4;

/** `intervalMs` is the host's collection interval: rates look back over at least four of them and a minute. */
export function createAliases(intervalMs: number): Aliases {
  const window = formatDuration(Math.max(MINUTE_MS, RATE_SAMPLES * intervalMs));
  const list = [
    ...cpuAliases(window),
    ...memoryAliases(),
    ...diskAliases(window),
    ...networkAliases(window),
    ...hostAliases(),
    ...applicationAliases(window),
  ];
  const byName = new Map(list.map((alias) => [alias.name, alias]));
  return { list, resolve: (name) => byName.get(name) };
}

const alias = (name: string, unit: string, help: string, expr: string): MetricAlias => ({ name, unit, help, expr });

function cpuAliases(window: string): readonly MetricAlias[] {
  const share = (modes: string, by: string): string =>
    `100 * sum by (${by}) (rate(node_cpu_seconds_total{mode=~"${modes}"}[${window}])) / sum by (${by}) (rate(node_cpu_seconds_total[${window}]))`;
  const busy = share('user|nice|system|irq|softirq|steal', 'instance');
  return [
    alias('system.cpu.percent', 'percent', 'CPU time not idle and not waiting for disks, all cores together.', busy),
    alias('system.cpu.usage', 'percent', 'The same as system.cpu.percent.', busy),
    alias('system.cpu.core.percent', 'percent', 'The same per core.', share('user|nice|system|irq|softirq|steal', 'instance, cpu')),
    alias('system.cpu.iowait.percent', 'percent', 'CPU time waiting for disks.', share('iowait', 'instance')),
    alias('system.cpu.steal.percent', 'percent', 'CPU time that the hypervisor gave to others.', share('steal', 'instance')),
    alias('system.load.1m', 'count', 'Load average over 1 minute.', 'node_load1'),
    alias('system.load.5m', 'count', 'Load average over 5 minutes.', 'node_load5'),
    alias('system.load.15m', 'count', 'Load average over 15 minutes.', 'node_load15'),
  ];
}

function memoryAliases(): readonly MetricAlias[] {
  const percent = '100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)';
  return [
    alias('system.memory.percent', 'percent', 'Memory that new work cannot have.', percent),
    alias('system.memory.usage', 'percent', 'The same as system.memory.percent.', percent),
    alias(
      'system.memory.used_bytes',
      'bytes',
      'Memory that new work cannot have.',
      'node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes',
    ),
    alias('system.memory.available_bytes', 'bytes', 'Memory that new work can have.', 'node_memory_MemAvailable_bytes'),
    alias('system.memory.total_bytes', 'bytes', 'Usable memory.', 'node_memory_MemTotal_bytes'),
    alias(
      'system.swap.percent',
      'percent',
      'Swap in use; no answer where there is none.',
      '100 * (1 - node_memory_SwapFree_bytes / (node_memory_SwapTotal_bytes > 0))',
    ),
  ];
}

function diskAliases(window: string): readonly MetricAlias[] {
  const used = '(node_filesystem_size_bytes - node_filesystem_free_bytes)';
  // As df tells it: what is reserved for the administrator counts neither as used nor as free.
  const percent = `100 * ${used} / (${used} + node_filesystem_avail_bytes)`;
  const rate = (metric: string): string => `sum by (instance) (rate(${metric}[${window}]))`;
  return [
    alias('system.disk.percent', 'percent', 'Space in use per file system.', percent),
    alias('system.disk.usage', 'percent', 'The same as system.disk.percent.', percent),
    alias('system.disk.used_bytes', 'bytes', 'Space in use per file system.', used),
    alias('system.disk.available_bytes', 'bytes', 'Space that users can have, per file system.', 'node_filesystem_avail_bytes'),
    alias('system.disk.total_bytes', 'bytes', 'Size per file system.', 'node_filesystem_size_bytes'),
    alias('system.disk.read_bytes_per_second', 'bytes_per_second', 'Read from all disks.', rate('node_disk_read_bytes_total')),
    alias('system.disk.write_bytes_per_second', 'bytes_per_second', 'Written to all disks.', rate('node_disk_written_bytes_total')),
    alias(
      'system.disk.busy.percent',
      'percent',
      'Time that a disk was busy, per disk.',
      `100 * rate(node_disk_io_time_seconds_total[${window}])`,
    ),
  ];
}

function networkAliases(window: string): readonly MetricAlias[] {
  const rate = (metric: string, by = 'instance'): string => `sum by (${by}) (rate(${metric}{device!="lo"}[${window}]))`;
  const both = (what: string): string => `${rate(`node_network_receive_${what}_total`)} + ${rate(`node_network_transmit_${what}_total`)}`;
  return [
    alias(
      'system.network.receive_bytes_per_second',
      'bytes_per_second',
      'Received over all links but loopback.',
      rate('node_network_receive_bytes_total'),
    ),
    alias(
      'system.network.transmit_bytes_per_second',
      'bytes_per_second',
      'Sent over all links but loopback.',
      rate('node_network_transmit_bytes_total'),
    ),
    alias('system.network.errors_per_second', 'count', 'Packets with errors, both directions.', both('errs')),
    alias('system.network.drops_per_second', 'count', 'Packets dropped, both directions.', both('drop')),
    alias(
      'system.network.link.percent',
      'percent',
      'The busier direction of a link against its speed.',
      `100 * (${rate('node_network_receive_bytes_total', 'instance, device')} > ${rate('node_network_transmit_bytes_total', 'instance, device')} or ${rate('node_network_transmit_bytes_total', 'instance, device')}) / on (instance, device) node_network_speed_bytes`,
    ),
  ];
}

function hostAliases(): readonly MetricAlias[] {
  return [
    alias('system.uptime.seconds', 'seconds', 'Since the host started.', 'node_time_seconds - node_boot_time_seconds'),
    alias('system.processes', 'count', 'Processes.', 'node_processes_pids'),
    alias('system.connections', 'count', 'Established TCP connections.', 'node_tcp_connection_states{state="established"}'),
    alias(
      'system.file_descriptors.percent',
      'percent',
      'Open file descriptors against the limit.',
      '100 * node_filefd_allocated / node_filefd_maximum',
    ),
    alias(
      'system.temperature.celsius',
      'celsius',
      'The hottest sensor.',
      'max by (instance) (node_hwmon_temp_celsius or node_thermal_zone_temp)',
    ),
  ];
}

function applicationAliases(window: string): readonly MetricAlias[] {
  const rate = (selector: string): string => `sum by (job) (rate(${selector}[${window}]))`;
  return [
    alias('process.rss_bytes', 'bytes', 'Resident memory of Nines itself.', 'process_resident_memory_bytes{job="nines"}'),
    alias(
      'process.cpu.percent',
      'percent',
      'CPU of Nines itself, 100 being one core.',
      `100 * rate(process_cpu_seconds_total{job="nines"}[${window}])`,
    ),
    alias(
      'app.response_time.seconds',
      'seconds',
      'Mean response time per job; where no application tells, that of the checks per service.',
      `${rate('http_request_duration_seconds_sum')} / ${rate('http_request_duration_seconds_count')} or avg by (service) (probe_duration_seconds)`,
    ),
    alias(
      'app.error_rate.percent',
      'percent',
      'Answers with status 5xx per job; where no application tells, failed checks per service.',
      `100 * ${rate('http_requests_total{code=~"5.."}')} / ${rate('http_requests_total')} or 100 * (1 - avg by (service) (probe_success))`,
    ),
    alias('app.throughput.per_second', 'count', 'Requests per second and job.', rate('http_requests_total')),
    alias('app.active_users', 'count', 'Users at work, as applications tell.', 'sum by (job) (active_users)'),
  ];
}

/** The short names of `GET /api/metrics/history/{type}`, each with the aliases it shows. */
export const HISTORY_TYPES: Readonly<Record<string, readonly string[]>> = {
  cpu: ['system.cpu.percent'],
  memory: ['system.memory.percent'],
  disk: ['system.disk.percent'],
  network: ['system.network.receive_bytes_per_second', 'system.network.transmit_bytes_per_second'],
  load: ['system.load.1m'],
  temperature: ['system.temperature.celsius'],
  response_time: ['app.response_time.seconds'],
  error_rate: ['app.error_rate.percent'],
  throughput: ['app.throughput.per_second'],
  active_users: ['app.active_users'],
};
