import { kolmogorovSampleUpper } from './distributions.ts';
import { type Numbers, ascending, at } from './numbers.ts';

export type KolmogorovSmirnov = {
  /** The largest distance between the two empirical distribution functions, 0..1. */
  readonly statistic: number;
  /** Of the hypothesis that both samples come from one distribution, two-sided. */
  readonly p: number;
  readonly method: 'exact' | 'asymptotic';
};

/** Largest n × m for which every path is counted. */
const EXACT_CELLS = 4_000_000;

/**
 * The two-sample Kolmogorov–Smirnov test; finite values, at least one in each. Exact up to n × m = 4 million (with ties it errs on the
 * careful side), beyond that the one-sample law with n m / (n + m) observations. Source: Hodges 1958.
 */
export function kolmogorovSmirnov(first: Numbers, second: Numbers): KolmogorovSmirnov {
  const [a, b] = [ascending(first), ascending(second)];
  const [n, m] = [a.length, b.length];
  let [i, j, widest] = [0, 0, 0];
  while (i < n && j < m) {
    const value = Math.min(at(a, i), at(b, j));
    while (i < n && at(a, i) === value) i += 1;
    while (j < m && at(b, j) === value) j += 1;
    widest = Math.max(widest, Math.abs(i * m - j * n));
  }
  const statistic = widest / (n * m);
  if (n * m <= EXACT_CELLS) return { statistic, p: outside(n, m, widest), method: 'exact' };
  return { statistic, p: kolmogorovSampleUpper(Math.round((n * m) / (n + m)), statistic), method: 'asymptotic' };
}

/**
 * The share of the lattice paths from (0, 0) to (n, m) that reach a point with |i m - j n| >= `reach`. Each cell holds the share of
 * the paths to it; the last step of a random path to (i, j) is along i with chance i / (i + j). Sums of positive terms only.
 */
function outside(n: number, m: number, reach: number): number {
  if (reach <= 0) return 1;
  const row = new Float64Array(m + 1);
  for (let j = 0; j <= m; j++) row[j] = j * n >= reach ? 1 : 0;
  for (let i = 1; i <= n; i++) {
    row[0] = i * m >= reach ? 1 : 0;
    for (let j = 1; j <= m; j++) row[j] = Math.abs(i * m - j * n) >= reach ? 1 : (i * at(row, j) + j * at(row, j - 1)) / (i + j);
  }
  return Math.min(1, at(row, m));
}
