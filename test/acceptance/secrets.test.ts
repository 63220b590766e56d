/**
 * A canary stands in every field that holds a secret: of the configuration, of the Prometheus and Alertmanager files it names, and of
 * the API. Whatever is asked is then driven into failures that quote what was sent (attack: reading secrets out of answers, logs,
 * metrics, exports, backups, bundles and the data directory). None may come back.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DAY_MS } from '@nines/base/units.ts';
import { configSchema } from '@nines/server/config.ts';
import { SECRET_KEY } from '@nines/server/platform/config/redact.ts';
import { issueCertificate } from '@nines/server/platform/x509/certificate.ts';
import { stringify } from 'yaml';
import { startApp } from '../harness/app.ts';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { fieldsOf, writtenAt } from '../harness/secret-fields.ts';
import { startSmtp } from '../harness/smtp.ts';

/** Every canary that was planted, by where. */
class Canaries {
  readonly planted = new Map<string, string>();

  make(where: string): string {
    const canary = `Canary${this.planted.size}x${Math.random().toString(36).slice(2, 16).padEnd(14, '0')}`;
    this.planted.set(where, canary);
    return canary;
  }

  /** Where the canaries come from that a text holds, in clear or in base64. */
  in(text: string): readonly string[] {
    return [...this.planted].filter(([, canary]) => this.#forms(canary).some((form) => text.includes(form))).map(([where]) => where);
  }

  /** In base64 a text looks different at each of three offsets; its middle is what stands in all of them. */
  #forms(canary: string): readonly string[] {
    if (canary.includes('\n')) return canary.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'));
    return [
      canary,
      ...[0, 1, 2].map((offset) =>
        Buffer.from('x'.repeat(offset) + canary)
          .toString('base64')
          .slice(4, -6),
      ),
    ];
  }
}

/** Answers 500 and says everything that it was asked with, as badly made receivers do. */
async function startEcho(t: TestContext): Promise<{ readonly url: string; readonly host: string; readonly heard: () => string }> {
  let heard = '';
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const said = `${request.method} ${request.url} ${JSON.stringify(request.headers)} ${body}`;
      heard += `${said}\n`;
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`you said ${said}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, heard: () => heard };
}

function clientCertificate(): { readonly certificate: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const at = { fromMs: Date.now() - DAY_MS, untilMs: Date.now() + DAY_MS };
  const certificate = issueCertificate({ name: 'nines', publicKey, purpose: 'client', ...at }, { name: 'nines', privateKey });
  return { certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

type Planting = { readonly canaries: Canaries; readonly echo: { readonly url: string; readonly host: string } };

function tlsOf(canaries: Canaries, where: string) {
  const { certificate, key } = clientCertificate();
  canaries.planted.set(where, key);
  return { certificate, key };
}

function checksWith({ canaries, echo }: Planting, prefix: string) {
  const plant = (where: string) => canaries.make(`${prefix} ${where}`);
  const tls = (where: string) => ({ tls: tlsOf(canaries, `${prefix} ${where} client key`) });
  const often = { interval: '5s', timeout: '2s' };
  const address = echo.host;
  return [
    {
      id: `${prefix}-http`,
      kind: 'http',
      url: `${echo.url}/a`,
      headers: { 'X-Key': plant('header') },
      auth: { bearer: plant('bearer') },
      ...tls('http'),
    },
    { id: `${prefix}-basic`, kind: 'http', url: `${echo.url}/b`, auth: { basic: { username: 'u', password: plant('basic') } } },
    { id: `${prefix}-proxy`, kind: 'http', url: 'http://203.0.113.1/', proxy: { url: echo.url, username: 'u', password: plant('proxy') } },
    { id: `${prefix}-ws`, kind: 'websocket', url: `ws://${echo.host}/`, headers: { 'X-Key': plant('ws') }, ...tls('websocket') },
    { id: `${prefix}-my`, kind: 'mysql', address, username: 'u', password: plant('mysql'), encryption: 'tls', ...tls('mysql') },
    {
      id: `${prefix}-pg`,
      kind: 'postgresql',
      address,
      username: 'u',
      password: plant('postgresql'),
      encryption: 'tls',
      ...tls('postgresql'),
    },
    { id: `${prefix}-redis`, kind: 'redis', address, password: plant('redis'), encryption: 'tls', ...tls('redis') },
    { id: `${prefix}-smtp`, kind: 'smtp', address, auth: { username: 'u', password: plant('smtp') }, encryption: 'tls', ...tls('smtp') },
    { id: `${prefix}-snmp`, kind: 'snmp', address, community: plant('snmp'), oid: '1.3.6.1.2.1.1.3.0' },
    { id: `${prefix}-tls`, kind: 'tls', address, ...tls('tls') },
    { id: `${prefix}-grpc`, kind: 'grpc', address, encryption: 'tls', ...tls('grpc') },
    { id: `${prefix}-mongo`, kind: 'mongodb', address, encryption: 'tls', ...tls('mongodb') },
  ].map((check) => ({ ...often, ...check }));
}

