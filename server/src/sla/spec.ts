import { type Decimal, parseRatio } from '@nines/base/decimal.ts';
import { invariant } from '@nines/base/errors.ts';
import { type Result, ok } from '@nines/base/result.ts';
import { type Ms, ms } from '@nines/base/units.ts';
import { type BurnPair, burnPairs } from '@nines/maths/slo/burn.ts';
import type { Condition, Reducer, WhileDown } from '@nines/maths/slo/slices.ts';
import type { UnknownPolicy } from '@nines/maths/slo/types.ts';

/**
 * The terms of a contract in their stored form: plain JSON, snake case, ratios as exact decimals in text. What is printed in
 * a statement is this, and a version is a new one of these.
 */
export type SlaSpec = {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly indicator: AvailabilitySpec | ThresholdSpec;
  /** `0.999`. */
  readonly target: string;
  readonly window: { readonly rolling_ms: number };
  readonly interval_ms: number;
  readonly unknown: { readonly kind: 'exclude' | 'down' | 'up' } | { readonly kind: 'carry_forward'; readonly max_gap_ms: number };
  readonly max_unknown: string;
  /** Whom it is promised to; absent when nobody is named. */
  readonly customers?: readonly Customer[];
  /** What is owed when it is not kept; absent when nothing is. */
  readonly credits?: CreditSpec;
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

export type AvailabilitySpec = { readonly kind: 'availability'; readonly degraded_weight: string | null };

export type ThresholdSpec = {
  readonly kind: 'threshold';
  readonly query: string;
  readonly condition: Condition;
  readonly threshold: number;
  readonly unit: string;
  readonly slice_ms: number;
  readonly reduce: Reducer;
  readonly while_down: WhileDown;
};

/** The same terms, ready to reckon with. */
export type SlaTerms = {
  readonly spec: SlaSpec;
  readonly target: Decimal;
  readonly maxUnknown: Decimal;
  readonly unknown: UnknownPolicy;
  readonly degradedWeight: Decimal | undefined;
  readonly windowMs: Ms;
  readonly pairs: readonly BurnPair[];
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

/** Crashes on a spec that did not come through the declaration's schema. */
export function termsOf(spec: SlaSpec): SlaTerms {
  const target = ratioOf(spec.target);
  const unknown: UnknownPolicy =
    spec.unknown.kind === 'carry_forward' ? { kind: 'carry_forward', maxGapMs: ms(spec.unknown.max_gap_ms) } : { kind: spec.unknown.kind };
  const weight = spec.indicator.kind === 'availability' ? spec.indicator.degraded_weight : null;
  return {
    spec,
    target,
    maxUnknown: ratioOf(spec.max_unknown),
    unknown,
    degradedWeight: weight === null ? undefined : ratioOf(weight),
    windowMs: ms(spec.window.rolling_ms),
    pairs: burnPairs(spec.window.rolling_ms, target, spec.interval_ms).pairs,
    lookbackMs: unknown.kind === 'carry_forward' ? unknown.maxGapMs : 0,
  };
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
