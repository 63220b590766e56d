import { erfc, incompleteBeta, incompleteGamma, logBeta, logChoose } from './special.ts';

/**
 * Distribution functions, accurate in the tails: an upper tail is its own function, not one minus the lower.
 * Probabilities in 0..1, degrees of freedom > 0 and not necessarily integers.
 */

/** P(Z <= z) of a standard normal. */
export const normalCdf = (z: number): number => 0.5 * erfc(-z / Math.SQRT2);
/** P(Z > z). */
export const normalUpper = (z: number): number => 0.5 * erfc(z / Math.SQRT2);
/** P(|Z| >= |z|). */
export const normalTwoSided = (z: number): number => erfc(Math.abs(z) / Math.SQRT2);

/** P(X > x) of a chi-square with `dof` degrees of freedom. */
export const chiSquareUpper = (x: number, dof: number): number => incompleteGamma(dof / 2, x / 2).upper;
export const chiSquareCdf = (x: number, dof: number): number => incompleteGamma(dof / 2, x / 2).lower;

/** P(|T| >= |t|) of Student's t. */
export function tTwoSided(t: number, dof: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? Number.NaN : 0;
  const square = t * t;
  return incompleteBeta({ a: dof / 2, b: 0.5 }, dof / (dof + square), square / (dof + square)).lower;
}
/** P(T > t). */
export const tUpper = (t: number, dof: number): number => (t >= 0 ? tTwoSided(t, dof) / 2 : 1 - tTwoSided(t, dof) / 2);
export const tCdf = (t: number, dof: number): number => tUpper(-t, dof);

/** P(F > f) of Fisher's F. */
export function fUpper(f: number, dof1: number, dof2: number): number {
  if (f <= 0) return 1;
  const sum = dof2 + dof1 * f;
  return incompleteBeta({ a: dof2 / 2, b: dof1 / 2 }, dof2 / sum, (dof1 * f) / sum).lower;
}

/** The z with P(Z <= z) = p; infinite at 0 and 1. Source: Wichura 1988, AS 241 (PPND16). */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(0.180625 - q * q, CENTRAL);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  return Math.sign(q) * (r <= 5 ? ratio(r - 1.6, MIDDLE) : ratio(r - 5, FAR));
}

type Ratio = { readonly over: readonly number[]; readonly under: readonly number[] };
const polynomial = (x: number, coefficients: readonly number[]): number => coefficients.reduceRight((sum, one) => sum * x + one, 0);
const ratio = (x: number, { over, under }: Ratio): number => polynomial(x, over) / polynomial(x, under);
const CENTRAL: Ratio = {
  over: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813,
    2509.0809287301227,
  ],
  under: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
    5226.495278852854,
  ],
};
const MIDDLE: Ratio = {
  over: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
    0.022723844989269184, 0.0007745450142783414,
  ],
  under: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345,
    1.0507500716444169e-9,
  ],
};
const FAR: Ratio = {
  over: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124, 0.0012426609473880784,
    0.000027115555687434876, 2.0103343992922881e-7,
  ],
  under: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 0.000018463183175100548, 1.421511758316446e-7,
    2.0442631033899397e-15,
  ],
};