function configWith(planting: Planting) {
  const { canaries, echo } = planting;
  const plant = (where: string) => canaries.make(`config ${where}`);
  const hook = (where: string) => `${echo.url}/hooks/${plant(where)}`;
  const channels = [
    {
      id: 'webhook',
      kind: 'webhook',
      url: `${echo.url}/w?token=${plant('webhook url')}`,
      headers: { Authorization: `Bearer ${plant('webhook header')}` },
      secret: plant('webhook secret'),
    },
    {
      id: 'email',
      kind: 'email',
      host: '127.0.0.1',
      port: Number(new URL(echo.url).port),
      tls: 'none',
      user: 'u',
      password: plant('email'),
      from: 'n@example.org',
      to: ['a@example.org'],
    },
    { id: 'slack', kind: 'slack', webhook_url: hook('slack webhook'), signing_secret: plant('slack signing') },
    { id: 'slackapp', kind: 'slack', token: plant('slack token'), channel: '#x', api_url: echo.url },
    { id: 'pagerduty', kind: 'pagerduty', routing_key: plant('pagerduty'), url: echo.url },
    { id: 'opsgenie', kind: 'opsgenie', api_key: plant('opsgenie'), api_url: echo.url },
    {
      id: 'twilio',
      kind: 'sms',
      twilio: { account_sid: 'AC1', auth_token: plant('twilio'), api_url: echo.url },
      from: '+4930123456',
      to: '+4930123457',
    },
    {
      id: 'sms',
      kind: 'sms',
      http: { url: echo.url, headers: { 'X-Key': plant('sms header') }, reply_token: plant('sms reply') },
      from: '+4930123456',
      to: '+4930123457',
    },
    { id: 'teams', kind: 'teams', webhook_url: hook('teams') },
    { id: 'discord', kind: 'discord', webhook_url: hook('discord') },
    {
      id: 'telegram',
      kind: 'telegram',
      bot_token: `12:${plant('telegram bot')}`,
      secret_token: plant('telegram secret'),
      chat_id: '1',
      api_url: echo.url,
    },
  ];
  return {
    server: { metrics_open: true },
    outbound: { administrator: { allow: ['127.0.0.0/8'] } },
    access: { oidc: [{ id: 'idp', issuer: echo.url, client_id: 'nines', client_secret: plant('oidc'), default_role: 'read-only' }] },
    channels,
    routing: { default: channels.map(({ id }) => id), alertmanager_file: 'alertmanager.yml' },
    escalation: { heartbeats: [{ every: '10s', url: `${echo.url}/alive/${plant('heartbeat')}` }] },
    services: [
      {
        id: 'declared',
        checks: [
          ...checksWith(planting, 'declared'),
          { id: 'd-domain', kind: 'domain', domain: 'example.org', rdap: `${echo.url}/rdap`, tls: tlsOf(canaries, 'config domain') },
          {
            id: 'd-browser',
            kind: 'browser',
            steps: [{ open: `${echo.url}/` }, { fill: { selector: '#p', value: plant('browser') } }],
            interval: '1m',
          },
        ],
      },
    ],
    status_pages: [
      {
        id: 'inner',
        title: 'Inner',
        services: ['declared'],
        private: { password: plant('page password'), token: plant('page token').padEnd(40, '0') },
        webhooks: [{ url: `${echo.url}/page/${plant('page webhook url')}`, secret: plant('page webhook') }],
      },
    ],
    scrape: { files: ['prometheus.yml'] },
    rules: { thresholds: [{ id: 'ALWAYS', metric: 'up', condition: '>=', threshold: 0, severity: 'critical' }] },
  };
}

