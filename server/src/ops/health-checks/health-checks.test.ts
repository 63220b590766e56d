import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { MemoryQueryable } from '@nines/promql/memory-queryable.ts';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { createAsk } from '../../ask.ts';
import { createAliases } from '../../collect/aliases.ts';
import { createBus } from '../../platform/bus.ts';
import { healthConfig, measuresOf } from './config.ts';
import { levelOf, stretchesOf, trendOf, worstOf } from './evaluate.ts';
import { HealthChecks } from './service.ts';

const MINUTE = 60_000;

/** The health checks over samples in memory; what they store can be asked again, and a new process begins with `open()`. */
function world(config: unknown = {}) {
  const clock = manualClock(1_760_000_040_000);
  const samples = new MemoryQueryable();
  const ask = createAsk(createEngine(), samples);
  const changes: unknown[] = [];
  const bus = createBus((thrown) => assert.fail(String(thrown)));
  bus.subscribe(({ type, data }) => void (type === 'health.changed' && changes.push(data)));
  const parts = { services: 0, unwell: 0, unreachable: undefined as number | undefined };
  const open = (): HealthChecks =>
    new HealthChecks({
      clock,
      logger: silentLogger,
      bus,
      ingest: {
        appendSamples: async (list) => {
          for (const { labels, atMs, value } of list) samples.add(labels, [[atMs, value]]);
          return { accepted: list.length, refusedCount: 0, refusedBy: {}, refused: [], refs: new Uint32Array() };
        },
      },
      query: ask,
      resolve: createAliases(15_000).resolve,
      instance: 'here',
      measures: measuresOf(healthConfig.parse(config)),
      parts: {
        services_down: async () => parts.services,
        parts_unwell: async () => parts.unwell,
        references_unreachable: async () => parts.unreachable,
      },
    });
  /** What the host says of its memory and its disk, in percent. */
  const host = (memory: number, disk: number, instance = 'here'): void => {
    const put = (name: string, value: number, more: Record<string, string> = {}): void =>
      samples.add(labelsOf({ __name__: name, instance, job: 'node', ...more }), [[clock.now(), value]]);
    put('node_memory_MemTotal_bytes', 1000);
    put('node_memory_MemAvailable_bytes', 1000 - memory * 10);
    put('node_filesystem_size_bytes', 1000, { mountpoint: '/' });
    put('node_filesystem_free_bytes', 1000 - disk * 10, { mountpoint: '/' });
    put('node_filesystem_avail_bytes', 1000 - disk * 10, { mountpoint: '/' });
  };
  return { clock, open, host, parts, changes, samples };
}

const levels = (report: Awaited<ReturnType<HealthChecks['report']>>): Record<string, string> =>
  Object.fromEntries(report.checks.map(({ id, level }) => [id, level]));

test('five checks, each as bad as its worst figure; what has no figure is unknown and hides nothing', async () => {
  const w = world();
  const checks = w.open();
  assert.deepEqual([...new Set(Object.values(levels(await checks.report())))], ['unknown'], 'before the first reading');
  w.host(90, 96);
  w.host(10, 10, 'another host');
  w.parts.unwell = 1;
  await checks.step(w.clock.now());
  const report = await checks.report();
  assert.deepEqual(levels(report), {
    system_resources: 'warning',
    service_availability: 'ok',
    process_health: 'warning',
    network_connectivity: 'unknown',
    file_system: 'critical',
  });
  assert.equal(report.level, 'critical');
  assert.deepEqual([report.at_ms, report.interval_ms], [w.clock.now(), MINUTE]);
  const [resources, , , network, files] = report.checks;
  assert.match(resources?.why ?? '', /Memory in use: 90, warning from 85/);
  assert.match(resources?.why ?? '', /CPU in use: no figure/);
  assert.equal(network?.why, 'Errors on links: no figure');
  assert.deepEqual(
    network?.measures.map(({ id }) => id),
    ['errors'],
    'without references there is nothing to reach',
  );
  assert.equal(files?.measures[0]?.value, 96);
});

