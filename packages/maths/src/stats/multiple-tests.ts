import { type Numbers, at } from './numbers.ts';

/**
 * Benjamini–Hochberg: p-values adjusted so that those at most q hold a share of false discoveries of at most q (for independent or
 * positively dependent tests), in the order given. Source: Benjamini & Hochberg 1995.
 */
export function adjustedForDiscovery(p: Numbers): number[] {
  const order = Array.from(p, (value, index) => ({ value, index })).sort((one, other) => other.value - one.value);
  const adjusted = Array.from(p, () => 1);
  let least = 1;
  order.forEach(({ value, index }, k) => {
    least = Math.min(least, (value * p.length) / (p.length - k));
    adjusted[index] = least;
  });
  return adjusted;
}

/** One p-value of several on the same hypothesis, valid whatever their dependence. Source: Bonferroni. */
export const smallestOf = (p: Numbers): number => {
  let least = 1;
  for (let i = 0; i < p.length; i++) least = Math.min(least, at(p, i));
  return Math.min(1, least * p.length);
};
