/**
 * Most measured numbers are short decimals: 0.15, 4096, 12.5. Such a value is an integer over a power of ten, and
 * integers have small differences. A value counts only when dividing gives back the very same double, so nothing is lost
 * (the division of two exactly held numbers is correctly rounded, hence the same everywhere). Idea: VictoriaMetrics'
 * decimals; verification: ALP (SIGMOD 2024).
 */
export const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);

/** Largest mantissa: second differences of such still fit 53 bits as zigzag. */
const MAX_MANTISSA = 2 ** 50;

/** The integer `m` with `m / scale` bitwise equal to `value`, or NaN. Never for -0, NaN and infinities. */
export function mantissaOf(value: number, scale: number): number {
  const mantissa = Math.round(value * scale);
  if (mantissa / scale !== value || mantissa > MAX_MANTISSA || mantissa < -MAX_MANTISSA) return Number.NaN;
  // -0 equals 0 but has other bits.
  if (mantissa === 0 && Object.is(value, -0)) return Number.NaN;
  return mantissa;
}

/** The smallest exponent in `[from, to]` with which `value` is a decimal, or -1. */
export function exponentOf(value: number, from: number, to: number): number {
  for (let exponent = from; exponent <= to; exponent++) {
    const mantissa = mantissaOf(value, POWERS_OF_TEN[exponent] ?? 1);
    if (mantissa === mantissa) return exponent;
  }
  return -1;
}

/**
 * The integer `n` with which `before + n / scale` is bitwise `value`, or NaN. For sums that began with a number that is no
 * decimal and grow by decimals, as accumulators in floating point do.
 */
export function stepOf(before: number, value: number, scale: number): number {
  const step = Math.round((value - before) * scale);
  if (before + step / scale !== value || step > MAX_MANTISSA || step < -MAX_MANTISSA) return Number.NaN;
  // -0 equals 0 but has other bits.
  return value === 0 ? Number.NaN : step;
}

/** `step` as in `stepOf` and how many units in the last place `value` is away from `before + step / scale`. */
export type StepWithUlps = { readonly step: number; readonly ulps: number };

const sum = new Float64Array(2);
const sumBits = new Uint32Array(sum.buffer);

/**
 * Undefined where no step leads near: for NaN, infinities, zero and a change of sign. For sums in floating point to which
 * more than one decimal was added, each with its own rounding.
 */
export function stepWithUlps(before: number, value: number, scale: number): StepWithUlps | undefined {
  const step = Math.round((value - before) * scale);
  if (!(step <= MAX_MANTISSA && step >= -MAX_MANTISSA) || value === 0) return undefined;
  sum[0] = before + step / scale;
  sum[1] = value;
  if (sum[0] * value <= 0) return undefined;
  const ulps = ((sumBits[3] ?? 0) - (sumBits[1] ?? 0)) * 2 ** 32 + ((sumBits[2] ?? 0) - (sumBits[0] ?? 0));
  return { step, ulps };
}

/** Adds a small whole number to the 64 bits of value `index`, taken as one integer. */
export function addUlps(bits: Uint32Array, index: number, ulps: number): void {
  const low = (bits[2 * index] ?? 0) + ulps;
  bits[2 * index] = low;
  bits[2 * index + 1] = (bits[2 * index + 1] ?? 0) + Math.floor(low / 2 ** 32);
}
