import { METRIC_NAME, labelsKey } from '@nines/model/labels.ts';
import { type Binary, type ComparisonOp, type Expr, type Matching, type SetOp, isComparison, isSetOp } from './ast.ts';
import { typeOf } from './check.ts';
import { type Context, breathe, collect, hasUniformName, isTired, nameDropper, noteRepeat } from './context.ts';
import { PLAIN_MATCHING, duplicateMessage, matchedLabels, resultLabels, signatureOf } from './matching.ts';
import { ARITHMETIC, COMPARISON } from './operators.ts';
import { PromqlFailure } from './promql-error.ts';
import { type Row, RowBuffer, type Sink, UniqueGuard, isPresent } from './row.ts';

/** Binary operators with at least one vector. */
export async function binaryRows(expr: Binary, ctx: Context, sink: Sink): Promise<void> {
  if (isSetOp(expr.op)) return setRows(expr, expr.op, { ctx, sink });
  if (typeOf(expr.right) === 'scalar') return scalarRows(expr, ctx, { sink, vector: expr.left, scalar: expr.right, swapped: false });
  if (typeOf(expr.left) === 'scalar') return scalarRows(expr, ctx, { sink, vector: expr.right, scalar: expr.left, swapped: true });
  return vectorRows(expr, ctx, sink);
}

type ScalarSide = { readonly sink: Sink; readonly vector: Expr; readonly scalar: Expr; readonly swapped: boolean };

async function scalarRows(expr: Binary, ctx: Context, { sink, vector, scalar, swapped }: ScalarSide): Promise<void> {
  const { op } = expr;
  const operand = await ctx.query.evaluator.scalar(scalar, ctx);
  const drops = !isComparison(op) || expr.bool;
  const push = drops ? nameDropper(ctx, hasUniformName(vector), sink) : (row: Row) => sink.row(row);
  const apply = isComparison(op) ? compareWith(op, operand, { bool: expr.bool, swapped }) : computeWith(op, operand, swapped);
  await ctx.query.evaluator.rows(vector, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const changed = apply(row);
      if (changed !== undefined) push(changed);
    },
  });
}

type Apply = (row: Row) => Row | undefined;

function computeWith(op: Binary['op'], operand: Float64Array, swapped: boolean): Apply {
  const compute = ARITHMETIC[op as keyof typeof ARITHMETIC];
  return (row) => {
    const { values } = row;
    if (swapped) for (let i = 0; i < values.length; i++) values[i] = compute(operand[i] as number, values[i] as number);
    else for (let i = 0; i < values.length; i++) values[i] = compute(values[i] as number, operand[i] as number);
    return row;
  };
}

/** A filter keeps the vector's value, whichever side it stands on. */
function compareWith(
  op: ComparisonOp,
  operand: Float64Array,
  { bool, swapped }: { readonly bool: boolean; readonly swapped: boolean },
): Apply {
  const compare = COMPARISON[op];
  const holds = (value: number, i: number): boolean =>
    swapped ? compare(operand[i] as number, value) : compare(value, operand[i] as number);
  if (bool)
    return (row) => {
      const { values } = row;
      for (let i = 0; i < values.length; i++) values[i] = holds(values[i] as number, i) ? 1 : 0;
      return row;
    };
  return (row) => {
    const { values } = row;
    const has = new Uint8Array(values.length);
    let present = 0;
    for (let i = 0; i < values.length; i++) {
      if (!isPresent(row, i) || !holds(values[i] as number, i)) continue;
      has[i] = 1;
      present++;
    }
    return present === 0 ? undefined : { ...row, has: present === has.length ? null : has };
  };
}

