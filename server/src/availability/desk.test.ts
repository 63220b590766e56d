import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { since, START_MS, timing, World, worldOn } from './testing/world.ts';

const http = timing('shop-http');
const at = (second: number): string => new Date(START_MS + second * 1000).toISOString();
/** `2-4 software_bug, 6-9`, oldest first; the stretches of a merged one in brackets. */
async function listed(world: World, knownAtMs?: number): Promise<string> {
  const window = { service: 'shop', fromMs: epochMs(START_MS), toMs: epochMs(START_MS + 1_000_000) };
  const list = await world.ledger.downtimes(knownAtMs === undefined ? { service: 'shop' } : { ...window, knownAtMs: epochMs(knownAtMs) });
  return list
    .toReversed()
    .map(({ fromAtMs, toAtMs, reason, spans }) => {
      const parts = spans === undefined ? '' : ` (${spans.map((one) => `${since(one.fromAtMs)}-${since(one.toAtMs ?? 0)}`).join('+')})`;
      return `${since(fromAtMs)}-${toAtMs === null ? '' : since(toAtMs)}${parts}${reason === 'unplanned_outage' ? '' : ` ${reason}`}`;
    })
    .join(', ');
}

forEachDatabase((_name, open) => {
  test('a downtime is split, its parts described, and all of it undone; what was known then stays known', async (t) => {
    const { db, openAgain } = await open(t);
    const world = await new World(db).begin(http);
    await world.play(http, 'UUxxxxxxUU');
    const [whole] = await world.ledger.downtimes({ service: 'shop' });
    const id = whole?.id ?? '';
    const { desk } = world.ledger;
    const beforeMs = world.clock.now();
    await world.second();
    const first = await desk.split({ id, by: 'ann', said: { at: at(5), reason: 'network_issue', note: 'the switch', revision: 1 } });
    assert.deepEqual([first.revision, first.toBoundsAtMs?.map(since)], [2, [5, 5]]);
    assert.equal(await listed(world), '2-5, 5-8 network_issue');
    assert.equal(await world.timeline(0, 10), '0-2 up, 2-8 down, 8-10 up', 'the ledger is untouched');
    const part = (await world.ledger.downtimes({ service: 'shop' }))[0]?.id ?? '';
    await desk.edit({ id: part, by: 'bob', said: { reason: 'software_bug', revision: 1 } });
    assert.equal(await listed(world), '2-5, 5-8 software_bug');
    const second = await new World(await openAgain(), { clock: world.clock, samples: world.samples }).begin(http);
    assert.equal(await listed(second), '2-5, 5-8 software_bug', 'after a restart');
    assert.equal(await listed(second, beforeMs), '2-8');
    assert.equal((await second.ledger.desk.undo(part, 'ann')).reason, 'network_issue');
    assert.equal((await second.ledger.desk.undo(id, 'ann')).revision, 3);
    assert.equal(await listed(second), '2-8');
    assert.equal((await second.ledger.desk.get(part))?.id, undefined);
    assert.equal((await second.ledger.desk.undo(id, 'ann')).revision, 4);
    assert.equal(await listed(second), '2-5, 5-8 network_issue', 'an undo is undone');
    assert.deepEqual(
      (await second.ledger.desk.revisions(id)).map(({ revision, change, by, other }) => [revision, change, by, other === part]),
      [
        [1, null, null, false],
        [2, 'split', 'ann', true],
        [3, 'rejoined', 'ann', true],
        [4, 'split', 'ann', true],
      ],
    );
  });

  test('neighbours are merged and let go; an outage that goes on keeps its parts', async (t) => {
    const world = await new World((await open(t)).db).begin(http);
    await world.play(http, 'UxxUUxxU');
    const [later, earlier] = await world.ledger.downtimes({ service: 'shop' });
    const { desk } = world.ledger;
    const merged = await desk.merge({ id: later?.id ?? '', by: 'ann', said: { with: earlier?.id ?? '', reason: 'capacity_issue' } });
    assert.deepEqual([merged.id, merged.mergedIds], [earlier?.id, [later?.id]]);
    assert.equal(await listed(world), '1-7 (1-3+5-7) capacity_issue');
    const inside = { service: 'shop', fromMs: epochMs(START_MS), toMs: epochMs(START_MS + 2_000) };
    assert.equal((await world.ledger.downtimes(inside))[0]?.toAtMs, START_MS + 7_000, 'whole in any window');
    await assert.rejects(desk.edit({ id: later?.id ?? '', by: 'bob', said: { note: 'x' } }), { code: 'downtime_merged' });
    await assert.rejects(desk.split({ id: merged.id, by: 'bob', said: { at: at(2) } }), { code: 'downtime_merged' });
    await desk.undo(merged.id, 'ann');
    assert.equal(await listed(world), '1-3, 5-7');
    await world.play(http, 'xxx');
    const [open_] = await world.ledger.downtimes({ service: 'shop' });
    await desk.split({ id: open_?.id ?? '', by: 'ann', said: { at: at(9) } });
    await world.play(http, 'xU');
    assert.equal(await listed(world), '1-3, 5-7, 8-9, 9-12');
  });
});

test('what cannot be split or merged is refused with the reason', async (t) => {
  const world = await (await worldOn(t)).begin(http);
  await world.play(http, 'UxxUxxUxU');
  const [c, b, a] = (await world.ledger.downtimes({ service: 'shop' })).map(({ id }) => id);
  const { desk } = world.ledger;
  const split = (said: { at: string; revision?: number }) => desk.split({ id: a ?? '', by: 'ann', said });
  await assert.rejects(split({ at: at(1) }), /strictly within/);
  await assert.rejects(split({ at: at(3) }), /strictly within/);
  await assert.rejects(split({ at: 'noon' }), /not an instant/);
  await assert.rejects(split({ at: at(2), revision: 7 }), { code: 'revision_conflict' });
  await assert.rejects(desk.split({ id: 'none', by: 'ann', said: { at: at(2) } }), { code: 'downtime_not_found' });
  await assert.rejects(desk.merge({ id: a ?? '', by: 'ann', said: { with: c ?? '' } }), new RegExp(`downtime ${b} lies between`));
  await assert.rejects(desk.merge({ id: a ?? '', by: 'ann', said: { with: a ?? '' } }), /the same one/);
  await assert.rejects(desk.undo(a ?? '', 'ann'), { code: 'nothing_to_undo' });
});
