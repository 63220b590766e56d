import type { Matcher } from '@nines/base/matcher.ts';

/**
 * The syntax tree. Every node carries the place it was written at, so that errors and annotations can point to it.
 * Nothing here is evaluated; names are as written, durations are expressions until a query's step and range are known.
 */

/** Offsets into the query text in UTF-16 units, `[from, to)`. */
export type Position = { readonly from: number; readonly to: number };

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

/** A length of time as written: `5m`, `300`, or arithmetic over those and over the query's step and range. */
export type Length =
  | { readonly kind: 'fixed'; readonly seconds: number; readonly position: Position }
  | { readonly kind: 'step' | 'range'; readonly position: Position }
  | { readonly kind: 'negated'; readonly operand: Length; readonly position: Position }
  | { readonly kind: 'arithmetic'; readonly op: LengthOp; readonly left: Length; readonly right: Length; readonly position: Position };
export type LengthOp = '+' | '-' | '*' | '/' | '%' | '^' | 'min_of' | 'max_of';

/** `@ 1234.5` (milliseconds here), `@ start()`, `@ end()`. */
export type At = { readonly kind: 'instant'; readonly atMs: number } | { readonly kind: 'start' } | { readonly kind: 'end' };

export type NumberLiteral = { readonly kind: 'number'; readonly value: number; readonly duration: boolean; readonly position: Position };
export type StringLiteral = { readonly kind: 'string'; readonly value: string; readonly position: Position };
export type Paren = { readonly kind: 'paren'; readonly expr: Expr; readonly position: Position };
export type Unary = { readonly kind: 'unary'; readonly op: '+' | '-'; readonly expr: Expr; readonly position: Position };

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOp = '==' | '!=' | '<' | '<=' | '>' | '>=';
/** The observations of a histogram below or above a value. */
export type TrimOp = '</' | '>/';
export type SetOp = 'and' | 'or' | 'unless';
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp;

export type Cardinality = 'one_to_one' | 'many_to_one' | 'one_to_many' | 'many_to_many';
export type Matching = {
  readonly cardinality: Cardinality;
  /** `on(labels)` when true, `ignoring(labels)` otherwise. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels that `group_left` or `group_right` copies from the one side. */
  readonly include: readonly string[];
  /** What stands in for a missing partner: `fill(0)`. */
  readonly fillLeft?: number;
  readonly fillRight?: number;
};
export type Binary = {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly opPosition: Position;
  readonly left: Expr;
  readonly right: Expr;
  readonly bool: boolean;
  readonly matching?: Matching;
  readonly position: Position;
};

export const AGGREGATIONS = [
  'sum',
  'min',
  'max',
  'avg',
  'group',
  'stddev',
  'stdvar',
  'count',
  'count_values',
  'bottomk',
  'topk',
  'quantile',
  'limitk',
  'limit_ratio',
] as const;
export type AggregateOp = (typeof AGGREGATIONS)[number];
export type Aggregate = {
  readonly kind: 'aggregate';
  readonly op: AggregateOp;
  readonly expr: Expr;
  readonly param?: Expr;
  readonly grouping: readonly string[];
  readonly without: boolean;
  readonly position: Position;
};

export type Call = { readonly kind: 'call'; readonly func: string; readonly args: readonly Expr[]; readonly position: Position };

export type VectorSelector = {
  readonly kind: 'selector';
  /** The name written before the braces; it is also among the matchers. */
  readonly name: string | undefined;
  readonly matchers: readonly Matcher[];
  readonly at?: At;
  readonly offset?: Length;
  readonly extended?: Extended;
  readonly position: Position;
};
/** Look beyond the edges: take the sample before the window along, or interpolate at the edges. */
export type Extended = 'anchored' | 'smoothed';
export type Matrix = { readonly kind: 'matrix'; readonly selector: VectorSelector; readonly range: Length; readonly position: Position };
export type Subquery = {
  readonly kind: 'subquery';
  readonly expr: Expr;
  readonly range: Length;
  readonly step?: Length;
  readonly at?: At;
  readonly offset?: Length;
  readonly position: Position;
};

export type Expr = NumberLiteral | StringLiteral | Paren | Unary | Binary | Aggregate | Call | VectorSelector | Matrix | Subquery;

export const isComparison = (op: BinaryOp): op is ComparisonOp =>
  op === '==' || op === '!=' || op === '<' || op === '<=' || op === '>' || op === '>=';
export const isTrim = (op: BinaryOp): op is TrimOp => op === '</' || op === '>/';
export const isSetOp = (op: BinaryOp): op is SetOp => op === 'and' || op === 'or' || op === 'unless';

/** The expression inside any number of parentheses. */
export function unwrap(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'paren') inner = inner.expr;
  return inner;
}

/** The direct sub-expressions, left to right. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'selector':
      return [];
    case 'paren':
    case 'unary':
    case 'subquery':
      return [expr.expr];
    case 'binary':
      return [expr.left, expr.right];
    case 'aggregate':
      return expr.param === undefined ? [expr.expr] : [expr.param, expr.expr];
    case 'call':
      return expr.args;
    case 'matrix':
      return [expr.selector];
  }
}