test('a change of level is told once, the history is of series, and a time without readings is unknown', async () => {
  const w = world();
  const checks = w.open();
  for (let minute = 0; minute < 30; minute++) {
    w.parts.services = minute >= 10 && minute < 20 ? 2 : 0;
    await checks.step(w.clock.now());
    await w.clock.advance(MINUTE);
  }
  assert.deepEqual(w.changes, [
    { check: 'service_availability', level: 'warning', previous: 'ok' },
    { check: 'service_availability', level: 'ok', previous: 'warning' },
  ]);
  await w.clock.advance(10 * MINUTE);
  const again = w.open();
  await again.step(w.clock.now());
  await w.clock.advance(MINUTE);
  const report = await again.report();
  const history = report.checks.find(({ id }) => id === 'service_availability')?.history ?? [];
  const minutes = history.map(({ from_at_ms: from, to_at_ms: to, level }) => `${level} ${Math.round((to - from) / MINUTE)}`);
  assert.deepEqual(minutes.slice(1), ['ok 10', 'warning 10', 'ok 10', 'unknown 10', 'ok 1']);
  assert.equal(
    history.reduce((sum, { from_at_ms: from, to_at_ms: to }) => sum + to - from, 0),
    24 * 60 * MINUTE,
    'the stretches add up',
  );
});

test('the trend says where a figure is heading', async () => {
  const w = world();
  const checks = w.open();
  for (let minute = 0; minute <= 120; minute++) {
    w.host(40, 60 + minute / 12);
    await checks.step(w.clock.now());
    await w.clock.advance(MINUTE);
  }
  const report = await checks.report();
  const space = report.checks.find(({ id }) => id === 'file_system')?.measures.find(({ id }) => id === 'space');
  assert.ok(Math.abs((space?.trend?.per_hour ?? 0) - 5) < 0.1, `${space?.trend?.per_hour}`);
  assert.ok(Math.abs((space?.trend?.critical_in_ms ?? 0) / (5 * 60 * MINUTE) - 1) < 0.05, 'from 70 to 95 at 5 an hour');
  const memory = report.checks.find(({ id }) => id === 'system_resources')?.measures.find(({ id }) => id === 'memory');
  assert.equal(memory?.trend?.critical_in_ms, null);
});

test('thresholds are set by check and figure, and false looks away', async () => {
  const w = world({
    system_resources: { memory: { warning: 30, critical: 40 }, cpu: false, load: false },
    network_connectivity: { errors: false },
  });
  const checks = w.open();
  w.host(45, 10);
  w.parts.unreachable = 50;
  await checks.step(w.clock.now());
  const report = await checks.report();
  assert.equal(levels(report)['system_resources'], 'critical');
  assert.equal(levels(report)['network_connectivity'], 'warning', 'one of two references is out of reach');
  assert.deepEqual(
    report.checks[0]?.measures.map(({ id }) => id),
    ['memory'],
  );
  const refused = healthConfig.safeParse({ file_system: { space: { warning: 99 } } });
  assert.match(JSON.stringify(refused.error?.issues ?? []), /a warning comes before what is critical/);
  assert.equal(healthConfig.safeParse({ file_systems: {} }).success, false);
});

test('levels, stretches and trends are exact at their edges', () => {
  const limits = { warning: 80, critical: 90 };
  assert.deepEqual(
    [79.9, 80, 89.9, 90, Number.NaN, undefined].map((value) => levelOf(value, limits)),
    ['ok', 'warning', 'warning', 'critical', 'unknown', 'unknown'],
  );
  assert.deepEqual(
    [worstOf([]), worstOf(['ok', 'unknown']), worstOf(['warning', 'unknown']), worstOf(['ok'])],
    ['unknown', 'unknown', 'warning', 'ok'],
  );
  const span = { fromMs: 0, toMs: 600, stepMs: 60 };
  assert.deepEqual(stretchesOf({ times: [], values: [] }, span), [{ fromMs: 0, toMs: 600, level: 'unknown' }]);
  assert.deepEqual(stretchesOf({ times: [0, 60, 120, 480], values: [0, 0, 2, 0] }, span), [
    { fromMs: 0, toMs: 120, level: 'ok' },
    { fromMs: 120, toMs: 180, level: 'critical' },
    { fromMs: 180, toMs: 480, level: 'unknown' },
    { fromMs: 480, toMs: 600, level: 'ok' },
  ]);
  assert.deepEqual(trendOf(95, 1, limits), { perHour: 1, criticalInMs: null }, 'it is critical already');
  assert.deepEqual(trendOf(80, 0.001, limits), { perHour: 0.001, criticalInMs: null }, 'too far ahead to tell');
});
