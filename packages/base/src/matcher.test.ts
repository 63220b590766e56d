import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matcher, mustMatcher } from './matcher.ts';

test('each operator decides as Prometheus does; a missing label is the empty text', () => {
  const decides = (op: '=' | '!=' | '=~' | '!~', value: string, text: string, want: boolean): void =>
    assert.equal(mustMatcher('job', op, value).matches(text), want, `${op}${value} on "${text}"`);
  decides('=', 'node', 'node', true);
  decides('=', '', '', true);
  decides('!=', 'node', '', true);
  decides('=~', 'no.+', 'node', true);
  decides('=~', 'no', 'node', false);
  decides('=~', 'a|', '', true);
  decides('!~', 'no.+', 'db', true);
  decides('!~', '.+', '', true);
});

test('a matcher with a broken pattern is an expected failure, not a crash', () => {
  const made = matcher('job', '=~', '[');
  assert.equal(made.ok, false);
});
