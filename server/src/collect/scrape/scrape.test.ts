import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ManualClock, manualClock } from '../../../../test/harness/manual-clock.ts';
import { type Target as Peer, startTarget } from '../../../../test/harness/peers.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { realClock } from '../../platform/clock.ts';
import { type Outbound, createOutbound } from '../../platform/fetch/outbound.ts';
import { createDiscover } from '../../discover/service.ts';
import { type World, openWorld } from '../testing/world.ts';
import { createScrapeManager } from './manager.ts';
import { nextTick, stampOf } from './pool.ts';
import { readPrometheusFile } from './prometheus-file.ts';
import { type Scraper, createScraper } from './scraper.ts';
import { mergeLabels } from './series-cache.ts';
import { targetsOf } from './targets.ts';

const TEXT = 'text/plain; version=0.0.4';

type Stage = AsyncDisposable & {
  readonly world: World;
  readonly clock: ManualClock;
  readonly peer: Peer;
  readonly outbound: Outbound;
  readonly requests: IncomingMessage['headers'][];
  /** What the peer answers next. */
  expose(text: string | Buffer, headers?: Record<string, string>, status?: number): void;
  /** A scraper of the peer with these lines in its job. */
  scraper(lines?: string): Scraper;
  /** Scrapes and moves the clock by 10 s. */
  scrape(scraper: Scraper): Promise<number>;
};

