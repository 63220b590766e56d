import { type AlertView, UNHANDLED } from '../../alerting/contract.ts';

let made = 0;

/** An alert that fires, as alerting shows it. */
export function firing(atMs: number, given: Partial<AlertView> = {}): AlertView {
  const service = given.service ?? null;
  const alertname = given.alertname ?? 'Down';
  return {
    ...UNHANDLED,
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
    ends_at_ms: null,
    generator_url: null,
    service,
    ...given,
  };
}

export const resolved = (alert: AlertView, atMs: number): AlertView => ({
  ...alert,
  condition: 'resolved',
  state: 'resolved',
  ends_at_ms: atMs,
});
