import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_SCOPE } from './storage.ts';
import { NOTHING, formatScope, isFull, narrowed, parseScope, scopeOfTeams, visible } from './scope.ts';

const scope = (text: string) => {
  const parsed = parseScope(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
};

test('a scope shows what satisfies all of its matchers, and a missing label is the empty text', () => {
  const shop = scope('team="shop", env=~"prod|stage"');
  assert.equal(visible(shop, { team: 'shop', env: 'prod' }), true);
  assert.equal(visible(shop, { team: 'shop', env: 'production' }), false, 'regular expressions are anchored');
  assert.equal(visible(shop, { team: 'shop' }), false);
  assert.equal(visible(shop, { env: 'prod' }), false);
  assert.equal(visible(scope('team!="pay"'), {}), true);
  assert.equal(visible(scope('{team=~"shop|"}'), {}), true);
});

test('what every object inherits is no label', () => {
  assert.equal(visible(scope('constructor!=""'), {}), false);
  assert.equal(visible(scope('toString=~".+"'), {}), false);
});

test('the empty text is everything, in whatever braces and spaces', () => {
  for (const text of ['', ' ', '{}', ' { } ']) assert.equal(scope(text), FULL_SCOPE, JSON.stringify(text));
  assert.equal(visible(FULL_SCOPE, {}), true);
});

test('a bad list of matchers is refused, not read as a wider one', () => {
  for (const text of ['team', 'team="shop" env="prod"', 'team=~"("', '{team="shop"', 'team="shop"} or {env="prod"']) {
    assert.equal(parseScope(text).ok, false, text);
  }
});

test('several teams are alternatives, and a name is never a pattern', () => {
  const both = scopeOfTeams(['shop', 'a.b', 'x|y', '(', 'back\\slash']);
  for (const team of ['shop', 'a.b', 'x|y', '(', 'back\\slash']) assert.equal(visible(both, { team }), true, team);
  for (const team of ['', 'axb', 'x', 'y', 'shop2', 'pay']) assert.equal(visible(both, { team }), false, team);
  assert.equal(visible(scopeOfTeams(['a.b']), { team: 'axb' }), false);
  assert.equal(isFull(scopeOfTeams([])), true);
});

test('scopes on top of each other only ever narrow', () => {
  const both = narrowed(scopeOfTeams(['shop']), FULL_SCOPE, scope('env="prod"'));
  assert.equal(visible(both, { team: 'shop', env: 'prod' }), true);
  assert.equal(visible(both, { team: 'shop', env: 'test' }), false);
  assert.equal(narrowed(FULL_SCOPE, FULL_SCOPE), FULL_SCOPE);
  assert.equal(visible(narrowed(scopeOfTeams(['shop']), scopeOfTeams(['pay'])), { team: 'shop' }), false);
});

test('NOTHING shows nothing', () => {
  for (const labels of [{}, { team: '' }, { team: 'shop' }]) assert.equal(visible(NOTHING, labels), false);
});

test('a scope is written as it is read', () => {
  for (const text of ['team="shop", env=~"prod|stage"', 'a!="\\"x\\\\"', '"a.b"!~"c"']) {
    assert.equal(formatScope(scope(formatScope(scope(text)))), formatScope(scope(text)));
  }
  assert.equal(formatScope(scope('team="shop", env=~"prod|stage"')), 'team="shop", env=~"prod|stage"');
});