function prometheusWith({ canaries, echo }: Planting) {
  const plant = (where: string) => canaries.make(`prometheus ${where}`);
  const job = (name: string, more: object) => ({
    job_name: name,
    scrape_interval: '5s',
    scrape_timeout: '2s',
    static_configs: [{ targets: [echo.host] }],
    ...more,
  });
  return {
    scrape_configs: [
      job('basic', { basic_auth: { username: 'u', password: plant('basic') } }),
      job('bearer', { authorization: { credentials: plant('authorization') } }),
      job('old', { bearer_token: plant('bearer_token') }),
      job('headers', { http_headers: { 'X-Key': { secrets: [plant('http_headers')] } } }),
      job('params', { params: { token: [plant('params')] } }),
      job('oauth', { oauth2: { client_id: 'c', client_secret: plant('oauth2'), token_url: `${echo.url}/token` } }),
      job('proxied', { proxy_url: `http://u:${plant('proxy_url')}@${echo.host}`, proxy_connect_header: { 'X-Key': [plant('connect')] } }),
    ],
  };
}

const alertmanagerWith = ({ canaries, echo }: Planting) => ({
  route: { receiver: 'am' },
  receivers: [
    {
      name: 'am',
      webhook_configs: [
        {
          url: `${echo.url}/am?token=${canaries.make('alertmanager url')}`,
          http_config: { basic_auth: { username: 'u', password: canaries.make('alertmanager basic') } },
        },
      ],
    },
  ],
});

const nines = (...args: string[]): string => {
  const run = spawnSync(NINES, args, { encoding: 'utf8', timeout: 240_000 });
  return `${run.stdout}\n${run.stderr}`;
};

const pathsOf = async (server: Nines): Promise<readonly string[]> => {
  const { json } = await server.get<{ paths: Record<string, Record<string, unknown>> }>('/api/openapi.json');
  return Object.entries(json.paths)
    .filter(([, methods]) => methods['get'] !== undefined)
    .map(([path]) => path);
};

/** What stands for the parameters of paths, so that many of them lead somewhere. */
const PARAMETERS: Readonly<Record<string, string>> = {
  service: 'declared',
  page: 'inner',
  check: 'declared-http',
  channel: 'webhook',
  id: 'declared',
};

/** Every address that answers a reader, once for each thing that may be meant. */
async function everyAnswer(server: Nines, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>();
  const addresses = (await pathsOf(server))
    .filter((path) => !path.endsWith('/stream') && !path.includes('/events'))
    .flatMap((path) =>
      (path.includes('{') ? ['', ...ids] : ['']).map((id) =>
        path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => (id === '' ? (PARAMETERS[name] ?? 'x') : id)),
      ),
    );
  const next = new Set(addresses).values();
  const read = async (): Promise<void> => {
    for (const address of next) {
      const answer = await fetch(server.base + address, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
      if (answer !== undefined)
        answers.set(`GET ${address}`, `${JSON.stringify([...answer.headers])} ${await answer.text().catch(() => '')}`);
    }
  };
  await Promise.all(Array.from({ length: 6 }, read));
  return answers;
}

