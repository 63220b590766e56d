import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { freePort } from '../../../../test/harness/nines.ts';
import { startTarget } from '../../../../test/harness/peers.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { startPrometheus } from '../../../../test/harness/prometheus.ts';
import { scraping } from '../testing/scraping.ts';
import type { ActiveTarget } from './targets-view.ts';

test('a node_exporter behind TLS and a password is scraped', { timeout: 60_000 }, async () => {
  const binary = '/usr/bin/prometheus-node-exporter';
  assert.ok(existsSync(binary), 'this test needs node_exporter: apt-get install prometheus-node-exporter');
  const folder = mkdtempSync(join(tmpdir(), 'nines-exporter-'));
  const subject = ['-subj', '/CN=exporter', '-addext', 'subjectAltName=DNS:exporter.test', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', ...subject], {
    cwd: folder,
    stdio: 'pipe',
  });
  // bcrypt of "hush".
  const hash = '$2b$04$abcdefghijklmnopqrstuuppZFpU9n.F.R29ic//YRPBUgRHbgy9m';
  writeFileSync(
    join(folder, 'web.yml'),
    `tls_server_config: { cert_file: cert.pem, key_file: key.pem }\nbasic_auth_users: { scraper: '${hash}' }\n`,
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(binary, [`--web.listen-address=${address}`, `--web.config.file=${join(folder, 'web.yml')}`], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const job = (name: string, password: string): string =>
    `  - { job_name: ${name}, scheme: https, scrape_interval: 1s, basic_auth: { username: scraper, password: ${password} }, tls_config: { ca_file: ${folder}/cert.pem, server_name: exporter.test }, static_configs: [{ targets: ['${address}'] }] }\n`;
  await using on = await scraping(() => `scrape_configs:\n${job('right', 'hush')}${job('wrong', 'loud')}`);
  const targetOf = (pool: string): ActiveTarget | undefined =>
    on.manager.view().activeTargets.find(({ scrapePool }) => scrapePool === pool);
  await poll('a good scrape', () => (targetOf('right')?.health === 'up' ? true : undefined));
  await poll('a refused one', () => (/HTTP status 401/.test(targetOf('wrong')?.lastError ?? '') ? true : undefined));
  child.kill('SIGKILL');
  await ended;
  rmSync(folder, { recursive: true });
});

test('the same file makes the same targets as in Prometheus', { timeout: 60_000 }, async () => {
  const lists = mkdtempSync(join(tmpdir(), 'nines-lists-'));
  writeFileSync(
    join(lists, 'a.json'),
    JSON.stringify([
      { targets: ['127.0.0.1:1', '127.0.0.1:2', 'drop.test:3'], labels: { team: 'Shop', zone: '', __metrics_path__: '/own', note: 'x;y' } },
      { targets: ['[::1]:4', '127.0.0.1:5'], labels: { job: 'other', __param_own: 'tcp' } },
    ]),
  );
  const config = `
global: { scrape_interval: 5m, scrape_timeout: 7s }
scrape_configs:
  - job_name: files
    params: { module: [http, second], x: ['a b'] }
    file_sd_configs: [{ files: ['${lists}/*.json'] }]
    relabel_configs:
      - { action: drop, source_labels: [__address__], regex: 'drop.*' }
      - { source_labels: [__address__], regex: '(.*):(\\d+)', target_label: port, replacement: '\${2}' }
      - { action: hashmod, source_labels: [__address__], modulus: 7, target_label: shard }
      - { action: lowercase, source_labels: [team], target_label: team }
      - { action: uppercase, source_labels: [job], target_label: upper }
      - { action: labelmap, regex: '__meta_(file)path', replacement: 'from_$1' }
      - { action: labeldrop, regex: 'note' }
      - { action: keepequal, source_labels: [job], target_label: job }
  - job_name: static
    scheme: https
    static_configs: [{ targets: [b.test:1], labels: { a: b } }]
`;
  await using theirs = await startPrometheus({ config });
  await using ours = await scraping(() => config);
  type View = { readonly activeTargets: readonly ActiveTarget[]; readonly droppedTargets: readonly { discoveredLabels: object }[] };
  const comparable = ({ activeTargets, droppedTargets }: View): unknown => ({
    active: activeTargets
      .map(({ labels, scrapePool, scrapeUrl, scrapeInterval, scrapeTimeout }) =>
        JSON.stringify([scrapePool, scrapeUrl, sorted(labels), scrapeInterval, scrapeTimeout]),
      )
      .sort(),
    dropped: droppedTargets.map(({ discoveredLabels }) => sorted(discoveredLabels)),
  });
  const asked = async (): Promise<View> => {
    const answer = await fetch(`${theirs.base}/api/v1/targets`);
    return ((await answer.json()) as { readonly data: View }).data;
  };
  const there = await poll('targets there', async () => ((await asked()).activeTargets.length === 5 ? asked() : undefined));
  await poll('targets here', () => (ours.manager.view().activeTargets.length === 5 ? true : undefined));
  assert.deepEqual(comparable(ours.manager.view()), comparable(there));
  rmSync(lists, { recursive: true });
});

const sorted = (labels: object): unknown => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));

