import type { Histogram } from '@nines/model/histogram.ts';
import { METRIC_NAME, labelsKey } from '@nines/model/labels.ts';
import { type ArithmeticOp, type Binary, type ComparisonOp, type Expr, type Matching, type SetOp, isComparison, isSetOp } from './ast.ts';
import { typeOf } from './check.ts';
import { type BothRows, type Context, breathe, collectBoth, hasUniformName, isTired, namelessSink, noteRepeat } from './context.ts';
import { combine } from './histogram-operators.ts';
import { PLAIN_MATCHING, duplicateMessage, matchedLabels, resultLabels, signatureOf } from './matching.ts';
import { ARITHMETIC, COMPARISON } from './operators.ts';
import { PromqlFailure } from './promql-error.ts';
import { type HistogramRow, type Row, RowBuffer, type Sink, UniqueGuard, hasHistogram, isPresent, presenceOf } from './row.ts';
import { incompatibleTypes } from './warnings.ts';

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
  const drops = isArithmetic(op) || expr.bool;
  const into: Sink = drops ? namelessSink(ctx, hasUniformName(vector), sink) : sink;
  const apply = floatsWith(expr, operand, { swapped, ctx });
  await ctx.query.evaluator.rows(vector, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const changed = apply(row);
      if (changed !== undefined) into.row(changed);
    },
    histograms: (row) => {
      const histograms = row.histograms.map((each, i): Histogram | undefined => {
        if (each === undefined) return undefined;
        const value = operand[i] as number;
        const combined = swapped ? combine(expr, value, each, ctx) : combine(expr, each, value, ctx);
        return typeof combined === 'object' ? combined : undefined;
      });
      const changed = { ...row, histograms };
      if (hasHistogram(changed)) into.histograms?.(changed);
    },
  });
}

const isArithmetic = (op: Binary['op']): op is ArithmeticOp => op in ARITHMETIC;

type ScalarOperand = { readonly swapped: boolean; readonly ctx: Context };

function floatsWith(expr: Binary, operand: Float64Array, { swapped, ctx }: ScalarOperand): Apply {
  const { op } = expr;
  if (isComparison(op)) return compareWith(op, operand, { bool: expr.bool, swapped });
  if (isArithmetic(op)) return computeWith(op, operand, swapped);
  return () => {
    incompatibleTypes(expr, ['float', 'float'], ctx);
    return undefined;
  };
}

type Apply = (row: Row) => Row | undefined;

function computeWith(op: ArithmeticOp, operand: Float64Array, swapped: boolean): Apply {
  const compute = ARITHMETIC[op];
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

/** A row that may have a histogram where it has no float: then it counts as present, and the float there means nothing. */
type MixedRow = Row & { readonly histograms?: readonly (Histogram | undefined)[] };

/** Floats and histograms of the same labels in one row. */
function mixedRows({ rows, histograms }: BothRows): readonly MixedRow[] {
  if (histograms.length === 0) return rows;
  const partners = new Map(histograms.map((row) => [labelsKey(row.labels), row]));
  const mixed = rows.map((row): MixedRow => {
    const key = labelsKey(row.labels);
    const partner = partners.get(key);
    if (partner === undefined) return row;
    partners.delete(key);
    const has = presenceOf(partner).map((flag, i) => (flag === 1 || isPresent(row, i) ? 1 : 0));
    return { ...row, has, histograms: partner.histograms };
  });
  for (const row of partners.values()) mixed.push({ ...row, values: new Float64Array(row.histograms.length), has: presenceOf(row) });
  return mixed;
}

/** Rows by signature. */
function bySignature<R extends Row>(rows: readonly R[], signature: (labels: Row['labels']) => string): Map<string, R[]> {
  const groups = new Map<string, R[]>();
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
  const left = mixedRows(await collectBoth(expr.left, ctx));
  const right = mixedRows(await collectBoth(expr.right, ctx));
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
function* lonely(rows: readonly MixedRow[], partners: readonly Row[], { value, matching }: Filling): Generator<readonly [MixedRow, Row]> {
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
): { push(many: MixedRow, one: MixedRow): void; readonly labels: LabelsOf } {
  const matching = expr.matching ?? PLAIN_MATCHING;
  const delayed = ctx.query.features.delayedNameRemoval;
  const dropsName = isArithmetic(expr.op);
  const labels = resultLabels(matching, { dropName: dropsName || (expr.bool && !delayed) });
  const buffer = new RowBuffer(ctx.grid.count, sink);
  const floats = floatPairs(expr, ctx);
  const push = (many: MixedRow, one: MixedRow): void => {
    const named = { labels: labels(many.labels, one.labels), dropName: !dropsName && (many.dropName || (expr.bool && delayed)) };
    if (many.histograms !== undefined || one.histograms !== undefined) {
      const { row, histograms } = combineMixed(expr, { many, one, swapped, ctx });
      if (row.has?.includes(1) === true) pushRow({ ...named, ...row });
      if (hasHistogram({ ...named, histograms })) {
        guard?.checkHistograms({ ...named, histograms });
        sink.histograms?.({ ...named, histograms });
      }
      return;
    }
    const values = buffer.values();
    const has = buffer.has();
    const present = floats({ many, one, swapped }, values, has);
    if (present === 0) buffer.release();
    else pushRow({ ...named, values, has: buffer.flags(present) });
  };
  const pushRow = (row: Row): void => {
    guard?.check(row);
    sink.row(row);
  };
  return { push, labels };
}

type Pair = { readonly many: MixedRow; readonly one: MixedRow; readonly swapped: boolean };

/** Two rows of floats, step by step; returns at how many steps there is a result. */
function floatPairs(expr: Binary, ctx: Context): (pair: Pair, values: Float64Array, has: Uint8Array) => number {
  const { op, bool } = expr;
  const compare = isComparison(op) ? COMPARISON[op] : undefined;
  const compute = isArithmetic(op) ? ARITHMETIC[op] : undefined;
  return ({ many, one, swapped }, values, has) => {
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
        if (!bool && !holds) continue;
        // A filter keeps the left value, under the labels of the many side.
        values[i] = bool ? Number(holds) : a;
      } else {
        incompatibleTypes(expr, ['float', 'float'], ctx);
        continue;
      }
      has[i] = 1;
      present++;
    }
    return present;
  };
}

