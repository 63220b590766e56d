import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { settle } from '../../../test/harness/manual-clock.ts';
import { createSelfMetrics } from '../collect/self.ts';
import { purgeNotifications } from '../notify/history.ts';
import { ANNE, type World, openWorld } from '../notify/testing/world.ts';
import { createIds } from '../platform/ids.ts';
import type { RuleReads } from './contract.ts';
import { AlertHistory } from './history.ts';
import { Snapshots } from './snapshots.ts';

const READS: RuleReads = { queries: [{ name: 'queue_length', expr: 'queue_length' }], threshold: { op: '>', value: 90 } };

async function openHistory(
  t: TestContext,
  range: (expr: string) => readonly { labels: Record<string, string>; values: readonly number[] }[],
) {
  const { db } = await openSqliteForTest(t);
  const world: World = await openWorld(t, { db, routing: { default: ['hook'] } });
  const asked: string[] = [];
  const snapshots = new Snapshots({
    sql: db.kysely,
    clock: world.clock,
    ids: createIds(world.clock),
    logger: silentLogger,
    bus: world.bus,
    metrics: createSelfMetrics(),
    readsOf: (rule) => (rule === 'R' ? READS : undefined),
    topProcesses: async () => [{ pid: 1, name: 'init', cpu_ratio: 0.5, rss_bytes: 4_096 }],
    instance: 'here',
    query: {
      async range(expr, { fromMs }) {
        asked.push(expr);
        return range(expr).map(({ labels, values }) => ({
          labels: labelsOf(labels),
          times: values.map((_, i) => fromMs + i * MINUTE_MS),
          values,
        }));
      },
      instant: async () => [],
    },
  });
  t.after(() => snapshots[Symbol.asyncDispose]());
  const history = new AlertHistory({ sql: db.kysely, clock: world.clock, logger: silentLogger, readsOf: () => READS });
  return { world, snapshots, history, asked, db };
}

describe('what was seen when an alert fired', () => {
  it('is the series that the rule compares, figures of the same service and host, and what was changed in the hour before', async (t) => {
    const { world, snapshots } = await openHistory(t, (expr) => {
      if (expr.includes('probe_success')) throw new Error('too many samples');
      if (expr !== 'queue_length') return [];
      return [
        { labels: { __name__: 'queue_length', instance: 'other' }, values: [1] },
        { labels: { __name__: 'queue_length', instance: 'here' }, values: [1, 2, Number.NaN] },
      ];
    });
    world.bus.publish({ topic: 'config', type: 'config.reloaded', atMs: world.clock.now() - 2 * HOUR_MS, data: null });
    world.bus.publish({ topic: 'config', type: 'config.reloaded', atMs: world.clock.now() - MINUTE_MS, data: null });
    await settle();
    await world.evaluate(['here'], {}, { annotations: { runbook_url: 'https://runbooks.example/queue' } });
    await snapshots.idle();
    const [alert] = world.alerting.open();
    assert.ok(alert);
    const found = await snapshots.find(alert.id);
    assert.ok(found);
    assert.deepEqual(
      found.series.map(({ name, labels, values }) => [name, labels['instance'], values.slice(0, 3), values.length]),
      [['queue_length', 'here', [1, 2, null], 61]],
    );
    assert.deepEqual(found.threshold, { op: '>', value: 90 });
    assert.deepEqual(
      found.changes.map(({ text }) => text),
      ['the configuration was read again'],
    );
    assert.deepEqual(
      found.processes.map(({ name }) => name),
      ['init'],
    );
    assert.equal(found.runbook, 'https://runbooks.example/queue');
  });

  it('is kept for the first alerts of a storm, which waits for nothing', async (t) => {
    const { world, snapshots, db } = await openHistory(t, () => []);
    await world.evaluate(Array.from({ length: 500 }, (_, i) => `host-${i}`));
    await snapshots.idle();
    const { count } = await db.kysely
      .selectFrom('alert_snapshots')
      .select((row) => row.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    assert.equal(Number(count), 200);
    assert.equal(world.alerting.open().length, 500);
  });
});

describe('the history of alerts', () => {
  it('shows when the same problem fired before, and what people made of it', async (t) => {
    const { world, history } = await openHistory(t, () => []);
    await world.evaluate(['here', 'there']);
    const [first] = world.alerting.open();
    assert.ok(first);
    await world.alerting.act(first.id, { kind: 'acknowledge', comment: undefined }, ANNE);
    await world.advance(MINUTE_MS);
    await world.evaluate([]);
    await world.advance(HOUR_MS);
    await world.evaluate([first.labels['instance'] ?? '']);
    const past = await history.past(first, 7);
    assert.deepEqual(
      past.map(({ startsAtMs, endsAtMs, acknowledgedAtMs }) => [
        startsAtMs - first.starts_at_ms,
        endsAtMs !== null,
        acknowledgedAtMs !== null,
      ]),
      [
        [HOUR_MS + MINUTE_MS, false, false],
        [0, true, true],
      ],
    );
    const nowMs = world.clock.now();
    const { fired, acted_upon, mtta_ms, complete } = await history.statistics({ fromMs: nowMs - DAY_MS, toMs: nowMs + 1, service: 'shop' });
    assert.deepEqual([fired, acted_upon, mtta_ms, complete], [3, 1, 0, true]);
    assert.equal((await history.statistics({ fromMs: nowMs - DAY_MS, toMs: nowMs + 1, service: 'other' })).fired, 0);
  });

  it('is removed when it is older than it is kept, but never what is open', async (t) => {
    const { world, history, db, snapshots } = await openHistory(t, () => []);
    const { kysely } = db;
    await world.evaluate(['pends'], { id: 'P', forMs: HOUR_MS as never });
    await world.evaluate([], { id: 'P', forMs: HOUR_MS as never });
    await world.evaluate(['a', 'b']);
    await world.evaluate(['b']);
    await snapshots.idle();
    const rows = async () => {
      const tables = ['alerts', 'alert_transitions', 'alert_snapshots', 'notifications', 'notification_alerts'] as const;
      const counts = tables.map(async (table) => {
        const counted = kysely.selectFrom(table).select((row) => row.fn.countAll<number>().as('count'));
        return Number((await counted.executeTakeFirstOrThrow()).count);
      });
      return Promise.all(counts);
    };
    const before = await rows();
    assert.deepEqual(before.slice(0, 3), [2, 5, 2]);
    const purge = (beforeMs: number, limit: number) => purgeNotifications(kysely, beforeMs, limit);
    const young = history.startPurging({ keptMs: DAY_MS, others: [purge] });
    await world.clock.advance(2 * MINUTE_MS);
    await settle();
    await young[Symbol.asyncDispose]();
    assert.deepEqual(await rows(), before);
    const old = history.startPurging({ keptMs: MINUTE_MS, others: [purge] });
    await world.clock.advance(2 * MINUTE_MS);
    await settle();
    await old[Symbol.asyncDispose]();
    assert.deepEqual((await rows()).slice(0, 3), [1, 1, 1]);
    assert.deepEqual((await rows()).slice(3), [0, 0]);
    assert.equal(world.alerting.open().length, 1);
  });
});
