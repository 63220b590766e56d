import type { At, Length, LengthOp, Position } from './ast.ts';
import type { Cursor } from './cursor.ts';

/** Durations, offsets and `@`: the parts of a selector that speak of time. */

/** Inside `[…]`: full arithmetic. */
export function parseLength(cursor: Cursor, what: string): Length {
  return parseSum(cursor, what);
}

/** After `offset`: a single signed value or a parenthesised expression, so that `x offset 2 ^ 2` squares the vector. */
export function parseOffset(cursor: Cursor): Length {
  return parseSigned(cursor, 'offset');
}

function parseSum(cursor: Cursor, what: string): Length {
  let left = parseProduct(cursor, what);
  while (cursor.isSign('+') || cursor.isSign('-')) {
    const op = cursor.next().text as LengthOp;
    cursor.countOperator();
    left = arithmetic(op, left, parseProduct(cursor, what));
  }
  return left;
}

function parseProduct(cursor: Cursor, what: string): Length {
  let left = parsePower(cursor, what);
  while (cursor.isSign('*') || cursor.isSign('/') || cursor.isSign('%')) {
    const op = cursor.next().text as LengthOp;
    cursor.countOperator();
    left = arithmetic(op, left, parsePower(cursor, what));
  }
  return left;
}

/** A sign binds looser than a power: `-2 ^ 2` is `-(2 ^ 2)`. */
function parsePower(cursor: Cursor, what: string): Length {
  return cursor.nested(() => parsePowerHere(cursor, what));
}

function parsePowerHere(cursor: Cursor, what: string): Length {
  const start = cursor.peek().from;
  if (cursor.takeSign('-')) {
    const operand = parsePower(cursor, what);
    return { kind: 'negated', operand, position: cursor.from(start) };
  }
  if (cursor.takeSign('+')) return parsePower(cursor, what);
  const base = parseSingle(cursor, what);
  if (!cursor.takeSign('^')) return base;
  return arithmetic('^', base, parsePower(cursor, what));
}

function parseSigned(cursor: Cursor, what: string): Length {
  const start = cursor.peek().from;
  if (cursor.takeSign('-')) {
    const operand = cursor.nested(() => parseSigned(cursor, what));
    return { kind: 'negated', operand, position: cursor.from(start) };
  }
  if (cursor.takeSign('+')) return cursor.nested(() => parseSigned(cursor, what));
  return parseSingle(cursor, what);
}

function parseSingle(cursor: Cursor, what: string): Length {
  const token = cursor.peek();
  if (token.kind === 'number' || token.kind === 'duration') {
    cursor.next();
    return { kind: 'fixed', seconds: token.value, position: cursor.from(token.from) };
  }
  if (cursor.takeSign('(')) {
    const inner = parseSum(cursor, what);
    cursor.expectSign(')', what);
    return inner;
  }
  const word = token.kind === 'word' ? token.text.toLowerCase() : '';
  if ((word === 'step' || word === 'range') && cursor.isSign('(', 1)) {
    cursor.next();
    cursor.next();
    cursor.expectSign(')', what);
    return { kind: word, position: cursor.from(token.from) };
  }
  if ((word === 'min_of' || word === 'max_of') && cursor.isSign('(', 1)) {
    cursor.next();
    cursor.next();
    const left = parseSum(cursor, what);
    cursor.expectSign(',', what);
    const right = parseSum(cursor, what);
    cursor.expectSign(')', what);
    return { kind: 'arithmetic', op: word, left, right, position: cursor.from(token.from) };
  }
  return cursor.unexpected(what, 'number, duration, step(), or range()');
}

const arithmetic = (op: LengthOp, left: Length, right: Length): Length => ({
  kind: 'arithmetic',
  op,
  left,
  right,
  position: { from: left.position.from, to: right.position.to },
});

/** Behind the `@` sign: a Unix time in seconds, `start()` or `end()`. What is pinned is blamed for a time that is none. */
export function parseAt(cursor: Cursor, pinned: Position): At {
  const token = cursor.peek();
  const word = token.kind === 'word' ? token.text.toLowerCase() : '';
  if (word === 'start' || word === 'end') {
    cursor.next();
    cursor.expectSign('(', '@', '"("');
    cursor.expectSign(')', '@', '")"');
    return { kind: word };
  }
  let sign = 1;
  while (cursor.isSign('-') || cursor.isSign('+')) if (cursor.next().text === '-') sign = -sign;
  const value = cursor.peek();
  const special = value.kind === 'word' && /^(inf|nan)$/i.test(value.text);
  if (value.kind !== 'number' && value.kind !== 'duration' && !special) cursor.unexpected('@', 'timestamp');
  cursor.next();
  const atMs = Math.round(sign * value.value * 1000);
  if (special || !Number.isSafeInteger(atMs)) cursor.fail(`timestamp out of bounds for @ modifier: ${value.text}`, pinned);
  return { kind: 'instant', atMs };
}
