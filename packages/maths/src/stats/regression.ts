import { ok } from '@nines/base/result.ts';
import { fUpper, tHalfWidth, tTwoSided } from './distributions.ts';
import { type LeastSquares, leastSquares } from './least-squares.ts';
import { type Numbers, at, distinctOf, meanOf, notFinite, squaresAround } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';

/**
 * Linear and polynomial regression by ordinary least squares. Assumes errors that are independent, of one size, and around zero;
 * the standard errors and p-values are those of Student's t. Columns are centred and scaled before the factorisation and the
 * coefficients are given in the units of x and y.
 */
export type Regression = {
  /** Of a polynomial by rising power; of several columns the intercept, then one per column. */
  readonly coefficients: readonly number[];
  readonly standardErrors: readonly number[];
  /** Two-sided, of the hypothesis that the coefficient is zero. */
  readonly pValues: readonly number[];
  /** Half-width of the interval of each coefficient at `level`. */
  readonly halfWidths: readonly number[];
  readonly level: number;
  /** Share of the variance explained; 0 when y does not vary. */
  readonly r2: number;
  readonly adjustedR2: number;
  /** √(RSS / dof), in units of y. */
  readonly residualSd: number;
  readonly residualSquares: number;
  /** Of the hypothesis that all but the intercept are zero. */
  readonly f: { readonly statistic: number; readonly p: number };
  /** Of the centred and scaled design: digits lost are about its logarithm. */
  readonly condition: number;
  readonly n: number;
  readonly dof: number;
};

export const MAX_DEGREE = 12;
export const MAX_COLUMNS = 50;
/** Above this condition fewer than about four digits can be right. */
const MAX_CONDITION = 1e11;
/** The coefficients must give back the fit at every x within this share of y's spread. */
const MAX_LOSS = 1e-6;
const DEFAULT_LEVEL = 0.95;

/** y = b0 + b1 x + … + bd x^d. n > d + 1 points with more than d distinct x. */
export function polynomialRegression(x: Numbers, y: Numbers, degree: number, level: number = DEFAULT_LEVEL): Answer<Regression> {
  if (!Number.isInteger(degree) || degree < 1 || degree > MAX_DEGREE)
    return refuse('bad_degree', `degree must be an integer from 1 to ${MAX_DEGREE}`);
  const faulty = faultOf([x], y, degree + 1);
  if (faulty !== undefined) return faulty;
  const distinct = distinctOf(x);
  if (distinct === 1) return refuse('x_does_not_vary', 'all x are the same: no slope can be told from them');
  if (distinct <= degree)
    return refuse('too_few_distinct_x', `degree ${degree} needs at least ${degree + 1} different x, there are ${distinct}`);
  const { shift, scale } = frameOf(x);
  const t = Float64Array.from(x, (value) => (value - shift) / scale);
  const columns = powersOf(t, degree);
  const rows = Array.from({ length: degree + 1 }, (_, j) =>
    Float64Array.from({ length: degree + 1 }, (__, k) => (k < j ? 0 : (choose(k, j) * (-shift) ** (k - j)) / scale ** k)),
  );
  const evaluate = (b: readonly number[], i: number): number => b.reduceRight((sum, one) => sum * at(x, i) + one, 0);
  return fit({ columns, rows, evaluate, level }, y);
}

/** y = b0 + b1 x1 + … with one column per variable, each as long as y. */
export function multipleRegression(variables: readonly Numbers[], y: Numbers, level: number = DEFAULT_LEVEL): Answer<Regression> {
  if (variables.length < 1 || variables.length > MAX_COLUMNS) return refuse('bad_columns', `1 to ${MAX_COLUMNS} columns of x are needed`);
  const faulty = faultOf(variables, y, variables.length + 1);
  if (faulty !== undefined) return faulty;
  const still = variables.findIndex((column) => distinctOf(column) === 1);
  if (still >= 0) return refuse('x_does_not_vary', `column ${still} of x does not vary: its effect cannot be told from the intercept`);
  const frames = variables.map(frameOf);
  const columns = [
    new Float64Array(y.length).fill(1),
    ...variables.map((column, j) => {
      const { shift, scale } = frames[j] as Frame;
      return Float64Array.from(column, (value) => (value - shift) / scale);
    }),
  ];
  const rows = columns.map((_, i) =>
    Float64Array.from({ length: columns.length }, (__, k) => {
      if (k === 0) return i === 0 ? 1 : 0;
      const { shift, scale } = frames[k - 1] as Frame;
      if (i === 0) return -shift / scale;
      return i === k ? 1 / scale : 0;
    }),
  );
  const evaluate = (b: readonly number[], i: number): number =>
    b.reduce((sum, one, k) => (k === 0 ? one : sum + one * at(variables[k - 1] as Numbers, i)), 0);
  return fit({ columns, rows, evaluate, level }, y);
}

function faultOf(variables: readonly Numbers[], y: Numbers, parameters: number) {
  if (y.length === 0) return refuse('empty', 'there are no points');
  const other = variables.find((column) => column.length !== y.length);
  if (other !== undefined) return refuse('lengths_differ', `x has ${other.length} values and y has ${y.length}`);
  for (const [name, column] of [...variables.map((one) => ['x', one] as const), ['y', y] as const]) {
    const index = notFinite(column);
    if (index >= 0) return refuse('not_finite', `${name}[${index}] is not a finite number of at most 1e100 in size`);
  }
  if (y.length <= parameters)
    return refuse(
      'too_few_points',
      `${parameters} coefficients need at least ${parameters + 1} points, there are ${y.length}: with fewer the curve passes through every point and says nothing about its error`,
    );
  return undefined;
}

