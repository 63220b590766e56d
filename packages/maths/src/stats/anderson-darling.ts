import { type Numbers, ascending, at, sumOf } from './numbers.ts';
import { polynomialRegression } from './regression.ts';

export type AndersonDarling = {
  /** Normalised: (A²kN - (k - 1)) / σN, about zero when nothing differs. */
  readonly statistic: number;
  /** Interpolated between the tabulated levels, hence never below 0.001 or above 0.25. */
  readonly p: number;
};

/** Levels of the table, and the polynomials in 1/√(k - 1) that give the critical value of each. Source: Scholz & Stephens 1987, table 2. */
const LEVELS = [0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001] as const;
const CRITICAL = {
  constant: [0.675, 1.281, 1.645, 1.96, 2.326, 2.573, 3.085],
  root: [-0.245, 0.25, 0.678, 1.149, 1.822, 2.364, 3.615],
  inverse: [-0.105, -0.305, -0.362, -0.391, -0.396, -0.345, -0.154],
} as const;

/**
 * Whether k samples come from one distribution, with more weight on the tails than Kolmogorov and Smirnov give them. Midranks where
 * values are equal. Finite values; two samples or more, none empty, four values or more in all and not all equal (else the statistic
 * is 0 and p is 0.25). Source: Scholz & Stephens 1987, eq. 7.
 */
export function andersonDarling(samples: readonly Numbers[]): AndersonDarling {
  const sorted = samples.map(ascending);
  const pooled = ascending(sorted.flatMap((sample) => Array.from(sample)));
  const total = pooled.length;
  if (samples.length < 2 || sorted.some(({ length }) => length === 0) || total < 4 || at(pooled, 0) === at(pooled, total - 1))
    return { statistic: 0, p: 0.25 };
  const statistic = (squaredDistance(sorted, pooled) - (samples.length - 1)) / Math.sqrt(varianceOfDistance(sorted, total));
  return { statistic, p: interpolated(statistic, samples.length - 1) };
}

/** A²kN. */
function squaredDistance(sorted: readonly Float64Array[], pooled: Float64Array): number {
  const total = pooled.length;
  const places = sorted.map(() => 0);
  const sums = sorted.map(() => 0);
  for (let i = 0; i < total; ) {
    const value = at(pooled, i);
    const start = i;
    while (i < total && at(pooled, i) === value) i += 1;
    const tied = i - start;
    const middle = start + tied / 2;
    const weight = middle * (total - middle) - (total * tied) / 4;
    sorted.forEach((sample, k) => {
      const before = at(places, k);
      let after = before;
      while (after < sample.length && at(sample, after) === value) after += 1;
      places[k] = after;
      const gap = total * ((before + after) / 2) - middle * sample.length;
      if (weight > 0) sums[k] = at(sums, k) + ((tied / total) * gap * gap) / weight;
    });
  }
  return (
    ((total - 1) / total) *
    sumOf(
      sums.map(
        (sum, k) =>
          sum /
          at(
            sorted.map(({ length }) => length),
            k,
          ),
      ),
    )
  );
}

/** Of A²kN when nothing differs. Source: Scholz & Stephens 1987, eq. 4. */
function varianceOfDistance(sorted: readonly Float64Array[], n: number): number {
  const k = sorted.length;
  const inverse = sumOf(sorted.map(({ length }) => 1 / length));
  let [h, g, partial] = [1, 0, 0];
  for (let i = 2; i < n; i++) {
    partial += 1 / (n - i + 1);
    g += partial / i;
  }
  h += partial;
  const a = (4 * g - 6) * (k - 1) + (10 - 6 * g) * inverse;
  const b = (2 * g - 4) * k * k + 8 * h * k + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6;
  const c = (6 * h + 2 * g - 2) * k * k + (4 * h - 4 * g + 6) * k + (2 * h - 6) * inverse + 4 * h;
  const d = (2 * h + 6) * k * k - 4 * h * k;
  return (((a * n + b) * n + c) * n + d) / ((n - 1) * (n - 2) * (n - 3));
}

/** By a parabola through the logarithms of the levels. */
function interpolated(statistic: number, m: number): number {
  const critical = LEVELS.map((_, i) => at(CRITICAL.constant, i) + at(CRITICAL.root, i) / Math.sqrt(m) + at(CRITICAL.inverse, i) / m);
  const [low = 0, high = 0] = [critical[0], critical.at(-1)];
  if (statistic <= low) return LEVELS[0];
  if (statistic >= high) return LEVELS[6];
  const fit = polynomialRegression(critical, LEVELS.map(Math.log), 2);
  if (!fit.ok) return LEVELS[0];
  const [c0 = 0, c1 = 0, c2 = 0] = fit.value.coefficients;
  return Math.min(LEVELS[0], Math.max(LEVELS[6], Math.exp(c0 + statistic * (c1 + statistic * c2))));
}
