import { DAY_MS } from '@nines/base/units.ts';
import { limits, shipped, type ShippedRule } from './shipped.ts';

const day = DAY_MS / 1000;

/** Certificates that others watch: cert-manager, x509-certificate-exporter, blackbox_exporter. Those of our own checks are in the pack `default`. */
export const CERTIFICATES_PACK: readonly ShippedRule[] = [
  limits({
    id: 'certificates_expiry',
    name: 'CertificateExpiry',
    metric:
      '(certmanager_certificate_expiration_timestamp_seconds or x509_cert_not_after or probe_ssl_earliest_cert_expiry{job!="nines"}) - time()',
    condition: '<',
    levels: { info: [30 * day, 30 * day], warning: [14 * day, 14 * day], critical: [7 * day, 7 * day], emergency: [day, day] },
    cooldown: '24h',
    summary: 'A certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}',
    runbook: 'Renew it, and see why the renewal did not happen by itself.',
  }),
  limits({
    id: 'certificates_not_ready',
    name: 'CertificateNotReady',
    metric: 'certmanager_certificate_ready_status{condition="False"}',
    condition: '>=',
    levels: { warning: [1, 1] },
    for: '15m',
    summary: 'cert-manager cannot issue {{ $labels.namespace }}/{{ $labels.name }}',
    runbook: 'kubectl describe certificate names the order or challenge that fails.',
  }),
];

/** Our own backups, and those of others that tell when they last succeeded. */
export const BACKUPS_PACK: readonly ShippedRule[] = [
  limits({
    id: 'backup_stale',
    name: 'BackupStale',
    metric:
      '(time() - (nines_backup_last_success_timestamp_seconds or backup_last_success_timestamp_seconds or velero_backup_last_successful_timestamp)) / 3600',
    levels: { warning: [26, 25], critical: [50, 25] },
    cooldown: '6h',
    summary: 'The last good backup of {{ $labels.instance }} is {{ printf "%.0f" $value }} hours old',
    runbook: 'Run one by hand and read what it says; a backup that nobody restores is none.',
  }),
  limits({
    id: 'backup_failed',
    name: 'BackupFailed',
    metric: 'sum by (instance) (increase(nines_backup_runs_total{outcome="failed"}[1h]))',
    levels: { warning: [0, 0] },
    cooldown: '1h',
    summary: 'A backup of {{ $labels.instance }} failed',
    runbook: 'nines backup list says why; most often it is space at the destination.',
  }),
  limits({
    id: 'backup_not_verified',
    name: 'BackupDamaged',
    metric: 'nines_backup_verified',
    condition: '<',
    levels: { critical: [1, 1] },
    summary: 'The last verification found the backup of {{ $labels.instance }} damaged',
    runbook: 'Make a new one at once, then look at the disk that held this one.',
  }),
];

/** Nines itself. */
export const SELF_PACK: readonly ShippedRule[] = [
  limits({
    id: 'nines_refused_samples',
    name: 'SamplesRefused',
    metric: 'sum by (instance) (rate(nines_ingest_refused_samples_total[5m]))',
    levels: { warning: [1, 0.1] },
    for: '10m',
    summary: '{{ printf "%.1f" $value }} samples a second are refused',
    runbook: 'The log and GET /api/series/limits say which limit is met, and by whom.',
  }),
  limits({
    id: 'nines_ingest_failures',
    name: 'SamplesNotStored',
    metric: 'sum by (instance) (increase(nines_ingest_failures_total[5m]))',
    levels: { critical: [0, 0] },
    summary: '{{ printf "%.0f" $value }} requests could not be stored within 5 minutes',
    runbook: 'Most often the disk is full: free space, senders repeat what was not acknowledged.',
  }),
  limits({
    id: 'nines_series_limit',
    name: 'SeriesLimitNear',
    metric: '100 * nines_store_series / (nines_series_limit > 0)',
    levels: { warning: [85, 80], critical: [97, 92] },
    for: '5m',
    summary: '{{ printf "%.0f" $value }} % of the series that may be are there',
    runbook: 'The page Targets shows which label has the most values; drop it where it is scraped.',
  }),
  limits({
    id: 'nines_notifications_failing',
    name: 'NotificationsFailing',
    metric: 'sum by (instance, channel) (increase(nines_notifications_total{outcome=~"failed|dead"}[15m]))',
    levels: { critical: [2, 0] },
    for: '5m',
    summary: 'Notifications through {{ $labels.channel }} fail',
    runbook: 'Test the channel on the page Settings; what it could not deliver can be sent again.',
  }),
  limits({
    id: 'nines_rules_waiting',
    name: 'RulesWaiting',
    metric: 'nines_rule_backlog',
    levels: { warning: [100, 20] },
    for: '5m',
    summary: '{{ printf "%.0f" $value }} evaluations of rules wait',
    runbook: 'The page Rules, by duration, shows the rule that takes too long.',
  }),
  limits({
    id: 'nines_event_loop',
    name: 'ServerBusy',
    metric: 'nodejs_eventloop_lag_seconds{job="nines", stat="p99"}',
    levels: { warning: [0.5, 0.2] },
    for: '5m',
    summary: 'The server answers {{ $value | humanizeDuration }} late',
    runbook: 'Look for queries over everything, and give it another core.',
  }),
  limits({
    id: 'nines_discovery_failing',
    name: 'DiscoveryFailing',
    metric: 'sum by (instance, kind) (increase(nines_discovery_failures_total[15m]))',
    levels: { warning: [5, 0] },
    for: '15m',
    summary: 'Discovery of targets ({{ $labels.kind }}) fails',
    runbook: 'The component discovery of GET /api/health says which source and why; what it said last stands meanwhile.',
  }),
  shipped('forecast', {
    id: 'nines_disk_forecast',
    name: 'DiskFullSoon',
    metric: 'system.disk.percent',
    threshold: 98,
    clear: 95,
    ahead: '4h',
    over: '6h',
    for: '15m',
    severity: 'warning',
    annotations: { runbook: 'Make room before the disk is full: nines status says what the store takes, retention how long it keeps it.' },
  }),
];