/** The x in `[low, high]` where a falling function crosses `level`. */
function solveFalling(falling: (x: number) => number, level: number, [from, to]: readonly [number, number]): number {
  let [low, high] = [from, to];
  while (falling(high) > level && high < 1e300) [low, high] = [high, high * 2];
  for (let i = 0; i < 200 && high - low > 2e-16 * Math.abs(high); i++) {
    const middle = (low + high) / 2;
    if (falling(middle) > level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * The t with P(|T| >= t) = `twoSided`: 0.05 gives the half-width of a 95 % interval in standard errors. Newton's method: on the
 * probability where it is convex, on the logarithms of both where it falls as a power; neither can miss from where it starts.
 */
export function tHalfWidth(twoSided: number, dof: number): number {
  if (!(twoSided > 0 && twoSided < 1)) return twoSided >= 1 ? 0 : Number.POSITIVE_INFINITY;
  const scale = Math.exp(-logBeta(0.5, dof / 2)) / Math.sqrt(dof);
  const density = (t: number): number => scale * Math.exp((-(dof + 1) / 2) * Math.log1p((t * t) / dof));
  let t = twoSided > 0.5 ? 0 : -normalQuantile(twoSided / 2);
  for (let i = 0; i < NEWTON_STEPS; i++) {
    const p = tTwoSided(t, dof);
    const slope = 2 * density(t);
    const next = twoSided > 0.5 ? t + (p - twoSided) / slope : t * Math.exp((p * Math.log(p / twoSided)) / (slope * t));
    if (!Number.isFinite(next)) break;
    // The error is squared with each step: what is left is below the last digit.
    if (Math.abs(next - t) <= 1e-9 * next) return next;
    t = next;
  }
  return solveFalling((x) => tTwoSided(x, dof), twoSided, [0, 2]);
}

/** Far more than are needed; whoever has not arrived then is halved there. */
const NEWTON_STEPS = 40;
/** The x with P(X > x) = `upper` of a chi-square. */
export const chiSquareQuantile = (upper: number, dof: number): number => solveFalling((x) => chiSquareUpper(x, dof), upper, [0, dof + 1]);

/** P(K > x) of Kolmogorov's limiting distribution. Source: Kolmogorov 1933; the two theta series, each where it converges at once. */
export function kolmogorovUpper(x: number): number {
  if (x <= 0) return 1;
  if (x < 0.8) {
    let sum = 0;
    for (let k = 1; k <= 20; k++) sum += Math.exp((-((2 * k - 1) ** 2) * Math.PI ** 2) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  let sum = 0;
  for (let k = 1; k <= 20; k++) sum += (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, 2 * sum);
}

/** P(Dn+ > d) of the one-sided one-sample statistic, all terms positive. Source: Birnbaum & Tingey 1951. */
function smirnovUpper(n: number, d: number): number {
  let sum = (1 - d) ** n;
  for (let j = 1; j <= Math.floor(n * (1 - d)); j++) {
    const rest = 1 - d - j / n;
    if (rest <= 0) break;
    sum += d * Math.exp(logChoose(n, j) + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log(rest));
  }
  return Math.min(1, sum);
}

/** From here on twice the one-sided tail equals the two-sided one to all digits. Source: Miller 1956; Simard & L'Ecuyer 2011. */
const MILLER_FROM = 4;
/** Sample sizes up to which the distribution is computed exactly. */
const EXACT_UP_TO = 1_000;

/**
 * P(Dn >= d) of the two-sided one-sample statistic with n observations: exact (Durbin's matrix as in Marsaglia, Tsang & Wang 2003)
 * up to n = 1000, above it Kolmogorov's limit with Vrbik's 2018 correction (error below 1e-5).
 */
export function kolmogorovSampleUpper(n: number, d: number): number {
  if (d <= 0.5 / n) return 1;
  if (d >= 1) return 0;
  if (n * d * d >= MILLER_FROM || d >= 0.5) return Math.min(1, 2 * smirnovUpper(n, d));
  if (n <= EXACT_UP_TO) return Math.min(1, Math.max(0, 1 - durbin(n, d)));
  const root = Math.sqrt(n) * d;
  return kolmogorovUpper(root + 1 / (6 * Math.sqrt(n)) + (root - 1) / (4 * n));
}

/** P(Dn < d). */
function durbin(n: number, d: number): number {
  const k = Math.ceil(n * d);
  const size = 2 * k - 1;
  const h = k - n * d;
  const base = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      let value = i - j + 1 < 0 ? 0 : 1;
      if (j === 0) value -= h ** (i + 1);
      if (i === size - 1) value -= h ** (size - j);
      if (i === size - 1 && j === 0) value += Math.max(0, 2 * h - 1) ** size;
      let divided = value;
      for (let g = 2; g <= i - j + 1; g++) divided /= g;
      base[i * size + j] = divided;
    }
  const raised = power(base, size, n);
  let exponent = raised.exponent;
  let result = raised.matrix[(k - 1) * size + k - 1] as number;
  for (let i = 1; i <= n; i++) {
    result = (result * i) / n;
    if (result < 1e-140) {
      result *= 1e140;
      exponent -= 140;
    }
  }
  return result * 10 ** exponent;
}

type Scaled = { readonly matrix: Float64Array; readonly exponent: number };

/** A square matrix to an integer power, times ten to the exponent. */
function power(base: Float64Array, size: number, n: number): Scaled {
  let result: Scaled | undefined;
  let square: Scaled = { matrix: base, exponent: 0 };
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = result === undefined ? square : product(result, square, size);
    if (left > 1) square = product(square, square, size);
  }
  return result ?? square;
}

function product(a: Scaled, b: Scaled, size: number): Scaled {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++) {
      const factor = a.matrix[i * size + k] as number;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) matrix[i * size + j] = (matrix[i * size + j] as number) + factor * (b.matrix[k * size + j] as number);
    }
  const exponent = a.exponent + b.exponent;
  const middle = (size >> 1) * size + (size >> 1);
  if ((matrix[middle] as number) > 1e140) return { matrix: matrix.map((value) => value * 1e-140), exponent: exponent + 140 };
  return { matrix, exponent };
}
