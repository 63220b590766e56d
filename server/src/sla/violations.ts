import type { BurnReading } from '@nines/maths/slo/burn.ts';
import type { Budget } from '@nines/maths/slo/budget.ts';
import { assertNever } from '@nines/base/errors.ts';
import { type SlaEvaluation, isInEvents } from './evaluate.ts';

/** How bad a violation is: of the budget by how far and how long, of a burn pair by the pair. */
export type ViolationSeverity = 'minor' | 'major' | 'warning' | 'critical';

/** What is violated. The key names it among the violations of one SLA. */
export type ViolationSubject =
  | { readonly kind: 'budget' }
  | { readonly kind: 'burn'; readonly longMs: number; readonly shortMs: number; readonly factor: number };

export type Violation = {
  readonly id: string;
  readonly sla: string;
  readonly service: string;
  readonly teamId: string;
  readonly contractVersion: number;
  readonly subject: ViolationSubject;
  readonly severity: ViolationSeverity;
  readonly openedAtMs: number;
  readonly closedAtMs: number | null;
  readonly reason: string;
  readonly figures: ViolationFigures;
  readonly revision: number;
};

/** The figures when the violation was opened, or when it last became worse. */
export type ViolationFigures = {
  readonly at_ms: number;
  readonly attained: number | null;
  readonly spent_ms: number;
  readonly total_ms: number;
  /** Where the budget is in events. */
  readonly events?: { readonly spent: number; readonly total: number };
  readonly rate: number | null;
  /** Each severity with the instant from which it held, so that a statement can say what was so at its end. */
  readonly steps: readonly { readonly at_ms: number; readonly severity: ViolationSeverity }[];
};

export type OpenedViolation = Pick<Violation, 'subject' | 'severity' | 'reason' | 'figures'>;

export type ViolationDecision =
  | { readonly kind: 'open'; readonly violation: OpenedViolation }
  | { readonly kind: 'worsen'; readonly violation: Violation; readonly severity: ViolationSeverity; readonly figures: ViolationFigures }
  | { readonly kind: 'close'; readonly violation: Violation; readonly reason: 'back_within_budget' | 'burn_ended' | 'pair_dropped' };

export function subjectKey(subject: ViolationSubject): string {
  switch (subject.kind) {
    case 'budget':
      return 'budget';
    case 'burn':
      return `burn:${subject.longMs}:${subject.shortMs}:${subject.factor}`;
    default:
      return assertNever(subject, 'subjectKey');
  }
}

/**
 * What an evaluation changes about the open violations of its SLA. A violation opens when the status enters breached or a
 * pair fires, becomes worse but never milder, and closes when the condition is known to be over. What cannot be decided
 * leaves it as it is.
 */
export function decideViolations(open: readonly Violation[], evaluation: SlaEvaluation): readonly ViolationDecision[] {
  const byKey = new Map(open.map((violation) => [subjectKey(violation.subject), violation]));
  const decisions = [...budgetDecisions(byKey.get('budget'), evaluation)];
  byKey.delete('budget');
  for (const pair of evaluation.burn) {
    const subject = burnSubject(pair);
    decisions.push(...burnDecisions(byKey.get(subjectKey(subject)), pair, evaluation));
    byKey.delete(subjectKey(subject));
  }
  // What is left belongs to pairs that the contract no longer has.
  for (const violation of byKey.values()) decisions.push({ kind: 'close', violation, reason: 'pair_dropped' });
  return decisions;
}

const burnSubject = (pair: BurnReading): ViolationSubject => ({
  kind: 'burn',
  longMs: pair.longMs,
  shortMs: pair.shortMs,
  factor: pair.factor,
});

function figuresOf(
  evaluation: SlaEvaluation,
  now: { readonly severity: ViolationSeverity; readonly rate: number | null; readonly before?: Violation },
): ViolationFigures {
  return {
    at_ms: evaluation.window.toMs,
    attained: evaluation.attained,
    spent_ms: evaluation.inTime.spentMs,
    total_ms: evaluation.inTime.totalMs,
    ...(isInEvents(evaluation.terms) ? { events: { spent: evaluation.budget.spentMs, total: evaluation.budget.totalMs } } : {}),
    rate: now.rate,
    steps: [...(now.before?.figures.steps ?? []), { at_ms: evaluation.window.toMs, severity: now.severity }],
  };
}

function budgetDecisions(open: Violation | undefined, evaluation: SlaEvaluation): readonly ViolationDecision[] {
  const breached = evaluation.verdict.status === 'breached';
  if (open === undefined) {
    if (!breached) return [];
    const severity = budgetSeverity(evaluation.budget, 0, evaluation.terms.spec.interval_ms);
    const figures = figuresOf(evaluation, { severity, rate: null });
    return [{ kind: 'open', violation: { subject: { kind: 'budget' }, severity, reason: evaluation.verdict.reason, figures } }];
  }
  if (!breached) return [{ kind: 'close', violation: open, reason: 'back_within_budget' }];
  const openForMs = evaluation.window.toMs - open.openedAtMs;
  const severity = budgetSeverity(evaluation.budget, openForMs, evaluation.terms.spec.interval_ms);
  if (RANK[severity] <= RANK[open.severity]) return [];
  return [{ kind: 'worsen', violation: open, severity, figures: figuresOf(evaluation, { severity, rate: null, before: open }) }];
}

const RANK: Readonly<Record<ViolationSeverity, number>> = { minor: 0, warning: 0, major: 1, critical: 2 };

/** Minor below 10 % over the budget, major below 50 %, critical beyond, and whenever it lasts longer than two measurements. */
function budgetSeverity(budget: Budget, openForMs: number, intervalMs: number): ViolationSeverity {
  if (openForMs > 2 * intervalMs) return 'critical';
  const overMs = budget.spentMs - budget.totalMs;
  if (overMs * 10 < budget.totalMs) return 'minor';
  return overMs * 2 < budget.totalMs ? 'major' : 'critical';
}

function burnDecisions(open: Violation | undefined, pair: BurnReading, evaluation: SlaEvaluation): readonly ViolationDecision[] {
  if (open === undefined) {
    if (pair.firing !== true) return [];
    const figures = figuresOf(evaluation, { severity: pair.severity, rate: pair.rate });
    const reason = `the budget burns at ${(pair.rate ?? 0).toFixed(1)} times the allowed rate, above ${pair.factor}`;
    return [{ kind: 'open', violation: { subject: burnSubject(pair), severity: pair.severity, reason, figures } }];
  }
  return pair.firing === false ? [{ kind: 'close', violation: open, reason: 'burn_ended' }] : [];
}
