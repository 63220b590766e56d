import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { NINES, startNines } from '../harness/nines.ts';

const run = promisify(execFile);
type Change = { path: string; kind: string; before: unknown; after: unknown };
type Version = { version: number; cause: string; digest: string; pending: string[]; overrides: { path: string; source: string }[] };

const FIRST = `# kept word for word
log: { level: info }
channels:
  - { id: hook, kind: webhook, url: "https://hooks.example/T0/first-canary-0123456789abcdef" }
  - { id: duty, kind: pagerduty, routing_key: canary-routing-key-one }
services:
  - { id: shop, name: Shop, checks: [] }
`;

test('what is applied is kept, compared and put back; what cannot be applied changes nothing and says why', async () => {
  await using nines = await startNines({ config: FIRST });
  const file = join(nines.folder, 'nines.yml');
  const history = async () => (await nines.get<{ items: Version[] }>('/api/config/history')).json.items;
  const services = async () => (await nines.get<{ items: { id: string }[] }>('/api/services')).json.items.map(({ id }) => id);
  const changesOf = async (from: number, to: number) =>
    (await nines.get<{ changes: Change[] }>(`/api/config/diff?from=${from}&to=${to}`)).json.changes;

  // Somebody asks all the while; nobody may ever be answered by half a configuration.
  let isOver = false;
  let missing = 0;
  const asking = (async () => {
    while (!isOver) if (!(await services()).includes('shop')) missing++;
  })().catch(() => (missing += isOver ? 0 : 1));

  // A good one: more services, another secret, and a key that waits for the next start.
  const second = FIRST.replace('level: info', 'level: warn')
    .replace('canary-routing-key-one', 'canary-routing-key-two')
    .concat('  - { id: blog, name: Blog, checks: [] }\n');
  writeFileSync(file, second);
  const reloaded = await nines.send('POST', '/-/reload');
  assert.deepEqual([reloaded.status, /takes effect at the next start: log\.level/.test(reloaded.text)], [200, true]);
  assert.deepEqual(await services(), ['blog', 'shop']);
  const changes = await changesOf(1, 2);
  assert.deepEqual(
    changes.map(({ path, kind }) => `${kind} ${path}`),
    ['changed log.level', 'changed channels[duty].routing_key', 'added services[blog]'],
  );
  assert.deepEqual(
    (await history()).map(({ version, cause, pending }) => [version, cause, pending]),
    [
      [2, 'reload', ['log.level']],
      [1, 'start', []],
    ],
  );
  await nines.send('POST', '/-/reload');
  assert.equal((await history()).length, 2, 'the same again is no other version');

  // Bad ones: a typing error, a file that is being written, an empty one, one that is gone, one that is no text.
  const bad: readonly (readonly [what: string, make: () => void, words: RegExp])[] = [
    ['unknown key', () => writeFileSync(file, 'servcies: []\n'), /nines\.yml:1:1: unknown key "servcies"; did you mean "services"\?/],
    ['half written', () => writeFileSync(file, second.slice(0, -12)), /nines\.yml:\d+:\d+/],
    ['truncated', () => truncateSync(file), /the file is empty, as while it is being written/],
    ['gone', () => rmSync(file), /cannot read the configuration: ENOENT/],
    ['no text', () => writeFileSync(file, Buffer.from([0xff, 0xfe, 0x00, 0xc3])), /cannot read the configuration/],
  ];
  for (const [what, make, words] of bad) {
    make();
    const refused = await nines.send<{ code: string; detail: string }>('POST', '/-/reload');
    assert.deepEqual([what, refused.status, refused.json.code], [what, 400, 'bad_configuration']);
    assert.match(refused.json.detail, words, what);
    assert.deepEqual(await services(), ['blog', 'shop'], what);
  }
  assert.equal((await history()).length, 2);

  // What a file would change, before it does.
  writeFileSync(file, second, { mode: 0o640 });
  chmodSync(file, 0o640);
  const candidate = join(nines.folder, 'next.yml');
  writeFileSync(candidate, second.replace('name: Blog', 'name: The blog').replace('127.0.0.1', 'x').concat('promql: { lookback: 3m }\n'));
  const told = await run(NINES, ['config', 'diff', candidate, '--url', nines.base]);
  assert.match(told.stdout, /changed\s+services\[blog\]\.name\s+Blog\s+The blog/);
  assert.match(told.stderr, /takes effect at the next start: log\.level, promql\.lookback/);
  assert.equal((await history()).length, 2, 'asking changes nothing');

  // The way back, word for word and with the rights that the file had.
  const restored = await run(NINES, ['config', 'restore', '1', '--url', nines.base]);
  assert.match(restored.stdout, /version 1 is in force again, as version 3/);
  assert.deepEqual([readFileSync(file, 'utf8'), statSync(file).mode & 0o777, await services()], [FIRST, 0o640, ['shop']]);
  assert.deepEqual(await changesOf(1, 3), []);
  assert.match((await run(NINES, ['config', 'history', '--url', nines.base])).stdout, /3 .* restore/);
  assert.equal((await nines.send('POST', '/api/config/restore', { version: 99 })).status, 404);
  isOver = true;
  await asking;
  assert.equal(missing, 0, 'the service of every good configuration was always there');

  // No secret leaves, wherever one asks, nor does the log or the state database hold one.
  const shown = await Promise.all(
    ['/api/config', '/api/config/yaml', '/api/config/history/1', '/api/config/history/2', '/api/config/diff?from=1&to=2', '/api/audit'].map(
      async (path) => (await nines.get(path)).text,
    ),
  );
  assert.deepEqual(
    [...shown, nines.output()].flatMap((text) => text.match(/.{0,200}canary.{0,20}/g) ?? []),
    [],
  );
  assert.match(shown[2] ?? '', /\[redacted [0-9a-f]{8}\]/);
  assert.doesNotMatch(readFileSync(join(nines.dataDir, 'state/nines.db'), 'latin1'), /canary-routing/);
  const entries = (await nines.get<{ items: { action: string }[] }>('/api/audit?object_kind=config')).json.items.map(
    ({ action }) => action,
  );
  assert.deepEqual(
    [...new Set(entries)].filter((action) => action.startsWith('configuration.')).toSorted((a, b) => (a < b ? -1 : 1)),
    ['configuration.refused', 'configuration.reloaded', 'configuration.restored', 'configuration.started_with'],
  );
});

