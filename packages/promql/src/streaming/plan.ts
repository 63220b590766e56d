import { formatDuration } from '@nines/base/duration.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { METRIC_NAME } from '@nines/model/labels.ts';
import { type Aggregate, type AggregateOp, type Call, type Expr, type Matrix, type VectorSelector, unwrap } from '../ast.ts';
import { formatPosition, PromqlFailure } from '../promql-error.ts';

/**
 * Which expressions can be kept up at write time, so that their value at the end of each interval needs no query. The leaves of
 * the expression must be parts: a selector, or one of `KEPT_FUNCTIONS` over a range that is a whole number of intervals, alone
 * or under an aggregation that folds. What stands above the parts is evaluated over their few results by the engine.
 */
export type Streamed = {
  /** With selectors of results (`nameOfPart`) in the place of its parts. */
  readonly expr: Expr;
  readonly parts: readonly Part[];
  /** The expression is its only part. */
  readonly alone: boolean;
};

export type Part = {
  readonly matchers: readonly Matcher[];
  readonly inner: Inner;
  readonly aggregate: PartAggregate | undefined;
};
/** `newest`: what an instant selector sees, for as long as the lookback; `window`: a function of the samples in `(end - rangeMs, end]`. */
export type Inner =
  | { readonly kind: 'newest'; readonly rangeMs: number }
  | { readonly kind: 'window'; readonly func: KeptFunction; readonly rangeMs: number };
export type PartAggregate = Pick<Aggregate, 'grouping' | 'without'> & { readonly op: KeptAggregation; readonly phi: number };

/** What can be told from the parts of a window without its samples. */
export const KEPT_FUNCTIONS = [
  'rate',
  'increase',
  'delta',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'count_over_time',
  'present_over_time',
  'last_over_time',
] as const;
export type KeptFunction = (typeof KEPT_FUNCTIONS)[number];
const KEPT_AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar', 'quantile'] as const;
export type KeptAggregation = (typeof KEPT_AGGREGATIONS)[number];

/** Intervals that one window may be made of: a day of minutes. Each costs some 50 bytes per series. */
export const MAX_WINDOW_INTERVALS = 1440;

export type PlanOptions = { readonly intervalMs: number; readonly lookbackMs: number };

/** The name that the results of part `index` have in what the engine evaluates above them. */
export const nameOfPart = (index: number): string => `part ${index}`;

/** Refused in a sentence that begins with line and column in `text`. */
export function planStreamed(text: string, expr: Expr, options: PlanOptions): Result<Streamed, string> {
  const parts: Part[] = [];
  try {
    const alone = partOf(expr, options);
    if (alone !== undefined) return ok({ expr, parts: [alone], alone: true });
    const above = new Planner(parts, options).replaced(expr);
    if (parts.length === 0) throw new PromqlFailure('bad_data', 'it reads no series', expr.position);
    return ok({ expr: above, parts, alone: false });
  } catch (thrown) {
    if (!(thrown instanceof PromqlFailure)) throw thrown;
    return err(`${formatPosition(text, thrown.position ?? expr.position)}: cannot be kept at write time: ${thrown.message}`);
  }
}

const refuse = (message: string, { position }: Expr): never => {
  throw new PromqlFailure('bad_data', message, position);
};

/** The part that an expression is; undefined when it may hold parts further down. Refuses what can be neither. */
function partOf(written: Expr, options: PlanOptions): Part | undefined {
  const expr = unwrap(written);
  if (expr.kind !== 'aggregate') return innerOf(expr, options, undefined);
  if (!isKept(expr.op)) return undefined;
  const phi = expr.op === 'quantile' ? numberOf(expr.param) : 0;
  if (phi === undefined) return undefined;
  const inner = innerOf(unwrap(expr.expr), options, { op: expr.op, grouping: expr.grouping, without: expr.without, phi });
  if (inner !== undefined && expr.grouping.includes(METRIC_NAME))
    refuse('the result has a name of its own, so nothing can be grouped by the name of a metric', expr);
  return inner;
}

const isKept = (op: AggregateOp): op is KeptAggregation => KEPT_AGGREGATIONS.some((kept) => kept === op);

function numberOf(param: Expr | undefined): number | undefined {
  const expr = param === undefined ? undefined : unwrap(param);
  return expr?.kind === 'number' ? expr.value : undefined;
}

