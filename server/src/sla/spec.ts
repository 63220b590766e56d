import type { EdgePolicy } from '@nines/maths/slo/edges.ts';
import { type Decimal, parseRatio } from '@nines/base/decimal.ts';
import { invariant } from '@nines/base/errors.ts';
import { type Result, ok } from '@nines/base/result.ts';
import { DAY_MS, HOUR_MS, type Ms, ms } from '@nines/base/units.ts';
import { parseWallClock } from '@nines/maths/calendar/anchored.ts';
import type { PeriodUnit } from '@nines/maths/calendar/period.ts';
import { type BurnPair, burnPairs } from '@nines/maths/slo/burn.ts';
import type { Condition, Reducer, WhileDown } from '@nines/maths/slo/slices.ts';
import type { BusinessHours } from '@nines/maths/calendar/hours.ts';
import type { MaintenanceTerms } from '@nines/maths/slo/maintenance.ts';
import type { UnknownPolicy } from '@nines/maths/slo/types.ts';
import type { WindowTerms } from '@nines/maths/slo/window.ts';
import type { HoursSpec } from '../platform/config/hours.ts';
import { type MaintenanceTermsSpec, overlayTermsOf } from './overlay-terms.ts';

/**
 * The terms of a contract in their stored form: plain JSON, snake case, ratios as exact decimals in text. What is printed in
 * a statement is this, and a version is a new one of these.
 */
export type SlaSpec = {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly indicator: AvailabilitySpec | SlicedSpec;
  /** `0.999`. */
  readonly target: string;
  readonly window: WindowSpec;
  readonly interval_ms: number;
  readonly unknown: { readonly kind: 'exclude' | 'down' | 'up' } | { readonly kind: 'carry_forward'; readonly max_gap_ms: number };
  readonly max_unknown: string;
  /** Absent: `first_failure`. */
  readonly edges?: EdgePolicy;
  /** The burn pairs that were declared; absent where they come from the window and the target. */
  readonly burn?: readonly BurnPairSpec[];
  /** When it is promised; absent: always. */
  readonly hours?: HoursSpec;
  /** Planned maintenance that is taken out; absent: none is. */
  readonly maintenance?: MaintenanceTermsSpec;
  /** Whom it is promised to; absent when nobody is named. */
  readonly customers?: readonly Customer[];
  /** What is owed when it is not kept; absent when nothing is. */
  readonly credits?: CreditSpec;
};

export type WindowSpec = { readonly rolling_ms: number } | CalendarSpec;
export type CalendarSpec = {
  readonly calendar: PeriodUnit;
  readonly every: number;
  /** IANA. */
  readonly zone: string;
  /** A wall clock of the zone at which one of the periods begins: `1970-01-01T00:00:00`. */
  readonly anchor: string;
};

export type BurnPairSpec = {
  readonly long_ms: number;
  readonly short_ms: number;
  readonly factor: number;
  readonly severity: 'critical' | 'warning';
  /** Its alert is raised when it has burned for so long; absent: at once. */
  readonly after_ms?: number;
};

export type Customer = {
  readonly id: string;
  readonly name: string;
  /** What the customer pays for one period, in the currency of the credits: `1200.00`; null when it is not said. */
  readonly fee: string | null;
};

export type CreditSpec = {
  /** ISO 4217. */
  readonly currency: string;
  readonly tiers: readonly { readonly below: string; readonly credit: string }[];
  /** At most this share of the fee. */
  readonly cap: string;
};

export type AvailabilitySpec = {
  readonly kind: 'availability';
  readonly degraded_weight: string | null;
  /** Promised is not the time up but the mean time to recovery; the target is 1 then. */
  readonly recover_within_ms?: number;
};

/** The mean time to recovery that is promised instead of time up; undefined where it is not. */
export const recoverWithinMs = ({ indicator }: Pick<SlaSpec, 'indicator'>): number | undefined =>
  indicator.kind === 'availability' ? indicator.recover_within_ms : undefined;

/** What is judged in closed slices. A ratio budgets events, the others the time of bad slices. */
export const SLICED_KINDS = ['threshold', 'response_time', 'throughput', 'error_rate', 'ratio', 'composite'] as const;

export type SlicedSpec = {
  readonly kind: (typeof SLICED_KINDS)[number];
  /** PromQL: what is measured, or of counters the one for all events. */
  readonly query: string;
  readonly condition: Condition;
  readonly threshold: number;
  readonly unit: string;
  readonly slice_ms: number;
  readonly reduce: Reducer;
  readonly while_down: WhileDown;
  /** Counters whose rise in a slice is what is judged; absent where the query's values are. */
  readonly counters?: CountersSpec;
  /** Of a ratio of samples: those that meet this are good. */
  readonly samples?: { readonly condition: Condition; readonly threshold: number };
  /** Of a ratio or a composite: every event counts alike, every slice does, or every slice with its share of errors. */
  readonly budgeting?: 'occurrences' | 'timeslices' | 'ratio_timeslices';
  /** Of a composite. */
  readonly parts?: readonly { readonly weight: number; readonly spec: SlicedSpec }[];
};

/** Whether slices keep how much of them was good: events, or milliseconds by their share of errors. */
export const keepsShares = ({ kind, budgeting }: SlicedSpec): boolean =>
  kind === 'ratio' || (kind === 'composite' && budgeting !== 'timeslices');

