/** What an explanation is made from: a query's parts with what each gave. */
import type { Queryable, SelectOptions } from '@nines/model/storage.ts';
import type { Expr } from '@nines/promql/ast.ts';
import type { Engine } from '@nines/promql/engine.ts';
import type { Value } from '@nines/promql/value.ts';

export type Part = {
  readonly expr: Expr;
  readonly parent: number | null;
  readonly value: Value | undefined;
  readonly error: string | null;
};

export type ExplainDeps = {
  readonly engine: Engine;
  readonly queryable: Queryable;
  readonly nowMs: number;
  readonly lookbackMs: number;
  /** How long samples are kept at the longest; undefined where that is not known. */
  readonly keptMs?: number;
  readonly options: Pick<SelectOptions, 'scope' | 'signal' | 'yieldNow'>;
};

/** Series or elements; a number or a text is one result. */
export function resultsOf(value: Value): number {
  if (value.kind === 'vector') return value.elements.length;
  return value.kind === 'matrix' ? value.series.length : 1;
}
