/**
 * The special functions that the distributions are made of. Relative error below 1e-12, in the tails too: both tails are computed
 * directly, never as one minus the other. With a parameter of a million it grows to 1e-10.
 */

const HALF_LOG_2PI = 0.9189385332046727;
const MAX_STEPS = 100_000;
const EPSILON = 2 ** -53;
/** Divisor floor of Lentz's method. */
const TINY = 1e-300;

/** ln Γ(x) - ((x - 1/2) ln x - x + ln √(2π)) for x >= 10. Source: Abramowitz & Stegun 6.1.41. */
function stirlingRest(x: number): number {
  const r = 1 / (x * x);
  const series = 1 / 12 + r * (-1 / 360 + r * (1 / 1260 + r * (-1 / 1680 + r * (1 / 1188 + r * (-691 / 360_360 + r / 156)))));
  return series / x;
}

/** Γ(x) for 0 < x < 171. */
export function gamma(x: number): number {
  let [shift, product] = [x, 1];
  while (shift < 10) {
    product *= shift;
    shift += 1;
  }
  return Math.exp((shift - 0.5) * Math.log(shift) - shift + HALF_LOG_2PI + stirlingRest(shift)) / product;
}

/** ln Γ(x) for x > 0; absolute error 1e-15 around its zeros 1 and 2. */
export function logGamma(x: number): number {
  if (x < 10) return Math.log(gamma(x));
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_2PI + stirlingRest(x);
}

/** ln B(a, b), a and b > 0, without the cancellation of three logarithms. Source: the split of R's lbeta (Fullerton 1977). */
export function logBeta(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  const sum = small + large;
  if (small >= 10) {
    const rest = stirlingRest(small) + stirlingRest(large) - stirlingRest(sum);
    const logs = (small - 0.5) * Math.log(small / sum) + large * Math.log1p(-small / sum);
    return -0.5 * Math.log(large) + HALF_LOG_2PI + rest + logs;
  }
  if (large >= 10) {
    const rest = stirlingRest(large) - stirlingRest(sum);
    return logGamma(small) + rest + small - small * Math.log(sum) + (large - 0.5) * Math.log1p(-small / sum);
  }
  return Math.log((gamma(small) * gamma(large)) / gamma(sum));
}

/** ln C(n, k) of integers 0 <= k <= n. */
export const logChoose = (n: number, k: number): number => -Math.log1p(n) - logBeta(n - k + 1, k + 1);

/** x^a e^-x / Γ(a). */
function gammaFront(a: number, x: number): number {
  if (a < 10) return Math.exp(a * Math.log(x) - x) / gamma(a);
  const off = (x - a) / a;
  return Math.sqrt(a / (2 * Math.PI)) * Math.exp(a * (Math.log1p(off) - off) - stirlingRest(a));
}

/**
 * Both regularised incomplete gamma functions, P(a, x) and Q(a, x) = 1 - P; a > 0, x >= 0. The smaller one is exact.
 * Source: series and continued fraction of Abramowitz & Stegun 6.5.29 and 6.5.31.
 */
export function incompleteGamma(a: number, x: number): { readonly lower: number; readonly upper: number } {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (x === Number.POSITIVE_INFINITY) return { lower: 1, upper: 0 };
  const front = gammaFront(a, x);
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < MAX_STEPS && term > sum * EPSILON; n++) {
      term *= x / (a + n);
      sum += term;
    }
    const lower = Math.min(1, front * sum);
    return { lower, upper: 1 - lower };
  }
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < MAX_STEPS; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / nonZero(an * d + b);
    c = nonZero(b + an / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) <= 2 * EPSILON) break;
  }
  const upper = Math.min(1, front * fraction);
  return { lower: 1 - upper, upper };
}

const nonZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);

/** Lentz's continued fraction of the incomplete beta function. Source: Abramowitz & Stegun 26.5.8. */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < MAX_STEPS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) <= 2 * EPSILON) break;
  }
  return fraction;
}

/**
 * Both regularised incomplete beta functions, I_x(a, b) and its complement; a and b > 0. `y` is 1 - x: who knows it better than by
 * subtraction passes it. The smaller one is exact.
 */
export function incompleteBeta(
  shape: { readonly a: number; readonly b: number },
  x: number,
  y: number = 1 - x,
): { readonly lower: number; readonly upper: number } {
  const { a, b } = shape;
  if (x <= 0) return { lower: 0, upper: 1 };
  if (y <= 0) return { lower: 1, upper: 0 };
  const logX = x > 0.5 ? Math.log1p(-y) : Math.log(x);
  const logY = y > 0.5 ? Math.log1p(-x) : Math.log(y);
  const front = Math.exp(a * logX + b * logY - logBeta(a, b));
  if (x < (a + 1) / (a + b + 2)) {
    const lower = Math.min(1, (front / a) * betaFraction(a, b, x));
    return { lower, upper: 1 - lower };
  }
  const upper = Math.min(1, (front / b) * betaFraction(b, a, y));
  return { lower: 1 - upper, upper };
}

/** 1 - erf(x). */
export function erfc(x: number): number {
  const { lower, upper } = incompleteGamma(0.5, x * x);
  return x >= 0 ? upper : 1 + lower;
}

/** The error function. */
export function erf(x: number): number {
  return Math.sign(x) * incompleteGamma(0.5, x * x).lower;
}
