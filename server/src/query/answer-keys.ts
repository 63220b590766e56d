import type { Scope } from '@nines/model/storage.ts';
import { type Expr, type Length, childrenOf } from '@nines/promql/ast.ts';
import type { Engine } from '@nines/promql/engine.ts';
import type { RangeParams } from './params.ts';

/** What a kept answer is found by. Two requests share a key only if all steps that they have in common have the same values. */
export class AnswerKeys {
  readonly #parse: Engine['parse'];
  /** By the tree of a query whether its answers can be kept, for as long as the engine knows the tree. */
  readonly #keepable = new WeakMap<Expr, boolean>();

  constructor(parse: Engine['parse']) {
    this.#parse = parse;
  }

  /** Undefined when the answer cannot be kept. */
  of({ query, startMs, stepMs, lookbackMs }: RangeParams, scope: Scope): string | undefined {
    const parsed = this.#parse(query);
    if (!parsed.ok || !this.#isKeepable(parsed.value)) return undefined;
    const phaseMs = ((startMs % stepMs) + stepMs) % stepMs;
    const seen = scope.matchers.map(({ name, op, value }) => [name, op, value]);
    return JSON.stringify([query, stepMs, phaseMs, lookbackMs ?? null, seen]);
  }

  #isKeepable(expr: Expr): boolean {
    const known = this.#keepable.get(expr);
    if (known !== undefined) return known;
    const keepable = isKeepable(expr);
    this.#keepable.set(expr, keepable);
    return keepable;
  }
}

/**
 * Whether the steps of a range query keep their values when the query is asked again over a later range: each step must look
 * back only, and know nothing of where the query begins and ends.
 */
export function isKeepable(expr: Expr): boolean {
  if (expr.kind === 'call' && KNOWS_RANGE.has(expr.func)) return false;
  const source = expr.kind === 'selector' || expr.kind === 'subquery' ? expr : undefined;
  if (source !== undefined && (source.at !== undefined || (source.offset !== undefined && !looksBack(source.offset)))) return false;
  // Smoothed selectors wait for the sample behind each step.
  if (expr.kind === 'selector' && expr.extended === 'smoothed') return false;
  if (expr.kind === 'matrix' && !isFixed(expr.range)) return false;
  if (expr.kind === 'subquery' && !(isFixed(expr.range) && (expr.step === undefined || isFixed(expr.step)))) return false;
  return childrenOf(expr).every(isKeepable);
}

const KNOWS_RANGE: ReadonlySet<string> = new Set(['start', 'end', 'range']);

const isFixed = (length: Length): boolean => length.kind === 'fixed';
const looksBack = (offset: Length): boolean => offset.kind === 'fixed' && offset.seconds >= 0;
