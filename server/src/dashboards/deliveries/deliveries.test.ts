import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { formatScope } from '@nines/model/scope.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { forEachDatabase, type OpenDatabase } from '../../../../test/harness/databases.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import type { AuditEntry } from '../../audit/contract.ts';
import type { Delivery, Mail } from '../../notify/contract.ts';
import { createIds } from '../../platform/ids.ts';
import type { OutboxMessage } from '../../platform/records/contract.ts';
import { Drawer } from '../drawn/drawer.ts';
import { paperOf } from '../drawn/paper.ts';
import type { Sight } from '../embeds/service.ts';
import { dashboardSpec } from '../model.ts';
import { actor, scopeOf } from '../testing/people.ts';
import { deliverySpec } from './contract.ts';
import { Deliveries } from './service.ts';

const [ANN, BEN] = [actor('Ann'), actor('Ben', scopeOf('team="shop"'))];
const SPEC = dashboardSpec.parse({
  id: 'shop',
  title: 'Shop',
  range: '6h',
  variables: [{ kind: 'list', name: 'host', values: ['a', 'b'] }],
  panels: { load: { kind: 'line', title: 'Load', source: { from: 'promql', queries: [{ expr: 'load{host="$host"}' }] } } },
  layout: { kind: 'grid', sections: [{ panels: ['load'] }] },
});
const WEEK_MS = 7 * 86_400_000;
/** A Sunday at noon. */
const NOW_MS = Date.UTC(2026, 10, 22, 12);
const MONDAY_MS = Date.UTC(2026, 10, 23, 7);

async function world(t: TestContext, open: OpenDatabase) {
  const { db } = await open(t);
  const clock = manualClock(NOW_MS);
  const ids = createIds(clock);
  const asked: { readonly expr: string; readonly fromMs: number; readonly toMs: number; readonly scope: string }[] = [];
  const sights = new Map<string, Sight>([
    ['u-Ann', { scope: FULL_SCOPE, kinds: new Set(['promql']) }],
    ['u-Ben', { scope: BEN.scope, kinds: new Set(['promql']) }],
  ]);
  const noted: AuditEntry[] = [];
  const mails: Mail[] = [];
  const queued: OutboxMessage[] = [];
  let answer: Delivery = { kind: 'delivered', receipt: '250' };
  const none = { list: () => [], get: () => undefined };
  const drawer = new Drawer({
    clock,
    yieldNow: () => undefined,
    paper: async (paper) => paperOf(paper),
    query: {
      range: async (expr, { fromMs, toMs }, { scope = FULL_SCOPE } = {}) => {
        asked.push({ expr, fromMs, toMs, scope: formatScope(scope) });
        return [{ labels: labelsOf({ host: 'a' }), times: [toMs - 60_000, toMs], values: [1, 2] }];
      },
      instant: () => Promise.resolve([]),
    },
    services: { ...none, dependents: () => [] },
    ledger: {} as never,
    slas: { list: async () => [] },
    slaTrend: async (_sla, fromMs, toMs) => ({ from_at_ms: fromMs, to_at_ms: toMs, points: [] }),
    checks: { list: () => [], stateOf: () => 'up' },
    alerts: async () => [],
    incidents: async () => [],
  });
  const deliveries = new Deliveries({
    db,
    clock,
    ids,
    record: async (_trx, entry) => noted.push(entry),
    dashboards: { get: async () => ({ spec: SPEC }) as never },
    drawer,
    sightOf: async ({ id }) => sights.get(id),
    externalUrl: 'https://nines.example',
    outbox: {
      enqueue: async (_trx, { topic, key, payload }) => {
        const id = ids.uuid();
        queued.push({ id, topic, key, payload: JSON.stringify(payload), tries: 1, createdAtMs: clock.now(), cutOff: false });
        return id;
      },
      wake: () => undefined,
    },
    mailer: () => ({
      send: async (mail) => {
        mails.push(mail);
        return answer;
      },
    }),
    channels: () => ['mail'],
  });
  const make = (change: object = {}, by = ANN) =>
    deliveries.make('shop', deliverySpec.parse({ cron: '0 7 * * 1', to: ['boss@shop.example'], range: '7d', ...change }), by);
  /** What the outbox does with all that waits. */
  const deliver = () => Promise.all(queued.splice(0).map((message) => deliveries.send(message)));
  const last = async (id: string) => (await deliveries.list('shop', ANN)).find((one) => one.id === id)?.last;
  return { db, deliveries, clock, asked, sights, noted, mails, queued, make, deliver, last, answers: (next: Delivery) => (answer = next) };
}

