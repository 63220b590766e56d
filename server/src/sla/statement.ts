import { canonicalJson, type Json } from '@nines/base/canonical-json.ts';
import { csvText } from '@nines/base/csv.ts';
import { unknownShareOf } from '@nines/maths/slo/status.ts';
import type { LedgerInterval } from '@nines/maths/slo/types.ts';
import type { DowntimeView } from '../availability/contract.ts';
import type { SlaView, ViolationView } from './contract.ts';
import type { SlaEvaluation } from './evaluate.ts';
import type { ContractVersion } from './store.ts';
import { toViolationView } from './view.ts';
import type { Violation } from './violations.ts';

/**
 * A statement: what was promised over a period, what was attained, and everything that decided it. A pure function of its
 * inputs, and its inputs are what was so within the period: what happened after its end does not change a byte. Downtimes and
 * unknown time are listed interval by interval, so that each millisecond of the figures can be found again.
 */
export type Statement = Pick<SlaView, (typeof FIGURES)[number]> & {
  readonly kind: 'nines.sla.statement';
  readonly format: 1;
  readonly period: { readonly from_at_ms: number; readonly to_at_ms: number };
  /** The terms that were applied: those in force at the end of the period. */
  readonly contract: ContractView;
  /** Versions that came into force within the period, so that a change of terms is seen. */
  readonly contract_changes: readonly ContractView[];
  readonly unknown: { readonly ms: number; readonly not_yet_monitored_ms: number; readonly share: number | null };
  readonly timeline: readonly StatementInterval[];
  readonly downtimes: readonly DowntimeView[];
  readonly violations: readonly StatementViolation[];
};

/** A violation as it stood at the end of the period. */
export type StatementViolation = Pick<ViolationView, 'id' | 'kind' | 'pair' | 'severity' | 'opened_at_ms' | 'closed_at_ms' | 'reason'>;

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
  readonly terms: ContractVersion['spec'];
};

export type StatementInterval = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly state: string;
  readonly unknown_reason: string | null;
  readonly from_bounds_at_ms: readonly [number, number] | null;
  readonly evidence: readonly { readonly check: string; readonly at_ms: number; readonly detail: string }[];
};

export type StatementInputs = {
  readonly evaluation: SlaEvaluation;
  readonly view: SlaView;
  readonly contract: ContractVersion;
  readonly versions: readonly ContractVersion[];
  /** Covers the period. */
  readonly intervals: readonly LedgerInterval[];
  readonly downtimes: readonly DowntimeView[];
  /** Those that were open at some time in the period, oldest first. */
  readonly violations: readonly Violation[];
};

export function makeStatement(inputs: StatementInputs): Statement {
  const { evaluation, contract } = inputs;
  const { window, counted } = evaluation;
  const { unknownMs, ofMs } = unknownShareOf(counted);
  const changes = inputs.versions.filter(
    (version) => version.effectiveFromMs > window.fromMs && version.effectiveFromMs < window.toMs && version.version > 1,
  );
  return {
    ...figuresOf(inputs.view),
    kind: 'nines.sla.statement',
    format: 1,
    period: { from_at_ms: window.fromMs, to_at_ms: window.toMs },
    contract: toContractView(contract),
    contract_changes: changes.map(toContractView),
    unknown: {
      ms: counted.buckets.unknownMs,
      not_yet_monitored_ms: counted.notYetMonitoredMs,
      share: ofMs === 0 ? null : unknownMs / ofMs,
    },
    timeline: inputs.intervals
      .filter((interval) => interval.toMs > window.fromMs && interval.fromMs < window.toMs)
      .map((interval) => toInterval(interval, window)),
    downtimes: inputs.downtimes.map((downtime) => untilEnd(downtime, window.toMs)),
    violations: inputs.violations.map((violation) => asOf(violation, window.toMs)),
  };
}

const figuresOf = (view: SlaView): Pick<SlaView, (typeof FIGURES)[number]> =>
  Object.fromEntries(FIGURES.map((field) => [field, view[field]])) as Pick<SlaView, (typeof FIGURES)[number]>;

/** An outage that ended after the period was still open at its end. */
const untilEnd = (downtime: DowntimeView, endMs: number): DowntimeView =>
  downtime.to_at_ms !== null && downtime.to_at_ms > endMs ? { ...downtime, to_at_ms: null, to_bounds_at_ms: null } : downtime;

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

const toContractView = (contract: ContractVersion): ContractView => ({
  version: contract.version,
  effective_from_at_ms: contract.effectiveFromMs,
  terms: contract.spec,
});

function toInterval(interval: LedgerInterval, window: { readonly fromMs: number; readonly toMs: number }): StatementInterval {
  return {
    from_at_ms: Math.max(interval.fromMs, window.fromMs),
    to_at_ms: Math.min(interval.toMs, window.toMs),
    state: interval.state,
    unknown_reason: interval.unknownReason ?? null,
    from_bounds_at_ms: interval.fromBounds === undefined ? null : [interval.fromBounds[0], interval.fromBounds[1]],
    evidence: (interval.evidence ?? []).map(({ check, atMs, detail }) => ({ check, at_ms: atMs, detail })),
  };
}

/** RFC 8785 bytes of a statement. */
export const statementJson = (statement: Statement): string => canonicalJson(statement as unknown as Json);

const COLUMNS = ['from', 'to', 'length_ms', 'state', 'reason', 'earliest_from', 'latest_from', 'evidence'] as const;

/** The statement's timeline as CSV (RFC 4180), one interval per row; the figures are in the JSON and HTML forms. */
export function statementCsv(statement: Statement): string {
  const rows = statement.timeline.map((interval) => [
    new Date(interval.from_at_ms).toISOString(),
    new Date(interval.to_at_ms).toISOString(),
    String(interval.to_at_ms - interval.from_at_ms),
    interval.state,
    interval.unknown_reason ?? '',
    ...(interval.from_bounds_at_ms ?? []).map((at) => new Date(at).toISOString()),
    ...(interval.from_bounds_at_ms === null ? ['', ''] : []),
    interval.evidence.map(({ check, detail }) => `${check}: ${detail}`).join('; '),
  ]);
  return csvText([COLUMNS, ...rows]);
}