test('variables of the environment say what the file leaves open, and nines check config names them', async (t) => {
  await using nines = await startNines({ config: 'services: []\n' });
  const file = join(nines.folder, 'nines.yml');
  const check = async (env: Record<string, string>) =>
    run(NINES, ['check', 'config', file], { env: { PATH: process.env['PATH'] ?? '', HOME: nines.folder, ...env } });
  const good = await check({
    NINES__SERVER__LISTEN: '127.0.0.1:9',
    SLACK_WEBHOOK_URL: 'https://hooks.slack.example/T0/B0/canary',
    PAGERDUTY_ROUTING_KEY: 'canary',
    SMTP_HOST: 'mail.example.org',
    SMTP_FROM: 'nines@example.org',
    SMTP_TO: 'ops@example.org, duty@example.org',
    SMTP_PASSWORD: 'canary',
    POSTGRES_URL: 'postgres://nines:canary@db.example.org/nines',
    GCP_PROJECT: 'acme-prod',
    REDIS_URL: 'redis://:canary@cache.example.org',
  });
  assert.deepEqual(
    good.stderr
      .trim()
      .split('\n')
      .toSorted((a, b) => (a < b ? -1 : 1)),
    [
      'from environment: channels.0 (SLACK_WEBHOOK_URL)',
      'from environment: channels.1 (SMTP_HOST)',
      'from environment: channels.2 (PAGERDUTY_ROUTING_KEY)',
      'from environment: routing.default (SLACK_WEBHOOK_URL, SMTP_HOST, PAGERDUTY_ROUTING_KEY)',
      'from environment: rules.external_labels.gcp_project (GCP_PROJECT)',
      'from environment: server.listen (NINES__SERVER__LISTEN)',
      'from environment: state (POSTGRES_URL)',
      'warning: REDIS_URL: is set, and nothing is kept in Redis; a check of kind redis names its own address',
    ],
  );
  await t.test('the file wins over custom', async () => {
    writeFileSync(file, 'state: { kind: sqlite }\nchannels: [{ id: slack, kind: console }]\nrouting: { default: [slack] }\n');
    assert.equal((await check({ SLACK_WEBHOOK_URL: 'https://x.example/y', POSTGRES_URL: 'postgres://x' })).stderr, '');
  });
  await t.test('a bad value names its variable and not its text', async () => {
    writeFileSync(file, '');
    for (const [env, words] of [
      [{ POSTGRES_URL: 'mysql://canary' }, /POSTGRES_URL: state\.url: write postgresql:/],
      [{ SLACK_WEBHOOK_URL: 'canary' }, /SLACK_WEBHOOK_URL: .*"webhook_url" is no address/],
      [{ SMTP_HOST: 'm', SMTP_FROM: 'a@b.c', SMTP_TO: 'canary' }, /SMTP_HOST: .*write a mail address/],
      [{ NINES__SERVER__LISTNE: 'x' }, /NINES__SERVER__LISTNE: unknown key "listne" in server; did you mean "listen"\?/],
    ] as const) {
      const refused = await check(env).then(
        () => assert.fail(`${JSON.stringify(env)} was taken`),
        (thrown: unknown) => thrown as { code: number; stderr: string },
      );
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, words);
      assert.doesNotMatch(refused.stderr, /canary/);
    }
    const half = await check({ SMTP_HOST: 'mail.example.org', PAGERDUTY_TOKEN: 'x' });
    assert.match(half.stderr, /SMTP_HOST: is set, and SMTP_FROM and SMTP_TO not, so no mail is sent/);
    assert.match(half.stderr, /PAGERDUTY_TOKEN: is set, and PAGERDUTY_ROUTING_KEY not/);
  });
});
