import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { type ActiveElement, promptRule } from '../alerting/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import type { BurnPairSpec, SlaSpec } from './spec.ts';
import type { Violation } from './violations.ts';

/** The shipped rule for SLA violations. On for every declared SLA; a user's rule of this id replaces it. */
export const SLA_VIOLATION_RULE = promptRule({
  id: 'RULE_003',
  kind: 'sla',
  alertname: 'SlaViolation',
  severity: 'critical',
  teamId: DEFAULT_TEAM,
});

/** From when on a violation is a reason to alert: a pair of the contract may ask that the budget has burned for some time. */
export function alertsFromMs(
  { subject, openedAtMs }: Pick<Violation, 'subject' | 'openedAtMs'>,
  terms: Pick<SlaSpec, 'burn'> | undefined,
): number {
  if (subject.kind === 'budget') return openedAtMs;
  const isOf = (pair: BurnPairSpec): boolean =>
    pair.long_ms === subject.longMs && pair.short_ms === subject.shortMs && pair.factor === subject.factor;
  return openedAtMs + (terms?.burn?.find(isOf)?.after_ms ?? 0);
}

/** The labels of a violation's alert, which are its identity there. */
export function alertLabels(violation: Pick<Violation, 'sla' | 'service' | 'subject' | 'severity'>): Record<string, string> {
  const { subject } = violation;
  // The severity of an alert is part of its identity, so it must not move with the violation's: a spent budget is critical at once.
  const severity = subject.kind === 'budget' ? 'critical' : violation.severity;
  return {
    alertname: SLA_VIOLATION_RULE.alertname,
    severity,
    sla: violation.sla,
    service: violation.service,
    violation: subject.kind === 'budget' ? 'budget' : `burn_${subject.longMs}_${subject.shortMs}`,
  };
}

/** An open violation as alerting is told of it; `name` is what people call the SLA, `labels` are its service's. */
export function activeElement(
  violation: Violation,
  { name, labels }: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
): ActiveElement {
  const { figures, subject } = violation;
  const summary = subject.kind === 'budget' ? `The SLA "${name}" is breached` : `The budget of the SLA "${name}" is burning`;
  return {
    labels: labelsOf({ ...labels, ...alertLabels(violation) }),
    annotations: { summary, description: violation.reason, violation_id: violation.id, violation_severity: violation.severity },
    value: subject.kind === 'budget' ? (figures.attained ?? 0) : (figures.rate ?? 0),
    activeSinceMs: epochMs(violation.openedAtMs),
  };
}
