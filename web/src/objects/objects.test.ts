import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { addressOf, recordOf } from './address.ts';
import { yamlText } from './yaml-text.ts';

test('whatever an answer holds reads back from its YAML', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(parse(yamlText(value)), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 100 },
  );
  const alert = { id: 'a', labels: { on: 'yes', path: '/a b', n: '12' }, steps: [{ at: 1, why: 'x: y' }, []], none: null };
  assert.deepEqual(parse(yamlText(alert)), alert);
  assert.equal(yamlText({ id: 'a', list: [{ b: 1, c: 'two words' }] }), 'id: a\nlist:\n  - b: 1\n    c: two words\n');
});

test('an object has one address: its page, or its line in the list that it stands in', () => {
  assert.equal(addressOf('services', 'a b'), '/services/a%20b');
  assert.equal(addressOf('rules', 'web/Down'), '/rules?rule=web%2FDown');
  assert.equal(addressOf('oncall/people', 'ana'), '/on-call#oncall-people-ana');
  assert.equal(addressOf('nothing', 'x'), undefined);
  assert.deepEqual(recordOf('tokens', '7'), { path: '/api/tokens', isList: true });
  assert.deepEqual(recordOf('alerts', 'a/b'), { path: '/api/alerts/a%2Fb', isList: false });
  assert.equal(recordOf('services', 'shop'), undefined);
});
