/**
 * What each part of a query gives by itself, so that a reader sees where results are lost: the tree of the expression, with the number of
 * results per node at one instant, how two sides are matched in words, and why the whole is empty when it is.
 */
import { type Result, err, ok } from '@nines/base/result.ts';
import { type Binary, type Expr, childrenOf } from '@nines/promql/ast.ts';
import { typeOf } from '@nines/promql/check.ts';
import type { PromqlError } from '@nines/promql/promql-error.ts';
import { printExpr } from '@nines/promql/print.ts';
import type { Value } from '@nines/promql/value.ts';
import type { ExplanationView } from './contract.ts';
import { matchingSays } from './explain-matching.ts';
import { type ExplainDeps, type Part, resultsOf } from './explain-parts.ts';
import { type Emptiness, whyEmpty } from './why-empty.ts';

/** Nodes that are evaluated; what stands deeper in longer queries is drawn without a count. */
const MAX_EVALUATED = 60;
/** Nodes that are drawn. */
const MAX_NODES = 300;

/** Evaluates every part of `query` at `atMs`. Fails only for a text that cannot be parsed; a part that fails says so at its node. */
export async function explain(query: string, atMs: number, deps: ExplainDeps): Promise<Result<ExplanationView, PromqlError>> {
  const parsed = deps.engine.parse(query);
  if (!parsed.ok) return err(parsed.error);
  const flat = flatten(parsed.value);
  const shown = flat.slice(0, MAX_NODES);
  const parts: Part[] = [];
  for (const [index, { expr, parent }] of shown.entries()) {
    const found = index < MAX_EVALUATED ? await valueOf(expr, atMs, deps) : { value: undefined, error: null };
    parts.push({ expr, parent, ...found });
  }
  const whole = parts[0]?.value;
  const emptiness: Emptiness = { query, atMs, parts, deps };
  const hints = whole !== undefined && resultsOf(whole) === 0 ? await whyEmpty(emptiness) : [];
  return ok({
    at_ms: atMs,
    nodes: parts.map((part, index) => nodeView(part, parts, index)),
    left_out: flat.length - shown.length,
    hints: [...hints],
  });
}

function flatten(root: Expr): readonly { readonly expr: Expr; readonly parent: number | null }[] {
  const flat: { expr: Expr; parent: number | null }[] = [];
  const walk = (expr: Expr, parent: number | null): void => {
    const own = flat.length;
    flat.push({ expr, parent });
    // A range selector is one thing to its reader.
    if (expr.kind !== 'matrix') for (const child of childrenOf(expr)) walk(child, own);
  };
  walk(root, null);
  return flat;
}

async function valueOf(
  expr: Expr,
  atMs: number,
  { engine, queryable, options }: ExplainDeps,
): Promise<{ readonly value: Value | undefined; readonly error: string | null }> {
  const { scope, signal } = options;
  signal?.throwIfAborted();
  const found = await engine.instant(expr, {
    queryable,
    atMs,
    ...(scope !== undefined && { scope }),
    ...(signal !== undefined && { signal }),
  });
  return found.ok ? { value: found.value.value, error: null } : { value: undefined, error: found.error.message };
}

function nodeView({ expr, parent, value, error }: Part, parts: readonly Part[], index: number): ExplanationView['nodes'][number] {
  return {
    parent,
    kind: expr.kind,
    text: printExpr(expr),
    type: typeOf(expr),
    results: value === undefined ? null : resultsOf(value),
    value: value?.kind === 'scalar' || value?.kind === 'string' ? String(value.value) : null,
    error,
    says: expr.kind === 'binary' ? binarySays(expr, parts, index) : [...says(expr, parts, index)],
  };
}

function binarySays(expr: Binary, parts: readonly Part[], index: number): string[] {
  const [left, right] = parts.filter(({ parent }) => parent === index);
  if (left?.value?.kind !== 'vector' || right?.value?.kind !== 'vector') return [];
  return [...matchingSays(expr, left.value.elements, right.value.elements)];
}

/** What an aggregation or a function does with what it is given, where the number of results changes by it. */
function* says(expr: Expr, parts: readonly Part[], index: number): Generator<string> {
  if (expr.kind === 'aggregate') {
    const { grouping, without } = expr;
    const names = grouping.join(', ');
    if (grouping.length === 0) yield without ? 'One result per set of labels.' : 'All series become one; their labels are gone.';
    else yield without ? `One result per set of labels without ${names}.` : `One result per value of ${names}; other labels are gone.`;
  }
  if (expr.kind !== 'call') return;
  const part = parts[index]?.value;
  const given = parts.find(({ parent, value }) => parent === index && value?.kind === 'matrix')?.value;
  if (part === undefined || given === undefined || resultsOf(part) >= resultsOf(given)) return;
  yield `${resultsOf(given) - resultsOf(part)} of ${resultsOf(given)} series have too few samples in the window.`;
}