type Mixed = { readonly row: Pick<Row, 'values' | 'has'>; readonly histograms: readonly (Histogram | undefined)[] };

/** Two rows of which at least one has histograms. */
function combineMixed(expr: Binary, { many, one, swapped, ctx }: Pair & { readonly ctx: Context }): Mixed {
  const { count } = ctx.grid;
  const values = new Float64Array(count);
  const has = new Uint8Array(count);
  floatPairs(expr, ctx)({ many: floatsOnly(many), one: floatsOnly(one), swapped }, values, has);
  const histograms = Array.from({ length: count }, (_, i): Histogram | undefined => {
    const [own, other] = [operandAt(many, i), operandAt(one, i)];
    if (own === undefined || other === undefined || (typeof own === 'number' && typeof other === 'number')) return undefined;
    const combined = swapped ? combine(expr, other, own, ctx) : combine(expr, own, other, ctx);
    if (typeof combined !== 'boolean') return typeof combined === 'object' ? combined : undefined;
    const left = swapped ? other : own;
    if (!expr.bool) return combined && typeof left === 'object' ? left : undefined;
    values[i] = Number(combined);
    has[i] = 1;
    return undefined;
  });
  return { row: { values, has }, histograms };
}

function operandAt(row: MixedRow, step: number): number | Histogram | undefined {
  return isPresent(row, step) ? (row.histograms?.[step] ?? (row.values[step] as number)) : undefined;
}

function floatsOnly({ labels, dropName, values, has, histograms }: MixedRow): Row {
  if (histograms === undefined) return { labels, dropName, values, has };
  return {
    labels,
    dropName,
    values,
    has: Uint8Array.from(values, (_, i) => (histograms[i] === undefined && (has === null || has[i] === 1) ? 1 : 0)),
  };
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
    histograms: (row) => {
      const masked = maskHistograms(row, there.get(signature(row.labels)), wanted);
      if (hasHistogram(masked)) sink.histograms?.(masked);
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
    histograms: (row) => {
      noteHistogramSteps(there, signature(row.labels), row);
      guard.checkHistograms(row);
      sink.histograms?.(row);
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
    histograms: (row) => {
      const masked = maskHistograms(row, there.get(signature(row.labels)), 0);
      if (!hasHistogram(masked)) return;
      guard.checkHistograms(masked);
      sink.histograms?.(masked);
    },
  });
}

async function presence(expr: Expr, ctx: Context, signature: (labels: Row['labels']) => string): Promise<ReadonlyMap<string, Uint8Array>> {
  const there = new Map<string, Uint8Array>();
  await ctx.query.evaluator.rows(expr, ctx, {
    keeps: false,
    row: (row) => noteSteps(there, signature(row.labels), row),
    histograms: (row) => noteHistogramSteps(there, signature(row.labels), row),
  });
  return there;
}

function noteSteps(there: Map<string, Uint8Array>, key: string, row: Row): void {
  let flags = there.get(key);
  if (flags === undefined) there.set(key, (flags = new Uint8Array(row.values.length)));
  for (let i = 0; i < flags.length; i++) if (isPresent(row, i)) flags[i] = 1;
}

function noteHistogramSteps(there: Map<string, Uint8Array>, key: string, { histograms }: HistogramRow): void {
  let flags = there.get(key);
  if (flags === undefined) there.set(key, (flags = new Uint8Array(histograms.length)));
  for (let i = 0; i < flags.length; i++) if (histograms[i] !== undefined) flags[i] = 1;
}

/** The histograms at the steps where `flags` are `wanted`; no flags count as 0. */
function maskHistograms(row: HistogramRow, flags: Uint8Array | undefined, wanted: number): HistogramRow {
  return { ...row, histograms: row.histograms.map((each, i) => ((flags?.[i] ?? 0) === wanted ? each : undefined)) };
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
