import { canonicalJson, type Json } from '@nines/base/canonical-json.ts';
import { invariant } from '@nines/base/errors.ts';
import { unknownShareOf } from '@nines/maths/slo/status.ts';
import type { LedgerInterval, Span } from '@nines/maths/slo/types.ts';
import type { DowntimeView } from '../../availability/contract.ts';
import type { SlaView, ViolationView } from '../contract.ts';
import type { SlaEvaluation } from '../evaluate.ts';
import type { Customer, SlaSpec } from '../spec.ts';
import type { ContractVersion } from '../store.ts';
import { toViolationView } from '../view.ts';
import type { Violation } from '../violations.ts';
import { type CreditView, creditView } from './credit.ts';
import type { SlaOverlays } from '../overlay-terms.ts';
import { type ApprovedExclusion, type ExcludedStretch, excludedStretches } from './exclusions.ts';
import { type Recommendation, recommendationsFor } from './recommendations.ts';
import { type Signature, digestOf } from './signature.ts';

/**
 * A statement: what was promised over a period, what was attained, and everything that decided it. A pure function of its
 * inputs, and its inputs are what was so within the period: what happened after its end does not change a byte. Downtimes,
 * unknown and excluded time are listed interval by interval, so that each millisecond of the figures can be found again.
 * Drawn in docs/format/statement.md.
 */
export type Statement = Pick<SlaView, (typeof FIGURES)[number]> & {
  readonly kind: 'nines.sla.statement';
  readonly format: 1;
  readonly period: { readonly from_at_ms: number; readonly to_at_ms: number };
  readonly calendar: CalendarView;
  /** `provisional`: the period is not over; the figures are those up to `known_until_at_ms`, the budget is that of the whole period. */
  readonly finality: 'final' | 'provisional';
  readonly known_until_at_ms: number | null;
  /** What was known at this instant was asked for; null: what is known. */
  readonly known_at_ms: number | null;
  readonly customer: Customer | null;
  /** The terms that were applied: those in force at the end of the period. */
  readonly contract: ContractView;
  /** Versions that came into force within the period, so that a change of terms is seen. */
  readonly contract_changes: readonly ContractView[];
  readonly unknown: { readonly ms: number; readonly not_yet_monitored_ms: number; readonly share: number | null };
  /** Every excluded millisecond once, with what took it out; as long together as `buckets.excluded_ms`. */
  readonly exclusions: readonly ExclusionStretchView[];
  readonly credit: CreditView | null;
  readonly timeline: readonly StatementInterval[];
  readonly downtimes: readonly DowntimeView[];
  readonly violations: readonly StatementViolation[];
  /** The periods before under the same terms, oldest first. */
  readonly trend: readonly TrendPoint[];
  readonly recommendations: readonly Recommendation[];
};

/** A statement that was issued says which one of its period it is. `revision` is null in one that was only asked for. */
export type IssuedForm = Statement & { readonly revision: RevisionView | null };
export type SignedStatement = IssuedForm & { readonly signature: Signature };

export type RevisionView = {
  readonly number: number;
  /** SHA-256 of the bytes of the revision that this one replaces; null in the first. */
  readonly restates: string | null;
  readonly why: readonly string[];
  readonly changes: readonly { readonly path: string; readonly from: Json; readonly to: Json }[];
};

/** How the calendar of a zone calls the period. `tz` is the version of the time zone tables, where they decided. */
export type CalendarView = { readonly name: string | null; readonly zone: string; readonly tz: string | null };

/** A violation as it stood at the end of the period. */
export type StatementViolation = Pick<ViolationView, 'id' | 'kind' | 'pair' | 'severity' | 'opened_at_ms' | 'closed_at_ms' | 'reason'>;

export type TrendPoint = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly name: string | null;
  readonly attained: number | null;
  readonly status: SlaView['status'];
  readonly spent_ms: number;
  readonly total_ms: number;
  /** Where the budget is in events. */
  readonly events: { readonly spent: number; readonly total: number } | null;
};

