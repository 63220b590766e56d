import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Clock } from '@nines/base/clock.ts';
import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import type { MetricMetadata } from '@nines/model/metadata.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { ExemplarRing } from '@nines/model/exemplar-ring.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import { createBreath } from '../../platform/breath.ts';
import { realClock } from '../../platform/clock.ts';
import type { Actor, Http } from '../../platform/http/contract.ts';
import { createHttp } from '../../platform/http/server.ts';
import { queryRoutes } from '../routes.ts';

/** 2026-11-21T02:00:00Z. */
export const T0_S = 1_795_226_400;
const ACTOR: Actor = { kind: 'token', id: 't', name: 't', role: 'read-only', teamId: 'default', scope: FULL_SCOPE };
export const TOKEN = 'nines_test';

/** A real store with ten minutes of `up{job="a"|"b"}` and `requests_total`, 15 s apart, 2 000 series `wide` and three exemplars, behind the real HTTP server. */
export async function startQueryServer(t: TestContext, clock: Clock = realClock): Promise<Http> {
  const dir = mkdtempSync(join(tmpdir(), 'nines-query-'));
  const store = await openStore({ dir, retentionMs: 30 * 86_400_000, logger: recordingLogger() });
  const builder = createBatchBuilder();
  for (let i = 0; i <= 40; i++) {
    const atMs = (T0_S + i * 15) * 1000;
    builder.add(labelsOf({ __name__: 'up', job: 'a' }), atMs, 1);
    builder.add(labelsOf({ __name__: 'up', job: 'b' }), atMs, 0);
    builder.add(labelsOf({ __name__: 'requests_total', job: 'a', 'http.code': '200' }), atMs, i * 30);
  }
  // Enough series that the engine lets others have their turn in between.
  for (let i = 0; i < 2_000; i++) builder.add(labelsOf({ __name__: 'wide', n: String(i) }), T0_S * 1000, i);
  await store.append(builder.batch(), epochMs((T0_S + 600) * 1000));
  const http = await createHttp({
    logger: recordingLogger(),
    ids: countingIds(),
    hosts: 'any',
    version: '0.0.0',
    gate: {
      authenticate: async (request) => (request.headers.authorization === `Bearer ${TOKEN}` ? ACTOR : undefined),
      allows: () => true,
    },
  });
  t.after(async () => {
    await http.close();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const exemplars = new ExemplarRing(10);
  for (let i = 0; i < 3; i++)
    exemplars.add(labelsOf({ __name__: 'requests_total', job: 'a' }), {
      labels: ['trace_id', `t${i}`],
      value: i / 2,
      atMs: (T0_S + i) * 1000 + 5,
    });
  const yieldNow = createBreath(realClock);
  const engine = createEngine({ limits: { maxSamples: 50_000_000 }, yieldNow });
  queryRoutes(http, {
    externalLabels: () => ({}),
    engine,
    queryable: store,
    exemplars,
    metadata: new Map<string, MetricMetadata>([['requests_total', { type: 'counter', help: 'Requests.', unit: '' }]]),
    clock,
    lookbackMs: 300_000,
    yieldNow,
    version: '0.0.0',
  });
  return http;
}

export const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
