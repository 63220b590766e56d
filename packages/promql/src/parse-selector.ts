import { type MatchOp, type Matcher, matcher } from '@nines/base/matcher.ts';
import { METRIC_NAME } from '@nines/model/labels.ts';
import type { VectorSelector } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { quote } from './strings.ts';

/** `name`, `name{…}`, `{…}`; the cursor stands on the first of them. */
export function parseSelector(cursor: Cursor): VectorSelector {
  const start = cursor.peek().from;
  const name = cursor.peek().kind === 'word' ? cursor.next().text : undefined;
  const matchers: Matcher[] = [];
  if (cursor.isSign('{')) matchers.push(...parseMatchers(cursor));
  if (name !== undefined) matchers.push(made(cursor, { name: METRIC_NAME, op: '=', value: name }));
  const position = cursor.from(start);
  return { kind: 'selector', name, matchers, position };
}

function parseMatchers(cursor: Cursor): readonly Matcher[] {
  cursor.expectSign('{', 'label matching');
  const matchers: Matcher[] = [];
  let name: string | undefined;
  while (!cursor.isSign('}')) {
    const token = cursor.peek();
    if (token.kind !== 'word' && token.kind !== 'string') cursor.unexpected('label matching', 'identifier or "}"');
    cursor.next();
    if (token.kind === 'string' && (cursor.isSign(',') || cursor.isSign('}'))) {
      if (name !== undefined) cursor.fail(`metric name must not be set twice: ${quote(name)} or ${quote(token.text)}`, token);
      name = token.text;
      matchers.push(made(cursor, { name: METRIC_NAME, op: '=', value: token.text }));
    } else {
      const one = parseMatcher(cursor, token.text);
      if (one.name === METRIC_NAME && one.op === '=' && name !== undefined)
        cursor.fail(`metric name must not be set twice: ${quote(name)} or ${quote(one.value)}`, token);
      matchers.push(one);
    }
    if (!cursor.takeSign(',') && !cursor.isSign('}')) cursor.unexpected('label matching', '"," or "}"');
  }
  cursor.next();
  return matchers;
}

function parseMatcher(cursor: Cursor, name: string): Matcher {
  const token = cursor.peek();
  const op = token.kind === 'sign' ? MATCH_OPS.get(token.text) : undefined;
  if (op === undefined) return cursor.unexpected('label matching', 'label matching operator');
  cursor.next();
  const value = cursor.peek();
  if (value.kind !== 'string') cursor.unexpected('label matching', 'string');
  cursor.next();
  return made(cursor, { name, op, value: value.text }, value);
}

const MATCH_OPS: ReadonlyMap<string, MatchOp> = new Map([
  ['=', '='],
  ['!=', '!='],
  ['=~', '=~'],
  ['!~', '!~'],
]);

type Written = { readonly name: string; readonly op: MatchOp; readonly value: string };

function made(cursor: Cursor, { name, op, value }: Written, at = cursor.peek()): Matcher {
  const one = matcher(name, op, value);
  return one.ok ? one.value : cursor.fail(one.error, at);
}
