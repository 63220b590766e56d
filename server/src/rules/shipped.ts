/**
 * The rules that come with the product, in the form in which a user would write them. A user's rule of the same id replaces
 * one whole. RULE_003 and RULE_004 are not here: the SLA and the ledger decide them (service-down.ts, sla/).
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, type Ms, ms } from '@nines/base/units.ts';
import { DEFAULT_COOLDOWN_MS, type Severity } from '../alerting/contract.ts';
import type { Condition } from './config.ts';

export type ShippedRule = {
  readonly id: string;
  readonly name: string;
  readonly metric: string;
  readonly condition: Condition;
  /** Most severe last. */
  readonly levels: readonly { readonly severity: Severity; readonly threshold: number; readonly clear: number }[];
  readonly forMs: Ms;
  readonly cooldownMs: Ms;
  readonly dashboardOnly: boolean;
  readonly summary: string;
};

const COOLDOWN = ms(DEFAULT_COOLDOWN_MS);
const day = DAY_MS / 1000;

/** Links that come and go with containers and tunnels say nothing about the network. */
const TRANSIENT_LINKS = 'lo|veth.*|docker.*|br-.*|virbr.*|cni.*|flannel.*|cali.*|tun.*|tap.*|wg.*';

/** The pack `default`. The clear thresholds are 5 to 10 points back, so that a value at the edge does not flap. */
export const DEFAULT_PACK: readonly ShippedRule[] = [
  {
    id: 'RULE_001',
    name: 'HighCpu',
    metric: 'system.cpu.percent',
    condition: '>',
    levels: [
      { severity: 'warning', threshold: 70, clear: 60 },
      { severity: 'critical', threshold: 90, clear: 80 },
    ],
    forMs: ms(MINUTE_MS),
    cooldownMs: COOLDOWN,
    // A busy processor is seldom a reason to wake anybody.
    dashboardOnly: true,
    summary: 'CPU of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
  },
  {
    id: 'RULE_002',
    name: 'HighMemory',
    metric: 'system.memory.percent',
    condition: '>',
    levels: [
      { severity: 'warning', threshold: 80, clear: 75 },
      { severity: 'critical', threshold: 95, clear: 90 },
    ],
    forMs: ms(MINUTE_MS),
    cooldownMs: COOLDOWN,
    dashboardOnly: false,
    summary: 'Memory of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
  },
  {
    id: 'RULE_005',
    name: 'SlowResponse',
    metric: 'probe_duration_seconds{job="nines"}',
    condition: '>',
    levels: [
      { severity: 'warning', threshold: 1, clear: 0.8 },
      { severity: 'critical', threshold: 5, clear: 4 },
    ],
    forMs: ms(MINUTE_MS),
    cooldownMs: COOLDOWN,
    dashboardOnly: false,
    summary: '{{ $labels.service }} answers in {{ $value | humanizeDuration }} ({{ $labels.check }})',
  },
  {
    id: 'RULE_006',
    name: 'HighErrorRate',
    metric:
      '100 * sum by (job, instance) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job, instance) (rate(http_requests_total[5m]))',
    condition: '>',
    levels: [
      { severity: 'warning', threshold: 1, clear: 0.5 },
      { severity: 'critical', threshold: 5, clear: 4 },
    ],
    forMs: ms(MINUTE_MS),
    cooldownMs: COOLDOWN,
    dashboardOnly: false,
    summary: '{{ printf "%.1f" $value }} % of the requests to {{ $labels.instance }} fail',
  },
  {
    id: 'RULE_007',
    name: 'DiskFull',
    metric: 'system.disk.percent',
    condition: '>',
    levels: [
      { severity: 'warning', threshold: 90, clear: 85 },
      { severity: 'critical', threshold: 95, clear: 92 },
    ],
    forMs: ms(MINUTE_MS),
    cooldownMs: COOLDOWN,
    dashboardOnly: false,
    summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ printf "%.0f" $value }} % full',
  },
  {
    id: 'RULE_008',
    name: 'NetworkLinkLost',
    // Only a link that was up within the hour can be lost; a socket without a cable is none.
    metric: `node_network_up{device!~"${TRANSIENT_LINKS}"} and max_over_time(node_network_up{device!~"${TRANSIENT_LINKS}"}[1h]) == 1`,
    condition: '==',
    levels: [{ severity: 'critical', threshold: 0, clear: 0 }],
    forMs: ms(0),
    cooldownMs: COOLDOWN,
    dashboardOnly: false,
    summary: 'Network link {{ $labels.device }} of {{ $labels.instance }} is down',
  },
  {
    id: 'certificate_expiry',
    name: 'CertificateExpiry',
    metric: 'probe_ssl_earliest_cert_expiry{job="nines"} - time()',
    condition: '<',
    levels: [
      { severity: 'info', threshold: 30 * day, clear: 30 * day },
      { severity: 'warning', threshold: 14 * day, clear: 14 * day },
      { severity: 'critical', threshold: 7 * day, clear: 7 * day },
      { severity: 'emergency', threshold: day, clear: day },
    ],
    forMs: ms(0),
    // Days count here; hourly repeats of a deadline that is known would be noise.
    cooldownMs: ms(24 * HOUR_MS),
    dashboardOnly: false,
    summary: 'The certificate of {{ $labels.service }} ends in {{ $value | humanizeDuration }}',
  },
];
