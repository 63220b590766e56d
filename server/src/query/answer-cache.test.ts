import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { PRESENT_MS } from '@nines/tsdb/past.ts';
import { openStore } from '@nines/tsdb/store.ts';
import fc from 'fast-check';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import { createSelfMetrics } from '../collect/self.ts';
import { isKeepable } from './answer-keys.ts';
import type { RangeParams } from './params.ts';
import { QueryService } from './service.ts';

const T0_MS = 1_795_226_400_000;
const HOUR_MS = 3_600_000;
const STEP_MS = 15_000;

async function openWorld() {
  const dir = mkdtempSync(join(tmpdir(), 'nines-answers-'));
  const store = await openStore({ dir, retentionMs: 30 * 24 * HOUR_MS, logger: recordingLogger() });
  const clock = manualClock(T0_MS);
  const metrics = createSelfMetrics();
  const service = new QueryService({ engine: createEngine(), queryable: store, clock, yieldNow: () => undefined, metrics });
  const write = async (job: string, atMs: number, value: number): Promise<void> => {
    const builder = createBatchBuilder();
    builder.add(labelsOf({ __name__: 'load', job }), atMs, value);
    await store.append(builder.batch(), epochMs(clock.now()));
  };
  const ask = async (query: string, over: Pick<RangeParams, 'startMs' | 'endMs' | 'stepMs'>, fresh = false) => {
    const params: RangeParams = { query, ...over, fresh, timeoutMs: 60_000, limit: 0, lookbackMs: undefined, stats: false };
    const answer = await service.range(params, { scope: FULL_SCOPE, signal: new AbortController().signal });
    assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
    assert.equal(answer.value.value.kind, 'matrix');
    return answer.value.value.kind === 'matrix' ? answer.value.value.series : [];
  };
  const outcomes = (): Record<string, number> =>
    Object.fromEntries(
      metrics
        .collect()
        .filter(({ name }) => name === 'nines_query_answers_total')
        .flatMap(({ samples }) => samples.map(({ labels, value }) => [labels.at(-1) ?? '', value] as const)),
    );
  return {
    store,
    clock,
    write,
    ask,
    outcomes,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const plain = (series: Awaited<ReturnType<Awaited<ReturnType<typeof openWorld>>['ask']>>) =>
  series.map(({ labels, times, values }) => ({ labels, times: [...times], values: [...values] }));

test('a dashboard that follows the present asks for new steps only', async () => {
  await using world = await openWorld();
  const { clock, write, ask, outcomes } = world;
  for (let i = 0; i < 80; i++) {
    clock.jump(i === 0 ? 0 : STEP_MS);
    await write('a', T0_MS + i * STEP_MS, i);
  }
  const endMs = T0_MS + 79 * STEP_MS;
  await ask('rate(load[1m])', { startMs: T0_MS, endMs, stepMs: STEP_MS });
  clock.jump(STEP_MS);
  await write('a', endMs + STEP_MS, 80);
  const moved = { startMs: T0_MS + STEP_MS, endMs: endMs + STEP_MS, stepMs: STEP_MS };
  assert.deepEqual(plain(await ask('rate(load[1m])', moved)), plain(await ask('rate(load[1m])', moved, true)));
  await ask('rate(load[1m])', { ...moved, endMs: endMs - PRESENT_MS });
  assert.deepEqual(outcomes(), { miss: 1, extended: 1, hit: 1, 'not kept': 1 });
});

test('another step, phase or earlier start has an answer of its own', async () => {
  await using world = await openWorld();
  const { clock, write, ask, outcomes } = world;
  await write('a', T0_MS, 1);
  clock.jump(HOUR_MS);
  const asked = { startMs: T0_MS, endMs: T0_MS + 600_000, stepMs: STEP_MS };
  await ask('load', asked);
  await ask('load', { ...asked, stepMs: 2 * STEP_MS });
  await ask('load', { ...asked, startMs: T0_MS + 1 });
  await ask('load', { ...asked, startMs: T0_MS - STEP_MS });
  assert.deepEqual(outcomes(), { miss: 4 });
  await ask('load', asked);
  assert.deepEqual(outcomes(), { miss: 4, hit: 1 });
});

test('what knows the range of its query, or looks ahead, is not kept', () => {
  const keepable = (text: string): boolean => {
    const parsed = parseExpr(text);
    assert.ok(parsed.ok, text);
    return isKeepable(parsed.value);
  };
  for (const text of ['load', 'sum by (job) (rate(load[5m] offset 1h))', 'max_over_time(load[1h:1m])', 'load > bool 1', 'time() - load'])
    assert.equal(keepable(text), true, text);
  for (const text of [
    'load offset -1m',
    'load @ 3',
    'rate(load[5m] @ end())',
    'load * scalar(vector(start()))',
    'load smoothed',
    'rate(load[range()])',
  ])
    assert.equal(keepable(text), false, text);
});

type Act =
  | { readonly kind: 'write'; readonly job: 'a' | 'b'; readonly lateMs: number; readonly value: number }
  | { readonly kind: 'import'; readonly job: 'a' | 'b'; readonly agoMs: number; readonly value: number }
  | { readonly kind: 'delete'; readonly job: 'a' | 'b'; readonly fromMs: number; readonly lengthMs: number }
  | { readonly kind: 'wait'; readonly lengthMs: number }
  | { readonly kind: 'ask'; readonly query: number; readonly agoSteps: number; readonly steps: number };

const QUERIES = [
  'load',
  'sum(load)',
  'max_over_time(load[2m])',
  'rate(load[5m])',
  'load and on(job) load{job="a"}',
  'absent(load{job="b"})',
];
const job = fc.constantFrom('a' as const, 'b' as const);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      job,
      lateMs: fc.constantFrom(0, 0, 0, 30_000, 400_000, 3_000_000),
      value: fc.nat(9),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('import' as const), job, agoMs: fc.integer({ min: 0, max: 6 * HOUR_MS }), value: fc.nat(9) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      job,
      fromMs: fc.integer({ min: 0, max: 2 * HOUR_MS }),
      lengthMs: fc.nat(HOUR_MS),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), lengthMs: fc.constantFrom(STEP_MS, 60_000, 600_000) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      query: fc.nat(QUERIES.length - 1),
      agoSteps: fc.nat(300),
      steps: fc.nat(320),
    }),
  },
);

