import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { alertRoutes } from '@nines/server/alerting/routes.ts';
import { ANNE, openWorld as openAlerts } from '@nines/server/notify/testing/world.ts';
import type { Http } from '@nines/server/platform/http/contract.ts';
import { createHttp } from '@nines/server/platform/http/server.ts';
import { AUTHORIZED, T0_S, TOKEN, startQueryServer } from '@nines/server/query/testing/server.ts';
import { openWorld as openSeriesWorld } from '@nines/server/series/testing/world.ts';
import { createKeyPair } from '@nines/server/platform/signing/signer.ts';
import { SigningKeys } from '@nines/server/platform/signing/signing-keys.ts';
import { silenceRoutes } from '@nines/server/silences/routes.ts';
import { slaRoutes } from '@nines/server/sla/routes.ts';
import { statementRoutes } from '@nines/server/sla/statements/routes.ts';
import { START_MS, openWorld } from '@nines/server/sla/testing/world.ts';
import { VERSION } from '@nines/server/version.ts';
import { openSqliteForTest } from '../../test/harness/databases.ts';
import { countingIds } from '../../test/harness/ids.ts';
import { recordingLogger } from '../../test/harness/logs.ts';

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

async function nines(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { NINES_TOKEN: _token, NINES_URL: _url, ...clean } = process.env;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args], {
    env: { ...clean, ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

async function listen(http: Http): Promise<string> {
  await http.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(http.server.address() as AddressInfo).port}`;
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'nines-cli-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('the version goes to standard output, usage errors to standard error with 2', async () => {
  assert.deepEqual(await nines(['--version']), { code: 0, out: `${VERSION}\n`, err: '' });
  const help = await nines(['--help']);
  assert.equal(help.code, 0);
  for (const command of ['serve', 'demo', 'check', 'token', 'query', 'cardinality', 'delete', 'sla', 'status-page'])
    assert.match(help.out, new RegExp(`\\b${command}\\b`));
  const unknown = await nines(['bogus']);
  assert.deepEqual([unknown.code, unknown.out], [2, '']);
  assert.match(unknown.err, /unknown command 'bogus'/);
});

test('sizes that cannot be meant and backups inside the data are refused with their place', async (t) => {
  const dir = folder(t);
  const file = join(dir, 'nines.yml');
  writeFileSync(file, 'retention:\n  size: 1B\n  rules:\n    - { selector: x, size: 9000000TB }\n');
  const sizes = await nines(['check', 'config', file]);
  assert.equal(sizes.code, 2);
  assert.match(sizes.err, /nines\.yml:2:9: .*1B is less than 16MB/);
  assert.match(sizes.err, /nines\.yml:4:\d+: .*9000000TB is more than 1024TB, which no disk holds/);
  writeFileSync(file, 'data: store\nbackups: { to: store/backups }\n');
  const inside = await nines(['check', 'config', file]);
  assert.equal(inside.code, 2);
  assert.match(inside.err, /nines\.yml:2:\d+: .*store\/backups lies in the data directory .*store; name a directory outside of it/);
  writeFileSync(file, 'backups: { to: backups }\n');
  assert.equal((await nines(['check', 'config', file, '--data', join(dir, 'elsewhere')])).code, 0);
  const flagged = await nines(['check', 'config', file, '--data', dir]);
  assert.match(flagged.err, /backups lies in the data directory/);
  const serving = await nines(['serve', '--config', file, '--data', dir, '--listen', '127.0.0.1:0', '--insecure-no-auth']);
  assert.deepEqual([serving.code, serving.out], [2, '']);
});

test('a valid configuration is 0; a bad one is 2 with file, line, column and the nearest key', async (t) => {
  const good = join(folder(t), 'nines.yml');
  writeFileSync(good, 'server: { listen: 127.0.0.1:7070 }\n');
  assert.deepEqual(await nines(['check', 'config', good]), { code: 0, out: '', err: '' });
  const bad = join(folder(t), 'bad.yml');
  writeFileSync(bad, 'services:\n  - id: shop\n    chekcs: []\n');
  const refused = await nines(['check', 'config', bad]);
  assert.deepEqual([refused.code, refused.out], [2, '']);
  assert.match(refused.err, /bad\.yml:3:5: .*chekcs.*checks/);
  assert.equal((await nines(['check', 'config', '/nowhere/nines.yml'])).code, 2);
});

test('an SLA about a service that nobody declared is refused at its place', async (t) => {
  const file = join(folder(t), 'nines.yml');
  writeFileSync(
    file,
    'slas:\n  - { id: a, service: nobody, indicator: { kind: availability }, target: 99.9%, window: { rolling: 24h } }\n',
  );
  const refused = await nines(['check', 'config', file]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /nines\.yml:2:\d+: .*nobody/);
});

test('a token is made without a server and printed once', async (t) => {
  const data = folder(t);
  const made = await nines(['token', 'create', '--data', data, '--name', 'ci', '--role', 'read-only']);
  assert.equal(made.code, 0);
  assert.match(made.out, /^nines_[A-Za-z0-9_-]{40,}\n$/);
  assert.equal((await nines(['token', 'create', '--data', data, '--name', 'ci', '--role', 'king'])).code, 2);
  assert.equal((await nines(['token', 'create', '--data', data, '--role', 'operator'])).code, 2);
});

test('whoever lost the only administrator gets a link without a server; the last administrator stays', async (t) => {
  const data = folder(t);
  const made = await nines(['user', 'create', 'Ann', '--role', 'administrator', '--data', data]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /^http:\/\/127\.0\.0\.1:7070\/join#token=[A-Za-z0-9_-]{43}\n$/);
  const again = await nines(['user', 'reset', 'ann', '--data', data]);
  assert.match(again.out, /join#token=/);
  assert.notEqual(again.out, made.out);
  assert.match((await nines(['user', 'list', '--data', data, '--format', 'csv'])).out, /Ann,administrator,invited,never,0/);
  const king = await nines(['user', 'create', 'Eve', '--role', 'king', '--data', data]);
  assert.equal(king.code, 2);
  assert.match(king.err, /no role "king" for people; .*\/api\/roles/);
  const elsewhere = ['user', 'reset', 'ann', '--data', data, '--url', 'https://nines.example.org/'];
  assert.match((await nines(elsewhere)).out, /^https:\/\/nines\.example\.org\/join#token=/);
  assert.match((await nines(['user', 'disable', 'Ann', '--data', data])).out, /disabled/);
  assert.match((await nines(['user', 'reset', 'Ann', '--data', data])).err, /Ann is disabled; --enable/);
  assert.match((await nines(['user', 'reset', 'Ann', '--enable', '--data', data])).out, /join#token=/);
  assert.match((await nines(['user', 'role', 'Bob', 'operator', '--data', data])).err, /no such person; nines user list/);
});

test('a query is printed as table, JSON or CSV, with the token from a file or the environment', async (t) => {
  const url = await listen(await startQueryServer(t));
  const env = { NINES_TOKEN: TOKEN };
  const at = String(T0_S + 60);
  const table = await nines(['query', 'up', '--at', at, '--url', url], env);
  assert.equal(table.code, 0, table.err);
  const [head, first] = table.out.split('\n');
  assert.match(head ?? '', /^series {2,}time {2,}value$/);
  assert.equal(first, 'up{job="a"}  2026-11-21T02:01:00.000Z  1');
  const file = join(folder(t), 'token');
  writeFileSync(file, `${TOKEN}\n`);
  const json = await nines(['query', 'up == 1', '--at', at, '--format', 'json', '--url', url, '--token-file', file]);
  assert.deepEqual(JSON.parse(json.out), {
    resultType: 'vector',
    result: [{ metric: { __name__: 'up', job: 'a' }, value: [T0_S + 60, '1'] }],
  });
  const range = ['query', 'sum(up)', '--from', String(T0_S), '--to', String(T0_S + 60), '--step', '30s', '--format', 'csv', '--url', url];
  assert.equal(
    (await nines(range, env)).out,
    'series,time,value\r\n{},2026-11-21T02:00:00.000Z,1\r\n{},2026-11-21T02:00:30.000Z,1\r\n{},2026-11-21T02:01:00.000Z,1\r\n',
  );
});

test('the exit code says whose fault it was', async (t) => {
  const url = await listen(await startQueryServer(t));
  const env = { NINES_TOKEN: TOKEN };
  const code = async (args: readonly string[], over: Record<string, string> = env) => {
    const { code, out, err } = await nines([...args, '--url', url], over);
    assert.equal(out, '');
    assert.ok(err.length > 0);
    return code;
  };
  assert.equal(await code(['query', 'sum(']), 2);
  assert.equal(await code(['query', 'up', '--at', '1795226400000']), 2);
  assert.equal(await code(['query', 'up', '--at', '5', '--from', '5']), 2);
  const unknown = await Promise.all([{}, { NINES_TOKEN: 'nines_gone' }].map((over) => nines(['query', 'up', '--url', url], over)));
  assert.deepEqual(
    unknown.map((ended) => ended.code),
    [4, 4],
  );
  assert.match(unknown[0]?.err ?? '', /no token was given; set NINES_TOKEN or --token-file/);
  assert.match(unknown[1]?.err ?? '', /the token is unknown, expired or revoked/);
  assert.equal(await code(['query', 'up', '--token-file', '/nowhere']), 2);
  assert.equal(await code(['sla', 'report', 'nothing']), 3);
  const nobody = await nines(['query', 'up', '--url', 'http://127.0.0.1:9']);
  assert.equal(nobody.code, 5);
});

test('a statement is written to a file, the same bytes as the server gave', async (t) => {
  const world = await openWorld(t, openSqliteForTest, {
    id: 'shop-sla',
    service: 'shop',
    indicator: { kind: 'availability' },
    target: '99%',
    window: { rolling: '2m' },
  });
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const http = await createHttp({
    logger: recordingLogger(),
    ids: countingIds(),
    hosts: 'any',
    version: '0.0.0',
    gate: {
      authenticate: async () => ({ kind: 'token', id: 't', name: 't', role: 'read-only', teamId: 'default', scope: FULL_SCOPE }),
      allows: () => true,
    },
  });
  t.after(() => http.close());
  const keys = await SigningKeys.open(folder(t), undefined, START_MS);
  world.signer = () => keys.signer;
  slaRoutes(http, { slas: world.slas, contracts: world.contracts, clock: world.clock });
  statementRoutes(http, { ...world.parts(), keys, serviceName: () => 'Web shop' });
  const url = await listen(http);
  const output = join(folder(t), 'statement.json');
  const period = ['--from', String(START_MS / 1000), '--to', new Date(START_MS + 20_000).toISOString()];
  const ended = await nines(['sla', 'report', 'shop-sla', ...period, '--format', 'json', '--output', output, '--url', url]);
  assert.deepEqual(ended, { code: 0, out: '', err: '' });
  const direct = await fetch(`${url}/api/slas/shop-sla/report?from=${START_MS / 1000}&to=${START_MS / 1000 + 20}`, { headers: AUTHORIZED });
  assert.equal(readFileSync(output, 'utf8'), await direct.text());
  await verifyIt({ output, url, keys });
  const html = await nines(['sla', 'statement', 'shop-sla', ...period, '--format', 'html', '--url', url]);
  assert.match(html.out, /^<!doctype html>/);
  const list = await nines(['sla', 'list', '--url', url]);
  assert.match(list.out, /^id\s+service\s+status/);
  assert.match(list.out, /shop-sla\s+shop\s+breached, young\s+[\d.]+ %\s+99 % .* over /m);
});

/** A statement in a file, against the server that signed it, a key, nobody; altered; signed by another; after a rotation. */
async function verifyIt({
  output,
  url,
  keys,
}: {
  readonly output: string;
  readonly url: string;
  readonly keys: SigningKeys;
}): Promise<void> {
  const { public_key: key } = keys.signer;
  const verify = (...args: readonly string[]) => nines(['sla', 'verify', output, ...args]);
  const whole = await verify('--url', url);
  assert.deepEqual([whole.code, whole.err], [0, '']);
  assert.match(whole.out, /^verified: shop-sla .*, final, not issued, key [0-9a-f]{32}, signed by http/);
  assert.equal((await verify('--server', url)).code, 0);
  assert.equal((await verify('--key', key)).code, 0);
  const unpinned = await verify();
  assert.deepEqual([unpinned.code, /key not pinned/.test(unpinned.out)], [0, true]);
  const other = await verify('--key', createKeyPair().public_key);
  assert.deepEqual([other.code, /signed by an unknown key/.test(other.err)], [1, true]);
  assert.equal((await verify('--key', 'abc')).code, 2);
  const text = readFileSync(output, 'utf8');
  writeFileSync(output, text.replace('"spent_ms":2000', '"spent_ms":0'));
  const altered = await verify('--url', url);
  assert.deepEqual([altered.code, altered.out], [1, '']);
  assert.match(altered.err, /altered after it was signed: budget$/m);
  writeFileSync(output, text);
  const rotated = await nines(['sla', 'rotate-key', '--url', url]);
  assert.equal(rotated.out.trim(), keys.signer.public_key);
  assert.notEqual(keys.signer.public_key, key);
  assert.equal((await verify('--url', url)).code, 0, 'what the old key signed still verifies');
  assert.match((await nines(['sla', 'keys', '--url', url, '--format', 'csv'])).out, new RegExp(`${key},`));
}

test('cardinality shows limits and metrics; delete says how much, asks, and does nothing unasked', async (t) => {
  const world = await openSeriesWorld(t, { series_per_metric: 50 });
  const url = await listen(world.http);
  await world.write('wide', 51);
  const shown = await nines(['cardinality', '--url', url, '--limit', '1']);
  assert.equal(shown.code, 0);
  assert.match(shown.out, /^limits\.series_per_metric +50 +50 +1$/m);
  assert.match(shown.out, /^wide +50 +50 +50 +1$/m);
  assert.match(shown.err, /last refusal, .*: the metric wide holds its limit of 50 series/);

  const before = await world.samples();
  const unasked = await nines(['delete', 'wide', '--url', url]);
  assert.deepEqual([unasked.code, await world.samples()], [2, before]);
  assert.match(unasked.err, /Delete 50 samples of 50 series for good\? Nobody is there to answer: repeat the command with --yes/);
  const done = await nines(['delete', 'wide', '--url', url, '--yes']);
  assert.deepEqual([done.code, done.err, await world.samples()], [0, 'deleted 50 samples of 50 series\n', before - 50]);
  assert.match((await nines(['delete', 'wide', '--url', url, '--yes'])).err, /^nothing to delete/);
  const everything = await nines(['delete', '{__name__=~".+"}', '--url', url, '--yes']);
  assert.equal(everything.code, 2);
  assert.match(everything.err, /selects every series of the store/);
});

test('unit tests of rules pass, fail, or cannot be read, and the exit code says which', async (t) => {
  const dir = folder(t);
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  write('rules.yml', 'groups: [{ name: g, rules: [{ record: r, expr: m * 2 }] }]');
  const tests = (value: string): string =>
    `rule_files: [rules.yml]\ntests:\n  - interval: 1m\n    input_series: [{ series: m, values: 1x3 }]\n    promql_expr_test: [{ expr: r, eval_time: 1m, exp_samples: [{ labels: r, ${value} }] }]\n`;
  const good = write('good.yml', tests('value: 2'));
  assert.deepEqual(await nines(['test', 'rules', good]), { code: 0, out: `passed  ${good}\n`, err: '' });
  const wrong = write('wrong.yml', tests('value: 3'));
  const failed = await nines(['test', 'rules', good, wrong]);
  assert.deepEqual([failed.code, failed.out], [1, `passed  ${good}\nFAILED  ${wrong}\n`]);
  assert.match(failed.err, /exp: r 3\n +got: r 2/);
  const unread = write('unread.yml', tests('valeu: 3'));
  const refused = await nines(['test', 'rules', unread]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /unread\.yml:5:\d+: unknown key "valeu"/);
});

test('alerts are listed, taken by what they match or by id, and silenced, as the web and the API do it', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openAlerts(t, { db, routing: { default: ['hook'] } });
  const gate = { authenticate: async () => ANNE, allows: () => true };
  const http = await createHttp({ logger: recordingLogger(), ids: countingIds(), hosts: 'any', version: '0.0.0', gate });
  t.after(() => http.close());
  const { alerting, silences, clock, notify } = world;
  alertRoutes(http, { alerting, notifications: notify, clock });
  silenceRoutes(http, { silences, alerting, clock });
  const url = await listen(http);
  const run = (...args: readonly string[]) => nines([...args, '--url', url], { NINES_TOKEN: 'x' });
  await world.evaluate(['a', 'b', 'c'], { id: 'R' });

  const listed = await run('alerts', 'list', 'instance=~a|b');
  assert.equal(listed.code, 0, listed.err);
  assert.match(listed.out, /^id +state +severity +since +service +assigned +alert$/m);
  assert.equal(listed.out.trim().split('\n').length, 3);
  const taken = await run('alerts', 'acknowledge', 'instance!=c', '--comment', 'on it', '--json');
  const { items } = JSON.parse(taken.out) as { items: { id: string; changed: boolean; alert: { acknowledged_by: string } }[] };
  assert.deepEqual(
    items.map(({ changed, alert }) => [changed, alert.acknowledged_by]),
    [
      [true, 'anne'],
      [true, 'anne'],
    ],
  );
  const first = items[0]?.id ?? '';
  assert.match((await run('alerts', 'acknowledge', first)).out, /was so +acknowledged/);
  assert.match((await run('alerts', 'assign', first, '--to', 'bob')).out, /done/);
  assert.match((await run('alerts', 'show', first)).out, /anne +acknowledged +.*on it/);
  await run('alerts', 'snooze', first, '--until', 'resolved');
  assert.match((await run('alerts', 'list', '--status', 'suppressed', '--assigned', 'bob')).out, new RegExp(`${first} +suppressed`));
  const codes = [
    ['acknowledge'],
    ['snooze', first],
    ['acknowledge', first, 'a=b'],
    ['acknowledge', '=b'],
    ['acknowledge', 'service=x'],
    ['comment', 'gone', '--comment', 'x'],
  ];
  const ended = await Promise.all(codes.map((args) => run('alerts', ...args)));
  assert.deepEqual(
    ended.map(({ code }) => code),
    [2, 2, 2, 2, 3, 3],
  );

  assert.match((await run('silences', 'preview', 'instance="c"')).out, /instance="c"/);
  const endsAt = new Date(clock.now() + 7_200_000).toISOString();
  const made = await run('silences', 'add', 'instance="c"', 'service=shop', '--end', endsAt, '--comment', 'new disk');
  assert.deepEqual([made.code, made.err], [0, `holds back 1 firing alert, until ${endsAt}\n`]);
  const id = made.out.trim();
  assert.match((await run('silences', 'list')).out, new RegExp(`^${id} +active .* instance="c",service="shop" +new disk$`, 'm'));
  assert.equal((await run('silences', 'expire', id)).err, `${id} has ended\n`);
  assert.equal((await run('silences', 'list')).out.includes(id), false);
  const twice = await run('silences', 'add', 'a=b', '--duration', '1h', '--end', endsAt, '--comment', 'x');
  assert.deepEqual([twice.code, (await run('silences', 'expire', 'gone')).code], [2, 3]);
});
