import { cascadeFailure, gpuHighTemperature, gpuHighUsage } from './default.ts';
import { limits, type ShippedRule } from './shipped.ts';

/** For machines far away, that nobody visits: little noise, and what is critical is told soon. */
export const EDGE_PACK: readonly ShippedRule[] = [
  limits({
    id: 'high_cpu_usage',
    name: 'HighCpuUsage',
    metric: 'system.cpu.percent',
    levels: { warning: [80, 70] },
    for: '1m',
    summary: 'CPU of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
    runbook: 'See which process is busy, and whether it was just deployed.',
  }),
  limits({
    id: 'critical_cpu_usage',
    name: 'CriticalCpuUsage',
    metric: 'system.cpu.percent',
    levels: { critical: [95, 90] },
    for: '1m',
    cooldown: '60s',
    summary: 'CPU of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
    runbook: 'Restart the process that runs away; the machine may soon not be reachable.',
  }),
  limits({
    id: 'high_memory_usage',
    name: 'HighMemoryUsage',
    metric: 'system.memory.percent',
    levels: { warning: [85, 80] },
    for: '1m',
    summary: 'Memory of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
    runbook: 'Find the process that grew.',
  }),
  limits({
    id: 'critical_memory_usage',
    name: 'CriticalMemoryUsage',
    metric: 'system.memory.percent',
    levels: { critical: [95, 90] },
    for: '1m',
    summary: 'Memory of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
    runbook: 'Restart the process that grew before the kernel chooses one.',
  }),
  limits({
    id: 'high_disk_usage',
    name: 'HighDiskUsage',
    metric: 'system.disk.percent',
    levels: { warning: [90, 85] },
    for: '1m',
    summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ printf "%.0f" $value }} % full',
    runbook: 'Remove old logs, images and recordings.',
  }),
  gpuHighUsage,
  gpuHighTemperature,
  limits({
    id: 'service_down',
    name: 'TargetDown',
    // Services that are declared have RULE_004; this is for what is scraped.
    metric: 'up{job!="nines"}',
    condition: '<',
    levels: { critical: [1, 1] },
    for: '1m',
    summary: '{{ $labels.job }} on {{ $labels.instance }} does not answer',
    runbook: 'See whether the machine can be reached at all, then whether the process runs.',
  }),
  limits({
    id: 'high_error_rate',
    name: 'ManyErrors',
    metric: 'sum by (job, instance) (increase(http_requests_total{code=~"5.."}[5m]))',
    levels: { warning: [10, 5] },
    summary: '{{ printf "%.0f" $value }} requests to {{ $labels.instance }} failed within 5 minutes',
    runbook: 'Compare with the last deployment and with what the service depends on.',
  }),
  cascadeFailure,
];
