import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { sameHistogram } from '@nines/model/histogram.ts';
import { labelValue, labelsKey } from '@nines/model/labels.ts';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import { counted } from '@nines/model/testing/histograms.ts';
import { type WireHistogramSample, encodeWriteRequest } from '@nines/model/testing/remote-write-encoder.ts';
import { freePort } from '../../../test/harness/nines.ts';
import { poll } from '../../../test/harness/poll.ts';
import { realClock } from '../platform/clock.ts';
import { createDiscover } from '../discover/service.ts';
import { createOutbound } from '../platform/fetch/outbound.ts';
import { createScrapeManager } from './scrape/manager.ts';
import { readPrometheusFile } from './scrape/prometheus-file.ts';
import { serve } from './testing/serve.ts';
import { type World, openWorld } from './testing/world.ts';

const PROMETHEUS = '/usr/bin/prometheus';

const FEATURES = ['--enable-feature=native-histograms', '--web.enable-remote-write-receiver'];

type Peer = AsyncDisposable & { readonly base: string; readonly address: string };

/** A real Prometheus that takes native histograms, scrapes itself twice a second and sends what it has to `writeUrl`. */
async function startPrometheus(world: World, writeUrl: string): Promise<Peer> {
  assert.ok(existsSync(PROMETHEUS), 'this test needs Prometheus: apt-get install prometheus');
  const address = `127.0.0.1:${await freePort()}`;
  const file = join(world.folder, 'peer.yml');
  const scrape = `{ job_name: peer, scrape_interval: 500ms, scrape_timeout: 400ms, static_configs: [{ targets: ['${address}'] }] }`;
  writeFileSync(
    file,
    `remote_write: [{ url: '${writeUrl}', send_native_histograms: true, queue_config: { batch_send_deadline: 200ms } }]\nscrape_configs: [${scrape}]\n`,
  );
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(world.folder, 'peer')}`,
    `--web.listen-address=${address}`,
    ...FEATURES,
  ];
  const child = spawn(PROMETHEUS, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const base = `http://${address}`;
  await poll('Prometheus to be ready', async () =>
    (await fetch(`${base}/-/ready`).catch(() => undefined))?.ok === true ? true : undefined,
  );
  return {
    base,
    address,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Samples by series and instant; staleness markers left out, as a query leaves them out. */
async function stored(world: World, job: string, beforeMs: number): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const { labels, times, values } of await world.store.select([mustMatcher('job', '=', job)], { fromMs: 0, toMs: beforeMs })) {
    times.forEach((atMs, i) => {
      if (!isStale(bitsOf(values), i)) found.set(`${labelsKey(labels)}@${atMs}`, values[i] ?? Number.NaN);
    });
  }
  return found;
}

test('what a real Prometheus sends by remote write is what it stores itself, sample for sample', { timeout: 90_000 }, async () => {
  await using world = await openWorld(realClock);
  await using served = await serve(world, realClock);
  await using peer = await startPrometheus(world, `${served.base}/api/v1/write`);
  const sinceMs = Date.now();
  const received = await poll('samples of three scrapes', async () => {
    const instants = new Set(
      [...(await stored(world, 'peer', Date.now())).keys()].filter((key) => key.startsWith('__name__\u0000up\u0000')),
    );
    return instants.size >= 4 ? true : undefined;
  });
  assert.ok(received);
  const untilMs = Date.now() - 1_000;
  // Everything up to a second ago has long been sent; Prometheus' own answer to the same range is the measure.
  const answer = await fetch(`${peer.base}/api/v1/query?query=${encodeURIComponent('{job="peer"}[1h]')}&time=${untilMs / 1000}`);
  const { data } = (await answer.json()) as { data: { result: { metric: Record<string, string>; values: [number, string][] }[] } };
  const wanted = new Map<string, number>();
  for (const { metric, values } of data.result) {
    const key = Object.keys(metric)
      .sort()
      .flatMap((name) => [name, metric[name] ?? ''])
      .join('\u0000');
    for (const [seconds, value] of values) wanted.set(`${key}@${Math.round(seconds * 1000)}`, Number(value.replace('Inf', 'Infinity')));
  }
  assert.ok(wanted.size > 500, `${wanted.size} samples since ${sinceMs}`);
  const ours = await poll('all of them', async () => {
    const found = await stored(world, 'peer', untilMs);
    return found.size >= wanted.size ? found : undefined;
  });
  for (const [key, value] of wanted) assert.ok(Object.is(ours.get(key), value), `${key}: ${value} there, ${ours.get(key)} here`);
  assert.equal(ours.size, wanted.size);
});

