import { chiSquareUpper } from './distributions.ts';
import { type Numbers, at, sumOf } from './numbers.ts';

export type ChiSquare = { readonly statistic: number; readonly p: number; readonly dof: number };

/**
 * Whether two rows of counts over the same categories come from one distribution: Pearson's chi-square of the 2 × K table, without
 * Yates' correction. Both rows are taken as samples; a test that takes one of them for the truth is wrong a third of the time at equal
 * sizes. Categories that neither has do not count. Assumes expected counts of about five and more.
 */
export function homogeneity(first: Numbers, second: Numbers): ChiSquare & { readonly g: number; readonly gP: number } {
  const [n, m] = [sumOf(first), sumOf(second)];
  let [statistic, g, used] = [0, 0, 0];
  for (let i = 0; i < first.length; i++) {
    const column = at(first, i) + at(second, i);
    if (column === 0) continue;
    used += 1;
    for (const [count, total] of [
      [at(first, i), n],
      [at(second, i), m],
    ] as const) {
      const expected = (column * total) / (n + m);
      if (expected === 0) continue;
      statistic += (count - expected) ** 2 / expected;
      if (count > 0) g += 2 * count * Math.log(count / expected);
    }
  }
  const dof = used - 1;
  if (dof < 1 || n === 0 || m === 0) return { statistic: 0, p: 1, dof: 0, g: 0, gP: 1 };
  return { statistic, p: chiSquareUpper(statistic, dof), dof, g, gP: chiSquareUpper(g, dof) };
}

/** Counts against a known distribution; expected counts are scaled to the same sum. */
export function goodnessOfFit(observed: Numbers, expected: Numbers): ChiSquare {
  const scale = sumOf(observed) / sumOf(expected);
  let statistic = 0;
  for (let i = 0; i < observed.length; i++) {
    const should = at(expected, i) * scale;
    statistic += (at(observed, i) - should) ** 2 / should;
  }
  const dof = observed.length - 1;
  return { statistic, p: chiSquareUpper(statistic, dof), dof };
}

/** Cramér's V of a 2 × K table, 0..1: how strong a dependence is, whatever the number of observations. */
export const cramerV = (statistic: number, observations: number): number => Math.sqrt(statistic / observations);
