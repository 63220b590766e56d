import { type ExactRatio, complementOf } from './exact.ts';
import type { Tally } from './tally.ts';

/** A pair fires while the burn rate over both windows is above `factor`. */
export type BurnPair = {
  readonly longMs: number;
  readonly shortMs: number;
  readonly factor: number;
  readonly severity: 'critical' | 'warning';
};

/** What a pair shows now. `rate` is the smaller of the two windows' rates. `firing` is null when it could not be decided. */
export type BurnReading = BurnPair & { readonly rate: number | null; readonly firing: boolean | null };

const SHAPE_WINDOW_MS = 28 * 86_400_000;
/**
 * The pairs of a 28-day window, which scale with the window so that each stands for the same share of its budget (2 % in
 * an hour, 25 % in a quarter day and so on). Scaling the factors instead would alert inside the budget on short windows.
 * Source: Pyrra, slo/rules.go.
 */
const SHAPE: readonly BurnPair[] = [
  { longMs: 3_600_000, shortMs: 300_000, factor: 14, severity: 'critical' },
  { longMs: 6 * 3_600_000, shortMs: 1_800_000, factor: 7, severity: 'critical' },
  { longMs: 86_400_000, shortMs: 7_200_000, factor: 2, severity: 'warning' },
  { longMs: 4 * 86_400_000, shortMs: 6 * 3_600_000, factor: 1, severity: 'warning' },
];

/** Why a pair of the table is not watched. */
export type DroppedPair = { readonly pair: BurnPair; readonly reason: 'shorter_than_two_evaluations' | 'factor_out_of_reach' };

/**
 * The pairs of an objective. Left out are those whose short window is shorter than two evaluation intervals (one reading
 * would be the whole window) and those whose factor a total outage cannot exceed: the rate never passes 1 / (1 − target).
 */
export function burnPairs(
  windowMs: number,
  target: ExactRatio,
  evaluationMs: number,
): { readonly pairs: readonly BurnPair[]; readonly dropped: readonly DroppedPair[] } {
  const pairs: BurnPair[] = [];
  const dropped: DroppedPair[] = [];
  for (const shape of SHAPE) {
    const pair = { ...shape, longMs: scaled(shape.longMs, windowMs), shortMs: scaled(shape.shortMs, windowMs) };
    if (!isReachable(pair.factor, target)) dropped.push({ pair, reason: 'factor_out_of_reach' });
    else if (pair.shortMs < 2 * evaluationMs) dropped.push({ pair, reason: 'shorter_than_two_evaluations' });
    else pairs.push(pair);
  }
  return { pairs, dropped };
}

/** Factors have at most so many decimals, so that they are compared in integers. */
const FACTOR_SCALE = 1_000_000;
const scaledFactor = (factor: number): bigint => BigInt(Math.round(factor * FACTOR_SCALE));

/** Whether a total outage burns faster than `factor`. */
export function isReachable(factor: number, target: ExactRatio): boolean {
  const allowed = complementOf(target);
  return allowed.numerator > 0n && scaledFactor(factor) * allowed.numerator < allowed.denominator * BigInt(FACTOR_SCALE);
}

const scaled = (lengthMs: number, windowMs: number): number => Number((BigInt(lengthMs) * BigInt(windowMs)) / BigInt(SHAPE_WINDOW_MS));

type Counted = Pick<Tally, 'goodMs' | 'badMs'>;

/** Bad share over allowed share; null when nothing was counted. */
export function burnRate(counted: Counted, target: ExactRatio): number | null {
  const whole = counted.goodMs + counted.badMs;
  if (whole === 0) return null;
  const allowed = complementOf(target);
  if (allowed.numerator === 0n) return counted.badMs === 0 ? 0 : Number.POSITIVE_INFINITY;
  return Number(BigInt(counted.badMs) * allowed.denominator) / Number(BigInt(whole) * allowed.numerator);
}

/** Whether the rate is above `factor`, compared in integers. */
export function burnsAbove(counted: Counted, target: ExactRatio, factor: number): boolean {
  const allowed = complementOf(target);
  const whole = BigInt(counted.goodMs + counted.badMs);
  return BigInt(counted.badMs) * allowed.denominator * BigInt(FACTOR_SCALE) > scaledFactor(factor) * whole * allowed.numerator;
}

/**
 * Reads a pair from the tallies of its two windows. Before a full long window was observed there is no reading: half a window
 * of data would judge the first minutes of a service as if they were all of it.
 */
export function readPair(
  pair: BurnPair,
  target: ExactRatio,
  seen: { readonly long: Counted; readonly short: Counted; readonly observedMs: number },
): BurnReading {
  const long = burnRate(seen.long, target);
  const short = burnRate(seen.short, target);
  if (seen.observedMs < pair.longMs || long === null || short === null) return { ...pair, rate: null, firing: null };
  return {
    ...pair,
    rate: Math.min(long, short),
    firing: burnsAbove(seen.long, target, pair.factor) && burnsAbove(seen.short, target, pair.factor),
  };
}
