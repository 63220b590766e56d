import { decimalToNumber } from '@nines/base/decimal.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { bucketsToWire } from '../availability/contract.ts';
import { SLA_VIOLATION_RULE, alertLabels } from './alert.ts';
import type { BookEntry } from './book.ts';
import type { SlaView, ViolationView } from './contract.ts';
import { type SlaEvaluation, isInEvents } from './evaluate.ts';
import { type SlaSpec, recoverWithinMs } from './spec.ts';
import type { Violation } from './violations.ts';

/** The wire form of an evaluation under a contract, of which `violationsOpen` are open. */
export function toView(
  evaluation: SlaEvaluation,
  { contract, origin }: Pick<BookEntry, 'contract' | 'origin'>,
  violationsOpen: number,
): SlaView {
  const { terms, window, counted } = evaluation;
  const { spec } = terms;
  return {
    id: spec.id,
    service: spec.service,
    name: spec.name,
    status: evaluation.verdict.status,
    status_reason: evaluation.verdict.reason,
    target: decimalToNumber(terms.target),
    attained: evaluation.attained,
    attained_bounds: evaluation.attainedBounds,
    window: { from_at_ms: window.fromMs, to_at_ms: window.toMs },
    young: evaluation.young,
    observed_ms: evaluation.observedMs,
    indicator: spec.indicator,
    objective: objectiveOf(spec, decimalToNumber(terms.target)),
    value: evaluation.value,
    budget: budgetOf(evaluation),
    calendar: 'rolling_ms' in spec.window ? null : { ...spec.window, ends_at_ms: window.toMs + evaluation.aheadMs },
    buckets: bucketsToWire(counted.buckets),
    burn: evaluation.burn.map((pair) => ({
      long_ms: pair.longMs,
      short_ms: pair.shortMs,
      factor: pair.factor,
      severity: pair.severity,
      rate: pair.rate,
      firing: pair.firing,
    })),
    exhausts_at_ms: evaluation.exhaustsAtMs,
    violations_open: violationsOpen,
    customers: (spec.customers ?? []).map(({ id, name }) => ({ id, name })),
    contract_version: contract.version,
    unknown_policy: spec.unknown,
    origin: origin.kind === 'file' ? origin.place : 'ui',
  };
}

/** The budget; in events beside the milliseconds of bad slices where events are what is promised. */
function budgetOf({ terms, budget, inTime }: SlaEvaluation): SlaView['budget'] {
  const ms = { total_ms: inTime.totalMs, spent_ms: inTime.spentMs, remaining_ms: inTime.remainingMs };
  if (!isInEvents(terms)) return { unit: 'ms', ...ms };
  return { unit: 'events', total: budget.totalMs, spent: budget.spentMs, remaining: budget.remainingMs, ...ms };
}

/** What the indicator is compared with. For availability that is the target itself. */
function objectiveOf(spec: SlaSpec, target: number): SlaView['objective'] {
  const { indicator } = spec;
  const withinMs = recoverWithinMs(spec);
  if (withinMs !== undefined) return { op: '<=', value: withinMs / SECOND_MS, unit: 'seconds', statistic: 'mean' };
  if (indicator.kind === 'availability') return { op: '>=', value: target, unit: 'ratio', statistic: null };
  return {
    op: indicator.condition,
    value: indicator.threshold,
    unit: indicator.unit,
    statistic: indicator.counters === undefined && indicator.parts === undefined ? indicator.reduce : null,
  };
}

export function toViolationView(violation: Violation): ViolationView {
  const { subject } = violation;
  return {
    id: violation.id,
    sla: violation.sla,
    service: violation.service,
    kind: subject.kind,
    pair: subject.kind === 'burn' ? { long_ms: subject.longMs, short_ms: subject.shortMs, factor: subject.factor } : null,
    severity: violation.severity,
    opened_at_ms: violation.openedAtMs,
    closed_at_ms: violation.closedAtMs,
    reason: violation.reason,
    figures: violation.figures,
    contract_version: violation.contractVersion,
    alert: { rule: SLA_VIOLATION_RULE.id, labels: alertLabels(violation) },
  };
}
