import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { PACKS } from './packs/names.ts';
import { type RulesWorld, openRulesWorld } from './testing/rules-world.ts';

const sample = (name: string, instance: string, value: number) => [{ __name__: name, instance }, value] as const;
const cpu = (instance: string, value: number) => sample('cpu_percent', instance, value);
const memory = (instance: string, value: number) => sample('memory_percent', instance, value);

/** Samples of the past, oldest first, the last one `stepMs` ago. */
async function past(w: RulesWorld, name: string, values: readonly number[], stepMs = MINUTE_MS): Promise<void> {
  const nowMs = w.clock.now();
  const labels = labelsOf({ __name__: name, instance: 'a' });
  await w.ingest.appendSamples(values.map((value, i) => ({ labels, atMs: epochMs(nowMs - (values.length - i) * stepMs), value })));
}

const summaries = (w: RulesWorld): readonly string[] => w.world.alerting.open().map(({ annotations }) => annotations['summary'] ?? '');

describe('composite rules', () => {
  const HOT_AND_FULL = {
    id: 'both',
    when: {
      all: [
        { metric: 'cpu_percent', threshold: 90, clear: 80 },
        { metric: 'memory_percent', threshold: 85 },
      ],
    },
  };

  it('fire per set of labels when all conditions hold, and hold on to the clear threshold', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [], composites: [HOT_AND_FULL] });
    await w.push(cpu('a', 95), memory('a', 50), cpu('b', 95), memory('b', 90));
    assert.deepEqual(w.open(), ['both{b} firing warning']);
    assert.deepEqual(summaries(w), ['cpu_percent is 95 (> 90); memory_percent is 90 (> 85)']);
    await w.push(cpu('b', 85), cpu('a', 85), memory('a', 90));
    assert.deepEqual(w.open(), ['both{b} firing warning']);
    await w.push(cpu('b', 80));
    assert.deepEqual(w.open(), []);
  });

  it('neither fire nor end while a condition has no data', async (t) => {
    const w = await openRulesWorld(t);
    const not = { id: 'idle', when: { all: [{ metric: 'queue', threshold: 5 }, { not: { metric: 'workers', threshold: 0 } }] } };
    await w.configure({ packs: [], composites: [HOT_AND_FULL, not] });
    await w.push(cpu('a', 95), sample('queue', 'a', 9));
    assert.deepEqual(w.open(), [], 'that workers are unknown does not mean that there are none');
    await w.push(memory('a', 90), sample('workers', 'a', 0));
    assert.deepEqual(w.open(), ['both{a} firing warning', 'idle{a} firing warning']);
    w.clock.jump(10 * MINUTE_MS);
    await w.push(cpu('a', 95));
    assert.deepEqual(w.open(), ['both{a} firing warning', 'idle{a} firing warning'], 'memory is silent');
    await w.push(cpu('a', 10));
    assert.deepEqual(w.open(), ['idle{a} firing warning'], 'whatever memory is, not all conditions hold');
  });

  it('fire when k of n hold for their duration, series without the labels counting everywhere', async (t) => {
    const w = await openRulesWorld(t);
    const of = [
      { metric: 'cpu_percent', threshold: 90 },
      { metric: 'memory_percent', threshold: 85 },
      { metric: 'grid_alarm', condition: '>=', threshold: 1 },
    ];
    await w.configure({ packs: [], composites: [{ id: 'two', when: { at_least: 2, of }, for: '120s', severity: 'critical' }] });
    await w.push(cpu('a', 95), memory('a', 10), cpu('b', 5), memory('b', 5), [{ __name__: 'grid_alarm' }, 1]);
    assert.deepEqual(w.open(), ['two{a} pending critical']);
    await w.advance(121_000);
    assert.deepEqual(w.open(), ['two{a} firing critical']);
  });
});

