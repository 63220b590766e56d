/** The middle and the spread of values of which some may be wrong. NaN of no values. */
export function medianOf(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Of a normal distribution the median distance from the median is this part of the standard deviation. */
const NORMAL = 1.4826;

/** The standard deviation of a normal distribution with the same median distance from `middle`. */
export const spreadOf = (values: readonly number[], middle: number): number =>
  NORMAL * medianOf(values.map((value) => Math.abs(value - middle)));
