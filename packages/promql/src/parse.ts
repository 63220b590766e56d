import { type Result, err, ok } from '@nines/base/result.ts';
import {
  AGGREGATIONS,
  type Aggregate,
  type AggregateOp,
  type Binary,
  type BinaryOp,
  type Cardinality,
  type Expr,
  type Matching,
  isSetOp,
} from './ast.ts';
import { checkExpr } from './check.ts';
import { Cursor } from './cursor.ts';
import { type Token, lex } from './lex.ts';
import { parseAt, parseLength, parseOffset } from './parse-length.ts';
import { parseSelector } from './parse-selector.ts';
import { type PromqlError, PromqlFailure, syntaxError } from './promql-error.ts';
import { SIGNATURES } from './signatures.ts';

/**
 * Text to a checked syntax tree, by precedence climbing. The tree is type-correct: what comes out of `parseExpr` can be
 * evaluated.
 */

/** Parses and type-checks one expression. */
export function parseExpr(text: string): Result<Expr, PromqlError> {
  try {
    const cursor = new Cursor(lex(text));
    if (cursor.peek().kind === 'end') throw new PromqlFailure('bad_data', 'no expression found in input', { from: 0, to: text.length });
    const expr = new Parser(cursor).binary(0);
    if (cursor.peek().kind !== 'end') cursor.unexpected();
    checkExpr(expr);
    return ok(expr);
  } catch (thrown) {
    if (thrown instanceof PromqlFailure) return err(syntaxError(text, thrown));
    throw thrown;
  }
}

const POWER = 6;
const PRODUCT = 5;
const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['or', 1],
  ['and', 2],
  ['unless', 2],
  ...['==', '!=', '<', '<=', '>', '>=', '</', '>/'].map((op) => [op, 3] as const),
  ['+', 4],
  ['-', 4],
  ['*', PRODUCT],
  ['/', PRODUCT],
  ['%', PRODUCT],
  ['atan2', PRODUCT],
  ['^', POWER],
]);

const AGGREGATION_NAMES: ReadonlySet<string> = new Set(AGGREGATIONS);

class Parser {
  readonly #cursor: Cursor;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  /** Operators that bind at least as tight as `least`. */
  binary(least: number): Expr {
    return this.#cursor.nested(() => this.#chain(least));
  }

