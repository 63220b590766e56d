/**
 * The life of an alert as a pure function: what is open, what an evaluation found, what follows. Nothing here reads a clock,
 * a database or another alert. Each decision carries its reason in words, which is what the history shows.
 */
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { type Labels, labelValue, labelsKey } from '@nines/model/labels.ts';
import type { ActiveElement, AlertingRule, AlertKind, AlertState, Evaluation, Severity } from './contract.ts';
import { fingerprintOf } from './fingerprint.ts';

export type Handling = {
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAtMs: EpochMs | null;
  readonly suppressedBy: string | null;
  readonly suppressedAtMs: EpochMs | null;
  readonly snoozedUntilMs: EpochMs | null;
  readonly snoozedUntilResolved: boolean;
  readonly assignedTo: string | null;
};

const UNHANDLED: Handling = {
  acknowledgedBy: null,
  acknowledgedAtMs: null,
  suppressedBy: null,
  suppressedAtMs: null,
  snoozedUntilMs: null,
  snoozedUntilResolved: false,
  assignedTo: null,
};

/** One alert from its first pending instant to its end. */
export type AlertRecord = {
  readonly id: string;
  readonly fingerprint: string;
  readonly teamId: string;
  readonly kind: AlertKind;
  readonly rule: string;
  readonly alertname: string;
  readonly condition: 'pending' | 'firing' | 'resolved';
  readonly severity: Severity;
  readonly service: string | null;
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly value: number;
  /** When the condition began to hold. */
  readonly activeSinceMs: EpochMs;
  readonly startsAtMs: EpochMs;
  readonly firedAtMs: EpochMs | null;
  /** When the condition ceased to hold while `keep_firing_for` still keeps the alert. */
  readonly keepFiringSinceMs: EpochMs | null;
  readonly endsAtMs: EpochMs | null;
  readonly cooldownMs: number;
  readonly dashboardOnly: boolean;
  readonly handling: Handling;
  /** Why nobody is told although the condition holds. */
  readonly heldBack: string | null;
  readonly generatorUrl: string | null;
  readonly createdAtMs: EpochMs;
  readonly revision: number;
};

export type TransitionKind =
  | 'pending'
  | 'fired'
  | 'kept'
  | 'returned'
  | 'resolved'
  | 'dropped'
  | 'severity_changed'
  | 'held_back'
  | 'released'
  | 'acknowledged'
  | 'unacknowledged'
  | 'suppressed'
  | 'unsuppressed'
  | 'snoozed'
  | 'unsnoozed'
  | 'assigned'
  | 'escalated'
  | 'commented';

/** What happens to one alert. `dropped` removes the row: a pending alert that vanishes was never a problem to anybody. */
export type Transition = {
  readonly kind: TransitionKind;
  readonly reason: string;
  readonly before: AlertRecord | null;
  readonly after: AlertRecord;
  /** For `escalated`: the policy that a person named. */
  readonly policy?: string | undefined;
};

/** `transitions` are to be stored and told; `refreshed` only carry a newer value or text of an alert that stays as it is. */
export type Decision = { readonly transitions: readonly Transition[]; readonly refreshed: readonly AlertRecord[] };

/** What stands between a condition and the eyes of a reader: handling wins over firing, resolved over everything. */
export function stateOf(record: AlertRecord, nowMs: number): AlertState {
  if (record.condition !== 'firing') return record.condition;
  const { handling } = record;
  if (record.heldBack !== null || handling.suppressedAtMs !== null || isSnoozed(handling, nowMs)) return 'suppressed';
  return handling.acknowledgedAtMs === null ? 'firing' : 'acknowledged';
}

const isSnoozed = (handling: Handling, nowMs: number): boolean =>
  handling.snoozedUntilResolved || (handling.snoozedUntilMs !== null && nowMs < handling.snoozedUntilMs);

/**
 * Decides one evaluation of one rule. `open` holds the rule's alerts that are pending or firing, by fingerprint; `newId`
 * names alerts that begin. Two elements with the same labels are one alert (the first wins): rules refuse them before.
 */