describe('absence rules', () => {
  const GONE = { id: 'gone', metric: 'beat{job="edge"}', after: '2m', forget: '1h' };
  const beat = (instance: string) => [{ __name__: 'beat', job: 'edge', instance }, 1] as const;

  it('fire to the second when a series stops, end when it comes back, and forget what is gone for good', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [], absences: [GONE] });
    await w.push(beat('a'), beat('b'));
    await w.advance(60_000);
    await w.push(beat('b'));
    await w.advance(58_000);
    assert.deepEqual(w.open(), []);
    await w.advance(4_000);
    assert.deepEqual(w.open(), ['gone{a} firing warning']);
    assert.deepEqual(summaries(w), ['No sample of beat{job="edge"} for 2m']);
    await w.push(beat('a'), beat('b'));
    assert.deepEqual(w.open(), []);
    w.clock.jump(3 * MINUTE_MS);
    await w.push(beat('b'));
    assert.deepEqual(w.open(), ['gone{a} firing warning']);
    w.clock.jump(HOUR_MS);
    await w.push(beat('b'));
    assert.deepEqual(w.open(), []);
  });

  it('tell of series that never came, with the labels that were asked for', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [], absences: [GONE] });
    await w.advance(110_000);
    assert.deepEqual(w.open(), []);
    await w.advance(15_000);
    assert.equal(w.world.alerting.open()[0]?.labels['job'], 'edge');
    await w.push(beat('a'));
    assert.deepEqual(w.open(), []);
  });

  it('take neither the time in which Nines did not run for silence, nor a restart for a recovery', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [], absences: [GONE] });
    await w.push(beat('a'), beat('b'));
    await w.advance(60_000);
    await w.push(beat('b'));
    await w.advance(70_000);
    assert.deepEqual(w.open(), ['gone{a} firing warning']);
    const after = await w.restart(10 * MINUTE_MS);
    await after.configure({ packs: [], absences: [GONE] });
    await after.advance(2_000);
    assert.deepEqual(after.open(), ['gone{a} firing warning']);
    await after.push(beat('b'));
    await after.advance(60_000);
    await after.push(beat('b'));
    await after.advance(61_000);
    assert.deepEqual(after.open(), ['gone{a} firing warning']);
    await after.push(beat('a'));
    assert.deepEqual(after.open(), []);
  });
});

describe('rules about change', () => {
  it('compare a value with itself some time ago', async (t) => {
    const w = await openRulesWorld(t);
    await past(w, 'queue', [100, 100, 100, 100, 100, 100]);
    const change = { metric: 'queue', over: '5m', threshold: 50 };
    await w.configure({
      packs: [],
      changes: [
        { id: 'more', ...change, as: 'percent' },
        { id: 'much', ...change, threshold: 100 },
      ],
    });
    await w.push(sample('queue', 'a', 151));
    assert.deepEqual(w.open(), ['more{a} firing warning']);
    assert.deepEqual(summaries(w), ['queue changed by 51 % within 5m to 151, limit > 50 %']);
    await w.push(sample('queue', 'new', 900));
    assert.deepEqual(w.open(), ['more{a} firing warning'], 'what was not there has not changed');
  });
});

describe('forecasts', () => {
  const FULL = { id: 'full', metric: 'disk', threshold: 95, clear: 90, ahead: '1h', over: '2h', for: '0s' };
  const line = (from: number, perHour: number, noise: (i: number) => number): readonly number[] =>
    Array.from({ length: 120 }, (_, i) => from + (perHour * i) / 60 + noise(i));
  const saw = (i: number): number => ((i * 7) % 11) / 11 - 0.5;

  it('fire when even the mild end of the doubt is beyond the limit, from what was stored before', async (t) => {
    const w = await openRulesWorld(t);
    await past(w, 'disk', line(70, 10, saw));
    await w.configure({ packs: [], forecasts: [FULL] });
    await w.push(sample('disk', 'a', 90));
    assert.deepEqual(w.open(), ['full{a} firing warning']);
    assert.match(summaries(w)[0] ?? '', /^disk is expected at (99|100|101)(\.\d+)? ± [01]\.\d+ in 1h, limit > 95$/);
  });

  it('keep silent while the doubt reaches back over the limit', async (t) => {
    const w = await openRulesWorld(t);
    await past(
      w,
      'disk',
      line(70, 10, (i) => 16 * saw(i)),
    );
    await w.configure({ packs: [], forecasts: [FULL] });
    await w.push(sample('disk', 'a', 90));
    assert.deepEqual(w.open(), []);
  });

  it('say nothing of a curve that is no line, nor of a past that is too short', async (t) => {
    const w = await openRulesWorld(t);
    await past(
      w,
      'disk',
      Array.from({ length: 120 }, (_, i) => 60 + 30 * Math.sin((i * Math.PI) / 120)),
    );
    await past(w, 'young', line(88, 10, saw).slice(0, 20));
    await w.configure({ packs: [], forecasts: [FULL, { ...FULL, id: 'young', metric: 'young' }] });
    await w.push(sample('disk', 'a', 60), sample('young', 'a', 95));
    assert.deepEqual(w.open(), []);
    const young = w.rules.thresholds.find(({ id }) => id === 'young');
    assert.match(young?.health.undecided ?? '', /^1 of 1 series undecided: \d+ values over 1\dm\d+s are too few: a line takes 10 over 1h$/);
  });
});