test('targets that hang, never end, lie or blow up are down with the reason, and the good one beside them is not disturbed', async () => {
  const text = { 'content-type': 'text/plain; version=0.0.4' };
  const cases: Readonly<Record<string, readonly [answer: (response: ServerResponse, request: IncomingMessage) => void, reason: RegExp]>> = {
    hangs: [() => undefined, /no answer within \d+ ms/],
    'never ends': [
      (response) => {
        response.writeHead(200, text);
        const more = (): boolean => response.write('a 1\n');
        const timer = setInterval(more, 50);
        response.on('close', () => clearInterval(timer));
      },
      /no answer within \d+ ms/,
    ],
    floods: [
      (response) => {
        response.writeHead(200, text);
        const chunk = 'a 1\n'.repeat(20_000);
        const pour = (): void => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', pour);
        pour();
      },
      /body_size_limit 1048576/,
    ],
    'ends early': [
      (response) => void response.writeHead(200, { ...text, 'content-length': '999' }).write('a 1\n', () => response.destroy()),
      /./,
    ],
    bomb: [
      (response) => response.writeHead(200, { ...text, 'content-encoding': 'gzip' }).end(gzipSync('a 1\n'.repeat(1_000_000))),
      /body_size_limit 1048576/,
    ],
    'bad line': [(response) => response.writeHead(200, text).end('a 1\nb{x="y} 2\n'), /^line 2: /],
    'long line': [(response) => response.writeHead(200, text).end(`a{b="${'x'.repeat(500_000)}`), /^line 1: /],
    'redirects for ever': [(response) => response.writeHead(302, { location: '/' }).end(), /stopped after 10 redirects/],
  };
  await using good = await startTarget();
  good.answerWith((_request, response) => void response.writeHead(200, text).end('fine 1\n'));
  await using bad = await startTarget();
  bad.answerWith((request, response) => {
    const name = new URL(request.url ?? '/', 'http://x').searchParams.get('case');
    const found = name === null ? undefined : cases[name];
    if (found === undefined) response.writeHead(302, { location: `/?case=${encodeURIComponent('redirects for ever')}` }).end();
    else found[0](response, request);
  });
  const jobs = Object.keys(cases).map(
    (name) =>
      `  - { job_name: '${name}', params: { case: ['${name}'] }, body_size_limit: 1MB, static_configs: [{ targets: ['127.0.0.1:${bad.port}'] }] }\n`,
  );
  await using on = await scraping(
    () =>
      `global: { scrape_interval: 1s, scrape_timeout: 900ms }\nscrape_configs:\n${jobs.join('')}  - { job_name: good, static_configs: [{ targets: ['127.0.0.1:${good.port}'] }] }\n`,
  );
  const targets = (): ReadonlyMap<string, ActiveTarget> =>
    new Map(on.manager.view().activeTargets.map((one) => [one.scrapePool, one] as const));
  await poll('every verdict', () => ([...targets().values()].every(({ health }) => health !== 'unknown') ? true : undefined));
  for (const [name, [, reason]] of Object.entries(cases)) {
    const target = targets().get(name);
    assert.equal(target?.health, 'down', name);
    assert.match(target?.lastError ?? '', reason, name);
  }
  assert.equal(targets().get('good')?.health, 'up');
});

