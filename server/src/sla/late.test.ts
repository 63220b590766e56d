import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import type { SliceRun } from '@nines/maths/slo/slices.ts';
import fc from 'fast-check';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { LateSamples, undone, withJudged } from './late.ts';
import type { SlicedSpec } from './spec.ts';
import { SlaWorld, at, openWorld } from './testing/world.ts';

const SLA = {
  id: 'slow',
  service: 'shop',
  indicator: { kind: 'threshold', query: 'x', condition: '<', threshold: '100ms', slice: '10s', while_down: 'measure' },
  target: '50%',
  window: { rolling: '5m' },
  max_unknown: '100%',
};
const batch = (...times: number[]) =>
  ({ times: Float64Array.from(times), samplesFrom: Uint32Array.of(0, times.length), seriesCount: 1 }) as never;

test('samples that come after their slice was judged change it, restate the statement, and what was known before can be asked', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('U'.repeat(30), 0.05);
  world.samples.splice(0);
  await world.play('.'.repeat(130));
  const period = { fromMs: at(0), toMs: at(140) };
  const question = { sla: 'slow', period, zone: 'UTC' };
  const first = JSON.parse((await world.statements.issue(question, 'ann')).document);
  assert.deepEqual([first.status, first.buckets.down_ms], ['met', 0]);
  const beforeMs = world.clock.now();

  // What a sender had queued for two minutes: slow answers.
  const late = Array.from({ length: 100 }, (_, i) => at(40 + i));
  world.samples.push(...late.map((atMs) => ({ atMs, value: 0.5 })));
  world.slas.committed(batch(...late));
  await world.play('..');
  assert.equal((await world.view('slow')).buckets.down_ms, 100_000);
  const second = await world.statement('slow', period);
  assert.deepEqual([second.revision?.number, second.status, second.buckets.down_ms], [2, 'breached', 100_000]);
  assert.match(second.revision?.why.join() ?? '', /better knowledge arrived: 1 min 40 s of the period/);
  const then = await world.statement('slow', period, { knownAtMs: beforeMs });
  assert.deepEqual([then.status, then.buckets], ['met', first.buckets]);

  // Samples that retention took say nothing: a verdict stays when its slice is looked at again.
  world.samples.splice(0);
  await world.clock.advance(60_000);
  world.slas.committed(batch(at(5)));
  await world.play('..');
  assert.equal((await world.view('slow')).buckets.down_ms, 100_000);
});

forEachDatabase((_name, open) => {
  test('late verdicts are durable', async (t) => {
    const { db } = await open(t);
    const world = await new SlaWorld(db).begin(SLA);
    await world.play('.'.repeat(100));
    const late = Array.from({ length: 30 }, (_, i) => at(20 + i));
    world.samples.push(...late.map((atMs) => ({ atMs, value: 0.5 })));
    world.slas.committed(batch(...late));
    await world.play('.');
    const { buckets } = await world.view('slow');
    assert.equal(buckets.down_ms, 30_000);
    await world.ledger.stop();
    const again = await new SlaWorld(db, { clock: world.clock, samples: [] }).begin(SLA);
    assert.deepEqual((await again.view('slow')).buckets, buckets);
  });
});

test('only what is older than the settling time is late, and it is told once', () => {
  const late = new LateSamples();
  late.committed(batch(100_000, 99_000, 50_000), epochMs(101_000));
  assert.deepEqual(late.take(), { fromMs: 50_000, toMs: 50_001 });
  assert.equal(late.take(), undefined);
});

const SPEC = { kind: 'threshold', condition: '<', threshold: 1, slice_ms: 10 } as SlicedSpec;
const run = (fromMs: number, state: SliceRun['state']): SliceRun => ({
  fromMs: epochMs(fromMs),
  toMs: epochMs(fromMs + 10),
  state,
  samples: 1,
  worst: 0,
  last: 0,
});
const states = fc.array(fc.constantFrom<SliceRun['state']>('up', 'down', 'unknown'), { minLength: 12, maxLength: 12 });
const stateAt = (runs: readonly SliceRun[], atMs: number) => runs.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)?.state;

test('a verdict never gives way to unknown, the runs stay a partition, and undoing gives back what was', () => {
  fc.assert(
    fc.property(states, states, fc.nat(11), fc.nat(11), (old, fresh, a, b) => {
      const span = { fromMs: epochMs(Math.min(a, b) * 10), toMs: epochMs(Math.max(a, b) * 10 + 10) };
      const runs = old.map((state, i) => run(i * 10, state));
      const judged = fresh.map((state, i) => run(i * 10, state)).filter(({ fromMs, toMs }) => fromMs >= span.fromMs && toMs <= span.toMs);
      const replaced = withJudged(runs, { span, judged }, SPEC);
      const now = replaced?.runs ?? runs;
      let atMs = 0;
      for (const { fromMs, toMs } of now) {
        assert.equal(fromMs, atMs);
        atMs = toMs;
      }
      assert.equal(atMs, 120);
      for (let i = 0; i < 12; i++) {
        const inside = i * 10 >= span.fromMs && i * 10 < span.toMs;
        assert.equal(stateAt(now, i * 10), inside && fresh[i] !== 'unknown' ? fresh[i] : old[i]);
      }
      const back = undone(now, replaced === undefined ? [] : [{ atMs: epochMs(0), span, runs: replaced.before }]);
      for (let i = 0; i < 12; i++) assert.equal(stateAt(back, i * 10), old[i]);
    }),
  );
});
