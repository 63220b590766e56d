import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { openWorld, storyOf } from './testing/world.ts';

const MINUTE = 60_000;
const TREE = { receiver: 'hook', group_by: ['alertname'], group_wait: '30s', group_interval: '5m' };

it('never tells of an alert that came and went within one group_interval, and tells the resolve of a told one at the tick', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openWorld(t, { db, routing: { tree: TREE } });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(MINUTE);
  await world.evaluate(['a', 'b']);
  await world.advance(MINUTE);
  await world.evaluate([]);
  await world.advance(10 * MINUTE);
  assert.deepEqual(storyOf(world, t0), ['+30 hook firing a', '+330 hook resolved a-']);
});

it('tells of an alert that still fires when the maintenance of its service ends, with the maintenance as the cause until then', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openWorld(t, { db, routing: { default: ['hook'] } });
  const t0 = world.clock.now();
  await world.evaluate(['a'], {}, { heldBack: 'maintenance "disks"' });
  await world.advance(10 * MINUTE);
  assert.deepEqual(world.sent, []);
  const [held] = await world.notify.list({ status: 'suppressed', channel: undefined, alertId: undefined, after: undefined, limit: 10 });
  assert.equal(held?.cause, 'maintenance "disks"');
  await world.evaluate(['a']);
  assert.deepEqual(storyOf(world, t0), ['+600 hook firing a']);
});
