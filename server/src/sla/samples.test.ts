import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import { createSampleReader } from './samples.ts';

const T0_MS = 1_795_226_400_000;

/** One sample of `d{job="a"}` and `d{job="b"}` every 10 s for ten minutes, in a real store. */
async function open(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'nines-sla-'));
  const store = await openStore({ dir, retentionMs: 30 * 86_400_000, logger: recordingLogger() });
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const builder = createBatchBuilder();
  for (let i = 0; i < 60; i++) {
    builder.add(labelsOf({ __name__: 'd', job: 'a' }), T0_MS + i * 10_000, i);
    builder.add(labelsOf({ __name__: 'd', job: 'b' }), T0_MS + i * 10_000, 100 + i);
  }
  await store.append(builder.batch(), epochMs(T0_MS + 600_000));
  return createSampleReader({ engine: createEngine({ limits: { maxSamples: 1_000_000 } }), queryable: store });
}
const range = (fromS: number, toS: number) => ({ fromMs: epochMs(T0_MS + fromS * 1000), toMs: epochMs(T0_MS + toS * 1000), stepMs: 5_000 });

test('a plain selector gives the stored samples of a half-open range', async (t) => {
  const read = await open(t);
  const series = await read('d{job="a"}', range(60, 120));
  assert.deepEqual(
    series.map(({ values }) => Array.from(values)),
    [[6, 7, 8, 9, 10, 11]],
  );
  assert.equal((await read('d', range(0, 10))).length, 2);
  assert.deepEqual(await read('nothing', range(0, 600)), []);
});

test('an expression is evaluated at steps within the half-open range', async (t) => {
  const read = await open(t);
  const [series] = await read('sum(d) / 2', range(60, 80));
  assert.deepEqual(
    Array.from(series?.times ?? []),
    [60, 65, 70, 75].map((s) => T0_MS + s * 1000),
  );
  assert.deepEqual(Array.from(series?.values ?? []), [56, 56, 57, 57]);
});

test('a query that fails says why', async (t) => {
  const read = await open(t);
  await assert.rejects(read('sum(', range(0, 10)), { code: 'sla_query_failed', message: /parse error/ });
  await assert.rejects(read('d * on() d', range(0, 20)), { code: 'sla_query_failed' });
});