/** The figures of an SLA that depend on the period alone. */
const FIGURES = [
  'id',
  'service',
  'name',
  'status',
  'status_reason',
  'target',
  'attained',
  'attained_bounds',
  'young',
  'observed_ms',
  'objective',
  'value',
  'budget',
  'buckets',
] as const;

export type ContractView = {
  readonly version: number;
  readonly effective_from_at_ms: number;
  /** Without the other customers. */
  readonly terms: Omit<SlaSpec, 'customers'>;
};

export type StatementInterval = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly state: string;
  readonly unknown_reason: string | null;
  readonly from_bounds_at_ms: readonly [number, number] | null;
  readonly evidence: readonly { readonly check: string; readonly at_ms: number; readonly detail: string }[];
};

export type ExclusionStretchView = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  /** `exclusion`: people agreed on it. `maintenance`: planned, and announced in time. `service_down`: the contract does not measure while the service is down. */
  readonly by: ExcludedStretch['by'];
  readonly exclusion: {
    readonly id: string;
    readonly reason: string;
    readonly note: string;
    readonly requested_by: string;
    readonly requested_at_ms: number;
    readonly approved_by: string;
    readonly approved_at_ms: number;
  } | null;
};

export type StatementInputs = {
  readonly evaluation: SlaEvaluation;
  readonly view: SlaView;
  readonly period: Span;
  readonly calendar: CalendarView;
  /** Whether everything about the period is decided. */
  readonly isFinal: boolean;
  readonly overlays: SlaOverlays;
  readonly knownAtMs: number | null;
  readonly customer: Customer | null;
  readonly contract: ContractVersion;
  readonly versions: readonly ContractVersion[];
  /** Covers the window of the evaluation. */
  readonly intervals: readonly LedgerInterval[];
  /** Exclusions that hold; any order. */
  readonly exclusions: readonly ApprovedExclusion[];
  /** Time that the contract's own rule takes out. */
  readonly outages: readonly Span[];
  /** Any order. */
  readonly downtimes: readonly DowntimeView[];
  /** Those that were open at some time in the window; any order. */
  readonly violations: readonly Violation[];
  readonly trend: readonly TrendPoint[];
};

export function makeStatement(inputs: StatementInputs): Statement {
  const { evaluation, contract, customer, period, isFinal } = inputs;
  const { window, counted } = evaluation;
  const { unknownMs, ofMs } = unknownShareOf(counted);
  const changes = inputs.versions.filter(
    (version) => version.effectiveFromMs > window.fromMs && version.effectiveFromMs < window.toMs && version.version > 1,
  );
  const statement: Omit<Statement, 'recommendations'> = {
    ...figuresOf(inputs.view),
    kind: 'nines.sla.statement',
    format: 1,
    period: { from_at_ms: period.fromMs, to_at_ms: period.toMs },
    calendar: inputs.calendar,
    finality: isFinal ? 'final' : 'provisional',
    known_until_at_ms: isFinal ? null : window.toMs,
    known_at_ms: inputs.knownAtMs,
    customer,
    contract: toContractView(contract),
    contract_changes: changes.map(toContractView),
    unknown: {
      ms: counted.buckets.unknownMs,
      not_yet_monitored_ms: counted.notYetMonitoredMs,
      share: ofMs === 0 ? null : unknownMs / ofMs,
    },
    exclusions: excludedOf(inputs),
    credit: creditView(counted, contract.spec.credits, customer),
    timeline: inputs.intervals
      .filter((interval) => interval.toMs > window.fromMs && interval.fromMs < window.toMs)
      .map((interval) => toInterval(interval, window)),
    downtimes: inputs.downtimes.map((downtime) => untilEnd(downtime, window.toMs)).sort(byStart((one) => one.from_at_ms)),
    violations: inputs.violations
      .filter((violation) => violation.openedAtMs < window.toMs)
      .map((violation) => asOf(violation, window.toMs))
      .sort(byStart((one) => one.opened_at_ms)),
    trend: inputs.trend,
  };
  return { ...statement, recommendations: recommendationsFor(statement) };
}