  #chain(least: number): Expr {
    let left = this.#unary();
    for (;;) {
      const token = this.#cursor.peek();
      const op = token.kind === 'sign' || token.kind === 'word' ? token.text.toLowerCase() : '';
      const precedence = PRECEDENCE.get(op);
      if (precedence === undefined || precedence < least) break;
      this.#cursor.next();
      this.#cursor.countOperator();
      left = this.#operation(left, op as BinaryOp, precedence);
    }
    return left;
  }

  #operation(left: Expr, op: BinaryOp, precedence: number): Expr {
    const cursor = this.#cursor;
    const { endOfLast } = cursor;
    const opPosition = { from: endOfLast - op.length, to: endOfLast };
    const bool = cursor.takeWord('bool');
    const matching = this.#matching(op);
    const right = this.binary(op === '^' ? precedence : precedence + 1);
    const position = { from: left.position.from, to: right.position.to };
    const node: Binary = { kind: 'binary', op, opPosition, left, right, bool, position, ...(matching === undefined ? {} : { matching }) };
    return node;
  }

  #matching(op: BinaryOp): Matching | undefined {
    const cursor = this.#cursor;
    const on = cursor.isWord('on');
    const named = on || cursor.isWord('ignoring');
    if (named) cursor.next();
    const labels = named ? this.#labelList() : [];
    let cardinality = plainCardinality(op);
    let include: readonly string[] = [];
    const group = cursor.isWord('group_left') ? 'many_to_one' : cursor.isWord('group_right') ? 'one_to_many' : undefined;
    if (group !== undefined && named) {
      cursor.next();
      cardinality = group;
      if (cursor.isSign('(')) include = this.#labelList();
    }
    const fill = this.#fill();
    if (!named && fill === undefined) return undefined;
    return { cardinality, on, labels, include, ...fill };
  }

  #fill(): { fillLeft?: number; fillRight?: number } | undefined {
    const cursor = this.#cursor;
    const fill: { fillLeft?: number; fillRight?: number } = {};
    for (const name of ['fill', 'fill_left', 'fill_right'] as const) {
      if (!this.#isKeywordCall(name)) continue;
      cursor.next();
      cursor.expectSign('(', name);
      const value = this.#signedNumber();
      cursor.expectSign(')', name);
      if (name !== 'fill_right') fill.fillLeft = value;
      if (name !== 'fill_left') fill.fillRight = value;
    }
    return fill.fillLeft === undefined && fill.fillRight === undefined ? undefined : fill;
  }

  #signedNumber(): number {
    const cursor = this.#cursor;
    let sign = 1;
    while (cursor.isSign('-') || cursor.isSign('+')) if (cursor.next().text === '-') sign = -sign;
    const token = cursor.peek();
    const special = token.kind === 'word' ? SPECIAL_NUMBERS.get(token.text.toLowerCase()) : undefined;
    if (token.kind !== 'number' && token.kind !== 'duration' && special === undefined) cursor.unexpected('fill', 'number');
    cursor.next();
    return sign * (special ?? token.value);
  }

  /** A keyword followed by a parenthesis; alone it may be a metric's name. */
  #isKeywordCall(word: string): boolean {
    return this.#cursor.isWord(word) && this.#cursor.isSign('(', 1);
  }

  /** A sign binds tighter than a product and looser than a power: `-1 ^ 2` is `-(1 ^ 2)`. */
  #unary(): Expr {
    const cursor = this.#cursor;
    const start = cursor.peek().from;
    const op = cursor.isSign('-') ? '-' : cursor.isSign('+') ? '+' : undefined;
    if (op === undefined) return this.#modified(this.#primary());
    cursor.next();
    const expr = this.binary(POWER);
    if (expr.kind === 'number') return { ...expr, value: op === '-' ? -expr.value : expr.value, position: cursor.from(start) };
    return { kind: 'unary', op, expr, position: cursor.from(start) };
  }

  #primary(): Expr {
    const cursor = this.#cursor;
    const token = cursor.peek();
    switch (token.kind) {
      case 'number':
      case 'duration':
        cursor.next();
        return { kind: 'number', value: token.value, duration: token.kind === 'duration', position: cursor.from(token.from) };
      case 'string':
        cursor.next();
        return { kind: 'string', value: token.text, position: cursor.from(token.from) };
      case 'word':
        return this.#word();
      case 'sign':
        if (token.text === '{') return parseSelector(cursor);
        if (token.text === '(') return this.#paren();
        return cursor.unexpected();
      case 'end':
      case 'error':
        return cursor.unexpected();
    }
  }

  #paren(): Expr {
    const cursor = this.#cursor;
    const start = cursor.next().from;
    const expr = this.binary(0);
    cursor.expectSign(')', '', '');
    return { kind: 'paren', expr, position: cursor.from(start) };
  }

  #word(): Expr {
    const cursor = this.#cursor;
    const token = cursor.peek();
    const word = token.text.toLowerCase();
    const special = SPECIAL_NUMBERS.get(word);
    if (special !== undefined) {
      cursor.next();
      return { kind: 'number', value: special, duration: false, position: cursor.from(token.from) };
    }
    if (AGGREGATION_NAMES.has(word) && (cursor.isSign('(', 1) || cursor.isWord('by', 1) || cursor.isWord('without', 1)))
      return this.#aggregate(word as AggregateOp);
    if (cursor.isSign('(', 1) && !word.includes(':') && !NEVER_CALLED.has(word)) return this.#call();
    if (NEVER_NAMES.has(word)) cursor.unexpected();
    return parseSelector(cursor);
  }

  #call(): Expr {
    const cursor = this.#cursor;
    const token = cursor.next();
    const args = this.#arguments();
    if (!SIGNATURES.has(token.text)) cursor.fail(`unknown function with name "${token.text}"`, token);
    return { kind: 'call', func: token.text, args, position: cursor.from(token.from) };
  }

  #arguments(): readonly Expr[] {
    const cursor = this.#cursor;
    cursor.expectSign('(', 'function call');
    const args: Expr[] = [];
    if (cursor.takeSign(')')) return args;
    for (;;) {
      args.push(this.binary(0));
      if (cursor.takeSign(')')) return args;
      const comma = cursor.expectSign(',', 'function call args', '"," or ")"');
      if (!canBegin(cursor.peek())) cursor.fail('trailing commas not allowed in function call args', comma);
    }
  }

  #aggregate(op: AggregateOp): Aggregate {
    const cursor = this.#cursor;
    const start = cursor.next().from;
    let grouping = this.#grouping();
    const args = this.#arguments();
    const bodyEnd = cursor.endOfLast;
    if (grouping === undefined) grouping = this.#grouping();
    const position = { from: start, to: grouping === undefined ? bodyEnd : cursor.endOfLast };
    const wants = PARAMETERISED.has(op) ? 2 : 1;
    const [first, second] = args;
    if (first === undefined) return cursor.fail('no arguments for aggregate expression provided', position);
    if (args.length !== wants)
      return cursor.fail(`wrong number of arguments for aggregate expression provided, expected ${wants}, got ${args.length}`, position);
    const { labels, without } = grouping ?? { labels: [], without: false };
    const shared = { kind: 'aggregate', op, grouping: labels, without, position } as const;
    return second === undefined ? { ...shared, expr: first } : { ...shared, expr: second, param: first };
  }

  #grouping(): { readonly labels: readonly string[]; readonly without: boolean } | undefined {
    const cursor = this.#cursor;
    const without = cursor.isWord('without');
    if (!without && !cursor.isWord('by')) return undefined;
    cursor.next();
    return { labels: this.#labelList(), without };
  }

  #labelList(): readonly string[] {
    const cursor = this.#cursor;
    cursor.expectSign('(', 'grouping opts');
    const labels: string[] = [];
    while (!cursor.takeSign(')')) {
      const token = cursor.peek();
      if (token.kind !== 'word' && token.kind !== 'string') cursor.unexpected('grouping opts', 'label');
      if (token.kind === 'string' && (token.text === '' || !token.text.isWellFormed()))
        cursor.fail(`invalid label name for grouping: "${token.text}"`, token);
      if (token.kind === 'word' && token.text.includes(':')) cursor.unexpected('grouping opts', 'label');
      labels.push(cursor.next().text);
      if (!cursor.takeSign(',') && !cursor.isSign(')')) cursor.unexpected('grouping opts', '"," or ")"');
    }
    return labels;
  }

  /** Ranges, offsets and `@` behind an expression, in any order. */
  #modified(primary: Expr): Expr {
    let expr = primary;
    for (;;) {
      if (this.#cursor.isSign('[')) expr = this.#ranged(expr);
      else if (this.#cursor.isWord('offset')) expr = this.#offset(expr);
      else if (this.#cursor.isSign('@')) expr = this.#pinned(expr);
      else if (this.#cursor.isWord('anchored') || this.#cursor.isWord('smoothed')) expr = this.#extended(expr);
      else return expr;
    }
  }

  #ranged(expr: Expr): Expr {
    const cursor = this.#cursor;
    const opening = cursor.next();
    const range = parseLength(cursor, 'subquery or range selector');
    if (cursor.takeSign(':')) {
      const step = cursor.isSign(']') ? undefined : parseLength(cursor, 'subquery selector');
      cursor.expectSign(']', 'subquery selector');
      const position = cursor.from(expr.position.from);
      return { kind: 'subquery', expr, range, position, ...(step === undefined ? {} : { step }) };
    }
    cursor.expectSign(']', 'subquery or range selector');
    const position = cursor.from(expr.position.from);
    const brackets = cursor.from(opening.from);
    if (expr.kind !== 'selector') return cursor.fail('ranges only allowed for vector selectors', brackets);
    if (expr.offset !== undefined) return cursor.fail('no offset modifiers allowed before range', brackets);
    if (expr.at !== undefined) return cursor.fail('no @ modifiers allowed before range', brackets);
    return { kind: 'matrix', selector: expr, range, position };
  }

  #offset(expr: Expr): Expr {
    const cursor = this.#cursor;
    const token = cursor.next();
    const offset = parseOffset(cursor);
    const position = cursor.from(expr.position.from);
    if (expr.kind === 'matrix') {
      if (expr.selector.offset !== undefined) cursor.fail('offset may not be set multiple times', token);
      return { ...expr, selector: { ...expr.selector, offset }, position };
    }
    if (expr.kind !== 'selector' && expr.kind !== 'subquery')
      return cursor.fail(
        'offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
        expr.position,
      );
    if (expr.offset !== undefined) cursor.fail('offset may not be set multiple times', token);
    return { ...expr, offset, position };
  }

  #extended(expr: Expr): Expr {
    const cursor = this.#cursor;
    const token = cursor.next();
    const extended = token.text.toLowerCase() === 'anchored' ? 'anchored' : 'smoothed';
    const position = cursor.from(expr.position.from);
    const selector = expr.kind === 'matrix' ? expr.selector : expr;
    if (selector.kind !== 'selector') return cursor.fail(`${extended} modifier must be preceded by an instant or range selector`, token);
    if (selector.extended !== undefined) cursor.fail('anchored and smoothed modifiers cannot be used together or twice', token);
    if (expr.kind === 'matrix') return { ...expr, selector: { ...selector, extended }, position };
    if (extended === 'anchored') cursor.fail('anchored modifier can only be used with range selectors', token);
    return { ...selector, extended, position };
  }

  #pinned(expr: Expr): Expr {
    const cursor = this.#cursor;
    const token = cursor.next();
    const at = parseAt(cursor, expr.position);
    const position = cursor.from(expr.position.from);
    if (expr.kind === 'matrix') {
      if (expr.selector.at !== undefined) cursor.fail('@ <timestamp> may not be set multiple times', token);
      return { ...expr, selector: { ...expr.selector, at }, position };
    }
    if (expr.kind !== 'selector' && expr.kind !== 'subquery')
      return cursor.fail('@ modifier must be preceded by an instant vector selector or range vector selector or a subquery', expr.position);
    if (expr.at !== undefined) cursor.fail('@ <timestamp> may not be set multiple times', token);
    return { ...expr, at, position };
  }
}

/** Keywords that are no names of metrics without braces, as in Prometheus' grammar; the others are where they mean nothing else. */
const NEVER_NAMES: ReadonlySet<string> = new Set(['atan2', 'bool', 'group_left', 'group_right', 'ignoring', 'on']);

const NEVER_CALLED: ReadonlySet<string> = new Set([...NEVER_NAMES, 'and', 'by', 'offset', 'or', 'unless', 'without']);

/** Whether an expression may begin with this token. */
function canBegin({ kind, text }: Token): boolean {
  if (kind === 'sign') return text === '(' || text === '{' || text === '-' || text === '+';
  return kind !== 'end' && !(kind === 'word' && NEVER_NAMES.has(text.toLowerCase()));
}

const plainCardinality = (op: BinaryOp): Cardinality => (isSetOp(op) ? 'many_to_many' : 'one_to_one');

const PARAMETERISED: ReadonlySet<string> = new Set(['topk', 'bottomk', 'quantile', 'count_values', 'limitk', 'limit_ratio']);

const SPECIAL_NUMBERS: ReadonlyMap<string, number> = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['nan', Number.NaN],
]);
