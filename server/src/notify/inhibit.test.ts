import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import type { AlertView } from '../alerting/contract.ts';
import { routingConfig } from './config.ts';
import { Inhibitor } from './inhibit.ts';
import { ANNE, openWorld, storyOf } from './testing/world.ts';

const MINUTE = 60_000;
const RULE = { source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: ['service'] };
const TREE = { receiver: 'hook', group_by: ['alertname'], group_wait: '0s', group_interval: '5m' };
const DOWN = { id: 'D', alertname: 'Down', severity: 'critical' } as const;
const SLOW = { id: 'S', alertname: 'Slow', severity: 'warning' } as const;

describe('an alert that another one explains', () => {
  it('is kept back with its cause, and goes out when that one has ended', async (t) => {
    const { db } = await openSqliteForTest(t);
    const world = await openWorld(t, { db, routing: { default: ['hook'], inhibit_rules: [RULE] } });
    const t0 = world.clock.now();
    await world.evaluate(['a'], DOWN);
    await world.evaluate(['b'], SLOW);
    await world.advance(10 * MINUTE);
    const [held] = await world.notify.list({ status: 'suppressed', channel: undefined, alertId: undefined, after: undefined, limit: 10 });
    const source = world.alerting.openOf('D')[0]?.id;
    assert.equal(
      held?.cause,
      `inhibited by Down (alert ${source}): {severity="critical"} inhibits {severity="warning"} with equal service`,
    );
    await world.evaluate([], DOWN);
    await world.advance(1_000);
    assert.deepEqual(storyOf(world, t0), ['+0 hook firing a', '+600 hook resolved a-', '+601 hook firing b']);
  });

  it('is still kept back after a restart, and still goes out', async (t) => {
    const { db } = await openSqliteForTest(t);
    const world = await openWorld(t, { db, routing: { default: ['hook'], inhibit_rules: [RULE] } });
    const t0 = world.clock.now();
    await world.evaluate(['a'], DOWN);
    await world.evaluate(['b'], SLOW);
    const restarted = await world.restart();
    await restarted.advance(MINUTE);
    await restarted.evaluate([], DOWN);
    await restarted.advance(1_000);
    assert.deepEqual(storyOf(restarted, t0), ['+0 hook firing a', '+60 hook resolved a-', '+61 hook firing b']);
  });

  it('of one evaluation with its source never goes out before it', async (t) => {
    const { db } = await openSqliteForTest(t);
    const rule = { source_match: { instance: 'a' }, target_match_re: { instance: 'b|c' }, equal: ['service'] };
    const world = await openWorld(t, { db, routing: { default: ['hook'], inhibit_rules: [rule] } });
    const t0 = world.clock.now();
    await world.evaluate(['a', 'b', 'c']);
    assert.deepEqual(storyOf(world, t0), ['+0 hook firing a']);
    await world.evaluate(['b']);
    assert.deepEqual(storyOf(world, t0).slice(1), ['+0 hook firing a-,b']);
  });

  it('waits for the next tick of a tree, as in Alertmanager; the resolve of what was told goes out', async (t) => {
    const { db } = await openSqliteForTest(t);
    const world = await openWorld(t, { db, routing: { tree: TREE, inhibit_rules: [RULE] } });
    const t0 = world.clock.now();
    await world.evaluate(['b', 'c'], SLOW);
    await world.advance(MINUTE);
    await world.evaluate(['a'], DOWN);
    await world.evaluate(['b', 'd'], SLOW);
    await world.advance(6 * MINUTE);
    await world.evaluate([], DOWN);
    await world.advance(10 * MINUTE);
    assert.deepEqual(storyOf(world, t0), [
      '+0 hook firing b,c',
      '+60 hook firing a',
      '+300 hook resolved c-',
      '+600 hook firing b,d',
      '+660 hook resolved a-',
    ]);
  });

  it('is inhibited by a silenced alert too', async (t) => {
    const { db } = await openSqliteForTest(t);
    const world = await openWorld(t, { db, routing: { default: ['hook'], inhibit_rules: [RULE] } });
    const matchers = routingConfig.parse({ inhibit_rules: [RULE] }).inhibit_rules.flatMap((rule) => rule.source_matchers.flat());
    const nowMs = world.clock.now();
    const span = { startsAtMs: nowMs, endsAtMs: (nowMs + 60 * MINUTE) as typeof nowMs };
    await world.silences.put({ id: undefined, matchers, ...span, createdBy: 'anne', comment: 'known', annotations: {} }, ANNE);
    await world.evaluate(['a'], DOWN);
    await world.evaluate(['b'], SLOW);
    await world.advance(MINUTE);
    assert.deepEqual(world.sent, []);
  });
});

const NAMES = ['a', 'b', 'c'];
const labels = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('1', '2'), { maxKeys: 3 });
const side = fc.array(
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('=', '!='), fc.constantFrom('1', '2', '')).map(([n, op, v]) => `${n}${op}"${v}"`),
  { maxLength: 2 },
);
const rules = fc.array(
  fc.record({ source_matchers: side, target_matchers: side, equal: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 }) }),
  { maxLength: 3 },
);

it('finds a source exactly when one of all that fire is one, whatever came and went', () => {
  const property = fc.property(rules, fc.array(fc.tuple(labels, fc.boolean()), { maxLength: 8 }), labels, (written, changes, asked) => {
    const { inhibit_rules: configs } = routingConfig.parse({ inhibit_rules: written });
    const alerts = changes.map(([its, firing]) => {
      const id = JSON.stringify(NAMES.map((name) => its[name]));
      return { id, fingerprint: id, alertname: 'A', labels: its, condition: firing ? 'firing' : 'resolved' } as AlertView;
    });
    const inhibitor = new Inhibitor();
    inhibitor.configure(configs, []);
    const half = Math.floor(alerts.length / 2);
    inhibitor.learn(alerts.slice(0, half));
    const firing = [...new Map(alerts.map((alert) => [alert.id, alert])).values()].filter(({ condition }) => condition === 'firing');
    // As Alertmanager's Inhibitor.Mutes and InhibitRule.hasEqual say it.
    const fits = (matchers: (typeof configs)[number]['source_matchers'], its: Readonly<Record<string, string>>): boolean =>
      matchers.flat().every(({ name, matches }) => matches(its[name] ?? ''));
    const want = configs.some(
      (rule) =>
        fits(rule.target_matchers, asked) &&
        firing.some(
          (alert) =>
            fits(rule.source_matchers, alert.labels) &&
            rule.equal.every((name) => (alert.labels[name] ?? '') === (asked[name] ?? '')) &&
            !(fits(rule.source_matchers, asked) && fits(rule.target_matchers, alert.labels)),
        ),
    );
    assert.equal(inhibitor.after(alerts.slice(half))(asked) !== undefined, want);
    inhibitor.learn(alerts.slice(half));
    assert.equal(inhibitor.inhibiting(asked) !== undefined, want);
  });
  fc.assert(property, { numRuns: 500 });
});
