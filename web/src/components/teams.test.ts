import assert from 'node:assert/strict';
import { test } from 'node:test';
import { teamsOf } from './teams.ts';

test('a team has what is about one of its services; nothing asked for has everything', () => {
  const teams = teamsOf([
    { id: 'shop', team: 'web' },
    { id: 'pay', team: 'money' },
    { id: 'mail', team: '' },
    { id: 'cart', team: 'web' },
  ]);
  assert.deepEqual(teams.names, ['money', 'web']);
  assert.deepEqual(
    [['shop'], ['pay', 'cart'], ['mail'], [], ['gone']].map((services) => teams.has('web', services)),
    [true, true, false, false, false],
  );
  assert.equal(teams.has(undefined, []), true);
  assert.equal(teams.has('gone', ['shop']), false);
});