export function decide(open: ReadonlyMap<string, AlertRecord>, evaluation: Evaluation, newId: () => string): Decision {
  const { rule, found, atMs } = evaluation;
  if (found.kind === 'unknown') return { transitions: [], refreshed: [] };
  const transitions: Transition[] = [];
  const refreshed: AlertRecord[] = [];
  const seen = new Set<string>();
  for (const element of found.active) {
    const fingerprint = fingerprintOf(element.labels);
    if (seen.has(fingerprint)) continue;
    seen.add(fingerprint);
    const before = open.get(fingerprint);
    const next = before === undefined ? begin({ rule, element, fingerprint, atMs, id: newId() }) : hold(before, { rule, element, atMs });
    if (next.kind === 'refreshed') refreshed.push(next.record);
    else transitions.push(next.transition);
  }
  if (found.kind === 'partial') {
    for (const { fingerprint, endedAtMs, because } of found.ended) {
      const record = open.get(fingerprint);
      const transition = record === undefined ? undefined : vanish(record, { rule, atMs, because, endedAtMs });
      if (transition !== undefined) transitions.push(transition);
    }
    return { transitions, refreshed };
  }
  const holding = new Set(found.holding.map((labels) => labelsKey(labels)));
  for (const [fingerprint, record] of open) {
    if (seen.has(fingerprint) || holding.has(labelsKey(record.labels))) continue;
    const transition = vanish(record, { rule, atMs, because: found.because ?? 'condition ceased', endedAtMs: found.endedAtMs ?? atMs });
    if (transition !== undefined) transitions.push(transition);
  }
  return { transitions, refreshed };
}

/** The evaluation with elements held back whose service is; one that has a reason of its own keeps it. */
export function withHeldBack(evaluation: Evaluation, holdBack: (service: string, atMs: EpochMs) => string | undefined): Evaluation {
  const { found, atMs } = evaluation;
  if (found.kind === 'unknown') return evaluation;
  const active = found.active.map((element): ActiveElement => {
    const service = labelValue(element.labels, 'service');
    const heldBack = element.heldBack ?? (service === '' ? undefined : holdBack(service, atMs));
    return heldBack === undefined ? element : { ...element, heldBack };
  });
  return { ...evaluation, found: { ...found, active } };
}

type Next = { readonly kind: 'refreshed'; readonly record: AlertRecord } | { readonly kind: 'transition'; readonly transition: Transition };

type Beginning = {
  readonly rule: AlertingRule;
  readonly element: ActiveElement;
  readonly fingerprint: string;
  readonly atMs: EpochMs;
  readonly id: string;
};

/** The condition holds and nothing is open: pending, or firing at once when `for` is zero or already spent. */
function begin({ rule, element, fingerprint, atMs, id }: Beginning): Next {
  // A start in the future would make lengths negative; the evaluation's instant is the latest that is honest.
  const activeSinceMs = epochMs(Math.min(element.activeSinceMs ?? atMs, atMs));
  const record: AlertRecord = {
    id,
    fingerprint,
    teamId: rule.teamId,
    kind: rule.kind,
    rule: rule.id,
    alertname: labelValue(element.labels, 'alertname') || rule.alertname,
    condition: 'pending',
    severity: element.severity ?? rule.severity,
    service: labelValue(element.labels, 'service') || null,
    labels: element.labels,
    annotations: element.annotations,
    value: element.value,
    activeSinceMs,
    startsAtMs: activeSinceMs,
    firedAtMs: null,
    keepFiringSinceMs: null,
    endsAtMs: null,
    cooldownMs: rule.cooldownMs,
    dashboardOnly: rule.dashboardOnly ?? false,
    handling: UNHANDLED,
    heldBack: element.heldBack ?? null,
    generatorUrl: element.generatorUrl ?? null,
    createdAtMs: atMs,
    revision: 0,
  };
  if (atMs - activeSinceMs < rule.forMs) {
    return { kind: 'transition', transition: { kind: 'pending', reason: 'condition began to hold', before: null, after: record } };
  }
  return { kind: 'transition', transition: fire(record, { before: null, rule, element, atMs }) };
}

