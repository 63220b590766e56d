import { cascadeFailure } from './default.ts';
import { limits, type ShippedRule } from './shipped.ts';

/** Tighter limits for shared platforms, and what their security and mail tell. */
export const PLATFORM_PACK: readonly ShippedRule[] = [
  limits({
    id: 'platform_high_cpu',
    name: 'PlatformHighCpu',
    metric: 'system.cpu.percent',
    levels: { warning: [80, 70] },
    for: '5m',
    summary: 'CPU of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
    runbook: 'See which tenant is busy, and move or limit it when others wait.',
  }),
  limits({
    id: 'platform_high_memory',
    name: 'PlatformHighMemory',
    metric: 'system.memory.percent',
    levels: { warning: [85, 80] },
    for: '5m',
    summary: 'Memory of {{ $labels.instance }} is at {{ printf "%.0f" $value }} %',
    runbook: 'Find what grew; a host that swaps makes every tenant slow.',
  }),
  limits({
    id: 'platform_slow_response',
    name: 'PlatformSlowResponse',
    metric: 'probe_duration_seconds{job="nines"}',
    levels: { warning: [0.5, 0.4] },
    for: '5m',
    summary: '{{ $labels.service }} answers in {{ $value | humanizeDuration }} ({{ $labels.check }})',
    runbook: 'The phases of the check say whether name, connection, TLS or the service itself is slow.',
  }),
  limits({
    id: 'platform_security_failures',
    name: 'PlatformSecurityFailures',
    metric: 'sum by (instance, type) (increase(security_events_total{outcome="failure"}[5m]))',
    levels: { critical: [0, 0] },
    summary: '{{ printf "%.0f" $value }} failed security events ({{ $labels.type }}) within 5 minutes',
    runbook: 'Find the source of the events; lock the account or the address before asking why.',
  }),
  limits({
    id: 'platform_mail_queue',
    name: 'PlatformMailQueueDelay',
    metric:
      'mail_queue_delay_seconds or histogram_quantile(0.95, sum by (instance, queue, le) (postfix_showq_message_age_seconds_bucket{queue!="active"}))',
    levels: { warning: [900, 600] },
    for: '10m',
    summary: 'Mail waits {{ $value | humanizeDuration }} in the queue of {{ $labels.instance }}',
    runbook: 'See what the receiving servers answer; one that refuses us all is a matter of reputation, not of the queue.',
  }),
  limits({
    id: 'platform_scan_results',
    name: 'PlatformScanFindings',
    metric: 'security_scan_findings',
    levels: { info: [0, 0] },
    cooldown: '24h',
    summary: 'A scan of {{ $labels.instance }} found {{ printf "%.0f" $value }}',
    runbook: 'Read the report; what can be reached from outside comes first.',
  }),
  cascadeFailure,
];