forEachDatabase((_name, open) => {
  test('a weekly one goes out once a week to those named, with the week before it, its address and the result', async (t) => {
    const { deliveries, clock, asked, noted, mails, queued, make, deliver, last } = await world(t, open);
    const made = await make({ values: { host: ['b'] }, title: 'Our week' });
    assert.deepEqual([made.next_at_ms, made.enabled, made.last], [MONDAY_MS, true, null]);
    await deliveries.step(clock.now());
    assert.equal(queued.length, 0, 'nothing is due before its time');
    clock.jump(MONDAY_MS - NOW_MS + 30_000);
    await deliveries.step(clock.now());
    await deliveries.step(clock.now());
    assert.equal(queued.length, 1, 'due once');
    assert.equal((await last(made.id))?.state, 'sending');
    assert.deepEqual(
      (await deliver()).map(({ kind }) => kind),
      ['done'],
    );
    assert.deepEqual(
      asked.map(({ expr, fromMs, toMs }) => [expr, toMs, Math.round((toMs - fromMs) / WEEK_MS)]),
      [['load{host="b"}', MONDAY_MS, 1]],
    );
    const [mail = assert.fail('a mail')] = mails;
    assert.deepEqual([mail.to, mail.subject], [['boss@shop.example'], 'Our week, 2026-11-23']);
    assert.match(mail.text, /https:\/\/nines\.example\/dashboards\/shop\?from=\d+&to=\d+&vars=/);
    assert.equal(
      Buffer.from(mail.attachments?.[0]?.bytes ?? [])
        .subarray(0, 5)
        .toString(),
      '%PDF-',
    );
    const [listed] = await deliveries.list('shop', ANN);
    assert.deepEqual([listed?.last?.state, listed?.last?.due_at_ms, listed?.next_at_ms], ['sent', MONDAY_MS, MONDAY_MS + WEEK_MS]);
    assert.deepEqual(
      noted.map(({ action }) => action),
      ['dashboard.delivery_made', 'dashboard.delivered'],
    );
    clock.jump(5 * WEEK_MS);
    await deliveries.step(clock.now());
    assert.equal(queued.length, 1, 'what was missed while nobody watched goes out once');
  });

  test('it shows what its maker sees when it is sent, and nothing when they may not read any more', async (t) => {
    const { deliveries, clock, asked, sights, mails, make, deliver, last } = await world(t, open);
    const { id } = await make();
    await deliveries.sendNow('shop', id, ANN);
    sights.set('u-Ann', { scope: BEN.scope, kinds: new Set(['promql']) });
    await deliver();
    clock.jump(60_000);
    assert.deepEqual(
      asked.map(({ scope }) => scope),
      [formatScope(BEN.scope)],
    );
    await deliveries.sendNow('shop', id, ANN);
    sights.set('u-Ann', { scope: FULL_SCOPE, kinds: new Set() });
    await deliver();
    clock.jump(60_000);
    assert.deepEqual([asked.length, mails.length], [1, 2], 'a kind of figures that they may not read is not asked for');
    await deliveries.sendNow('shop', id, ANN);
    sights.delete('u-Ann');
    assert.deepEqual(
      (await deliver()).map(({ kind }) => kind),
      ['dead'],
    );
    assert.deepEqual(
      [mails.length, (await last(id))?.state, (await last(id))?.note],
      [2, 'failed', 'Ann may not read dashboards any more'],
    );
  });

  test('a mail that does not go is tried again for a day, then it has failed; one that was removed is not sent', async (t) => {
    const { deliveries, clock, noted, mails, queued, make, deliver, last, answers } = await world(t, open);
    const { id } = await make();
    await deliveries.sendNow('shop', id, ANN);
    const [message = assert.fail('it waits')] = queued.splice(0);
    answers({ kind: 'failed', retryable: true, error: 'the server is busy' });
    assert.equal((await deliveries.send(message)).kind, 'retry');
    assert.deepEqual([(await last(id))?.state, (await last(id))?.note], ['sending', 'the server is busy']);
    clock.jump(86_400_001);
    assert.equal((await deliveries.send(message)).kind, 'dead');
    assert.equal((await last(id))?.state, 'failed');
    assert.equal(noted.at(-1)?.action, 'dashboard.delivery_failed');
    await deliveries.sendNow('shop', id, ANN);
    await deliveries.remove('shop', id, ANN);
    const before = mails.length;
    assert.deepEqual([(await deliver())[0]?.kind, mails.length, await deliveries.list('shop', ANN)], ['dead', before, []]);
  });

  test('what a server says when it refuses is kept whatever characters it holds', async (t) => {
    const { make, deliveries, deliver, last, answers } = await world(t, open);
    const { id } = await make();
    answers({ kind: 'failed', retryable: false, error: `550 no\0thanks ${'x'.repeat(286)}😀` });
    await deliveries.sendNow('shop', id, ANN);
    assert.equal((await deliver())[0]?.kind, 'dead');
    const kept = await last(id);
    assert.deepEqual([kept?.state, kept?.note.slice(0, 13), kept?.note.isWellFormed()], ['failed', '550 no\ufffdthanks', true]);
  });

  test('one that rests is not sent by itself; who sees a part knows their own alone', async (t) => {
    const { deliveries, clock, queued, make } = await world(t, open);
    const { id } = await make();
    const own = await make({}, BEN);
    assert.deepEqual(
      (await deliveries.list('shop', BEN)).map((one) => one.id),
      [own.id],
    );
    await assert.rejects(deliveries.sendNow('shop', id, BEN), { code: 'delivery_not_found' });
    await assert.rejects(deliveries.remove('shop', id, BEN), { code: 'delivery_not_found' });
    for (const one of [id, own.id]) {
      const rested = await deliveries.enable('shop', one, { enabled: false, actor: ANN });
      assert.deepEqual([rested.enabled, rested.next_at_ms], [false, null]);
    }
    clock.jump(3 * WEEK_MS);
    await deliveries.step(clock.now());
    assert.equal(queued.length, 0);
    const again = await deliveries.enable('shop', id, { enabled: true, actor: ANN });
    assert.equal(again.next_at_ms, MONDAY_MS + 3 * WEEK_MS, 'what was due meanwhile is not made up for');
  });

  test('who asks for it is sent one at a time, and one a minute, and told when', async (t) => {
    const { deliveries, clock, make, deliver, queued, noted } = await world(t, open);
    const { id } = await make();
    const other = await make();
    const asked = await Promise.allSettled([deliveries.sendNow('shop', id, ANN), deliveries.sendNow('shop', id, ANN)]);
    assert.deepEqual(asked.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    assert.equal(queued.length, 1);
    clock.jump(60_000);
    await assert.rejects(deliveries.sendNow('shop', id, ANN), { kind: 'limited', code: 'delivery_running', message: /is being sent/ });
    await deliveries.sendNow('shop', other.id, ANN);
    await deliver();
    await deliveries.sendNow('shop', id, ANN);
    await deliver();
    clock.jump(20_000);
    const soon = { kind: 'limited', code: 'delivery_too_soon', retryAfterMs: 40_000, message: /2026-11-22 12:02:00 UTC/ };
    await assert.rejects(deliveries.sendNow('shop', id, ANN), soon);
    clock.jump(40_000);
    await deliveries.sendNow('shop', id, ANN);
    assert.equal(queued.length, 1);
    assert.equal(noted.filter(({ action }) => action === 'dashboard.delivery_asked').length, 4);
    // What the outbox lost sight of blocks nobody for longer than it is tried for.
    clock.jump(86_400_001);
    await deliveries.sendNow('shop', id, ANN);
  });

  test('what there is too much of is named with its own count', async (t) => {
    const { db, make } = await world(t, open);
    const made = await make();
    const row = await db.kysely.selectFrom('dashboard_deliveries').selectAll().where('id', '=', made.id).executeTakeFirstOrThrow();
    const more = Array.from({ length: 999 }, (_, at) => ({ ...row, id: `d-${at}`, dashboard: `board-${at}` }));
    for (let at = 0; at < more.length; at += 50)
      await db.kysely
        .insertInto('dashboard_deliveries')
        .values(more.slice(at, at + 50))
        .execute();
    await assert.rejects(make(), { code: 'too_many_deliveries', message: /1000 deliveries of all dashboards/ });
    for (let at = 0; at < 19; at++)
      await db.kysely.updateTable('dashboard_deliveries').set({ dashboard: 'shop' }).where('id', '=', `d-${at}`).execute();
    await assert.rejects(make(), { code: 'too_many_deliveries', message: /1000 deliveries of all dashboards/ });
  });

  test('what cannot be sent is refused when it is made', async (t) => {
    const { make } = await world(t, open);
    await assert.rejects(make({ values: { nobody: ['x'] } }), { code: 'unknown_variable' });
    await assert.rejects(make({ channel: 'pager' }), { code: 'delivery_channel_not_found' });
    for (const bad of [{ cron: '* * * * *' }, { cron: 'weekly' }, { zone: 'Mars/Olympus' }, { to: [] }, { to: ['a b'] }, { range: '0s' }])
      assert.equal(deliverySpec.safeParse({ cron: '0 7 * * 1', to: ['a@b.example'], ...bad }).success, false, JSON.stringify(bad));
    for (let i = 0; i < 20; i++) await make();
    await assert.rejects(make(), { code: 'too_many_deliveries' });
  });
});