describe('anomalies', () => {
  const ODD = { id: 'odd', metric: 'latency', for: '0s', over: '2h' };
  const usual = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => 100 + ((i * 7) % 11) - 5);

  it('are several readings in a row far from the usual, not one', async (t) => {
    const w = await openRulesWorld(t);
    await past(w, 'latency', usual(120));
    await w.configure({ packs: [], anomalies: [ODD] });
    const push = async (value: number): Promise<void> => {
      await w.advance(1_000);
      await w.push(sample('latency', 'a', value));
    };
    await push(500);
    await push(101);
    await push(500);
    await push(500);
    assert.deepEqual(w.open(), []);
    await push(500);
    assert.deepEqual(w.open(), ['odd{a} firing warning']);
    assert.match(summaries(w)[0] ?? '', /^latency is 500, \d+(\.\d+)? times its spread from the usual (99|100|101)$/);
    await push(101);
    assert.deepEqual(w.open(), []);
  });

  it('know the hour when they are told of seasons', async (t) => {
    const w = await openRulesWorld(t);
    const shift = Array.from({ length: 120 }, (_, i) => (i < 60 ? 10 : 1_000) + (i % 5));
    // Shifts of two hours: the quiet hour of the fourth lasts too long.
    await past(w, 'latency', [...shift, ...shift, ...shift, ...shift.slice(0, 60), 11, 12, 13, 11, 12]);
    await w.configure({
      packs: [],
      anomalies: [
        { id: 'season', metric: 'latency', season: '2h', for: '0s' },
        { ...ODD, over: '1h' },
      ],
    });
    const push = async (value: number): Promise<void> => {
      for (let i = 0; i < 3; i++) await w.push(sample('latency', 'a', value));
    };
    await push(1_001);
    assert.deepEqual(w.open(), ['odd{a} firing warning'], 'the busy hour is usual');
    await push(12);
    assert.deepEqual(w.open(), ['season{a} firing warning'], 'the quiet one should be over');
    assert.match(summaries(w)[0] ?? '', /from the usual 100\d of this time$/);
  });

  it('decide nothing with too little of the past, and say so until there is enough', async (t) => {
    const w = await openRulesWorld(t);
    await past(w, 'latency', usual(10));
    await w.configure({ packs: [], anomalies: [ODD] });
    for (let i = 0; i < 3; i++) await w.push(sample('latency', 'a', 500));
    assert.deepEqual(w.open(), []);
    const undecided = (): string | undefined => w.rules.thresholds.find(({ id }) => id === 'odd')?.health.undecided;
    assert.equal(undecided(), '1 of 1 series undecided: what is usual is not known before 30 values of the past are');
    for (let i = 0; i < 40; i++) {
      await w.advance(MINUTE_MS);
      await w.push(sample('latency', 'a', 100 + (i % 5)));
    }
    assert.equal(undecided(), '');
  });

  it('of a series that never moved are told too', async (t) => {
    const w = await openRulesWorld(t);
    await past(
      w,
      'latency',
      Array.from({ length: 120 }, () => 0),
    );
    await w.configure({ packs: [], anomalies: [ODD] });
    for (let i = 0; i < 3; i++) await w.push(sample('latency', 'a', 5));
    assert.deepEqual(w.open(), ['odd{a} firing warning']);
  });
});

describe('compliance rules', () => {
  const control = (id: string, value: number) => [{ __name__: 'control_passing', standard: 'iso27001', control: id }, value] as const;

  it('tell of a control that stops passing, not of one that never passed', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [], compliance: [{ id: 'controls', standard: 'iso27001', controls: 'A.8.*' }] });
    await w.push(control('A.8.13', 1), control('A.8.15', 0), control('A.5.1', 1));
    await w.push(control('A.8.13', 0), control('A.5.1', 0));
    assert.deepEqual(
      w.world.alerting.open().map(({ labels, severity }) => `${labels['control']} ${severity}`),
      ['A.8.13 critical'],
    );
    const after = await w.restart(HOUR_MS);
    await after.configure({ packs: [], compliance: [{ id: 'controls', standard: 'iso27001', controls: 'A.8.*' }] });
    await after.push(control('A.8.13', 0));
    assert.equal(after.world.alerting.open().length, 1);
    await after.push(control('A.8.13', 1));
    assert.equal(after.world.alerting.open().length, 0);
  });
});

