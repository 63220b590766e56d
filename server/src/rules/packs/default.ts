import { DAY_MS } from '@nines/base/units.ts';
import { limits, shipped, type ShippedRule } from './shipped.ts';

const day = DAY_MS / 1000;

/** Links that come and go with containers and tunnels say nothing about the network. */
const TRANSIENT_LINKS = 'lo|veth.*|docker.*|br-.*|virbr.*|cni.*|flannel.*|cali.*|tun.*|tap.*|wg.*';

/** Of dcgm-exporter, nvidia_gpu_exporter, and of whoever pushes its own. */
const GPU_PERCENT = 'DCGM_FI_DEV_GPU_UTIL or 100 * nvidia_smi_utilization_gpu_ratio or gpu_utilization_percent';
const GPU_CELSIUS = 'DCGM_FI_DEV_GPU_TEMP or nvidia_smi_temperature_gpu or gpu_temperature_celsius';

export const gpuHighUsage = limits({
  id: 'gpu_high_usage',
  name: 'GpuHighUsage',
  metric: GPU_PERCENT,
  levels: { info: [90, 80] },
  for: '5m',
  summary: 'A GPU of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
  runbook: 'See which jobs share the GPU; a queue that grows needs another one, a training that is meant to fill it does not.',
});

export const gpuHighTemperature = limits({
  id: 'gpu_high_temperature',
  name: 'GpuHighTemperature',
  metric: GPU_CELSIUS,
  levels: { warning: [80, 75] },
  for: '1m',
  summary: 'A GPU of {{ $labels.instance }} has {{ printf "%.0f" $value }} °C',
  runbook: 'Look at fans, dust and the air of the room; lower the power limit until it is cool.',
});

export const cascadeFailure = shipped('composite', {
  id: 'cascade_failure_detection',
  name: 'CascadeFailure',
  when: {
    all: [
      { metric: 'system.cpu.percent', condition: '>', threshold: 90, clear: 85 },
      { metric: 'system.memory.percent', condition: '>', threshold: 85, clear: 80 },
      { metric: 'system.disk.percent', condition: '>', threshold: 95, clear: 92 },
    ],
  },
  by: ['instance'],
  for: '120s',
  severity: 'critical',
  annotations: {
    runbook: 'The host runs out of everything: free disk space first, then find the process that took the memory, and move work away.',
  },
});

/** On unless the configuration says otherwise. The clear thresholds are 5 to 10 points back, so that a value at the edge does not flap. */
export const DEFAULT_PACK: readonly ShippedRule[] = [
  limits({
    id: 'RULE_001',
    name: 'HighCpu',
    metric: 'system.cpu.percent',
    levels: { warning: [70, 60], critical: [90, 80] },
    for: '1m',
    // A busy processor is seldom a reason to wake anybody.
    dashboardOnly: true,
    summary: 'CPU of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
    runbook: 'See which process is busy; act when the answers of its service are late, too.',
  }),
  limits({
    id: 'RULE_002',
    name: 'HighMemory',
    metric: 'system.memory.percent',
    levels: { warning: [80, 75], critical: [95, 90] },
    for: '1m',
    summary: 'Memory of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
    runbook: 'Find the process that grew; restart it before the kernel chooses one.',
  }),
  limits({
    id: 'RULE_005',
    name: 'SlowResponse',
    metric: 'probe_duration_seconds{job="nines"}',
    levels: { warning: [1, 0.8], critical: [5, 4] },
    for: '1m',
    summary: '{{ $labels.service }} answers in {{ $value | humanizeDuration }} ({{ $labels.check }})',
    runbook: 'The phases of the check say whether name, connection, TLS or the service itself is slow.',
  }),
  limits({
    id: 'RULE_006',
    name: 'HighErrorRate',
    metric:
      '100 * sum by (job, instance) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job, instance) (rate(http_requests_total[5m]))',
    levels: { warning: [1, 0.5], critical: [5, 4] },
    for: '1m',
    summary: '{{ printf "%.1f" $value }} % of the requests to {{ $labels.instance }} fail',
    runbook: 'Compare with the last deployment and with what the service depends on; roll back when they began together.',
  }),
  limits({
    id: 'RULE_007',
    name: 'DiskFull',
    metric: 'system.disk.percent',
    levels: { warning: [90, 85], critical: [95, 92] },
    for: '1m',
    summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ printf "%.0f" $value }} % full',
    runbook: 'Remove old logs, images and dumps; a disk that fills steadily needs the one who fills it.',
  }),
  limits({
    id: 'RULE_008',
    name: 'NetworkLinkLost',
    // Only a link that was up within the hour can be lost; a socket without a cable is none.
    metric: `node_network_up{device!~"${TRANSIENT_LINKS}"} and max_over_time(node_network_up{device!~"${TRANSIENT_LINKS}"}[1h]) == 1`,
    condition: '<',
    levels: { critical: [1, 1] },
    summary: 'Network link {{ $labels.device }} of {{ $labels.instance }} is down',
    runbook: 'Look at cable and switch port, then at the kernel log of the host.',
  }),
  limits({
    id: 'certificate_expiry',
    name: 'CertificateExpiry',
    metric: 'probe_ssl_earliest_cert_expiry{job="nines"} - time()',
    condition: '<',
    levels: { info: [30 * day, 30 * day], warning: [14 * day, 14 * day], critical: [7 * day, 7 * day], emergency: [day, day] },
    // Days count here; hourly repeats of a deadline that is known would be noise.
    cooldown: '24h',
    summary: 'The certificate of {{ $labels.service }} ends in {{ $value | humanizeDuration }}',
    runbook: 'Renew it, and see why the renewal did not happen by itself.',
  }),
  gpuHighUsage,
  gpuHighTemperature,
  cascadeFailure,
];
