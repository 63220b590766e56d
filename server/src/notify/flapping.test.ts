import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { openWorld, storyOf } from './testing/world.ts';

const MINUTE_MS = 60_000;

it('an alert that flaps stays told as firing until it is steady, over a restart, and history says why', async (t) => {
  const { db } = await openSqliteForTest(t);
  let world = await openWorld(t, { db, routing: { default: ['hook'] } });
  const startMs = world.clock.now();
  const rule = { cooldownMs: 0 as never };
  const cycle = async (): Promise<void> => {
    await world.evaluate(['h1'], rule);
    await world.advance(MINUTE_MS);
    await world.evaluate([], rule);
    await world.advance(MINUTE_MS);
  };
  for (let i = 0; i < 5; i++) await cycle();
  assert.equal(world.sent.length, 10, 'five cycles are told as they come');
  await cycle();
  await cycle();
  const [alert] = (
    await world.alerting.list({
      status: 'resolved',
      severities: [],
      rule: undefined,
      service: undefined,
      fromMs: undefined,
      toMs: undefined,
      cursor: undefined,
      limit: 1,
    })
  ).items;
  assert.notEqual(alert?.flapping_since_ms ?? null, null);
  assert.deepEqual(storyOf(world, startMs).slice(10), ['+600 hook firing h1'], 'the sixth firing is told, its end and the seventh are not');
  const kept = (await world.notify.ofAlert(alert?.id ?? '')).find(({ status }) => status === 'suppressed');
  assert.match(kept?.cause ?? '', /^flapping since .*: told again when it is steady$/);
  assert.equal(kept?.reason, 'resolved');
  world = await world.restart();
  await world.advance(20 * MINUTE_MS);
  assert.equal(world.sent.length, 11, 'still flapping after the restart');
  await world.advance(20 * MINUTE_MS);
  assert.match(storyOf(world, startMs)[11] ?? '', /hook resolved h1-$/, 'the end is told when it is steady');
  assert.equal(world.sent.length, 12);
});
