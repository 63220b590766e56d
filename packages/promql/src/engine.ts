import { type Result, err, ok } from '@nines/base/result.ts';
import type { Queryable, Scope } from '@nines/model/storage.ts';
import { Annotations } from './annotations.ts';
import { type Expr, childrenOf } from './ast.ts';
import { typeOf } from './check.ts';
import { type Context, type EngineFeatures, type Grid, type QueryState, throwIfAborted } from './context.ts';
import { countsOnlySelectors } from './counts-only.ts';
import { evaluator } from './evaluate.ts';
import { invariantParts } from './invariant.ts';
import { parseExpr } from './parse.ts';
import { type PromqlError, PromqlFailure, executionError, syntaxError } from './promql-error.ts';
import { instantValue, rangeValue } from './result.ts';
import { SIGNATURES } from './signatures.ts';
import type { MatrixValue, Value } from './value.ts';

/**
 * Evaluates PromQL over a `Queryable`. Knows no clock and no timer: instants are arguments, deadlines come through `signal`
 * (an abort whose reason is named `TimeoutError` is a timeout), and other work gets its turn through `yieldNow`.
 */
export type EngineLimits = {
  /** Samples that one query may hold in memory. */
  readonly maxSamples: number;
  /** Points per series of a range query. */
  readonly maxPoints: number;
  /** How old the newest sample may be to still count. */
  readonly lookbackMs: number;
  /** Step of subqueries that name none: the global evaluation interval. */
  readonly evaluationIntervalMs: number;
};

/** Prometheus' defaults. */
export const DEFAULT_LIMITS: EngineLimits = {
  maxSamples: 50_000_000,
  maxPoints: 11_000,
  lookbackMs: 300_000,
  evaluationIntervalMs: 60_000,
};
export const DEFAULT_FEATURES: EngineFeatures = { experimentalFunctions: false, delayedNameRemoval: false };

export type EngineOptions = {
  readonly limits?: Partial<EngineLimits>;
  readonly features?: Partial<EngineFeatures>;
  /**
   * Called every few tenths of a millisecond: gives other work its turn until what it returns resolves, or returns nothing when
   * none is due. Without it a query runs to its end undisturbed.
   */
  readonly yieldNow?: () => Promise<void> | undefined;
};

/** Parsed texts kept: the rules and the panels of a few dashboards ask the same again and again. */
const MAX_PARSED = 512;
/** Longer texts, which no person writes, are parsed anew. 512 of these are 2 MB of text. */
const MAX_PARSED_LENGTH = 4096;

type QueryOptions = {
  readonly queryable: Queryable;
  readonly lookbackMs?: number;
  readonly scope?: Scope;
  readonly signal?: AbortSignal;
};
export type InstantOptions = QueryOptions & { readonly atMs: number };
/** Steps at `startMs + i · stepMs` up to `endMs`, both ends inclusive. */
export type RangeOptions = QueryOptions & { readonly startMs: number; readonly endMs: number; readonly stepMs: number };

export type QueryResult<V extends Value = Value> = {
  readonly value: V;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  /** Samples that stood in memory at the end. */
  readonly heldSamples: number;
};

export interface Engine {
  /** The tree of a text, parsed and checked unless that was done lately. */
  parse(text: string): Result<Expr, PromqlError>;
  /** The value at one instant, of whatever type the expression has. */
  instant(query: Expr | string, options: InstantOptions): Promise<Result<QueryResult, PromqlError>>;
  /** The values at every step. The expression must be a scalar or an instant vector. */
  range(query: Expr | string, options: RangeOptions): Promise<Result<QueryResult<MatrixValue>, PromqlError>>;
}

export function createEngine(options: EngineOptions = {}): Engine {
  const settings: Settings = {
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    features: { ...DEFAULT_FEATURES, ...options.features },
    yieldNow: options.yieldNow,
    parsed: new Map(),
  };
  return {
    parse: (text) => parseOnce(text, settings),
    instant: (query, { atMs, ...rest }) => {
      const grid = { startMs: atMs, stepMs: 0, count: 1 };
      return run(query, settings, { options: rest, grid, endMs: atMs, evaluate: instantValue });
    },
    range: async (query, { startMs, endMs, stepMs, ...rest }) => {
      const grid = rangeGrid({ startMs, endMs, stepMs }, settings.limits.maxPoints);
      if (!grid.ok) return grid;
      return run(query, settings, { options: rest, grid: grid.value, endMs, evaluate: rangeValue });
    },
  };
}

type Settings = {
  readonly limits: EngineLimits;
  readonly features: EngineFeatures;
  readonly yieldNow: (() => Promise<void> | undefined) | undefined;
  /** By text, the one used longest ago first. */
  readonly parsed: Map<string, Expr>;
};