type Holding = { readonly rule: AlertingRule; readonly element: ActiveElement; readonly atMs: EpochMs };

/** The condition holds and an alert is open. */
function hold(before: AlertRecord, { rule, element, atMs }: Holding): Next {
  const activeSinceMs = epochMs(Math.min(before.activeSinceMs, element.activeSinceMs ?? before.activeSinceMs));
  const severity = element.severity ?? rule.severity;
  const record: AlertRecord = {
    ...before,
    annotations: element.annotations,
    value: element.value,
    severity,
    cooldownMs: rule.cooldownMs,
    dashboardOnly: rule.dashboardOnly ?? false,
    heldBack: element.heldBack ?? null,
    generatorUrl: element.generatorUrl ?? null,
  };
  if (before.condition === 'pending') {
    const pending = { ...record, activeSinceMs, startsAtMs: activeSinceMs };
    if (atMs - activeSinceMs < rule.forMs) return { kind: 'refreshed', record: pending };
    return { kind: 'transition', transition: fire(pending, { before, rule, element, atMs }) };
  }
  if (before.keepFiringSinceMs !== null) {
    const after = { ...record, keepFiringSinceMs: null };
    return { kind: 'transition', transition: { kind: 'returned', reason: 'condition holds again', before, after } };
  }
  if (record.heldBack !== before.heldBack) {
    if (record.heldBack === null) {
      const reason = `no longer held back: ${before.heldBack}`;
      return { kind: 'transition', transition: { kind: 'released', reason, before, after: record } };
    }
    return { kind: 'transition', transition: { kind: 'held_back', reason: record.heldBack, before, after: record } };
  }
  if (severity !== before.severity) {
    const reason = `severity went from ${before.severity} to ${severity}`;
    return { kind: 'transition', transition: { kind: 'severity_changed', reason, before, after: record } };
  }
  // A longer `for` after a reload does not push a firing alert back to pending: somebody has been paged for it.
  return { kind: 'refreshed', record };
}

/** Firing starts at the evaluation's instant as in Prometheus, unless the rule knows when the problem began. */
function fire(record: AlertRecord, { before, rule, element, atMs }: Holding & { readonly before: AlertRecord | null }): Transition {
  const startsAtMs = element.activeSinceMs === undefined ? atMs : record.activeSinceMs;
  const reason = rule.forMs === 0 ? 'condition holds' : `condition held for ${atMs - record.activeSinceMs} ms, asked for ${rule.forMs} ms`;
  return { kind: 'fired', reason, before, after: { ...record, condition: 'firing', firedAtMs: atMs, startsAtMs } };
}

/** The condition no longer holds. */
function vanish(
  before: AlertRecord,
  {
    rule,
    atMs,
    because,
    endedAtMs,
  }: { readonly rule: AlertingRule; readonly atMs: EpochMs; readonly because: string; readonly endedAtMs: EpochMs },
): Transition | undefined {
  if (before.condition === 'pending') {
    return { kind: 'dropped', reason: `${because} after ${atMs - before.activeSinceMs} ms, before it fired`, before, after: before };
  }
  const sinceMs = before.keepFiringSinceMs ?? atMs;
  if (atMs - sinceMs < rule.keepFiringForMs) {
    if (before.keepFiringSinceMs !== null) return undefined;
    const reason = `${because}; kept firing for ${rule.keepFiringForMs} ms`;
    return { kind: 'kept', reason, before, after: { ...before, keepFiringSinceMs: atMs } };
  }
  return { kind: 'resolved', reason: because, before, after: resolve(before, endedAtMs) };
}

/** The record at its end. The end never lies before the start, whatever the clock did. */
export const resolve = (record: AlertRecord, atMs: EpochMs): AlertRecord => ({
  ...record,
  condition: 'resolved',
  endsAtMs: epochMs(Math.max(atMs, record.startsAtMs)),
  keepFiringSinceMs: null,
});