describe('packs', () => {
  it('bring the rules of the list, each with a clear threshold and what to look at, and each can be evaluated', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: PACKS });
    const ids = new Set(w.rules.thresholds.map(({ id }) => id));
    const numbered = ['RULE_001', 'RULE_002', 'RULE_005', 'RULE_006', 'RULE_007', 'RULE_008'];
    const edge = ['high_cpu_usage', 'critical_cpu_usage', 'high_memory_usage', 'critical_memory_usage', 'high_disk_usage'];
    const others = ['gpu_high_usage', 'gpu_high_temperature', 'service_down', 'high_error_rate', 'cascade_failure_detection'];
    for (const id of [...numbered, ...edge, ...others, 'certificate_expiry']) assert.ok(ids.has(id), id);
    for (const rule of w.rules.thresholds) {
      await rule.evaluate({ kind: 'timer', atMs: epochMs(w.clock.now()) }, new AbortController().signal);
      assert.deepEqual([rule.id, rule.health.lastError], [rule.id, '']);
      assert.ok(rule.spec.annotations['runbook'] !== undefined, rule.id);
    }
    assert.equal(w.rules.thresholds.find(({ id }) => id === 'critical_cpu_usage')?.spec.cooldownMs, 60_000);
  });

  it("fire by the series of exporters, and are replaced by a user's rule of the same id", async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: ['edge', 'databases'], thresholds: [{ id: 'gpu_high_usage', metric: 'gpu_percent', threshold: 99 }] });
    await w.push(sample('DCGM_FI_DEV_GPU_TEMP', 'a', 90), sample('DCGM_FI_DEV_GPU_UTIL', 'a', 99), sample('pg_up', 'a', 0));
    await w.advance(62_000);
    assert.deepEqual(w.open(), ['DatabaseDown{a} firing critical', 'GpuHighTemperature{a} firing warning']);
  });
});

describe('rules of every kind', () => {
  it('evaluate nothing without samples; only absence looks when silence is due', async (t) => {
    const w = await openRulesWorld(t);
    const common = { metric: 'cpu_percent', threshold: 90 };
    await w.configure({
      packs: PACKS.filter((pack) => pack !== 'kubernetes'),
      thresholds: [{ id: 't', ...common }],
      composites: [{ id: 'c', when: { any: [common] } }],
      changes: [{ id: 'ch', ...common }],
      forecasts: [{ id: 'f', ...common }],
      anomalies: [{ id: 'an', metric: 'cpu_percent' }],
      compliance: [{ id: 'co' }],
      absences: [{ id: 'ab', metric: 'cpu_percent', after: '10m' }],
    });
    await w.push(cpu('a', 10));
    await w.advance(2_000);
    const evaluated = (): readonly string[] => w.rules.thresholds.map(({ id, health }) => `${id} ${health.evaluatedAtMs}`);
    const before = evaluated();
    await w.push([{ __name__: 'other' }, 1]);
    await w.advance(9 * MINUTE_MS);
    assert.deepEqual(evaluated(), before);
    assert.deepEqual(
      w.rules.thresholds.filter(({ health }) => health.health === 'err').map(({ id, health }) => [id, health.lastError]),
      [],
    );
  });

  it('end after keep_firing_for, also after a restart, and without another sample', async (t) => {
    const w = await openRulesWorld(t);
    const config = { packs: [], thresholds: [{ id: 'hot', metric: 'cpu_percent', threshold: 90, keep_firing_for: '10m' }] };
    await w.configure(config);
    await w.push(cpu('a', 95));
    await w.push(cpu('a', 10));
    assert.deepEqual(w.open(), ['hot{a} firing warning']);
    const after = await w.restart(5 * MINUTE_MS);
    await after.configure(config);
    await after.advance(2 * MINUTE_MS);
    assert.deepEqual(after.open(), ['hot{a} firing warning']);
    await after.advance(4 * MINUTE_MS);
    assert.deepEqual(after.open(), []);
  });
});