function excludedOf(inputs: StatementInputs): readonly ExclusionStretchView[] {
  const { window, counted } = inputs.evaluation;
  const approved = [...inputs.exclusions].sort((a, b) => a.approvedAtMs - b.approvedAtMs || (a.id < b.id ? -1 : 1));
  const stretches = excludedStretches(window, approved, { outages: inputs.outages, ...inputs.overlays });
  const lengthMs = stretches.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs), 0);
  invariant(lengthMs === counted.buckets.excludedMs, `${counted.buckets.excludedMs} ms are excluded, ${lengthMs} have a cause`);
  return stretches.map((stretch) => ({
    from_at_ms: stretch.fromMs,
    to_at_ms: stretch.toMs,
    by: stretch.by,
    exclusion: stretch.by === 'exclusion' ? toExclusionView(stretch.exclusion) : null,
  }));
}

export const toExclusionView = (exclusion: ApprovedExclusion): NonNullable<ExclusionStretchView['exclusion']> => ({
  id: exclusion.id,
  reason: exclusion.reason,
  note: exclusion.note,
  requested_by: exclusion.requestedBy,
  requested_at_ms: exclusion.requestedAtMs,
  approved_by: exclusion.approvedBy,
  approved_at_ms: exclusion.approvedAtMs,
});

const byStart =
  <T extends { readonly id: string }>(startOf: (one: T) => number) =>
  (a: T, b: T): number =>
    startOf(a) - startOf(b) || (a.id < b.id ? -1 : 1);

const figuresOf = (view: SlaView): Pick<SlaView, (typeof FIGURES)[number]> =>
  Object.fromEntries(FIGURES.map((field) => [field, view[field]])) as Pick<SlaView, (typeof FIGURES)[number]>;

/** An outage that ended after the period was still open at its end, and what failed later is no part of it yet. */
function untilEnd(downtime: DowntimeView, endMs: number): DowntimeView {
  const later = new Set(downtime.evidence.filter((one) => one.at_ms >= endMs).map((one) => one.check));
  const seen = {
    ...downtime,
    checks: downtime.checks.filter((check) => !later.has(check)),
    evidence: downtime.evidence.filter((one) => one.at_ms < endMs),
  };
  return downtime.to_at_ms !== null && downtime.to_at_ms > endMs ? { ...seen, to_at_ms: null, to_bounds_at_ms: null } : seen;
}

function asOf(violation: Violation, endMs: number): StatementViolation {
  const view = toViolationView(violation);
  const step = violation.figures.steps.findLast(({ at_ms }) => at_ms <= endMs) ?? violation.figures.steps[0];
  return {
    id: view.id,
    kind: view.kind,
    pair: view.pair,
    severity: step?.severity ?? view.severity,
    opened_at_ms: view.opened_at_ms,
    closed_at_ms: view.closed_at_ms !== null && view.closed_at_ms <= endMs ? view.closed_at_ms : null,
    reason: view.reason,
  };
}

function toContractView(contract: ContractVersion): ContractView {
  const { customers: _others, ...terms } = contract.spec;
  return { version: contract.version, effective_from_at_ms: contract.effectiveFromMs, terms };
}

/** An interval that began before the window begins with it, exactly. */
function toInterval(interval: LedgerInterval, window: Span): StatementInterval {
  const bounds = interval.fromMs < window.fromMs ? undefined : interval.fromBounds;
  return {
    from_at_ms: Math.max(interval.fromMs, window.fromMs),
    to_at_ms: Math.min(interval.toMs, window.toMs),
    state: interval.state,
    unknown_reason: interval.unknownReason ?? null,
    from_bounds_at_ms: bounds === undefined ? null : [bounds[0], bounds[1]],
    evidence: (interval.evidence ?? []).map(({ check, atMs, detail }) => ({ check, at_ms: atMs, detail })),
  };
}

/** RFC 8785 bytes of a statement. */
export const statementJson = (statement: Statement): string => canonicalJson(statement as unknown as Json);

/**
 * Of everything that a restatement would be made for. The trend repeats what other statements say, and advice is no figure:
 * a correction of May restates May alone.
 */
export function materialDigest(statement: Statement): string {
  const { trend: _trend, recommendations: _advice, ...material } = statement;
  return digestOf(material);
}