/** Every file below, by its path. */
const filesOf = (dir: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .map((name) => join(dir, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => [path, readFileSync(path, 'latin1')]),
  );

test('every field that is called like a secret is marked as one, and a canary is planted in every one that is marked', () => {
  const fields = fieldsOf(configSchema);
  const lastName = (path: string): string => path.split('.').at(-1) ?? '';
  assert.deepEqual(
    fields.filter(({ path, is }) => is === 'text' && SECRET_KEY.test(lastName(path))),
    [],
  );
  const canaries = new Canaries();
  const config = configWith({ canaries, echo: { url: 'http://127.0.0.1:1', host: '127.0.0.1:1' } });
  const planted = new Set(writtenAt(config, (text) => canaries.in(text).length > 0));
  const marked = new Set(fields.flatMap(({ path, is }) => (is === 'secret' ? [path] : [])));
  // The address of the state database is not planted: the server runs on SQLite.
  assert.deepEqual(
    [...marked].filter((path) => !planted.has(path) && path !== '.state<postgresql>.url'),
    [],
  );
});

test('no canary comes back out of any answer, log line, metric, file or bundle', { timeout: 280_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-canaries-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const canaries = new Canaries();
  const echo = await startEcho(t);
  const planting = { canaries, echo };
  const config = configWith(planting);
  const files = { 'prometheus.yml': stringify(prometheusWith(planting)), 'alertmanager.yml': stringify(alertmanagerWith(planting)) };
  const found: string[] = [];
  const look = (what: string, text: string): void => void found.push(...canaries.in(text).map((where) => `${what}: ${where}`));

  await using server = await startNines({ folder, config: stringify(config), files });
  const made = await server.send('POST', '/api/services', { id: 'made', checks: checksWith(planting, 'made') });
  assert.equal(made.status, 201, made.text);
  look('POST /api/services', made.text);
  const page = {
    id: 'madepage',
    title: 'x',
    services: ['made'],
    private: { password: canaries.make('api page'), token: canaries.make('api token').padEnd(40, '0') },
  };
  const madePage = await server.send('POST', '/api/status-pages', page);
  assert.equal(madePage.status, 201, madePage.text);
  look('POST /api/status-pages', madePage.text);
  look(
    'POST invalid',
    (
      await server.send('POST', '/api/services', {
        id: 'bad',
        checks: checksWith(planting, 'bad').map((check) => ({ ...check, interval: '1x' })),
      })
    ).text,
  );
  const token = await server.send<{ token: string }>('POST', '/api/tokens', { name: 'ci', role: 'read-only' });
  assert.equal(token.status, 201, token.text);
  canaries.planted.set('a token', token.json.token);
  await fetch(`${server.base}/api/services?token=${token.json.token}`).then((answer) => answer.text());
  for (const { id } of config.channels) look(`test of ${id}`, (await server.send('POST', `/api/channels/${id}/test`, {})).text);

  await poll('everything to have failed once', async () => {
    const heard = echo.heard();
    return ['/w?token=', '/a ', '/b ', '/metrics?token', '/hooks/'].every((part) => heard.includes(part));
  });
  await poll('the checks to be down', async () => {
    const { json } = await server.get<{ items: { id: string; result: unknown }[] }>('/api/checks');
    return json.items.filter(({ id }) => id.startsWith('made-')).every(({ result }) => result !== null);
  });
  writeFileSync(join(folder, 'nines.yml'), `${stringify(config)}\nbroken: [\n  password: ${canaries.make('syntax')}`);
  look('a bad reload', (await server.send('POST', '/-/reload', {})).text);
  look('nines check config', nines('check', 'config', join(folder, 'nines.yml')));
  writeFileSync(join(folder, 'nines.yml'), stringify(config));
  look('nines check config', nines('check', 'config', join(folder, 'nines.yml')));

  const ids = ['made'];
  const answers = await everyAnswer(server, ids);
  assert.ok(answers.size > 100, `${answers.size} addresses`);
  for (const [what, text] of answers) look(what, text);
  const backup = join(folder, 'backup');
  look('nines backup', nines('backup', '--to', backup, '--url', server.base));
  look('nines doctor', nines('doctor', '--data', server.dataDir, '--config', join(folder, 'nines.yml')));
  assert.deepEqual(found, [], 'while it runs');

  // The crash report quotes what the process was doing.
  assert.equal(await server.stop(), 0);
  look('the log', server.output());
  for (const [path, text] of filesOf(server.dataDir)) look(path, text);
  for (const [path, text] of filesOf(backup)) look(path, text);
  assert.deepEqual(found, [], 'in what it leaves behind');
  assert.ok(canaries.planted.size > 60);
  assert.deepEqual(
    [...canaries.planted].filter(
      ([where, canary]) =>
        /^config (webhook url|webhook header|slack token)|prometheus (basic|bearer|params)/.test(where) &&
        !echo.heard().includes(canary) &&
        canaries.in(echo.heard()).every((one) => one !== where),
    ),
    [],
    'what was planted was used',
  );
});

/** What a link that was sent or shown ends with. */
const tokenIn = (text: string): string => /(?:token=|\/acknowledge\/)([\w.%-]{20,})/.exec(text)?.[1] ?? assert.fail(`no link in ${text}`);

/** A mail as its reader sees it: lines that were broken for the way are whole again. */
const readable = (mail: string): string =>
  mail.replaceAll(/=\r?\n/g, '').replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

test('attack: whoever reads the database file finds no secret that went through accounts, messages and subscriptions', async (t) => {
  const canaries = new Canaries();
  const echo = await startEcho(t);
  const mail = await startSmtp(t);
  const config = {
    channels: [
      { id: 'mail', kind: 'email', host: '127.0.0.1', port: mail.port, tls: 'none', from: 'n@example.org', to: ['a@example.org'] },
      { id: 'push', kind: 'webpush', contact: 'mailto:a@example.org' },
    ],
    routing: { default: ['mail'] },
    services: [{ id: 'shop' }],
    status_pages: [{ id: 'shop', title: 'Shop', services: ['shop'], subscriptions: { email: 'mail', webhook: true } }],
  };
  await using started = await startApp(stringify(config));
  const { http, cookie, token, dataDir } = started;
  canaries.planted.set('session', cookie.split('=')[1] ?? '');
  canaries.planted.set('token of the API', token);
  const send = async <T>(url: string, payload: object, status: number): Promise<T> => {
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    const answer = await http.inject({ method: 'POST', url, headers, payload });
    assert.equal(answer.statusCode, status, answer.body);
    return (answer.headers['content-type']?.includes('json') ? answer.json() : undefined) as T;
  };
  const mailed = async (what: string, part: string): Promise<string> => {
    await poll(what, () => mail.mails.some((one) => readable(one).includes(part)));
    return tokenIn(readable(mail.mails.find((one) => readable(one).includes(part)) ?? ''));
  };

  const invited = await send<{ id: string; link: string }>(
    '/api/people',
    { name: 'bob', role: 'read-only', email: 'bob@example.org', send: true },
    201,
  );
  canaries.planted.set('invitation', tokenIn(invited.link));
  assert.equal(await mailed('the invitation', 'You are invited'), tokenIn(invited.link));
  const joining = { token: tokenIn(invited.link), password: canaries.make('password') };
  const joined = await http.inject({ method: 'POST', url: '/api/join', payload: joining });
  assert.equal(joined.statusCode, 204, joined.body);
  const reset = await send<{ link: string }>(`/api/people/${invited.id}/link`, { send: true }, 201);
  canaries.planted.set('link to a new password', tokenIn(reset.link));
  assert.equal(await mailed('the link to a new password', 'Choose a new password'), tokenIn(reset.link));
  canaries.planted.set('authenticator app', (await send<{ secret: string }>('/api/factors/totp', {}, 201)).secret);

  await send('/api/channels/mail/test', {}, 200);
  await send('/api/v2/alerts', [{ labels: { alertname: 'Down', severity: 'critical' } }], 200);
  canaries.planted.set('link that acknowledges', await mailed('the alert', '/acknowledge/'));
  const endpoint = `https://push.example.org/${canaries.make('address of a browser')}`;
  const keys = {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  };
  for (let again = 0; again < 2; again++) await send('/api/channels/push/subscriptions', { endpoint, keys }, 201);

  // The one address is refused, as it is inside; its row stays for days all the same.
  await send('/status/shop/subscribe', { webhook: `${echo.url}/${canaries.make('webhook of a subscriber')}` }, 202);
  const subscriber = `${canaries.make('mail address of a subscriber')}@example.org`;
  await send('/status/shop/subscribe', { email: subscriber }, 202);
  const confirmation = await mailed('the confirmation', '/confirm?token=');
  canaries.planted.set('link that confirms', confirmation);
  await send(`/status/shop/confirm?token=${confirmation}`, {}, 200);
  const subscribers = await http.inject({ url: '/api/status-pages/shop/subscribers', headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual(
    (subscribers.json() as { items: { address: string }[] }).items.map(({ address }) => address),
    [subscriber],
  );

  await started.app[Symbol.asyncDispose]();
  const found = [...filesOf(dataDir)].flatMap(([path, text]) => canaries.in(text).map((where) => `${path}: ${where}`));
  assert.deepEqual(found, []);
});
