import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { createSelfMetrics } from '../../collect/self.ts';
import type { Actor } from '../../platform/http/contract.ts';
import { createHttp } from '../../platform/http/server.ts';
import { limitsConfig, seriesLimits } from '../limits.ts';
import { seriesRoutes } from '../routes.ts';
import { SeriesService } from '../service.ts';

const ADMIN: Actor = { kind: 'user', id: 'u1', name: 'ada', role: 'administrator', teamId: 'default', scope: FULL_SCOPE };

/** A real store with ten minutes of `up{job="a"|"b"}` and 50 series `wide`, behind the real HTTP server. */
export async function openWorld(t: TestContext, limits: Readonly<Record<string, number>> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'nines-series-'));
  const clock = manualClock();
  const logger = recordingLogger();
  const settings = seriesLimits(limitsConfig.parse(limits));
  const store = await openStore({ dir, retentionMs: 30 * 86_400_000, limits: () => settings, logger });
  const { db } = await openSqliteForTest(t);
  const sql = db.kysely;
  const ids = countingIds();
  const http = await createHttp({
    adminApi: true,
    logger,
    ids,
    hosts: 'any',
    version: '0',
    gate: { authenticate: async () => ADMIN, allows: () => true },
  });
  t.after(async () => {
    await http.close();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const startMs = clock.now() - 600_000;
  const write = async (name: string, count: number, atMs = startMs) => {
    const builder = createBatchBuilder();
    for (let n = 0; n < count; n++) builder.add(labelsOf({ __name__: name, n: String(n) }), atMs, n);
    return store.append(builder.batch(), clock.now());
  };
  const builder = createBatchBuilder();
  for (let i = 0; i <= 40; i++) for (const job of ['a', 'b']) builder.add(labelsOf({ __name__: 'up', job }), startMs + i * 15_000, 1);
  await store.append(builder.batch(), clock.now());
  await write('wide', 50);
  const series = new SeriesService({ store, sql, clock, ids, logger, metrics: createSelfMetrics() });
  seriesRoutes(http, { series });
  const ask = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, params: [string, string][] = []) => {
    const answer = await http.inject({ method, url: `${path}?${new URLSearchParams(params).toString()}` });
    return { status: answer.statusCode, text: answer.body, body: answer.body === '' ? undefined : (answer.json() as unknown) };
  };
  const samples = async (): Promise<number> => {
    let sum = 0;
    for (const { times } of await store.select([], { fromMs: 0, toMs: clock.now() })) sum += times.length;
    return sum;
  };
  return { store, clock, series, http, sql, ask, write, samples, startMs };
}