test('native histograms that a real Prometheus hands on are stored as it has them', { timeout: 90_000 }, async () => {
  await using world = await openWorld(realClock);
  await using served = await serve(world, realClock);
  await using peer = await startPrometheus(world, `${served.base}/api/v1/write`);
  // Prometheus hands on what is younger than itself.
  const firstMs = Date.now();
  const sent: readonly WireHistogramSample[] = [
    { atMs: firstMs, histogram: counted(3) },
    { atMs: firstMs + 1000, histogram: counted(4, { negative: { indexes: [-7, 5], counts: [1, 2] }, count: 23, schema: 3 }) },
    { atMs: firstMs + 2000, histogram: counted(5, { sum: Number.NaN }) },
    { atMs: firstMs + 3000, histogram: 'stale' },
    { atMs: firstMs + 4000, histogram: counted(0.5, { hint: 'gauge' }), doubles: true },
  ];
  const body = encodeSnappy(encodeWriteRequest([{ labels: [['__name__', 'latency']], samples: [], histograms: sent }]));
  const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' };
  const answer = await fetch(`${peer.base}/api/v1/write`, { method: 'POST', headers, body: Buffer.from(body) });
  assert.equal(answer.status, 204, await answer.text());
  const series = await poll('all of them', async () => {
    const [found] = [...(await world.store.select([mustMatcher('__name__', '=', 'latency')], { fromMs: 0, toMs: firstMs + 5000 }))];
    return found?.times.length === sent.length ? found : undefined;
  });
  assert.deepEqual(
    [...series.times],
    sent.map(({ atMs }) => atMs),
  );
  assert.ok(isStale(bitsOf(series.values), 3));
  sent.forEach(({ histogram }, i) => {
    const ours = series.histograms?.[i];
    if (histogram === 'stale') assert.equal(ours, undefined);
    else assert.ok(ours !== undefined && sameHistogram(ours, histogram), JSON.stringify({ ours, histogram }));
  });
  assert.deepEqual(series.histograms?.at(-1)?.hint, 'gauge');
});

test('a real Prometheus is scraped with its series, and an unchanged configuration file names it', { timeout: 90_000 }, async () => {
  await using world = await openWorld(realClock);
  await using served = await serve(world, realClock);
  await using peer = await startPrometheus(world, `${served.base}/api/v1/write`);
  await using outbound = createOutbound({ clock: realClock });
  await using discover = createDiscover({ ...world, clock: realClock, outbound });
  await using manager = createScrapeManager({
    ...world,
    metrics: world.self,
    clock: realClock,
    outbound,
    discover,
    yieldNow: () => undefined,
  });
  const file = join(world.folder, 'prometheus.yml');
  writeFileSync(
    file,
    `global: { scrape_interval: 200ms, scrape_timeout: 200ms }\nscrape_configs: [{ job_name: ours, static_configs: [{ targets: ['${peer.address}'] }] }]\n`,
  );
  const read = readPrometheusFile(file);
  assert.deepEqual(read.problems, []);
  await manager.apply(read.file === undefined ? [] : [read.file]);
  await poll('two scrapes', async () =>
    (await world.samplesOf('up')).filter((line) => line.includes('job="ours"') && line.includes(' 1@')).length >= 2 ? true : undefined,
  );
  const series = await world.store.series([mustMatcher('job', '=', 'ours')], { fromMs: 0, toMs: Date.now() });
  assert.ok(series.length > 200, `${series.length} series`);
  assert.ok(series.some((labels) => labelValue(labels, '__name__') === 'prometheus_build_info' && labelValue(labels, 'version') !== ''));
  // Without its metadata where the scrape was cut off by its timeout; the next one has it.
  await poll('what kind of metric it is', () => world.metadata.get('prometheus_build_info')?.type === 'gauge' || undefined);
});
