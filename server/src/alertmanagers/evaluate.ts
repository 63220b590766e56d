/** When an alert is sent, and as what. Source: prometheus rules/alerting.go, rules/manager.go and notifier. */
import { MINUTE_MS } from '@nines/base/units.ts';
import { labelsFrom, labelsToRecord } from '@nines/model/labels.ts';
import { type RelabelRule, relabel } from '@nines/model/relabel.ts';
import type { AlertView } from '../alerting/contract.ts';

/** An alert is repeated this often while it fires. Source: prometheus --rules.alert.resend-delay. */
export const RESEND_MS = MINUTE_MS;
/** How long after its end an alert is repeated as resolved. Source: prometheus rules/alerting.go, resolvedRetention. */
export const RESOLVED_KEPT_MS = 15 * MINUTE_MS;
/** A firing alert is said to end after this many repeats that do not come. Source: prometheus rules/alerting.go, sendAlerts. */
const VALID_FOR_RESENDS = 4;

/** What Alertmanager takes. Source: alertmanager api/v2/openapi.yaml, postableAlert. */
export type PostableAlert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
};

export type LastSending = { readonly atMs: number; readonly resolved: boolean };
export type Sending = { readonly alert: AlertView; readonly nowMs: number; readonly last: LastSending | undefined };

/**
 * Whether the alert has to be sent now. One that is held back is sent only if its receiver has heard of it before. What was
 * received is not passed on: two that are each other's Alertmanagers would keep it up for ever.
 */
export function isDue({ alert, nowMs, last }: Sending): boolean {
  if (alert.condition === 'pending' || alert.kind === 'alertmanager') return false;
  const endedAtMs = alert.ends_at_ms;
  if (endedAtMs !== null && nowMs - endedAtMs > RESOLVED_KEPT_MS) return false;
  if (last === undefined) return alert.held_back === null;
  return (endedAtMs !== null && !last.resolved) || nowMs - last.atMs >= RESEND_MS;
}

export type PostableOptions = {
  readonly nowMs: number;
  /** How often the alert's rule is evaluated. */
  readonly intervalMs: number;
  readonly externalUrl: string;
};

export const postable = (alert: AlertView, { nowMs, intervalMs, externalUrl }: PostableOptions): PostableAlert => ({
  labels: alert.labels,
  annotations: alert.annotations,
  startsAt: new Date(alert.starts_at_ms).toISOString(),
  endsAt: new Date(alert.ends_at_ms ?? nowMs + VALID_FOR_RESENDS * Math.max(intervalMs, RESEND_MS)).toISOString(),
  generatorURL: `${externalUrl}/alerts-dashboard?alert=${alert.id}`,
});

export type Changes = {
  readonly externalLabels: Readonly<Record<string, string>>;
  /** One list after the other. */
  readonly rules: readonly RelabelRule[];
};

/** The alert with external labels that it lacks, relabelled; undefined when a rule drops it. */
export function relabelled(alert: PostableAlert, { externalLabels, rules }: Changes): PostableAlert | undefined {
  const all = labelsFrom([...Object.entries(externalLabels), ...Object.entries(alert.labels).filter(([, value]) => value !== '')]);
  const labels = relabel(all, rules);
  return labels === undefined || labels.length === 0 ? undefined : { ...alert, labels: labelsToRecord(labels) };
}
