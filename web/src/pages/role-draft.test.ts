import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, draftOf, levelOf, levelsOf, roleOf } from './role-draft.ts';

test('a role is written as it was read: nothing is gained or lost by opening and saving it', () => {
  const role = {
    id: 'night-watch',
    name: 'Night watch',
    origin: 'ui',
    revision: 3,
    permits: { own: ['read'], alerts: ['read', 'operate'], metrics: ['read', 'ingest'], checks: ['ingest'] },
    landing: '/alerts-dashboard',
    teams: ['shop', 'pay'],
    scope: 'env="prod"',
    holders: [],
  } as const;
  const { id, name, permits, landing, teams, scope } = roleOf(draftOf({ ...structuredClone(role) } as never), role.id);
  assert.deepEqual(
    { id, name, landing, teams, scope },
    { id: role.id, name: role.name, landing: role.landing, teams: ['shop', 'pay'], scope: role.scope },
  );
  assert.deepEqual(permits, { own: ['read'], alerts: ['operate'], metrics: ['read', 'ingest'], checks: ['ingest'] });
});

test('what is not chosen is not permitted, and a name makes the id', () => {
  const made = roleOf({ ...EMPTY, name: ' Night Watch ', levels: { own: 'read', alerts: '' } });
  assert.deepEqual([made.id, made.name, made.permits], ['night-watch', 'Night Watch', { own: ['read'] }]);
});

test('sending samples is offered where samples are taken, and where a role has it already', () => {
  const offered = (area: 'alerts' | 'slas', chosen: string) => levelsOf(area, chosen).map(({ value }) => value);
  assert.ok(offered('alerts', '').includes('operate ingest'));
  assert.deepEqual(offered('slas', ''), ['', 'read', 'operate', 'administer']);
  assert.deepEqual(offered('slas', 'ingest'), ['', 'read', 'operate', 'administer', 'ingest']);
  assert.equal(levelOf(['read', 'operate', 'ingest']), 'operate ingest');
});
