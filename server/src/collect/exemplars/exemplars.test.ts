import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { encodeWriteRequest, encodeWriteRequest2 } from '@nines/model/testing/remote-write-encoder.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { forEachDatabase, openSqliteForTest } from '../../../../test/harness/databases.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { startTarget } from '../../../../test/harness/peers.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { startPrometheus } from '../../../../test/harness/prometheus.ts';
import { createDiscover } from '../../discover/service.ts';
import { createBreath } from '../../platform/breath.ts';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { encodeExemplars, exemplarParams } from '../../query/exemplars.ts';
import { paramsOf } from '../../query/params.ts';
import { createScrapeManager } from '../scrape/manager.ts';
import { readPrometheusFile } from '../scrape/prometheus-file.ts';
import { createSelfMetrics } from '../self.ts';
import { serve } from '../testing/serve.ts';
import { openWorld, selfValue } from '../testing/world.ts';
import { Exemplars } from './service.ts';

const OF_H = [[mustMatcher('__name__', '=', 'h')]];
const ALWAYS = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
const H = labelsOf({ __name__: 'h', job: 'a' });

forEachDatabase((name, open) => {
  test(`exemplars outlive a restart (${name})`, async (t) => {
    const clock = manualClock();
    const { db } = await open(t);
    await using world = await openWorld(clock, db.kysely);
    const again = async (maxExemplars: number): Promise<Exemplars> => {
      const made = new Exemplars({
        sql: db.kysely,
        metrics: createSelfMetrics(),
        labelsOfRef: (ref) => world.store.labelsOfRef(ref),
        maxExemplars,
      });
      await made.load();
      return made;
    };
    const builder = createBatchBuilder();
    const atMs = clock.now();
    builder.add(H, atMs, 7);
    for (let i = 0; i < 1_200; i++) builder.addExemplar({ labels: ['trace_id', `t${i}`], value: Number.NaN, atMs: atMs + i });
    const outcome = await world.ingest.append(builder.batch());
    assert.equal(outcome.exemplars, 1_200);
    await world.exemplars?.save();
    const held = world.exemplars?.select(OF_H, ALWAYS);
    assert.equal(held?.[0]?.exemplars.length, 1_200);
    assert.deepEqual((await again(2_000)).select(OF_H, ALWAYS), held);

    // Fewer are kept from now on, and a second life goes on where the first one ended.
    const fewer = await again(10);
    assert.deepEqual(
      fewer.select(OF_H, ALWAYS)[0]?.exemplars.map(({ atMs: at }) => at),
      Array.from({ length: 10 }, (_, i) => atMs + 1_190 + i),
    );
    builder.reset();
    builder.add(H, atMs + 5_000, 7);
    builder.addExemplar({ labels: [], value: 1, atMs: atMs + 5_000 });
    const batch = builder.batch();
    const { refs } = await world.store.append(batch, clock.now());
    assert.equal(fewer.take(batch, refs), 1);
    await fewer.save();
    const rows = await db.kysely.selectFrom('exemplars').select('at_ms').execute();
    assert.equal(rows.length, 10);
    assert.deepEqual((await again(10)).select(OF_H, ALWAYS), fewer.select(OF_H, ALWAYS));
  });
});

test('what a series cannot have is refused and counted, what came in order or again is not', async (t) => {
  const clock = manualClock();
  const { db } = await openSqliteForTest(t);
  await using world = await openWorld(clock, db.kysely);
  await using served = await serve(world, clock);
  const nowMs = clock.now();
  const at = (seconds: number, value = 1) => ({ labels: [['trace_id', 'x'] as const], value, atMs: nowMs + seconds });
  const send = async (version: 1 | 2, exemplars: readonly ReturnType<typeof at>[]): Promise<string | null> => {
    const series = [
      { labels: [['__name__', 'h'] as const, ['job', 'a'] as const], samples: [[nowMs, 1] as const] },
      // As Prometheus sends them: beside the samples.
      { labels: [['__name__', 'h'] as const, ['job', 'a'] as const], samples: [], exemplars },
      { labels: [['job', 'nameless'] as const], samples: [], exemplars: exemplars.slice(0, 1) },
    ];
    const body = encodeSnappy(version === 1 ? encodeWriteRequest(series) : encodeWriteRequest2(series));
    const proto = version === 1 ? 'prometheus.WriteRequest' : 'io.prometheus.write.v2.Request';
    const headers = { 'content-type': `application/x-protobuf;proto=${proto}`, 'content-encoding': 'snappy' };
    const answer = await fetch(`${served.base}/api/v1/write`, { method: 'POST', headers, body: Buffer.from(body) });
    assert.equal(answer.status, 204, await answer.text());
    return answer.headers.get('x-prometheus-remote-write-exemplars-written');
  };
  assert.equal(await send(1, [at(3), at(2)]), null);
  assert.equal(await send(2, [at(2), at(3), at(4), at(4, 2)]), '3');
  assert.deepEqual(
    world.exemplars
      ?.select(OF_H, ALWAYS)
      .map(({ labels, exemplars }) => [labels, exemplars.map(({ atMs, value }) => [atMs - nowMs, value])]),
    [[H, [[2, 1], [3, 1], [4, 1], [4, 2]]]], // biome-ignore format: a table
  );
  assert.equal(selfValue(world.self, 'nines_exemplars_refused_total{reason="out_of_order"}'), 1);
  assert.equal(selfValue(world.self, 'nines_exemplars_refused_total{reason="series"}'), 2);
  assert.equal(selfValue(world.self, 'nines_exemplars_stored_total'), 4);
});