async function stage(): Promise<Stage> {
  const clock = manualClock();
  const world = await openWorld(clock);
  const peer = await startTarget();
  const outbound = createOutbound({ clock: realClock });
  const requests: IncomingMessage['headers'][] = [];
  return {
    world,
    clock,
    peer,
    outbound,
    requests,
    expose: (text, headers = { 'content-type': TEXT }, status = 200) =>
      peer.answerWith((request, response) => {
        requests.push(request.headers);
        response.writeHead(status, headers).end(text);
      }),
    scraper: (lines = '') => {
      const file = join(world.folder, 'prometheus.yml');
      writeFileSync(
        file,
        `scrape_configs:\n  - job_name: j\n    scrape_interval: 5s\n    scrape_timeout: 1s\n${lines}    static_configs: [{ targets: ['127.0.0.1:${peer.port}'], labels: { zone: eu } }]\n`,
      );
      const read = readPrometheusFile(file);
      assert.deepEqual(read.problems, []);
      const [target] = read.file?.jobs.flatMap((job) => targetsOf(job).targets) ?? [];
      assert.ok(target !== undefined);
      return createScraper(target, { ...world, clock, outbound, yieldNow: () => undefined });
    },
    scrape: async (scraper) => {
      const atMs = clock.now();
      await scraper.scrape(atMs, new AbortController().signal);
      await clock.advance(10_000);
      return atMs;
    },
    async [Symbol.asyncDispose]() {
      await outbound[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

const suffix = (peer: Peer): string => `instance="127.0.0.1:${peer.port}", job="j", zone="eu"`;
const values = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replace(/^.*\} /, ''));

test('a scrape is stored under its tick with the labels of the target, and the target is told apart', async () => {
  await using on = await stage();
  on.expose('# TYPE x counter\n# HELP x The x.\nx{a="b",job="own"} 3\ny 4 1500000000000\n');
  const scraper = on.scraper('    honor_timestamps: false\n');
  const t = await on.scrape(scraper);
  assert.deepEqual(await on.world.samplesOf('x'), [`x{a="b", exported_job="own", ${suffix(on.peer)}} 3@${t}`]);
  assert.deepEqual(await on.world.samplesOf('y'), [`y{${suffix(on.peer)}} 4@${t}`]);
  assert.deepEqual(await on.world.samplesOf('up'), [`up{${suffix(on.peer)}} 1@${t}`]);
  assert.deepEqual(values(await on.world.samplesOf('scrape_samples_scraped')), [`2@${t}`]);
  assert.deepEqual(values(await on.world.samplesOf('scrape_series_added')), [`2@${t}`]);
  assert.equal((await on.world.samplesOf('scrape_duration_seconds')).length, 1);
  assert.deepEqual(on.world.metadata.get('x'), { type: 'counter', help: 'The x.', unit: '', source: 'scrape:j' });
  assert.equal(scraper.state().health, 'up');
  assert.equal(on.requests[0]?.['x-prometheus-scrape-timeout-seconds'], '1');
  assert.match(on.requests[0]?.accept ?? '', /^application\/openmetrics-text;version=1\.0\.0/);
});

test('what a target says of its metrics is known from its first scrape that succeeds, and again every twenty', async () => {
  await using on = await stage();
  const scraper = on.scraper();
  on.expose('', {}, 503);
  await on.scrape(scraper);
  on.expose('# TYPE x counter\n# HELP x Before.\nx 1\n# TYPE y gauge\ny\n');
  await on.scrape(scraper);
  on.expose('# TYPE x counter\n# HELP x The x.\nx 1\n');
  await on.scrape(scraper);
  assert.deepEqual(on.world.metadata.get('x'), { type: 'counter', help: 'The x.', unit: '', source: 'scrape:j' });
  on.expose('# TYPE x counter\n# HELP x The new x.\nx 1\n');
  for (let i = 1; i < 20; i++) await on.scrape(scraper);
  assert.equal(on.world.metadata.get('x')?.help, 'The x.');
  await on.scrape(scraper);
  assert.equal(on.world.metadata.get('x')?.help, 'The new x.');
});

test('a series that vanishes ends with a staleness marker at the next scrape, and may come back', async () => {
  await using on = await stage();
  const scraper = on.scraper();
  on.expose('a 1\nb{x="1"} 1\n');
  const t0 = await on.scrape(scraper);
  on.expose('a 2\n');
  const t1 = await on.scrape(scraper);
  const t2 = await on.scrape(scraper);
  on.expose('a 3\nb{x="1"} 5\n');
  const t3 = await on.scrape(scraper);
  assert.deepEqual(values(await on.world.samplesOf('b')), [`1@${t0}`, `5@${t3}`, `stale@${t1}`]);
  assert.deepEqual(values(await on.world.samplesOf('a')), [`1@${t0}`, `2@${t1}`, `2@${t2}`, `3@${t3}`]);
  assert.deepEqual(values(await on.world.samplesOf('scrape_series_added')), [`0@${t1}`, `0@${t2}`, `1@${t3}`, `2@${t0}`]);
});

test('a target that fails ends all its series and is down with the reason; it is up again when it answers', async () => {
  await using on = await stage();
  const scraper = on.scraper();
  on.expose('a 1\n');
  const t0 = await on.scrape(scraper);
  await on.peer.stop();
  const t1 = await on.scrape(scraper);
  assert.equal(scraper.state().health, 'down');
  assert.match(scraper.state().lastError, /ECONNREFUSED/);
  await on.peer.start();
  const t2 = await on.scrape(scraper);
  assert.deepEqual(values(await on.world.samplesOf('up')), [`0@${t1}`, `1@${t0}`, `1@${t2}`]);
  assert.deepEqual(values(await on.world.samplesOf('a')), [`1@${t0}`, `1@${t2}`, `stale@${t1}`]);
  assert.equal(on.world.warnings.filter((line) => line.startsWith('a scrape failed')).length, 1);
});

test('each way to fail says what it is and stores nothing but that the target is down', async () => {
  const gz = { 'content-type': TEXT, 'content-encoding': 'gzip' };
  const cases: readonly (readonly [name: string, lines: string, text: string | Buffer, headers: Record<string, string>, reason: RegExp])[] =
    [
      ['a bad line', '', 'a 1\nb{ 2\n', { 'content-type': TEXT }, /^line 2: /],
      ['no content type', '', 'a 1\n', {}, /no Content-Type and no fallback_scrape_protocol/],
      ['a page', '', '<html>', { 'content-type': 'text/html' }, /unsupported Content-Type "text\/html"/],
      ['cut OpenMetrics', '', 'a 1\n', { 'content-type': 'application/openmetrics-text; version=1.0.0' }, /not # EOF/],
      ['not UTF-8', '', Buffer.from([0x61, 0xff, 0x20, 0x31]), { 'content-type': TEXT }, /not UTF-8/],
      ['too many samples', '    sample_limit: 1\n', 'a 1\nb 1\n', { 'content-type': TEXT }, /sample_limit 1/],
      ['too many labels', '    label_limit: 4\n', 'a{b="c"} 1\n', { 'content-type': TEXT }, /5 labels are over label_limit 4/],
      [
        'a long value',
        '    label_value_length_limit: 20\n',
        `a{b="${'x'.repeat(21)}"} 1\n`,
        { 'content-type': TEXT },
        /label_value_length_limit 20/,
      ],
      ['a large body', '    body_size_limit: 10B\n', 'a_long_name 1\n', { 'content-type': TEXT }, /body_size_limit 10/],
      ['a large zipped body', '    body_size_limit: 200B\n', gzipSync('a 1\n'.repeat(1000)), gz, /body_size_limit 200/],
      ['a broken zipped body', '', 'a 1\n', gz, /gzip body is broken/],
      [
        'a name dropped',
        '    metric_relabel_configs: [{ action: labeldrop, regex: __name__ }]\n',
        'a 1\n',
        { 'content-type': TEXT },
        /without a metric name/,
      ],
    ];
  await using on = await stage();
  for (const [name, lines, text, headers, reason] of cases) {
    on.expose(text, headers);
    const scraper = on.scraper(lines);
    await on.scrape(scraper);
    assert.match(scraper.state().lastError, reason, name);
  }
  on.expose('broken', { 'content-type': TEXT }, 500);
  const scraper = on.scraper();
  await on.scrape(scraper);
  assert.match(scraper.state().lastError, /HTTP status 500/);
  assert.deepEqual(await on.world.samplesOf('a'), []);
  assert.ok(values(await on.world.samplesOf('up')).every((line) => line.startsWith('0@')));
});

test('a target that does not answer within the timeout is down', async () => {
  await using on = await stage();
  on.peer.answerWith(() => undefined);
  const scraper = on.scraper();
  await on.scrape(scraper);
  assert.match(scraper.state().lastError, /no answer within \d+ ms/);
});

test('zipped answers, redirects, authorization and a configured fallback work', async () => {
  await using on = await stage();
  const scraper = on.scraper(
    '    fallback_scrape_protocol: PrometheusText0.0.4\n    authorization: { credentials: hush }\n    params: { module: [a b] }\n',
  );
  on.peer.answerWith((request, response) => {
    on.requests.push(request.headers);
    if (request.url?.startsWith('/metrics') === true)
      response.writeHead(302, { location: `http://localhost:${on.peer.port}/elsewhere${new URL(request.url, on.peer.url).search}` }).end();
    else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(`seen{query="${request.url}"} 1\n`));
  });
  await on.scrape(scraper);
  assert.equal(scraper.state().lastError, '');
  assert.match((await on.world.samplesOf('seen'))[0] ?? '', /query="\/elsewhere\?module=a\+b"/);
  assert.equal(on.requests[0]?.authorization, 'Bearer hush');
  assert.equal(on.requests[1]?.authorization, undefined, 'another host does not learn it');
});

test('timestamps of the target are kept, and such series end without a marker', async () => {
  await using on = await stage();
  const scraper = on.scraper();
  const t = on.clock.now();
  on.expose(`a 1 ${t - 5_000}\n`);
  await on.scrape(scraper);
  on.expose('b 1\n');
  await on.scrape(scraper);
  assert.deepEqual(values(await on.world.samplesOf('a')), [`1@${t - 5_000}`]);
});

test('metric relabelling drops and renames, and counts what is left', async () => {
  await using on = await stage();
  const rules =
    "    metric_relabel_configs:\n      - { action: drop, source_labels: [__name__], regex: 'go_.*' }\n      - { source_labels: [__name__], regex: 'old_(.*)', target_label: __name__, replacement: 'new_$1' }\n";
  const scraper = on.scraper(rules);
  on.expose('go_threads 3\nold_x 1\nkept 2\n');
  const t = await on.scrape(scraper);
  await on.scrape(scraper);
  assert.deepEqual(await on.world.samplesOf('go_threads'), []);
  assert.equal((await on.world.samplesOf('new_x')).length, 2);
  assert.equal(values(await on.world.samplesOf('scrape_samples_scraped'))[0], `3@${t}`);
  assert.equal(values(await on.world.samplesOf('scrape_samples_post_metric_relabeling'))[0], `2@${t}`);
});

test('labels of target and sample meet as Prometheus has it', () => {
  const scraped = ['__name__', 'm', 'exported_job', 'x', 'job', 'own'];
  assert.deepEqual(mergeLabels({ labels: scraped }, ['job', 'target'], false), [
    '__name__',
    'm',
    'exported_exported_job',
    'own',
    'exported_job',
    'x',
    'job',
    'target',
  ]);
  assert.deepEqual(mergeLabels({ labels: scraped }, ['job', 'target', 'zone', 'eu'], true), [
    '__name__',
    'm',
    'exported_job',
    'x',
    'job',
    'own',
    'zone',
    'eu',
  ]);
});

test('ticks lie on a grid and a late start keeps its own instant', () => {
  assert.equal(nextTick(10_000, 5_000, 2_000), 12_000);
  assert.equal(nextTick(12_000, 5_000, 2_000), 17_000);
  assert.equal(nextTick(1_000, 5_000, 2_000), 2_000);
  assert.deepEqual([stampOf(12_004, 12_000, 5_000), stampOf(12_011, 12_000, 5_000), stampOf(1_002, 1_000, 100)], [12_000, 12_011, 1_002]);
});

test('targets come and go with the configuration; unchanged ones run on and removed ones end their series', async () => {
  await using on = await stage();
  on.expose('a 1\n');
  await using world = await openWorld(realClock);
  await using discover = createDiscover({ ...world, clock: realClock, outbound: on.outbound });
  await using manager = createScrapeManager({
    ...world,
    metrics: world.self,
    clock: realClock,
    outbound: on.outbound,
    discover,
    yieldNow: () => undefined,
  });
  const configured = (targets: string) => {
    const file = join(on.world.folder, 'prometheus.yml');
    writeFileSync(
      file,
      `scrape_configs:\n  - job_name: j\n    scrape_interval: 50ms\n    static_configs: [{ targets: [${targets}] }]\n    relabel_configs: [{ action: drop, source_labels: [__address__], regex: 'dropped:1' }]\n`,
    );
    const read = readPrometheusFile(file);
    assert.ok(read.file !== undefined, JSON.stringify(read.problems));
    return [read.file];
  };
  const address = `127.0.0.1:${on.peer.port}`;
  await manager.apply(configured(`'${address}', 'dropped:1'`));
  const scrapesAfter = (count: number) => poll(`scrape ${count}`, () => (on.requests.length >= count ? true : undefined));
  await scrapesAfter(3);
  const view = manager.view();
  assert.deepEqual(
    view.activeTargets.map(({ labels, scrapePool, scrapeUrl, scrapeInterval }) => [{ ...labels }, scrapePool, scrapeUrl, scrapeInterval]),
    [[{ instance: address, job: 'j' }, 'j', `http://${address}/metrics`, '50ms']],
  );
  assert.deepEqual({ ...view.droppedTargetCounts }, { j: 1 });
  assert.equal(view.droppedTargets[0]?.discoveredLabels['__address__'], 'dropped:1');
  const lastScrape = view.activeTargets[0]?.lastScrape ?? '';
  assert.ok(Math.abs(Date.parse(lastScrape) - Date.now()) < 60_000, lastScrape);
  await manager.apply(configured(`'${address}'`));
  assert.notEqual(manager.view().activeTargets[0]?.health, 'unknown', 'it was not started anew');
  await manager.apply([]);
  const seen = on.requests.length;
  assert.deepEqual(manager.view().activeTargets, []);
  const ends = async (metric: string) => (await world.samplesOf(metric)).filter((line) => line.includes(' stale@'));
  assert.deepEqual(await ends('a'), [], 'the target may come back');
  await poll('the end of the target', async () => ((await ends('up')).length === 1 ? true : undefined));
  assert.equal((await ends('a')).length, 1);
  assert.equal(on.requests.length, seen);
});

test('a target whose samples are refused is up, and says which are missing and why', async () => {
  await using play = await stage();
  const scraper = play.scraper();
  play.expose('fresh 1\nold 1 1000\n');
  await play.scrape(scraper);
  assert.equal(scraper.state().health, 'up');
  assert.match(scraper.state().lastError, /^1 of 7 samples were refused, the first because before /);
  assert.equal((await play.world.samplesOf('fresh')).length, 1);
  play.expose('fresh 1\n');
  await play.scrape(scraper);
  assert.equal(scraper.state().lastError, '');
});
