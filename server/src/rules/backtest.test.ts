import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { type RulesWorld, openRulesWorld } from './testing/rules-world.ts';

const never = new AbortController().signal;

/** One sample a minute for the last `values.length` minutes; the first instant. */
async function stored(w: RulesWorld, name: string, values: readonly number[]): Promise<number> {
  const fromMs = Math.floor(w.clock.now() / MINUTE_MS) * MINUTE_MS - values.length * MINUTE_MS;
  const labels = labelsOf({ __name__: name, instance: 'a' });
  await w.ingest.appendSamples(values.map((value, i) => ({ labels, atMs: epochMs(fromMs + i * MINUTE_MS), value })));
  return fromMs;
}

const many = (count: number, value: number): readonly number[] => Array.from({ length: count }, () => value);

describe('a back-test', () => {
  // 60 quiet minutes, 10 hot ones, 20 quiet, 3 hot, 27 quiet.
  const HEAT = [...many(60, 20), ...many(9, 40), 45, ...many(20, 20), ...many(3, 40), ...many(27, 20)];

  it('of a rule that is not there yet tells what would have fired, and changes nothing', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [] });
    const fromMs = await stored(w, 'room_celsius', HEAT);
    const rule = { kind: 'threshold', metric: 'room_celsius', threshold: 30, for: '2m', severity: 'critical' };
    const toMs = fromMs + 120 * MINUTE_MS;
    const report = await w.rules.backtests.run({ rule, fromMs, toMs, stepMs: MINUTE_MS }, never);
    assert.deepEqual(
      report.items.map(({ labels, from_ms, to_ms, peak_value, severity }) => [
        labels['instance'],
        (from_ms - fromMs) / MINUTE_MS,
        ((to_ms ?? 0) - fromMs) / MINUTE_MS,
        peak_value,
        severity,
      ]),
      [
        ['a', 62, 70, 45, 'critical'],
        ['a', 92, 93, 40, 'critical'],
      ],
    );
    assert.deepEqual([report.fired_total, report.firing_ms, report.evaluations, report.error], [2, 9 * MINUTE_MS, 120, null]);
    assert.equal(
      report.days.reduce((sum, { fired }) => sum + fired, 0),
      2,
    );
    assert.deepEqual([w.world.alerting.open(), w.world.sent], [[], []]);
  });

  it('of a rule of a rule file, by its id or as it is written, gives the same', async (t) => {
    const w = await openRulesWorld(t);
    const fromMs = await stored(w, 'room_celsius', HEAT);
    const file = 'groups: [{ name: g, interval: 1m, rules: [{ alert: Hot, expr: room_celsius > 30, for: 2m, keep_firing_for: 5m }] }]';
    await w.configure({ packs: [], files: ['rules/*.yml'] }, { 'rules/g.yml': file });
    const asked = { fromMs, stepMs: MINUTE_MS };
    const byId = await w.rules.backtests.run({ id: 'g/Hot', ...asked }, never);
    const rule = { alert: 'Hot', expr: 'room_celsius > 30', for: '2m', keep_firing_for: '5m' };
    const asWritten = await w.rules.backtests.run({ rule, ...asked }, never);
    assert.deepEqual(asWritten.items, byId.items);
    assert.deepEqual(
      byId.items.map(({ from_ms, to_ms }) => [(from_ms - fromMs) / MINUTE_MS, ((to_ms ?? 0) - fromMs) / MINUTE_MS]),
      [
        [62, 75],
        [92, 98],
      ],
    );
  });

  it('lets rules that need the past learn it before they begin', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [] });
    const rising = Array.from({ length: 240 }, (_, i) => 50 + i / 6);
    const fromMs = await stored(w, 'disk', rising);
    const rule = { kind: 'forecast', metric: 'disk', threshold: 80, ahead: '1h', over: '1h', for: '0s' };
    const report = await w.rules.backtests.run({ rule, fromMs: fromMs + 60 * MINUTE_MS, stepMs: MINUTE_MS }, never);
    // 80 is met after 180 minutes, so it is foreseen after 120.
    assert.deepEqual([report.items.length, ((report.items[0]?.from_ms ?? 0) - fromMs) / MINUTE_MS], [1, 121]);
    const short = { ...rule, over: '4h' };
    const early = await w.rules.backtests.run({ rule: short, fromMs: fromMs + 60 * MINUTE_MS, stepMs: MINUTE_MS }, never);
    assert.match(early.undecided?.reason ?? '', /^1 of 1 series undecided: \d+ values over 1h.* are too few: a line takes 10 over 2h$/);
    assert.ok((early.undecided?.evaluations ?? 0) > 50 && (early.undecided?.evaluations ?? 0) < 65);
    assert.equal(report.undecided, null);
    const absent = { kind: 'absence', metric: 'disk', after: '10m' };
    const gone = await w.rules.backtests.run({ rule: absent, fromMs, stepMs: MINUTE_MS }, never);
    assert.deepEqual(gone.items, []);
  });

  it('ends with what is wrong when the rule is, and refuses what is too much', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [] });
    const fromMs = await stored(w, 'a', many(10, 1));
    await stored(w, 'b', many(10, 1));
    const broken = { alert: 'X', expr: 'sum by (instance) ({instance="a"}) + on () group_left () {instance="a"}' };
    const report = await w.rules.backtests.run({ rule: broken, fromMs, stepMs: MINUTE_MS }, never);
    assert.equal(report.evaluations, 0);
    assert.match(report.error ?? '', /many/);
    const run = (request: Parameters<typeof w.rules.backtests.run>[0]) => w.rules.backtests.run(request, never);
    await assert.rejects(run({ rule: { kind: 'threshold', metric: 'a', treshold: 3 } }), /rule: .*threshold/);
    await assert.rejects(run({ rule: { kind: 'guess' } }), /unknown kind of rule: write one of threshold, composite/);
    await assert.rejects(run({ id: 'none' }), /there is no rule none/);
    await assert.rejects(run({}), /either the "id" of a rule or a "rule"/);
    await assert.rejects(run({ rule: broken, fromMs: 0, stepMs: 1_000 }), /more than 50000: take a longer step/);
  });
});

