import type { AlertView } from '../../alerting/contract.ts';

let made = 0;

/** An alert that fires, as alerting shows it. */
export function firing(atMs: number, given: Partial<AlertView> = {}): AlertView {
  const service = given.service ?? null;
  const alertname = given.alertname ?? 'Down';
  return {
    id: `alert-${++made}`,
    fingerprint: `fingerprint-${made}`,
    kind: 'rule',
    rule: 'R',
    alertname,
    state: 'firing',
    condition: 'firing',
    severity: 'critical',
    labels: { alertname, ...(service === null ? {} : { service }) },
    annotations: {},
    value: 1,
    active_at_ms: atMs,
    starts_at_ms: atMs,
    keep_firing_since_ms: null,
    ends_at_ms: null,
    acknowledged_by: null,
    acknowledged_at_ms: null,
    suppressed_by: null,
    suppressed_at_ms: null,
    snoozed_until_ms: null,
    snoozed_until_resolved: false,
    assigned_to: null,
    held_back: null,
    generator_url: null,
    service,
    problem: null,
    flapping_since_ms: null,
    ...given,
  };
}

export const resolved = (alert: AlertView, atMs: number): AlertView => ({
  ...alert,
  condition: 'resolved',
  state: 'resolved',
  ends_at_ms: atMs,
});