/** Rows by signature. */
function bySignature(rows: readonly Row[], signature: (labels: Row['labels']) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = signature(row.labels);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

async function vectorRows(expr: Binary, ctx: Context, sink: Sink): Promise<void> {
  const matching = expr.matching ?? PLAIN_MATCHING;
  const left = await collect(expr.left, ctx);
  const right = await collect(expr.right, ctx);
  const swapped = matching.cardinality === 'one_to_many';
  const [many, one] = swapped ? [right, left] : [left, right];
  const signature = signatureOf(matching);
  const ones = bySignature(one, signature);
  const manies = bySignature(many, signature);
  const fillMany = swapped ? matching.fillRight : matching.fillLeft;
  const fillOne = swapped ? matching.fillLeft : matching.fillRight;
  refuseDuplicates(ones.values(), { many, matching, always: fillMany !== undefined });
  const guard = matching.labels.includes(METRIC_NAME) ? new UniqueGuard(() => noteRepeat(ctx.query)) : undefined;
  const pair = pairing(expr, ctx, { sink, swapped, guard });
  for (const key of new Set([...manies.keys(), ...ones.keys()])) {
    const rows = manies.get(key) ?? [];
    const partners = ones.get(key) ?? [];
    if (rows.length > 1 || partners.length > 1 || fillMany !== undefined || fillOne !== undefined) noteRepeat(ctx.query);
    refuseAmbiguous(rows, partners, { matching, labels: pair.labels, always: fillOne !== undefined });
    for (const row of rows) for (const partner of partners) pair.push(row, partner);
    if (fillOne !== undefined) for (const [row, filler] of lonely(rows, partners, { value: fillOne, matching })) pair.push(row, filler);
    if (fillMany !== undefined)
      for (const [partner, filler] of lonely(partners, rows, { value: fillMany, matching })) pair.push(filler, partner);
    if (isTired(ctx.query, (rows.length + 1) * (partners.length + 1) * ctx.grid.count)) await breathe(ctx.query);
  }
}

type Filling = { readonly value: number; readonly matching: Matching };

/** The rows at the steps where no partner is, each with a partner made of the fill value and the labels they match by. */
function* lonely(rows: readonly Row[], partners: readonly Row[], { value, matching }: Filling): Generator<readonly [Row, Row]> {
  for (const row of rows) {
    const there = new Map<string, Uint8Array>();
    for (const partner of partners) noteSteps(there, '', partner);
    const alone = mask(row, there.get(''), 0);
    if (alone === undefined) continue;
    const values = new Float64Array(row.values.length).fill(value);
    yield [alone, { labels: matchedLabels(matching, row.labels), dropName: false, values, has: null }];
  }
}

type DuplicateCheck = { readonly many: readonly Row[]; readonly matching: Matching; readonly always: boolean };

/** The one side may have several rows of a signature only if they never meet at a step (where the many side has anything). */
function refuseDuplicates(groups: Iterable<readonly Row[]>, { many, matching, always }: DuplicateCheck): void {
  for (const rows of groups)
    for (const [a, b, step] of meetings(rows))
      if (always || many.some((row) => isPresent(row, step))) throw new PromqlFailure('execution', duplicateMessage(matching, a, b));
}

/** Pairs of rows with a common step, and the first such step. */
function* meetings(rows: readonly Row[]): Generator<readonly [Row, Row, number]> {
  if (rows.length < 2) return;
  const taken: (Row | undefined)[] = [];
  for (const row of rows)
    for (let i = 0; i < row.values.length; i++) {
      if (!isPresent(row, i)) continue;
      const earlier = taken[i];
      if (earlier !== undefined) yield [earlier, row, i];
      else taken[i] = row;
    }
}

type LabelsOf = (many: Row['labels'], one: Row['labels']) => Row['labels'];
type Ambiguity = { readonly matching: Matching; readonly labels: LabelsOf; readonly always: boolean };

function refuseAmbiguous(rows: readonly Row[], partners: readonly Row[], { matching, labels, always }: Ambiguity): void {
  if (rows.length < 2) return;
  const isMatched = (step: number): boolean => always || partners.some((partner) => isPresent(partner, step));
  if (matching.cardinality === 'one_to_one') {
    for (const [, , step] of meetings(rows))
      if (isMatched(step))
        throw new PromqlFailure('execution', 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)');
    return;
  }
  const [partner] = partners;
  const one = partner?.labels ?? [];
  for (const alike of bySignature(rows, (own) => labelsKey(labels(own, one))).values())
    for (const [, , step] of meetings(alike))
      if (isMatched(step)) throw new PromqlFailure('execution', 'multiple matches for labels: grouping labels must ensure unique matches');
}

type Pairing = { readonly sink: Sink; readonly swapped: boolean; readonly guard: UniqueGuard | undefined };

/** How a row of the many side and one of the one side become a row of the result. */
function pairing(
  expr: Binary,
  ctx: Context,
  { sink, swapped, guard }: Pairing,
): { push(many: Row, one: Row): void; readonly labels: LabelsOf } {
  const { op } = expr;
  const matching = expr.matching ?? PLAIN_MATCHING;
  const delayed = ctx.query.features.delayedNameRemoval;
  const compare = isComparison(op) ? COMPARISON[op] : undefined;
  const compute = isComparison(op) ? undefined : ARITHMETIC[op as keyof typeof ARITHMETIC];
  const labels = resultLabels(matching, { dropName: compare === undefined || (expr.bool && !delayed) });
  const buffer = new RowBuffer(ctx.grid.count, sink);
  const push = (many: Row, one: Row): void => {
    const values = buffer.values();
    const has = buffer.has();
    const [left, right] = swapped ? [one, many] : [many, one];
    let present = 0;
    for (let i = 0; i < values.length; i++) {
      has[i] = 0;
      if (!isPresent(many, i) || !isPresent(one, i)) continue;
      const a = left.values[i] as number;
      const b = right.values[i] as number;
      if (compute !== undefined) values[i] = compute(a, b);
      else if (compare !== undefined) {
        const holds = compare(a, b);
        if (!expr.bool && !holds) continue;
        values[i] = expr.bool ? Number(holds) : (many.values[i] as number);
      }
      has[i] = 1;
      present++;
    }
    if (present === 0) return buffer.release();
    const row: Row = {
      labels: labels(many.labels, one.labels),
      dropName: compute === undefined && (many.dropName || (expr.bool && delayed)),
      values,
      has: buffer.flags(present),
    };
    guard?.check(row);
    sink.row(row);
  };
  return { push, labels };
}

type SetSide = { readonly ctx: Context; readonly sink: Sink };

async function setRows(expr: Binary, op: SetOp, { ctx, sink }: SetSide): Promise<void> {
  const matching = expr.matching ?? PLAIN_MATCHING;
  const signature = signatureOf(matching);
  if (op === 'or') return orRows(expr, signature, { ctx, sink });
  // The right side only says where something is; it is never kept.
  const there = await presence(expr.right, ctx, signature);
  const wanted = op === 'and' ? 1 : 0;
  await ctx.query.evaluator.rows(expr.left, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const masked = mask(row, there.get(signature(row.labels)), wanted);
      if (masked !== undefined) sink.row(masked);
    },
  });
}

