import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { ANNE, openWorld, storyOf } from '../notify/testing/world.ts';
import type { SilenceDraft } from './contract.ts';

const MINUTE = 60_000;

const draft = (fields: Partial<SilenceDraft> & { readonly startsAtMs: EpochMs; readonly endsAtMs: EpochMs }): SilenceDraft => ({
  id: undefined,
  matchers: [mustMatcher('instance', '=', 'a')],
  createdBy: 'anne',
  comment: 'new disk',
  annotations: {},
  ...fields,
});
const at = (t0: number, minutes: number): EpochMs => epochMs(t0 + minutes * MINUTE);

it('tells of an alert that still fires when its silence ends, and names the silence as the cause until then', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openWorld(t, { db, routing: { default: ['hook'] } });
  const t0 = world.clock.now();
  const silence = await world.silences.put(draft({ startsAtMs: t0, endsAtMs: at(t0, 10) }), ANNE);
  await world.evaluate(['a', 'b']);
  await world.advance(9 * MINUTE);
  assert.deepEqual(storyOf(world, t0), ['+0 hook firing b']);
  const held = await world.notify.list({ status: 'suppressed', channel: undefined, alertId: undefined, after: undefined, limit: 10 });
  assert.equal(held.length, 1);
  assert.match(held[0]?.cause ?? '', new RegExp(`^silenced by anne until .*: new disk \\(silence ${silence.id}\\)$`));
  const restarted = await world.restart();
  await restarted.advance(2 * MINUTE);
  assert.deepEqual(storyOf(restarted, t0), ['+0 hook firing b', '+600 hook firing a,b']);
});

it('tells within a second when a silence is ended early', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openWorld(t, { db, routing: { default: ['hook'] } });
  const t0 = world.clock.now();
  const silence = await world.silences.put(draft({ startsAtMs: t0, endsAtMs: at(t0, 60) }), ANNE);
  await world.evaluate(['a']);
  await world.advance(MINUTE);
  await world.silences.expire(silence.id, ANNE);
  await world.advance(1_000);
  assert.deepEqual(storyOf(world, t0), ['+61 hook firing a']);
});

it('lets the resolve of what was announced through, and no repeat', async (t) => {
  const { db } = await openSqliteForTest(t);
  const tree = { receiver: 'hook', group_by: ['alertname'], group_wait: '0s', group_interval: '5m', repeat_interval: '10m' };
  const world = await openWorld(t, { db, routing: { tree } });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(MINUTE);
  await world.silences.put(draft({ startsAtMs: world.clock.now(), endsAtMs: at(t0, 60) }), ANNE);
  await world.advance(20 * MINUTE);
  await world.evaluate([]);
  await world.advance(5 * MINUTE);
  assert.deepEqual(storyOf(world, t0), ['+0 hook firing a', '+1500 hook resolved a-']);
});

forEachDatabase((_name, open) => {
  it('keeps what a silence did as it was: its end may move, another matcher makes a new one', async (t) => {
    const { db } = await open(t);
    const { silences, clock, advance } = await openWorld(t, { db, routing: {} });
    const t0 = clock.now();
    const first = await silences.put(draft({ startsAtMs: t0, endsAtMs: at(t0, 10) }), ANNE);
    await advance(MINUTE);
    const longer = await silences.put(draft({ id: first.id, startsAtMs: t0, endsAtMs: at(t0, 20), comment: 'and a fan' }), ANNE);
    assert.deepEqual([longer.id, longer.comment, longer.startsAtMs], [first.id, 'and a fan', t0]);
    const wider = await silences.put(
      draft({ id: first.id, startsAtMs: t0, endsAtMs: at(t0, 20), matchers: [mustMatcher('instance', '=~', 'a|b')] }),
      ANNE,
    );
    assert.notEqual(wider.id, first.id);
    assert.equal(wider.startsAtMs, at(t0, 1));
    assert.equal((await silences.get(first.id)).endsAtMs, at(t0, 1));
    const states = silences.list().map((silence) => [silence.id, silences.viewOf(silence).state]);
    assert.deepEqual(states, [
      [wider.id, 'active'],
      [first.id, 'expired'],
    ]);
    const events = await db.kysely.selectFrom('events').select('kind').where('retention_class', '=', 'audit').orderBy('id').execute();
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['silence.created', 'silence.updated', 'silence.created'],
    );
  });

  it('refuses one that would match everything, is over already, or names a silence that is not there', async (t) => {
    const { db } = await open(t);
    const { silences, clock } = await openWorld(t, { db, routing: {} });
    const t0 = clock.now();
    const span = { startsAtMs: t0, endsAtMs: at(t0, 1) };
    const refused = (fields: Partial<SilenceDraft>, message: RegExp) =>
      assert.rejects(silences.put(draft({ ...span, ...fields }), ANNE), { message });
    await refused({ matchers: [mustMatcher('x', '=~', '.*'), mustMatcher('y', '!=', 'z')] }, /must not match an empty value/);
    await refused({ startsAtMs: at(t0, -2), endsAtMs: at(t0, -1) }, /must not lie in the past/);
    await refused({ startsAtMs: at(t0, 1) }, /start must lie before/);
    await refused({ id: 'nowhere' }, /there is no silence nowhere/);
  });
});