/** Sums and differences of counter selectors. */
export type CountersSpec = {
  readonly good: string | null;
  readonly bad: string | null;
  readonly total: string;
  /** A slice with fewer events is not bad. */
  readonly min_events: number;
};

/** The same terms, ready to reckon with. */
export type SlaTerms = {
  readonly spec: SlaSpec;
  readonly target: Decimal;
  readonly maxUnknown: Decimal;
  readonly unknown: UnknownPolicy;
  readonly degradedWeight: Decimal | undefined;
  /** Length of the window; of a calendar's the longest that its periods have. */
  readonly windowMs: Ms;
  readonly window: WindowTerms;
  readonly pairs: readonly BurnPair[];
  readonly hours: BusinessHours | undefined;
  readonly maintenance: MaintenanceTerms | undefined;
  /** How far before the window its timeline must reach. */
  readonly lookbackMs: number;
};

/** `99.9%` → `0.999`; `0.999` → `0.999`. Between 0 and 1; trailing zeros are dropped so that equal terms have equal text. */
export function parseRatioText(text: string): Result<string, string> {
  const parsed = parseRatio(text);
  return parsed.ok ? ok(decimalText(parsed.value)) : parsed;
}

/** The denominator is a power of ten. */
export function decimalText({ numerator, denominator }: Pick<Decimal, 'numerator' | 'denominator'>): string {
  const places = String(denominator).length - 1;
  const digits = String(numerator).padStart(places + 1, '0');
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - places);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** `0.999` → `0.001`, of a ratio that was read. */
export function complementText(text: string): string {
  const { numerator, denominator } = ratioOf(text);
  return decimalText({ numerator: denominator - numerator, denominator });
}

/** Crashes on a spec that did not come through the declaration's schema. */
export function termsOf(spec: SlaSpec): SlaTerms {
  const target = ratioOf(spec.target);
  const unknown: UnknownPolicy =
    spec.unknown.kind === 'carry_forward' ? { kind: 'carry_forward', maxGapMs: ms(spec.unknown.max_gap_ms) } : { kind: spec.unknown.kind };
  const weight = spec.indicator.kind === 'availability' ? spec.indicator.degraded_weight : null;
  const pairs = pairsOf(spec, target);
  const windowMs = longestWindowMs(spec.window);
  // An outage that began before the window counts as a whole.
  const outageMs = recoverWithinMs(spec) === undefined ? 0 : DAY_MS;
  const carriedMs = unknown.kind === 'carry_forward' ? unknown.maxGapMs : 0;
  // At the start of a calendar's period the pairs and the forecast look into the one before.
  const reachMs = 'rolling_ms' in spec.window ? 0 : Math.max(HOUR_MS, ...pairs.map(({ longMs }) => longMs));
  return {
    spec,
    target,
    maxUnknown: ratioOf(spec.max_unknown),
    unknown,
    degradedWeight: weight === null ? undefined : ratioOf(weight),
    windowMs: ms(windowMs),
    window: windowTermsOf(spec.window),
    pairs,
    ...overlayTermsOf(spec),
    lookbackMs: Math.max(carriedMs + reachMs, outageMs),
  };
}

/** The length of a window in milliseconds, of a calendar's the longest that its periods have: the clocks may go back once. */
export function longestWindowMs(window: WindowSpec): number {
  return 'rolling_ms' in window ? window.rolling_ms : window.every * LONGEST_DAYS[window.calendar] * DAY_MS + 2 * HOUR_MS;
}

/** Days of a period for burn pairs, which are meant for a window of one length. */
export const nominalWindowMs = (window: WindowSpec): number =>
  'rolling_ms' in window ? window.rolling_ms : window.every * NOMINAL_DAYS[window.calendar] * DAY_MS;

const LONGEST_DAYS: Readonly<Record<PeriodUnit, number>> = { day: 1, week: 7, month: 31, quarter: 92, year: 366 };
const NOMINAL_DAYS: Readonly<Record<PeriodUnit, number>> = { day: 1, week: 7, month: 30, quarter: 91, year: 365 };

function windowTermsOf(window: WindowSpec): WindowTerms {
  if ('rolling_ms' in window) return { kind: 'rolling', lengthMs: window.rolling_ms };
  const { calendar: unit, every, zone, anchor } = window;
  const anchorMs = parseWallClock(anchor);
  invariant(anchorMs.ok, `the anchor of a calendar, found ${anchor}`);
  return { kind: 'calendar', calendar: { unit, every, zone, anchorMs: anchorMs.value } };
}

function pairsOf(spec: SlaSpec, target: Decimal): readonly BurnPair[] {
  if (spec.burn === undefined) return burnPairs(nominalWindowMs(spec.window), target, spec.interval_ms).pairs;
  return spec.burn.map(({ long_ms, short_ms, factor, severity }) => ({ longMs: long_ms, shortMs: short_ms, factor, severity }));
}

/** A ratio of a stored spec. */
export function ratioOf(text: string): Decimal {
  const parsed = parseRatio(text);
  invariant(parsed.ok, `a ratio in exact decimals, found ${text}`);
  return parsed.value;
}

/** The decimals of a currency: 2 for EUR, 0 for JPY. */
export const currencyDigits = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
