import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createCollection, nextCollectionMs, startCollection } from './collection.ts';
import { createHostCollector } from './host/collector.ts';
import { parseLoadavg } from './host/cpu.ts';
import { watchProcess } from './process-metrics.ts';
import { openWorld, selfValue } from './testing/world.ts';

test('collections are due at 1 s and 5 s, then at multiples of the interval, and missed ones are left out', () => {
  const due = (elapsedMs: number): number => nextCollectionMs(elapsedMs, 15_000);
  assert.deepEqual(
    [0, 3, 999, 1_000, 5_001, 15_000, 44_999, 46_000].map(due),
    [1_000, 1_000, 1_000, 5_000, 15_000, 30_000, 45_000, 60_000],
  );
  assert.equal(nextCollectionMs(0, 1_000), 1_000);
  assert.equal(nextCollectionMs(1_000, 2_000), 2_000);
});

test('host and own figures are stored with their job and wake the rules once per collection', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  using process = watchProcess(world.self, clock, '1.2.3');
  const host = createHostCollector({ clock, logger: world.logger, readers: [{ name: 'loadavg', read: () => parseLoadavg('1.5 2 3') }] });
  const collection = createCollection({ ...world, clock, host, process, instance: 'box', intervalMs: 15_000 });
  await collection.step(clock.now());
  await clock.advance(1_000);
  await collection.step(clock.now());
  const t0 = clock.now() - 1_000;
  assert.deepEqual(await world.samplesOf('node_load1'), [
    `node_load1{instance="box", job="node"} 1.5@${t0}`,
    `node_load1{instance="box", job="node"} 1.5@${t0 + 1_000}`,
  ]);
  assert.deepEqual(
    (await world.samplesOf('up')).filter((line) => line.endsWith(`@${t0}`)),
    [`up{instance="box", job="nines"} 1@${t0}`, `up{instance="box", job="node"} 1@${t0}`],
  );
  assert.match((await world.samplesOf('process_resident_memory_bytes'))[0] ?? '', /instance="box", job="nines"/);
  assert.match((await world.samplesOf('nines_build_info'))[0] ?? '', /version="1.2.3"/);
  assert.equal(world.committed.length, 2);
  assert.equal(world.metadata.get('node_load1')?.type, 'gauge');
  assert.equal(world.metadata.get('process_cpu_seconds_total')?.type, 'counter');
  assert.ok((selfValue(world.self, 'nines_ingest_samples_total') ?? 0) > 20);
  assert.equal(selfValue(world.self, 'nines_ingest_append_duration_seconds_count'), 2);
});

test('a started collection keeps its schedule, outlives a store that fails, and ends when disposed', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  using process = watchProcess(world.self, clock, '0');
  const host = createHostCollector({ clock, logger: world.logger, readers: [] });
  const collected: number[] = [];
  let failing = false;
  const ingest = {
    ...world.ingest,
    append: async () => {
      collected.push(clock.now());
      if (failing) throw new Error('no space');
      return { accepted: 0, refusedCount: 0, refusedBy: {}, refused: [], refs: new Uint32Array(0) };
    },
  };
  const startMs = clock.now();
  const running = startCollection({ ...world, ingest, clock, host, process, instance: 'box', intervalMs: 15_000 });
  await clock.advance(16_000);
  failing = true;
  await clock.advance(15_000);
  failing = false;
  await clock.advance(15_000);
  await running[Symbol.asyncDispose]();
  await clock.advance(60_000);
  assert.deepEqual(
    collected.map((atMs) => atMs - startMs),
    [0, 1_000, 5_000, 15_000, 30_000, 45_000],
  );
  assert.match(world.warnings.join('\n'), /no space/);
});

test('a held collection begins when it is told to, stops, and begins again', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  using process = watchProcess(world.self, clock, '0');
  const host = createHostCollector({ clock, logger: world.logger, readers: [] });
  const collected: number[] = [];
  const startMs = clock.now();
  const ingest = {
    ...world.ingest,
    append: async () => {
      collected.push(clock.now() - startMs);
      return { accepted: 0, refusedCount: 0, refusedBy: {}, refused: [], refs: new Uint32Array(0) };
    },
  };
  await using held = startCollection({ ...world, ingest, clock, host, process, instance: 'box', intervalMs: 15_000 }, { held: true });
  await clock.advance(15_000);
  assert.deepEqual([collected, held.isRunning], [[], false]);
  held.start();
  held.start();
  await clock.advance(2_000);
  await held.stop();
  assert.equal(held.isRunning, false);
  await clock.advance(30_000);
  held.start();
  await clock.advance(2_000);
  assert.deepEqual(collected, [15_000, 16_000, 47_000, 48_000]);
});