type Frame = { readonly shift: number; readonly scale: number };

/** Where a column is moved and how it is scaled: few bits and a power of two, so that doing it costs no digits. */
function frameOf(values: Numbers): Frame {
  const shift = Math.fround(meanOf(values));
  const centre = Number.isFinite(shift) ? shift : meanOf(values);
  let reach = 0;
  for (let i = 0; i < values.length; i++) reach = Math.max(reach, Math.abs(at(values, i) - centre));
  return { shift: centre, scale: 2 ** Math.ceil(Math.log2(reach)) };
}

function powersOf(t: Float64Array, degree: number): Float64Array[] {
  const columns = [new Float64Array(t.length).fill(1)];
  for (let k = 1; k <= degree; k++) columns.push(t.map((value, i) => value * at(columns[k - 1] as Float64Array, i)));
  return columns;
}

const choose = (n: number, k: number): number => {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
};

type Design = {
  /** Centred and scaled, the first all ones. */
  readonly columns: readonly Float64Array[];
  /** Row i: how coefficient i in the caller's units is made of those of `columns`. */
  readonly rows: readonly Float64Array[];
  /** The caller's function at point i. */
  readonly evaluate: (coefficients: readonly number[], i: number) => number;
  readonly level: number;
};

function fit(design: Design, y: Numbers): Answer<Regression> {
  const { columns, rows, evaluate } = design;
  const middle = frameOf(y).shift;
  const centred = Float64Array.from(y, (value) => value - middle);
  const solved = leastSquares(columns, centred);
  if (solved === undefined)
    return refuse('ill_conditioned', 'the columns of x depend on each other: many coefficients fit equally well. Leave some out');
  if (solved.condition > MAX_CONDITION) return refuse('ill_conditioned', illConditioned(solved.condition));
  const inner = Array.from(solved.coefficients);
  const lost = refuse('digits_lost', 'in the units of x the coefficients cancel each other: subtract the first x from all, or divide them');
  const coefficients = rows.map((row) => dot(row, inner));
  coefficients[0] = (coefficients[0] ?? 0) + middle;
  const total = squaresAround(centred, meanOf(centred));
  const spread = Math.sqrt(total / y.length) || Math.abs(middle) || 1;
  let loss = 0;
  for (let i = 0; i < y.length; i++) {
    const fitted = columns.reduce((sum, column, k) => sum + at(column, i) * (inner[k] ?? 0), middle);
    loss = Math.max(loss, Math.abs(evaluate(coefficients, i) - fitted));
  }
  if (!coefficients.every(Number.isFinite) || !(loss <= MAX_LOSS * spread)) return lost;
  const accuracy = accuracyOf(design, solved, { coefficients, total, n: y.length });
  return accuracy.standardErrors.every(Number.isFinite) && accuracy.halfWidths.every(Number.isFinite)
    ? ok({ coefficients, ...accuracy })
    : lost;
}

type Fitted = { readonly coefficients: readonly number[]; readonly total: number; readonly n: number };

function accuracyOf({ rows, level }: Design, solved: LeastSquares, { coefficients, total, n }: Fitted) {
  const p = rows.length;
  const dof = n - p;
  const residualSquares = Math.min(solved.residualSquares, total);
  const residualSd = Math.sqrt(residualSquares / dof);
  const standardErrors = rows.map((row) => residualSd * Math.hypot(...combine(row, solved.inverse)));
  const half = tHalfWidth(1 - level, dof);
  const r2 = total > 0 ? 1 - residualSquares / total : 0;
  const explained = (total - residualSquares) / (p - 1);
  const statistic = residualSquares > 0 ? explained / (residualSquares / dof) : Number.MAX_VALUE;
  return {
    standardErrors,
    pValues: coefficients.map((value, i) => pOf(value, standardErrors[i] ?? 0, dof)),
    halfWidths: standardErrors.map((error) => half * error),
    level,
    r2,
    adjustedR2: total > 0 ? 1 - ((1 - r2) * (n - 1)) / dof : 0,
    residualSd,
    residualSquares,
    f: total > 0 ? { statistic, p: fUpper(statistic, p - 1, dof) } : { statistic: 0, p: 1 },
    condition: solved.condition,
    n,
    dof,
  };
}

/** Without any scatter a coefficient is zero or certainly not. */
const pOf = (value: number, error: number, dof: number): number => (error > 0 ? tTwoSided(value / error, dof) : value === 0 ? 1 : 0);

const dot = (row: Numbers, values: readonly number[]): number => values.reduce((sum, value, k) => sum + at(row, k) * value, 0);

const combine = (row: Numbers, inverse: readonly Float64Array[]): number[] =>
  inverse.map((_, j) => inverse.reduce((sum, one, k) => sum + at(row, k) * at(one, j), 0));

const illConditioned = (condition: number): string =>
  `the condition number is ${condition.toExponential(1)}: fewer than about four digits could be right. Use a lower degree or fewer columns`;
