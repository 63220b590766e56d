import { type Numbers, at } from './numbers.ts';

/** What least squares gives for a design with p columns. */
export type LeastSquares = {
  /** p. */
  readonly coefficients: Float64Array;
  /** p rows of p: the inverse of R, so that the covariance of the coefficients is s² R⁻¹ R⁻ᵀ. */
  readonly inverse: readonly Float64Array[];
  /** Sum of squared residuals. */
  readonly residualSquares: number;
  /** Largest over smallest singular value of the design with columns of length one. */
  readonly condition: number;
};

/** Columns closer to each other than this are one: p columns then do not span p dimensions. */
const RANK_TOLERANCE = 1e-14;

/**
 * Minimises |Xb - y| by Householder QR; never forms XᵀX, which would lose half of the digits. `columns` are the p columns of X, n
 * long each, n >= p. Undefined when the columns are not independent. Source: Golub & Van Loan, 5.2 and 5.3.
 */
export function leastSquares(columns: readonly Numbers[], y: Numbers): LeastSquares | undefined {
  const lengths = columns.map(lengthOf);
  if (lengths.some((length) => !(length > 0) || !Number.isFinite(length))) return undefined;
  const work = columns.map((column, j) => Float64Array.from(column, (value) => value / at(lengths, j)));
  const right = Float64Array.from(y);
  const diagonal = factor(work, right);
  const p = columns.length;
  if (diagonal.some((value) => Math.abs(value) < RANK_TOLERANCE)) return undefined;
  const upper = (i: number, j: number): number => (i === j ? at(diagonal, i) : at(work[j] as Float64Array, i));
  const inverse = invertUpper(upper, p);
  const coefficients = new Float64Array(p);
  for (let i = p - 1; i >= 0; i--) {
    let sum = at(right, i);
    for (let j = i + 1; j < p; j++) sum -= upper(i, j) * at(coefficients, j);
    coefficients[i] = sum / upper(i, i);
  }
  let residualSquares = 0;
  for (let i = p; i < right.length; i++) residualSquares += at(right, i) ** 2;
  const condition = conditionOf(upper, p);
  inverse.forEach((row, i) => row.forEach((value, j) => (row[j] = value / at(lengths, i))));
  return { coefficients: coefficients.map((value, j) => value / at(lengths, j)), inverse, residualSquares, condition };
}

function lengthOf(column: Numbers): number {
  let largest = 0;
  for (let i = 0; i < column.length; i++) largest = Math.max(largest, Math.abs(at(column, i)));
  if (!(largest > 0)) return largest;
  let sum = 0;
  for (let i = 0; i < column.length; i++) sum += (at(column, i) / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** Factors in place: above the diagonal R, its diagonal is returned, `right` becomes Qᵀ right. */
function factor(work: readonly Float64Array[], right: Float64Array): Float64Array {
  const diagonal = new Float64Array(work.length);
  work.forEach((column, k) => {
    let squares = 0;
    for (let i = k; i < column.length; i++) squares += at(column, i) ** 2;
    const length = Math.sqrt(squares);
    const lead = at(column, k);
    diagonal[k] = lead > 0 ? -length : length;
    if (length === 0) return;
    column[k] = lead - at(diagonal, k);
    const half = squares - lead * at(diagonal, k);
    for (let j = k + 1; j < work.length; j++) reflect(column, work[j] as Float64Array, k, half);
    reflect(column, right, k, half);
  });
  return diagonal;
}

function reflect(mirror: Float64Array, target: Float64Array, from: number, half: number): void {
  let dot = 0;
  for (let i = from; i < target.length; i++) dot += at(mirror, i) * at(target, i);
  const factorOf = dot / half;
  for (let i = from; i < target.length; i++) target[i] = at(target, i) - factorOf * at(mirror, i);
}

type Upper = (i: number, j: number) => number;

function invertUpper(upper: Upper, p: number): Float64Array[] {
  const inverse = Array.from({ length: p }, () => new Float64Array(p));
  for (let j = 0; j < p; j++)
    for (let i = j; i >= 0; i--) {
      let sum = i === j ? 1 : 0;
      for (let k = i + 1; k <= j; k++) sum -= upper(i, k) * at(inverse[k] as Float64Array, j);
      (inverse[i] as Float64Array)[j] = sum / upper(i, i);
    }
  return inverse;
}

/** By one-sided Jacobi rotations, which find small singular values to their own digits. Source: Demmel & Veselić 1992. */
function conditionOf(upper: Upper, p: number): number {
  const columns = Array.from({ length: p }, (_, j) => Float64Array.from({ length: p }, (__, i) => (i <= j ? upper(i, j) : 0)));
  for (let sweep = 0; sweep < 30; sweep++) {
    let largest = 0;
    for (let i = 0; i < p; i++)
      for (let j = i + 1; j < p; j++) largest = Math.max(largest, rotate(columns[i] as Float64Array, columns[j] as Float64Array));
    if (largest < 1e-12) break;
  }
  const values = columns.map(lengthOf);
  return Math.max(...values) / Math.min(...values);
}

/** Makes two columns orthogonal; returns the cosine they had. */
function rotate(a: Float64Array, b: Float64Array): number {
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    aa += at(a, i) ** 2;
    bb += at(b, i) ** 2;
    ab += at(a, i) * at(b, i);
  }
  if (ab === 0 || aa === 0 || bb === 0) return 0;
  const zeta = (bb - aa) / (2 * ab);
  const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = cosine * tangent;
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [at(a, i), at(b, i)];
    a[i] = cosine * left - sine * right;
    b[i] = sine * left + cosine * right;
  }
  return Math.abs(ab) / Math.sqrt(aa * bb);
}
