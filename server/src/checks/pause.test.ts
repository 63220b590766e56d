import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { specOf } from '../../../test/harness/checks.ts';
import { createBus } from '../platform/bus.ts';
import { judgeAddress } from '../platform/fetch/judge.ts';
import { runProgram } from '../platform/programs.ts';
import { type CheckResult, type CheckSpec, checkToWire } from './contract.ts';
import { CheckService } from './service.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

test('a paused check is asked nothing until it goes on, and keeps the results it has', async () => {
  const clock = manualClock();
  const results: CheckResult[] = [];
  const service = new CheckService({
    clock,
    logger: quiet,
    bus: createBus(() => {}),
    resolve: async (host) => host,
    run: runProgram,
    judge: judgeAddress,
    query: async () => [{ labels: [], value: 1 }],
    commands: [],
    sink: async (result) => void results.push(result),
  });
  const check = (paused: boolean): CheckSpec => specOf({ kind: 'promql', expr: 'up', condition: '== 1', interval: '10s', paused });
  service.configure([check(false)]);
  await clock.advance(60_000);
  const before = results.length;
  assert.ok(before >= 6, `${before} results in a minute`);

  service.configure([check(true)]);
  await clock.advance(600_000);
  const [first] = results;
  assert.ok(first !== undefined);
  await service.report(first);
  assert.equal(results.length, before, 'neither asked nor told');
  const [paused] = service.list();
  assert.ok(paused !== undefined);
  assert.equal(checkToWire(paused, { state: 'unknown', unknownReason: 'paused', sinceMs: 0, flapping: null }, undefined).paused, true);
  assert.equal(service.results(paused.id).length, before);

  service.configure([check(false)]);
  await clock.advance(60_000);
  assert.ok(results.length >= before + 6);
  await service.stop();
});