describe('a rule that does not work', () => {
  const celsius = (instance: string, room: string) => [{ __name__: 'room_celsius', instance, room }, 31] as const;

  it('is an alert of its own until it works again, not at once and also after a restart', async (t) => {
    const w = await openRulesWorld(t);
    // The label of the rule hides which room it is.
    const hiding = { id: 'hot', metric: 'room_celsius', threshold: 30, labels: { room: 'any' } };
    await w.configure({ packs: [], thresholds: [hiding] });
    await w.push(celsius('a', 'north'));
    assert.deepEqual(w.open(), ['hot{a} firing warning']);
    await w.push(celsius('a', 'south'));
    assert.deepEqual([w.open(), w.failing()], [['hot{a} firing warning'], ['hot pending']]);
    await w.advance(70_000);
    assert.deepEqual([w.open(), w.failing()], [['hot{a} firing warning'], ['hot firing']]);
    assert.match(
      w.world.alerting.openOf('rule_failing')[0]?.annotations['summary'] ?? '',
      /^The rule hot does not work: two series give alerts with the same labels \{.*room="any"/,
    );
    const after = await w.restart(1_000);
    await after.configure({ packs: [], thresholds: [hiding] });
    await after.advance(1_000);
    assert.deepEqual(after.failing(), ['hot firing'], 'it has not run yet');
    await after.configure({ packs: [], thresholds: [{ ...hiding, labels: {} }] });
    await after.push(celsius('a', 'north'));
    assert.deepEqual(after.failing(), []);
  });

  it('still tells of what it watches when only a template fails', async (t) => {
    const w = await openRulesWorld(t);
    const text = { id: 'hot', metric: 'room_celsius', threshold: 30, annotations: { note: '{{ humanize "x" }}' } };
    await w.configure({ packs: [], thresholds: [text] });
    await w.push(celsius('a', 'north'));
    assert.deepEqual([w.open(), w.failing()], [['hot{a} firing warning'], ['hot pending']]);
    await w.push([{ __name__: 'room_celsius', instance: 'a', room: 'north' }, 1]);
    assert.deepEqual([w.open(), w.failing()], [[], []]);
  });
});