function innerOf(expr: Expr, options: PlanOptions, aggregate: PartAggregate | undefined): Part | undefined {
  if (expr.kind === 'selector')
    return { matchers: plain(expr).matchers, inner: { kind: 'newest', rangeMs: options.lookbackMs }, aggregate };
  if (expr.kind !== 'call') return undefined;
  if (expr.func === 'info') refuse('info reads series that are not in the expression', expr);
  const matrix = expr.args.map(unwrap).find(({ kind }) => kind === 'matrix' || kind === 'subquery');
  if (matrix?.kind === 'subquery') refuse('a subquery looks back at values that nothing keeps', matrix);
  if (matrix?.kind !== 'matrix') return undefined;
  const func = keptFunction(expr);
  return { matchers: plain(matrix.selector).matchers, inner: { kind: 'window', func, rangeMs: rangeOf(matrix, options) }, aggregate };
}

function keptFunction(call: Call): KeptFunction {
  return (
    KEPT_FUNCTIONS.find((kept) => kept === call.func) ??
    refuse(`${call.func} needs every sample of its window; possible are ${KEPT_FUNCTIONS.join(', ')}`, call)
  );
}

function plain(selector: VectorSelector): VectorSelector {
  if (selector.offset !== undefined) refuse('"offset" looks back at samples that nothing keeps', selector);
  if (selector.at !== undefined) refuse('"@" looks at another time', selector);
  if (selector.extended !== undefined) refuse(`"${selector.extended}" looks beyond the window`, selector);
  return selector;
}

function rangeOf(matrix: Matrix, { intervalMs }: PlanOptions): number {
  const { range } = matrix;
  if (range.kind !== 'fixed') return refuse('a range must be written as a plain duration', matrix);
  const rangeMs = Math.round(range.seconds * 1000);
  const intervals = rangeMs / intervalMs;
  if (!Number.isInteger(intervals) || intervals < 1)
    refuse(`the range ${formatDuration(rangeMs)} is no whole number of intervals of ${formatDuration(intervalMs)}`, matrix);
  if (intervals > MAX_WINDOW_INTERVALS)
    refuse(`the range is ${intervals} intervals long, more than ${MAX_WINDOW_INTERVALS}: give it a longer interval`, matrix);
  return rangeMs;
}

class Planner {
  readonly #parts: Part[];
  readonly #options: PlanOptions;

  constructor(parts: Part[], options: PlanOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** The expression with selectors of results in the place of its parts. */
  replaced(expr: Expr): Expr {
    const part = partOf(expr, this.#options);
    if (part !== undefined) return this.#take(part, expr);
    switch (expr.kind) {
      case 'number':
      case 'string':
        return expr;
      case 'paren':
      case 'unary':
        return { ...expr, expr: this.replaced(expr.expr) };
      case 'binary':
        return { ...expr, left: this.replaced(expr.left), right: this.replaced(expr.right) };
      case 'call':
        return { ...expr, args: expr.args.map((argument) => this.replaced(argument)) };
      case 'aggregate':
        return {
          ...expr,
          expr: this.replaced(expr.expr),
          ...(expr.param !== undefined && { param: this.replaced(expr.param) }),
        };
      case 'subquery':
        return refuse('a subquery looks back at values that nothing keeps', expr);
      case 'matrix':
      case 'selector':
        return refuse('it stands where only a query can read it', expr);
    }
  }

  /** Twice negated: the same value, without the name that the part's results are found by. */
  #take(part: Part, { position }: Expr): Expr {
    if (keepsName(part)) throw new PromqlFailure('bad_data', 'beside others it must stand under an aggregation', position);
    const value = nameOfPart(this.#parts.push(part) - 1);
    const name: Matcher = { name: METRIC_NAME, op: '=', value, matches: (text) => text === value };
    const selector: Expr = { kind: 'selector', name: value, matchers: [name], position };
    return { kind: 'unary', op: '-', expr: { kind: 'unary', op: '-', expr: selector, position }, position };
  }
}

/** Whether results have the name of the metric that was read. */
export const keepsName = ({ inner, aggregate }: Part): boolean =>
  aggregate === undefined && (inner.kind === 'newest' || inner.func === 'last_over_time');