test("a target's exemplars are those that Prometheus has, asked in the same words", { timeout: 90_000 }, async (t) => {
  await using target = await startTarget();
  const startS = Math.floor(Date.now() / 1000);
  // The same for a while, so that both see it.
  const round = (): number => Math.floor((Date.now() / 1000 - startS) / 2);
  target.answerWith((_request, response) => {
    const n = round();
    const lines = [
      '# TYPE h histogram',
      `h_bucket{le="0.1"} ${n} # {trace_id="a${n}"} 0.05 ${startS + n}.25`,
      `h_bucket{le="1.0"} ${n} # {trace_id="same"} 0.5 ${startS}`,
      `h_bucket{le="+Inf"} ${n} # {trace_id="${'x'.repeat(200)}"} 5 ${startS}`,
      `h_count ${n}`,
      'h_sum 1',
      '# TYPE c counter',
      `c_total ${n} # {} ${n} ${startS + (n % 2 === 0 ? n : -100)}`,
      '# EOF',
    ];
    response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    response.end(`${lines.join('\n')}\n`);
  });
  const config = `scrape_configs: [{ job_name: t, scrape_interval: 500ms, scrape_timeout: 500ms, static_configs: [{ targets: ['127.0.0.1:${target.port}'] }] }]\n`;
  const { db } = await openSqliteForTest(t);
  await using world = await openWorld(realClock, db.kysely);
  await using outbound = createOutbound({ clock: realClock });
  await using discover = createDiscover({ ...world, clock: realClock, outbound });
  await using manager = createScrapeManager({
    ...world,
    metrics: world.self,
    clock: realClock,
    outbound,
    discover,
    yieldNow: createBreath(realClock),
  });
  await using theirs = await startPrometheus({ config, args: ['--enable-feature=exemplar-storage'] });
  const file = join(world.folder, 'prometheus.yml');
  writeFileSync(file, config);
  const read = readPrometheusFile(file);
  assert.deepEqual(read.problems, []);
  await manager.apply(read.file === undefined ? [] : [read.file]);

  const there = async (asked: string): Promise<string> => (await fetch(`${theirs.base}/api/v1/query_exemplars?${asked}`)).text();
  const here = (asked: string): string => {
    const question = exemplarParams(paramsOf(asked, ''));
    if (!question.ok) return question.error;
    return encodeExemplars(world.exemplars?.select(question.value.selectors, question.value.span) ?? []);
  };
  const seen = (text: string): ReadonlySet<number> => new Set([...text.matchAll(/"a(\d+)"/g)].map(([, n]) => Number(n)));
  // Three in a row that both saw, however busy the machine.
  const first = await poll('exemplars in both', async () => {
    const [ours, other] = [seen(here('query=h_bucket')), seen(await there('query=h_bucket'))];
    return [...ours].find((n) => [n, n + 1, n + 2].every((each) => ours.has(each) && other.has(each)));
  });
  const both = `start=${startS + first}&end=${startS + first + 2}.5`;
  for (const asked of [
    `query=h_bucket&${both}`,
    `query=rate(h_bucket{le="0.1"}[5m])%2Bsum(h_count)&${both}`,
    `query=h_bucket{le="1.0"}&start=${startS}&end=${startS}`,
    `query=c_total&${both}`,
    `query={le=~".*Inf"}&start=0`,
    'query=nothing',
  ])
    assert.deepEqual(JSON.parse(here(asked)), JSON.parse(await there(asked)), asked);
  for (const asked of ['', 'query=h(', 'query=h&start=2&end=1', 'query=h&start=x', 'query=h&end=y']) {
    const { error } = JSON.parse(await there(asked)) as { readonly error: string };
    if (!/parse error/.test(error)) assert.equal(here(asked), error);
    else assert.match(here(asked), /parse error/);
  }
});