/** Parses a text unless that was done lately: compiling a pattern takes longer than looking up a few series. */
function parseOnce(text: string, { parsed }: Settings): Result<Expr, PromqlError> {
  const known = parsed.get(text);
  if (known !== undefined) {
    parsed.delete(text);
    parsed.set(text, known);
    return ok(known);
  }
  const result = parseExpr(text);
  if (!result.ok || text.length > MAX_PARSED_LENGTH) return result;
  const [oldest] = parsed.keys();
  if (parsed.size >= MAX_PARSED && oldest !== undefined) parsed.delete(oldest);
  parsed.set(text, result.value);
  return result;
}

function rangeGrid(
  { startMs, endMs, stepMs }: { startMs: number; endMs: number; stepMs: number },
  maxPoints: number,
): Result<Grid, PromqlError> {
  const bad = (message: string): Result<Grid, PromqlError> => err({ type: 'bad_data', message });
  if (!(stepMs > 0)) return bad('zero or negative query resolution step widths are not accepted. Try a positive integer');
  if (endMs < startMs) return bad('end timestamp must not be before start time');
  const count = Math.floor((endMs - startMs) / stepMs) + 1;
  if (count > maxPoints)
    return bad(
      `exceeded maximum resolution of ${maxPoints.toLocaleString('en')} points per timeseries. Try decreasing the query resolution (?step=XX)`,
    );
  return ok({ startMs, stepMs, count });
}

type Run<V extends Value> = {
  readonly options: QueryOptions;
  readonly grid: Grid;
  readonly endMs: number;
  readonly evaluate: (expr: Expr, ctx: Context) => Promise<V>;
};

async function run<V extends Value>(query: Expr | string, settings: Settings, plan: Run<V>): Promise<Result<QueryResult<V>, PromqlError>> {
  const text = typeof query === 'string' ? query : '';
  const parsed = typeof query === 'string' ? parseOnce(query, settings) : ok(query);
  if (!parsed.ok) return parsed;
  const expr = parsed.value;
  const refused = refuse(expr, settings, plan.grid.stepMs > 0);
  if (refused !== undefined) return err(syntaxError(text, refused));
  const state = newState(expr, text, { settings, plan });
  try {
    throwIfAborted(state);
    const value = await plan.evaluate(expr, { grid: plan.grid, query: state });
    return ok({ value, warnings: state.annotations.warnings, infos: state.annotations.infos, heldSamples: state.heldSamples });
  } catch (thrown) {
    if (thrown instanceof PromqlFailure) return err(executionError(text, thrown));
    throw thrown;
  }
}

function newState<V extends Value>(
  expr: Expr,
  text: string,
  { settings, plan }: { readonly settings: Settings; readonly plan: Run<V> },
): QueryState {
  const { options, grid, endMs } = plan;
  return {
    queryable: options.queryable,
    scope: options.scope,
    signal: options.signal,
    features: settings.features,
    lookbackMs: options.lookbackMs ?? settings.limits.lookbackMs,
    startMs: grid.startMs,
    endMs,
    stepMs: grid.stepMs,
    defaultStepMs: settings.limits.evaluationIntervalMs,
    annotations: new Annotations(text),
    invariant: invariantParts(expr),
    countsOnly: countsOnlySelectors(expr),
    evaluator,
    maxSamples: settings.limits.maxSamples,
    yieldNow: settings.yieldNow,
    heldSamples: 0,
    pointsSinceBreath: 0,
    repeats: false,
  };
}

const EXPERIMENTAL_AGGREGATIONS: ReadonlySet<string> = new Set(['limitk', 'limit_ratio']);

/** What parses but may not run here. */
function refuse(expr: Expr, { features }: Settings, isRange: boolean): PromqlFailure | undefined {
  const type = typeOf(expr);
  if (isRange && type !== 'scalar' && type !== 'vector') {
    const name = type === 'matrix' ? 'range vector' : type;
    return new PromqlFailure(
      'bad_data',
      `invalid expression type "${name}" for range query, must be Scalar or instant Vector`,
      expr.position,
    );
  }
  return features.experimentalFunctions ? undefined : findExperimental(expr);
}

function findExperimental(expr: Expr): PromqlFailure | undefined {
  if (expr.kind === 'call' && SIGNATURES.get(expr.func)?.experimental === true)
    return new PromqlFailure('bad_data', `function "${expr.func}" is not enabled`, expr.position);
  if (expr.kind === 'selector' && expr.extended !== undefined)
    return new PromqlFailure('bad_data', `${expr.extended} modifier is experimental and is not enabled`, expr.position);
  if (expr.kind === 'binary' && (expr.matching?.fillLeft !== undefined || expr.matching?.fillRight !== undefined))
    return new PromqlFailure('bad_data', 'fill modifiers are experimental and are not enabled', expr.position);
  if (expr.kind === 'aggregate' && EXPERIMENTAL_AGGREGATIONS.has(expr.op))
    return new PromqlFailure('bad_data', `${expr.op}() is experimental and is not enabled`, expr.position);
  for (const child of childrenOf(expr)) {
    const found = findExperimental(child);
    if (found !== undefined) return found;
  }
  return undefined;
}
