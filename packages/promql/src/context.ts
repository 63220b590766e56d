import { type Labels, METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import type { Queryable, Scope } from '@nines/model/storage.ts';
import type { Annotations } from './annotations.ts';
import type { Expr, Length } from './ast.ts';
import { maxOf, minOf } from './operators.ts';
import { PromqlFailure } from './promql-error.ts';
import { type HistogramRow, type Row, type Sink, UniqueGuard, mergeHistogramRows, mergeRows, withoutName } from './row.ts';

/** The instants of an evaluation: `startMs + i · stepMs` for `i` in `[0, count)`. */
export type Grid = { readonly startMs: number; readonly stepMs: number; readonly count: number };

export type EngineFeatures = {
  /** Functions and aggregations that Prometheus keeps behind its flag `promql-experimental-functions`. */
  readonly experimentalFunctions: boolean;
  /** Names are dropped at the end of the query instead of at each function, so that `label_replace` can still read them. */
  readonly delayedNameRemoval: boolean;
};

/** What sub-expressions need from the evaluator. */
export interface Evaluator {
  /** Pushes every row of a vector expression. */
  rows(expr: Expr, ctx: Context, sink: Sink): Promise<void>;
  /** A scalar expression, one value per step. The array belongs to the caller. */
  scalar(expr: Expr, ctx: Context): Promise<Float64Array>;
}

/** What stays the same through one query. */
export type QueryState = {
  readonly queryable: Queryable;
  readonly scope: Scope | undefined;
  readonly signal: AbortSignal | undefined;
  readonly features: EngineFeatures;
  readonly lookbackMs: number;
  /** The bounds and step of the whole query, which `@ start()`, `step()` and the like speak of. A step of 0 is an instant query. */
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** Step of subqueries that name none. */
  readonly defaultStepMs: number;
  readonly annotations: Annotations;
  /** Sub-expressions whose value is the same at every step. */
  readonly invariant: ReadonlySet<Expr>;
  /** Selectors of which only counts and sums of histograms are wanted: their counter resets are looked for sample by sample. */
  readonly countsOnly: ReadonlySet<Expr>;
  readonly evaluator: Evaluator;
  readonly maxSamples: number;
  readonly yieldNow: (() => Promise<void> | undefined) | undefined;
  heldSamples: number;
  pointsSinceBreath: number;
  /** Some label set came in several rows: whoever gathers rows must join them. */
  repeats: boolean;
};

export type Context = { readonly grid: Grid; readonly query: QueryState };

/** Samples and steps between two breaths: a few tenths of a millisecond of work. Whether others get their turn then, `yieldNow` decides. */
const POINTS_PER_BREATH = 50_000;

/** Counts work done; true when it is time to breathe. */
export function isTired(query: QueryState, points: number): boolean {
  query.pointsSinceBreath += points;
  if (query.pointsSinceBreath < POINTS_PER_BREATH) return false;
  query.pointsSinceBreath = 0;
  return true;
}

/** Lets other work run and notices an abort. */
export async function breathe(query: QueryState): Promise<void> {
  const turn = query.yieldNow?.();
  if (turn !== undefined) await turn;
  throwIfAborted(query);
}

/** A deadline (a reason named `TimeoutError`) is told apart from a client that went away. */
export function throwIfAborted({ signal }: QueryState): void {
  if (signal === undefined || !signal.aborted) return;
  const { reason } = signal;
  const late = typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'TimeoutError';
  if (late) throw new PromqlFailure('timeout', 'query timed out in expression evaluation');
  throw new PromqlFailure('canceled', 'query was canceled in expression evaluation');
}

/** Counts samples that stay in memory. */
export function holdSamples(query: QueryState, count: number): void {
  query.heldSamples += count;
  if (query.heldSamples > query.maxSamples) throw tooManySamples();
}

/** Refuses what is sure to hold too much before it costs anything. */
export function expectSamples(query: QueryState, count: number): void {
  if (query.heldSamples + count > query.maxSamples) throw tooManySamples();
}

const tooManySamples = (): PromqlFailure =>
  new PromqlFailure('execution', 'query processing would load too many samples into memory in query execution');

/** All rows of floats of an expression, each label set once. */
export async function collect(expr: Expr, ctx: Context): Promise<readonly Row[]> {
  return gatherRows(expr, ctx);
}

async function gatherRows(expr: Expr, ctx: Context, onHistograms?: Sink['histograms']): Promise<readonly Row[]> {
  const rows: Row[] = [];
  await ctx.query.evaluator.rows(expr, ctx, {
    keeps: true,
    row: (row) => {
      holdSamples(ctx.query, row.values.length);
      rows.push(row);
    },
    ...(onHistograms === undefined ? {} : { histograms: onHistograms }),
  });
  return ctx.query.repeats ? mergeRows(rows) : rows;
}

export type BothRows = { readonly rows: readonly Row[]; readonly histograms: readonly HistogramRow[] };

/** All rows of an expression, each label set once among the floats and once among the histograms. */
export async function collectBoth(expr: Expr, ctx: Context): Promise<BothRows> {
  const histograms: HistogramRow[] = [];
  const rows = await gatherRows(expr, ctx, (row) => {
    holdSamples(ctx.query, HISTOGRAM_COST * row.histograms.length);
    histograms.push(row);
  });
  return { rows, histograms: ctx.query.repeats ? mergeHistogramRows(histograms) : histograms };
}

/** Samples that a histogram counts for: Prometheus takes its size in memory, this is that of one with ten buckets. */
const HISTOGRAM_COST = 10;

/**
 * Takes the rows of a result whose metric name goes: at once, guarding against collisions, or at the end of the query.
 * `uniform` says that all names are the same, so that nothing can collide.
 */
export function namelessSink(ctx: Context, uniform: boolean, sink: Sink): Sink & Required<Pick<Sink, 'histograms'>> {
  const { keeps } = sink;
  if (ctx.query.features.delayedNameRemoval) {
    const dropped = <R extends { readonly dropName: boolean }>(row: R): R => (row.dropName ? row : { ...row, dropName: true });
    return { keeps, row: (row) => sink.row(dropped(row)), histograms: (row) => sink.histograms?.(dropped(row)) };
  }
  const guard = uniform ? undefined : new UniqueGuard(() => noteRepeat(ctx.query));
  return {
    keeps,
    row: ({ labels, values, has }) => {
      const row = { labels: withoutName(labels), dropName: false, values, has };
      guard?.check(row);
      sink.row(row);
    },
    histograms: ({ labels, histograms }) => {
      const row = { labels: withoutName(labels), dropName: false, histograms };
      guard?.checkHistograms(row);
      sink.histograms?.(row);
    },
  };
}

/** The same for results that are floats only. */
export function nameDropper(ctx: Context, uniform: boolean, sink: Sink): (row: Row) => void {
  const nameless = namelessSink(ctx, uniform, sink);
  return (row) => nameless.row(row);
}

export function noteRepeat(query: QueryState): void {
  query.repeats = true;
}

export const metricName = (labels: Labels): string => labelValue(labels, METRIC_NAME);

/** Whether every row of `expr` is sure to carry the same metric name (or none), so that dropping it cannot make two equal. */
export function hasUniformName(expr: Expr): boolean {
  switch (expr.kind) {
    case 'selector':
      return expr.matchers.some((each) => each.name === METRIC_NAME && each.op === '=');
    case 'matrix':
      return hasUniformName(expr.selector);
    case 'paren':
    case 'subquery':
    case 'unary':
      return hasUniformName(expr.expr);
    case 'aggregate':
      return KEEPS_SERIES.has(expr.op) ? hasUniformName(expr.expr) : !expr.grouping.includes(METRIC_NAME);
    case 'call':
      if (expr.func === 'label_replace' || expr.func === 'label_join') return false;
      return expr.args.every(hasUniformName);
    case 'binary':
      return expr.op === 'or' ? false : hasUniformName(expr.left) && hasUniformName(expr.right);
    case 'number':
    case 'string':
      return true;
  }
}

const KEEPS_SERIES: ReadonlySet<string> = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio']);

/** A written length in milliseconds, with the query's step and range put in. Fails when the result is no finite length. */
export function lengthMs(length: Length, query: Pick<QueryState, 'startMs' | 'endMs' | 'stepMs'>): number {
  const seconds = lengthSeconds(length, query);
  if (!Number.isFinite(seconds) || Math.abs(seconds) > MAX_LENGTH_SECONDS)
    throw new PromqlFailure('bad_data', 'duration out of range', length.position);
  return Math.round(seconds * 1000);
}

/** Go's longest duration, 292 years, which bounds Prometheus' durations too. */
const MAX_LENGTH_SECONDS = 9_223_372_036;

function lengthSeconds(length: Length, query: Pick<QueryState, 'startMs' | 'endMs' | 'stepMs'>): number {
  switch (length.kind) {
    case 'fixed':
      return length.seconds;
    case 'step':
      return query.stepMs / 1000;
    case 'range':
      return (query.endMs - query.startMs) / 1000;
    case 'negated':
      return -lengthSeconds(length.operand, query);
    case 'arithmetic': {
      const left = lengthSeconds(length.left, query);
      const right = lengthSeconds(length.right, query);
      if (right === 0 && length.op === '/') throw new PromqlFailure('bad_data', 'division by zero', length.position);
      if (right === 0 && length.op === '%') throw new PromqlFailure('bad_data', 'modulo by zero', length.position);
      return LENGTH_ARITHMETIC[length.op](left, right);
    }
  }
}

const LENGTH_ARITHMETIC = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '%': (a: number, b: number) => a % b,
  '^': (a: number, b: number) => a ** b,
  min_of: minOf,
  max_of: maxOf,
} as const;

/** The same for ranges and steps, which must be longer than nothing. */
export function positiveLengthMs(length: Length, query: Pick<QueryState, 'startMs' | 'endMs' | 'stepMs'>): number {
  const value = lengthMs(length, query);
  if (value <= 0) throw new PromqlFailure('bad_data', 'duration must be greater than 0', length.position);
  return value;
}