async function orRows(expr: Binary, signature: (labels: Row['labels']) => string, { ctx, sink }: SetSide): Promise<void> {
  const there = new Map<string, Uint8Array>();
  const guard = new UniqueGuard(() => noteRepeat(ctx.query));
  await ctx.query.evaluator.rows(expr.left, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      noteSteps(there, signature(row.labels), row);
      guard.check(row);
      sink.row(row);
    },
  });
  await ctx.query.evaluator.rows(expr.right, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const masked = mask(row, there.get(signature(row.labels)), 0);
      if (masked === undefined) return;
      guard.check(masked);
      sink.row(masked);
    },
  });
}

async function presence(expr: Expr, ctx: Context, signature: (labels: Row['labels']) => string): Promise<ReadonlyMap<string, Uint8Array>> {
  const there = new Map<string, Uint8Array>();
  await ctx.query.evaluator.rows(expr, ctx, { keeps: false, row: (row) => noteSteps(there, signature(row.labels), row) });
  return there;
}

function noteSteps(there: Map<string, Uint8Array>, key: string, row: Row): void {
  let flags = there.get(key);
  if (flags === undefined) there.set(key, (flags = new Uint8Array(row.values.length)));
  for (let i = 0; i < flags.length; i++) if (isPresent(row, i)) flags[i] = 1;
}

/** The row at the steps where `flags` are `wanted` (no flags count as 0); undefined when nothing is left. */
function mask(row: Row, flags: Uint8Array | undefined, wanted: number): Row | undefined {
  if (flags === undefined) return wanted === 0 ? row : undefined;
  const has = new Uint8Array(row.values.length);
  let present = 0;
  for (let i = 0; i < has.length; i++) {
    if (flags[i] !== wanted || !isPresent(row, i)) continue;
    has[i] = 1;
    present++;
  }
  return present === 0 ? undefined : { ...row, has: present === has.length ? null : has };
}