test('a kept answer is what evaluating anew would give, whatever is written late, imported or deleted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 60 }), async (acts) => {
      await using world = await openWorld();
      for (const one of acts) await perform(world, one);
    }),
    { numRuns: process.env.NINES_FULL === '1' ? 1_000 : 60 },
  );
});

async function perform(world: Awaited<ReturnType<typeof openWorld>>, one: Act): Promise<void> {
  const { store, clock, write, ask } = world;
  const nowMs = clock.now();
  switch (one.kind) {
    case 'write':
      return write(one.job, nowMs - one.lateMs, one.value);
    case 'import': {
      const builder = createBatchBuilder();
      builder.add(labelsOf({ __name__: 'load', job: one.job }), nowMs - one.agoMs, one.value);
      const session = store.backfill(epochMs(nowMs));
      await session.add(builder.batch());
      await session.finish();
      return;
    }
    case 'delete': {
      const fromMs = nowMs - one.fromMs;
      await store.deleteSeries([mustMatcher('job', '=', one.job)], { fromMs, toMs: fromMs + one.lengthMs });
      return;
    }
    case 'wait':
      return clock.jump(one.lengthMs);
    case 'ask': {
      const lastMs = Math.floor(nowMs / STEP_MS) * STEP_MS;
      const startMs = lastMs - one.agoSteps * STEP_MS;
      const over = { startMs, endMs: startMs + one.steps * STEP_MS, stepMs: STEP_MS };
      const query = QUERIES[one.query] ?? 'load';
      assert.deepEqual(plain(await ask(query, over)), plain(await ask(query, over, true)), query);
    }
  }
}
