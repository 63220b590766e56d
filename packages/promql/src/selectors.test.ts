import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExpr } from './parse.ts';
import { selectorsOf } from './selectors.ts';

/** Name, how far back and until when before the instant, in seconds; `@` when pinned. */
function reads(text: string): readonly string[] {
  const parsed = parseExpr(text);
  assert.ok(parsed.ok);
  return selectorsOf(parsed.value).map(
    ({ name, backMs, untilMs, fixed }) => `${name} ${backMs / 1000} ${untilMs / 1000}${fixed ? ' @' : ''}`,
  );
}

test('an instant selector reads back as far as the lookback', () => {
  assert.deepEqual(reads('up'), ['up 300 0']);
  assert.deepEqual(reads('up offset 1m'), ['up 360 60']);
  assert.deepEqual(reads('up offset -1m'), ['up 240 -60']);
});

test('ranges and subqueries add up', () => {
  assert.deepEqual(reads('rate(a[5m] offset 1m)'), ['a 360 60']);
  assert.deepEqual(reads('max_over_time(rate(a[5m])[1h:1m] offset 1d)'), ['a 90300 86400']);
  assert.deepEqual(reads('increase(a[5m] anchored)'), ['a 600 0']);
});

test('every selector is found, pinned ones are told apart', () => {
  assert.deepEqual(reads('sum(a) / on (x) group_left () (b @ 5 or c)').slice(0, 2), ['a 300 0', 'b 300 0 @']);
  assert.deepEqual(reads('topk(scalar(c), d)'), ['c 300 0', 'd 300 0']);
});
