/**
 * SLA contracts: what was promised, whether it was kept, what is left. Projections of the ledger (availability) and of
 * closed slices over samples (threshold). Integer milliseconds, exact decimals; never a float comparison decides a verdict.
 * A violation opens when the status enters breached or a burn pair fires, not at one bad interval. Never touches the ledger.
 */
import type { EpochMs } from '@nines/base/units.ts';
import type { SlaStatus } from '@nines/maths/slo/status.ts';
import type { BucketsView } from '../availability/contract.ts';
import type { Prediction } from './prediction.ts';
import type { CalendarSpec, SlaSpec } from './spec.ts';

export type { SlaExamplesConfig } from './config.ts';
export { slaExamplesConfig, slasConfig } from './config.ts';
export type { SlaSpec, SlaStatus };
export type { ArchivedReportView } from './reports/service.ts';
export type { AccountView, BurnDownView, DayView, SegmentView, TrendView } from './statements/account.ts';
export type { ExclusionView } from './statements/exclusions.ts';
export type { ScheduleView } from './statements/sender.ts';
export type { IssuedView } from './statements/service.ts';
export type { SignedStatement } from './statements/statement.ts';
export type { WhatIfView } from './statements/what-if.ts';
export { writtenSlaOf } from './written.ts';

/** The shape of `GET /api/slas/{id}` (spec http.md). Snake case because it is the wire's. */
export type SlaView = {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly status: SlaStatus;
  readonly status_reason: string;
  readonly target: number;
  readonly attained: number | null;
  readonly window: { readonly from_at_ms: number; readonly to_at_ms: number };
  readonly young: boolean;
  readonly observed_ms: number;
  readonly indicator: SlaSpec['indicator'];
  readonly objective: { readonly op: string; readonly value: number; readonly unit: string; readonly statistic: string | null };
  readonly value: number | null;
  readonly budget: (
    | { readonly unit: 'ms' }
    | { readonly unit: 'events'; readonly total: number; readonly spent: number; readonly remaining: number }
  ) & { readonly total_ms: number; readonly spent_ms: number; readonly remaining_ms: number };
  /** The calendar whose running period is the window, which began with it, and when the period ends; null for a rolling window. */
  readonly calendar: (CalendarSpec & { readonly ends_at_ms: number }) | null;
  readonly buckets: BucketsView;
  /** The attained figure lies within these, both ends inclusive, from the bounds of the ledger's transitions; null when attained is. */
  readonly attained_bounds: readonly [low: number, high: number] | null;
  /** `rate` is the smaller of the pair's two; null before a full long window. `firing` is null when it could not be decided. */
  readonly burn: readonly {
    readonly long_ms: number;
    readonly short_ms: number;
    readonly factor: number;
    readonly severity: 'critical' | 'warning';
    readonly rate: number | null;
    readonly firing: boolean | null;
  }[];
  /** When the budget ends at the present rate (one-hour burn); null when it does not. */
  readonly exhausts_at_ms: number | null;
  /** How likely a breach is; null while nothing was counted. Of one SLA only, not in lists. */
  readonly prediction?: Prediction | null;
  /** How long it must have been watched before there is one; left out where that is not what it lacks. */
  readonly prediction_needs_ms?: number;
  /** What was agreed on, in its stored form. Of one SLA only, not in lists. */
  readonly terms?: SlaSpec;
  readonly violations_open: number;
  /** Whom it is promised to. */
  readonly customers: readonly { readonly id: string; readonly name: string }[];
  readonly contract_version: number;
  readonly unknown_policy: SlaSpec['unknown'];
  /** `ui`, or the place in the configuration file: `nines.yml:12`. */
  readonly origin: string;
};

/** One violation, as `GET /api/slas/{id}/violations` lists them. */
export type ViolationView = {
  readonly id: string;
  readonly sla: string;
  readonly service: string;
  readonly kind: 'budget' | 'burn';
  readonly pair: { readonly long_ms: number; readonly short_ms: number; readonly factor: number } | null;
  readonly severity: 'minor' | 'major' | 'warning' | 'critical';
  readonly opened_at_ms: number;
  readonly closed_at_ms: number | null;
  readonly reason: string;
  /** When it was opened, or when it last became worse. */
  readonly figures: {
    readonly at_ms: number;
    readonly attained: number | null;
    readonly spent_ms: number;
    readonly total_ms: number;
    /** Where the budget is in events. */
    readonly events?: { readonly spent: number; readonly total: number };
    readonly rate: number | null;
    /** Each severity with the instant from which it held. */
    readonly steps: readonly { readonly at_ms: number; readonly severity: string }[];
  };
  readonly contract_version: number;
  /** The alert that this violation raises: its rule and labels. */
  readonly alert: { readonly rule: string; readonly labels: Readonly<Record<string, string>> };
};

/** Stable codes of this domain's refusals. */
export const SLA_CODES = {
  notFound: 'sla_not_found',
  exists: 'sla_exists',
  ownedByFile: 'sla_owned_by_file',
  invalid: 'sla_invalid',
  range: 'range_invalid',
  customer: 'customer_unknown',
  alignment: 'period_not_aligned',
} as const;

export interface Slas {
  list(nowMs: EpochMs): Promise<readonly SlaView[]>;
  get(id: string, nowMs: EpochMs): Promise<SlaView | undefined>;
}
