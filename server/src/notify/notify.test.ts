import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ms } from '@nines/base/units.ts';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { ANNE, openWorld, storyOf } from './testing/world.ts';

const DEFAULT = { default: ['hook'] };

forEachDatabase((_name, open) => {
  it("sends a fire and its resolve at once, in Alertmanager's shape", async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    const t0 = world.clock.now();
    await world.evaluate(['a', 'b']);
    await world.advance(10_000);
    await world.evaluate(['b']);
    assert.deepEqual(storyOf(world, t0), ['+0 hook firing a,b', '+10 hook firing a-,b']);
    const [first, second] = world.sent;
    assert.deepEqual(Object.keys(first?.message ?? {}), [
      'receiver',
      'status',
      'alerts',
      'groupLabels',
      'commonLabels',
      'commonAnnotations',
      'externalURL',
      'version',
      'groupKey',
      'truncatedAlerts',
    ]);
    assert.equal(first?.message.groupKey, '{}:{alertname="High", service="shop"}');
    assert.deepEqual(first?.message.commonLabels, { alertname: 'High', service: 'shop', severity: 'critical' });
    assert.equal(first?.message.alerts[0]?.endsAt, '0001-01-01T00:00:00Z');
    assert.equal(second?.message.alerts[0]?.endsAt, new Date(t0 + 10_000).toISOString().replace('.000Z', 'Z'));
    assert.notEqual(first?.key, second?.key);
  });

  it('mutes a repeat within the cooldown, records why, and announces it when the cooldown ends', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    await world.advance(10_000);
    await world.evaluate([]);
    await world.advance(10_000);
    await world.evaluate(['a']);
    await world.advance(5_000);
    assert.deepEqual(storyOf(world, t0), ['+0 hook firing a', '+10 hook resolved a-']);
    const [muted] = await world.notify.list({ status: 'suppressed', channel: undefined, alertId: undefined, after: undefined, limit: 10 });
    assert.match(muted?.cause ?? '', /^cooldown of 5m: last announced at /);
    await world.advance(280_000);
    assert.deepEqual(storyOf(world, t0).slice(2), ['+300 hook firing a']);
    await world.evaluate([]);
    assert.equal(storyOf(world, t0).at(-1), '+305 hook resolved a-');
  });

  it('says nothing about a muted repeat that ends by itself', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    const t0 = world.clock.now();
    for (const active of [['a'], [], ['a'], []]) {
      await world.evaluate(active);
      await world.advance(10_000);
    }
    await world.advance(400_000);
    assert.deepEqual(storyOf(world, t0), ['+0 hook firing a', '+10 hook resolved a-']);
    assert.equal((await db.kysely.selectFrom('notify_groups').selectAll().execute()).length, 0);
    await world.evaluate(['a']);
    assert.equal(storyOf(world, t0).at(-1), '+440 hook firing a');
  });

  it('repeats after four hours until somebody acknowledges', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    const t0 = world.clock.now();
    const hours = 3_600_000;
    await world.evaluate(['a']);
    world.clock.jump(4 * hours);
    await world.advance(2_000);
    assert.equal(world.sent.length, 2);
    const [alert] = world.alerting.open();
    await world.alerting.act(alert?.id ?? '', { kind: 'acknowledge', comment: 'on it' }, ANNE);
    world.clock.jump(8 * hours);
    await world.advance(2_000);
    assert.equal(world.sent.length, 2);
    await world.evaluate([]);
    assert.match(storyOf(world, t0).at(-1) ?? '', /resolved a-$/);
  });

  it('keeps a snoozed alert quiet, says who caused it, and tells it when the snooze ends', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: { tree: { receiver: 'hook', group_by: ['alertname'], group_wait: '30s' } } });
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    const [alert] = world.alerting.open();
    await world.alerting.act(alert?.id ?? '', { kind: 'snooze', until: (t0 + 400_000) as never, comment: undefined }, ANNE);
    assert.equal(world.alerting.open()[0]?.state, 'suppressed');
    await world.advance(60_000);
    assert.deepEqual(storyOf(world, t0), []);
    const [muted] = await world.notify.ofAlert(alert?.id ?? '');
    assert.match(muted?.cause ?? '', /^snoozed until /);
    await world.advance(600_000);
    assert.deepEqual(storyOf(world, t0), ['+630 hook firing a']);
    assert.equal(world.alerting.open()[0]?.state, 'firing');
  });

  it('keeps the timings of a tree: wait, interval, repeat', async (t) => {
    const { db } = await open(t);
    const tree = { receiver: 'hook', group_by: ['alertname'], group_wait: '30s', group_interval: '5m', repeat_interval: '10m' };
    const world = await openWorld(t, { db, routing: { tree } });
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    await world.advance(10_000);
    await world.evaluate(['a', 'b']);
    await world.advance(50_000);
    await world.evaluate(['a', 'b', 'c']);
    await world.advance(1_000_000);
    await world.evaluate(['a']);
    await world.advance(300_000);
    assert.deepEqual(storyOf(world, t0), [
      '+30 hook firing a,b',
      '+330 hook firing a,b,c',
      '+930 hook firing a,b,c',
      '+1230 hook firing a,b-,c-',
    ]);
  });

  it('sends nothing about an alert that ended before the wait was over', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: { tree: { receiver: 'hook', group_wait: '30s' } } });
    await world.evaluate(['a']);
    await world.advance(10_000);
    await world.evaluate([]);
    await world.advance(600_000);
    assert.deepEqual(world.sent, []);
  });

  it('routes by the tree, and sends a resolve where the fire went', async (t) => {
    const { db } = await open(t);
    const tree = {
      receiver: 'mail',
      group_wait: '0s',
      routes: [
        { receiver: 'pager', matchers: ['severity="critical"'], continue: true },
        { receiver: 'hook', matchers: ['instance=~"a|b"'] },
      ],
    };
    const world = await openWorld(t, { db, routing: { tree } });
    await world.evaluate(['a']);
    await world.evaluate(['z'], { id: 'S', severity: 'info' });
    await world.advance(301_000);
    assert.deepEqual(world.sent.map(({ message }) => message.receiver).sort(), ['hook', 'mail', 'pager']);
    await world.evaluate([]);
    await world.advance(301_000);
    const resolved = world.sent.filter(({ message }) => message.status === 'resolved');
    assert.deepEqual(resolved.map(({ message }) => message.receiver).sort(), ['hook', 'pager']);
  });

  it('tries again until the channel takes it, in order, with one key', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    const keys: string[] = [];
    let refuse = 3;
    world.answer = ({ idempotencyKey }) => {
      keys.push(idempotencyKey);
      return refuse-- > 0 ? { kind: 'failed', error: 'HTTP 503', retryable: true } : { kind: 'delivered', receipt: 'ok' };
    };
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    await world.evaluate([]);
    assert.equal(world.sent.length, 0);
    await world.advance(10_000);
    assert.deepEqual(
      storyOf(world, t0).map((line) => line.replace(/^\S+ /, '')),
      ['hook firing a', 'hook resolved a-'],
    );
    assert.deepEqual(new Set(keys.slice(0, 4)).size, 1);
    const rows = await world.notify.list({ status: 'delivered', channel: 'hook', alertId: undefined, after: undefined, limit: 10 });
    assert.deepEqual(
      rows.map((row) => row.attempts),
      [1, 4],
    );
  });

  it('keeps a dead letter that can be sent again', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    world.answer = () => ({ kind: 'failed', error: 'HTTP 400: no', retryable: false });
    await world.evaluate(['a']);
    const filter = { status: 'dead', channel: undefined, alertId: undefined, after: undefined, limit: 10 };
    const [dead] = await world.notify.list(filter);
    assert.equal(dead?.last_error, 'HTTP 400: no');
    world.answer = () => ({ kind: 'delivered', receipt: 'ok' });
    await world.notify.retry(dead?.id ?? '');
    await world.advance(1_000);
    assert.equal(world.sent.length, 1);
    assert.deepEqual(await world.notify.list(filter), []);
    await assert.rejects(world.notify.retry(dead?.id ?? ''), /is delivered, not dead/);
  });

  it('sends after a crash what was committed before it, once', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    world.answer = () => ({ kind: 'failed', error: 'network down', retryable: true });
    await world.evaluate(['a']);
    const after = await world.restart();
    await after.advance(5_000);
    assert.equal(after.sent.length, 1);
    await after.evaluate(['a']);
    await after.advance(5_000);
    assert.equal(after.sent.length, 1);
  });

  it('counts an attempt that a crash cut off, so that a message that came twice is explained', async (t) => {
    const filter = { status: 'delivered', channel: undefined, alertId: undefined, after: undefined, limit: 10 };
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    world.answer = () => ({ kind: 'failed', error: 'network down', retryable: true });
    await world.evaluate(['a']);
    await db.kysely.updateTable('outbox').set({ state: 'sending', lease_until_ms: world.clock.now() }).execute();
    const after = await world.restart();
    await after.advance(5_000);
    const [row] = await after.notify.list(filter);
    assert.deepEqual([row?.attempts, row?.cut_off, after.sent[0]?.key], [3, 1, row?.id]);
    await after.evaluate([]);
    const [resolved] = await after.notify.list(filter);
    assert.deepEqual([resolved?.reason, resolved?.attempts, resolved?.cut_off], ['resolved', 1, 0]);
  });

  it('continues after a restart where it stood: pending since, kept firing, acknowledged', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    const slow = { id: 'slow', forMs: ms(60_000), keepFiringForMs: ms(30_000) };
    const kept = { id: 'kept', alertname: 'Kept', keepFiringForMs: ms(30_000) };
    await world.evaluate(['a'], slow);
    await world.evaluate(['b'], kept);
    const [alert] = world.alerting.openOf('kept');
    await world.alerting.act(alert?.id ?? '', { kind: 'acknowledge', comment: undefined }, ANNE);
    await world.advance(10_000);
    await world.evaluate([], kept);
    const before = world.alerting.open();
    const after = await world.restart();
    assert.deepEqual(after.alerting.open(), before);
    assert.equal(after.alerting.openOf('kept')[0]?.state, 'acknowledged');
    await after.advance(20_000);
    await after.evaluate([], kept);
    assert.equal(after.alerting.openOf('kept').length, 1);
    await after.advance(10_000);
    await after.evaluate([], kept);
    assert.equal(after.alerting.openOf('kept').length, 0);
    await after.advance(20_000);
    await after.evaluate(['a'], slow);
    assert.equal(after.alerting.openOf('slow')[0]?.condition, 'firing');
  });

  it('opens an alert once, also when two processes find it at the same time', async (t) => {
    const { db, openAgain } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    const other = await openWorld(t, { db: await openAgain(), routing: DEFAULT, clock: world.clock, sent: world.sent });
    for (let round = 0; round < 5; round++) {
      await Promise.all([world.evaluate(['a', 'b']), other.evaluate(['a', 'b'])]);
      assert.equal((await db.kysely.selectFrom('alerts').selectAll().where('open_key', 'is not', null).execute()).length, 2);
      await Promise.all([world.evaluate([]), other.evaluate([])]);
      assert.equal((await db.kysely.selectFrom('alerts').selectAll().where('open_key', 'is not', null).execute()).length, 0);
    }
    const fired = await db.kysely.selectFrom('alert_transitions').selectAll().where('kind', '=', 'fired').execute();
    const resolved = await db.kysely.selectFrom('alert_transitions').selectAll().where('kind', '=', 'resolved').execute();
    assert.deepEqual(fired.map((row) => row.alert_id).sort(), resolved.map((row) => row.alert_id).sort());
  });

  it('shows an alert of the dashboard without telling any channel', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, { db, routing: DEFAULT });
    await world.evaluate(['a'], { dashboardOnly: true });
    await world.evaluate([], { dashboardOnly: true });
    assert.deepEqual(world.sent, []);
    assert.equal(
      (
        await world.alerting.list({
          status: 'all',
          severities: [],
          rule: undefined,
          service: undefined,
          fromMs: undefined,
          toMs: undefined,
          cursor: undefined,
          limit: 10,
        })
      ).items.length,
      1,
    );
  });
});
