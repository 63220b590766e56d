import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS } from '@nines/base/units.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createBus, type Fact } from '../platform/bus.ts';
import { createAliases } from './aliases.ts';
import { createCollection } from './collection.ts';
import type { SampleQuery } from './contract.ts';
import { type CurrentFigures, currentFigures, history, stepOf } from './figures.ts';
import { createHostCollector } from './host/collector.ts';
import { linuxReaders } from './host/linux.ts';
import { portableReaders } from './host/portable.ts';
import { watchProcess } from './process-metrics.ts';
import { figuresPublisher } from './spectators.ts';
import { type World, openWorld } from './testing/world.ts';

function queryOf(world: World): SampleQuery {
  const engine = createEngine();
  return {
    async instant(expr, atMs) {
      const found = await engine.instant(expr, { queryable: world.store, atMs });
      assert.ok(found.ok, expr);
      assert.ok(found.value.value.kind === 'vector', expr);
      return found.value.value.elements;
    },
    async range(expr, { fromMs, toMs, stepMs }) {
      const found = await engine.range(expr, { queryable: world.store, startMs: fromMs, endMs: toMs, stepMs });
      assert.ok(found.ok, expr);
      return found.value.value.series;
    },
  };
}

test('within a second of a first start this host shows its own figures, rates from the second collection on', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  using process = watchProcess(world.self, clock, '0');
  const readers = globalThis.process.platform === 'linux' ? linuxReaders({ proc: '/proc', sys: '/sys', clock }) : portableReaders(clock);
  const host = createHostCollector({ clock, logger: world.logger, readers });
  const figures = { query: queryOf(world), aliases: createAliases(15_000), instance: 'box' };
  const bus = createBus(() => undefined);
  const facts: Fact[] = [];
  bus.subscribe((fact) => void facts.push(fact));
  const onCollected = figuresPublisher({ ...figures, bus, logger: world.logger });
  const collection = createCollection({ ...world, clock, host, process, instance: 'box', intervalMs: 15_000, onCollected });

  const before = await currentFigures(figures, clock.now());
  assert.deepEqual([before.cpu.percent, before.memory.percent, before.disk], [null, null, []]);
  await collection.step(clock.now());
  const first = await currentFigures(figures, clock.now());
  assert.equal(first.cpu.percent, null, 'one sample makes no rate');
  assert.ok(first.memory.percent !== null && first.memory.percent > 0 && first.memory.percent < 100);
  assert.ok(first.disk.some(({ mount, percent }) => mount === '/' && percent > 0 && percent <= 100));
  assert.ok(first.load['1m'] !== null && (first.process.rss_bytes ?? 0) > 10_000_000);

  await clock.advance(1_000);
  await collection.step(clock.now());
  const second = await currentFigures(figures, clock.now());
  assert.ok(second.cpu.percent === null || (second.cpu.percent >= 0 && second.cpu.percent <= 100.001), String(second.cpu.percent));
  assert.ok(second.network.receive_bytes_per_second === null || second.network.receive_bytes_per_second >= 0);
  await clock.advance(0);
  const told = facts.at(-1)?.data as CurrentFigures;
  assert.equal(facts.length, 2);
  assert.deepEqual([told.at_ms, told.memory.percent], [second.at_ms, second.memory.percent]);
  await clock.advance(30_000);
  await collection.step(clock.now());
  const memory = await history(figures, ['system.memory.percent'], { toMs: clock.now(), rangeMs: HOUR_MS });
  assert.equal(memory.series[0]?.labels['instance'], 'box');
  assert.ok((memory.series[0]?.points.length ?? 0) >= 2);
});

test('offered ranges have between 240 and 360 points, others at most 360', () => {
  for (const rangeMs of [HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS]) {
    const points = rangeMs / stepOf(rangeMs);
    assert.ok(points >= 240 && points <= 360, `${points}`);
  }
  for (const rangeMs of [1_000, 90_000, 3 * HOUR_MS, 400 * DAY_MS]) assert.ok(rangeMs / stepOf(rangeMs) <= 360);
});