test('too many series in one scrape and a label of 10 MB are refused with the reason, and the good target beside them is up', {
  timeout: 180_000,
}, async () => {
  const text = { 'content-type': 'text/plain; version=0.0.4' };
  const bodies: Readonly<Record<string, Buffer>> = {
    many: Buffer.from(
      Array.from({ length: process.env['NINES_FULL'] === '1' ? 1_000_000 : 260_000 }, (_, i) => `m{i="${i}"} 1\n`).join(''),
    ),
    label: Buffer.from(`m{i="${'x'.repeat(10 * 1024 * 1024)}"} 1\nbeside 1\n`),
    good: Buffer.from('fine 1\n'),
  };
  await using peer = await startTarget();
  peer.answerWith((request, response) => void response.writeHead(200, text).end(bodies[(request.url ?? '').slice(1)]));
  const job = (name: string): string =>
    `  - { job_name: ${name}, metrics_path: /${name}, static_configs: [{ targets: ['127.0.0.1:${peer.port}'] }] }\n`;
  await using on = await scraping(() => `global: { scrape_interval: 10s }\nscrape_configs:\n${Object.keys(bodies).map(job).join('')}`);
  const target = (name: string): ActiveTarget | undefined => on.manager.view().activeTargets.find(({ scrapePool }) => scrapePool === name);
  await poll('every verdict', () => on.manager.view().activeTargets.every(({ health }) => health !== 'unknown'), 150_000);
  assert.match(target('many')?.lastError ?? '', /^line 250001: more than 250000 samples; write a sample_limit/);
  assert.equal(target('many')?.health, 'down');
  assert.match(target('label')?.lastError ?? '', /label/);
  assert.equal(target('good')?.health, 'up');
  assert.deepEqual(await on.world.samplesOf('m'), []);
  await poll('the good one is asked', async () => ((await on.world.samplesOf('fine')).length > 0 ? true : undefined));
});

test('what a real Prometheus holds is federated from it under its own labels and instants', { timeout: 120_000 }, async () => {
  await using target = await startTarget();
  target.answerWith(
    (_request, response) => void response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('a{job="own"} 7\n'),
  );
  await using theirs = await startPrometheus({
    config: `global: { scrape_interval: 1s, external_labels: { region: eu } }\nscrape_configs: [{ job_name: inner, static_configs: [{ targets: ['127.0.0.1:${target.port}'] }] }]\n`,
  });
  await using ours = await scraping(
    () =>
      `scrape_configs: [{ job_name: federate, scrape_interval: 1s, honor_labels: true, metrics_path: /federate, params: { 'match[]': ['{__name__="a"}'] }, static_configs: [{ targets: ['${new URL(theirs.base).host}'] }] }]\n`,
  );
  const [line = ''] = await poll('a federated sample', async () => {
    const lines = await ours.world.samplesOf('a');
    return lines.length > 0 && lines;
  });
  assert.match(line, new RegExp(`^a\\{exported_job="own", instance="127.0.0.1:${target.port}", job="inner", region="eu"\\} 7@\\d+$`));
  const asked = await fetch(`${theirs.base}/api/v1/query?query=a[1m]`);
  const { data } = (await asked.json()) as {
    readonly data: { readonly result: readonly { readonly values: readonly [number, string][] }[] };
  };
  const stamps = data.result[0]?.values.map(([atS]) => Math.round(atS * 1000)) ?? [];
  assert.ok(stamps.includes(Number(line.replace(/.*@/, ''))), `${line} among ${stamps.join()}`);
});

test('keep_dropped_targets bounds what is shown of dropped targets, not their number', async () => {
  const dropped = Array.from({ length: 5 }, (_, i) => `'10.0.0.${i}:1'`).join();
  await using on = await scraping(
    () =>
      `scrape_configs: [{ job_name: few, keep_dropped_targets: 2, static_configs: [{ targets: [${dropped}] }], relabel_configs: [{ action: drop, regex: '.*' }] }]\n`,
  );
  const { droppedTargets, droppedTargetCounts } = on.manager.view();
  assert.deepEqual([droppedTargets.length, droppedTargetCounts['few']], [2, 5]);
});

test('over target_limit every target is down and none is asked', async () => {
  await using peer = await startTarget();
  let asked = 0;
  peer.answerWith((_request, response) => {
    asked++;
    response.end();
  });
  const address = `127.0.0.1:${peer.port}`;
  await using on = await scraping(
    () =>
      `scrape_configs: [{ job_name: many, scrape_interval: 1s, target_limit: 1, static_configs: [{ targets: ['${address}'] }, { targets: ['${address}'], labels: { a: b } }] }]\n`,
  );
  await poll('verdicts', () => (on.manager.view().activeTargets.every(({ health }) => health === 'down') ? true : undefined));
  assert.equal(on.manager.view().activeTargets[0]?.lastError, '2 targets are over target_limit 1');
  assert.equal(asked, 0);
});
