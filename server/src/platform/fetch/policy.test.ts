/** Server-side request forgery by whatever goes out with HTTP or mail, and the rules that say where requests may go. */
import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startNameServer } from '../../discover/testing/name-server.ts';
import { createMailer, type EmailConfig } from '../../notify/email/mailer.ts';
import { channelsConfig } from '../../notify/config.ts';
import { realClock } from '../clock.ts';
import { checkHttpClient, httpClientFields, httpClientOf } from './client-config.ts';
import { createHttpClient } from './client.ts';
import { openOutbound } from './guard.ts';
import { createJudge, judgeAddress, policiesOf, type Trust } from './judge.ts';
import { createOutbound, OutboundError } from './outbound.ts';
import { outboundConfig, parseRule } from './policy.ts';
import { z } from 'zod';

const failureOf = async (asked: Promise<unknown>): Promise<string> => {
  const thrown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(thrown instanceof OutboundError, `expected a refusal, found ${String(thrown)}`);
  return `${thrown.failure}: ${thrown.message}`;
};

/** Notes what it is asked with. */
async function site(t: TestContext, address: string, port = 0, location?: (path: string) => string) {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    response
      .writeHead(location === undefined ? 200 : 302, { connection: 'close', ...(location && { location: location(request.url ?? '') }) })
      .end();
  });
  server.listen(port, address);
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  return { asked, port: (server.address() as { port: number }).port };
}

/** 127.0.0.5 stands for a public address: it is allowed, 127.0.0.1 is not. */
const judge = createJudge(policiesOf(outboundConfig.parse({ operator: { allow: ['public', '127.0.0.5'] } })));

test('rebinding: a name that changes between two questions is never connected to unjudged', async (t) => {
  const records: Record<string, string[]> = { 'A hook.test': ['127.0.0.5'] };
  await using names = await startNameServer(records);
  const resolver = new Resolver();
  resolver.setServers([names.address]);
  const inside = await site(t, '127.0.0.1');
  const outside = await site(t, '127.0.0.5', inside.port);
  let questions = 0;
  const lookup = async (name: string) => {
    const found = await resolver.resolve4(name);
    questions++;
    records['A hook.test'] = questions === 1 ? ['127.0.0.1'] : questions === 2 ? ['169.254.169.254'] : ['127.0.0.5', '127.0.0.1'];
    return found.map((address) => ({ address, family: 4 }));
  };
  await using outbound = createOutbound({ clock: realClock, judge, lookup });
  const ask = () => outbound.request(`http://hook.test:${inside.port}/`, { timeoutMs: 10_000, trust: 'operator' });
  assert.equal((await ask()).status, 200);
  assert.equal(questions, 1, 'resolved once for one request');
  assert.match(await failureOf(ask()), /^refused_address: hook\.test: 127\.0\.0\.1/);
  assert.match(await failureOf(ask()), /^refused_address: hook\.test: 169\.254\.169\.254/);
  assert.match(await failureOf(ask()), /^refused_address: hook\.test: 127\.0\.0\.1/, 'one bad address among good ones refuses the name');
  const dial = outbound.connect({ host: 'hook.test', port: inside.port }, { timeoutMs: 10_000, trust: 'operator' });
  assert.match(await failureOf(dial), /^refused_address/);
  assert.deepEqual([outside.asked.length, inside.asked.length], [1, 0]);
});

const schema = z.strictObject(httpClientFields).superRefine(checkHttpClient);

test('redirects: judged each time, bounded, to HTTP only, and no credential goes to another host', async (t) => {
  await using outbound = createOutbound({ clock: realClock });
  const away = await site(t, '127.0.0.1');
  const get = async (to: string, written: z.input<typeof schema> = {}): Promise<unknown> => {
    const first = await site(t, '127.0.0.1', 0, (path) => (to === 'loop' ? `${path}x` : to));
    const client = createHttpClient(httpClientOf(schema.parse(written), '/'), { outbound, clock: realClock, environment: {} });
    return client.get(`http://127.0.0.1:${first.port}/`, { headers: { accept: 'x' }, timeoutMs: 20_000, maxBytes: 1_000 });
  };
  for (const to of ['http://169.254.169.254/latest/', 'http://[::ffff:a9fe:a9fe]/', 'http://0xa9fea9fe/', '//100.100.100.200/'])
    assert.match(await failureOf(get(to)), /^refused_address: .*metadata/, to);
  for (const to of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'data:text/plain,x']) assert.match(await failureOf(get(to)), /^bad_url/, to);
  await assert.rejects(get('loop'), /stopped after 10 redirects/);
  for (const credentials of [
    { basic_auth: { username: 'u', password: 'p' } },
    { authorization: { credentials: 'token' } },
    { http_headers: { 'X-Api-Key': { secrets: ['k'] }, Cookie: { values: ['c'] } } },
  ]) {
    away.asked.length = 0;
    await get(`http://127.0.0.1:${away.port}/`, credentials);
    const [seen] = away.asked;
    assert.deepEqual([seen?.authorization, seen?.['x-api-key'], seen?.cookie, seen?.accept], [undefined, undefined, undefined, 'x']);
  }
});

test('proxies and mail servers are judged, too', async (t) => {
  await using outbound = createOutbound({
    clock: realClock,
    judge: createJudge(policiesOf(outboundConfig.parse({ file: { allow: ['public'] } }))),
  });
  const proxy = (url: string) => ({ timeoutMs: 5_000, transport: { proxy: { url, headers: {} } } });
  assert.match(await failureOf(outbound.request('http://example.test/', proxy('http://169.254.169.254/'))), /^refused_address/);
  assert.match(
    await failureOf(outbound.request('http://example.test/', proxy('http://2130706433:3128'))),
    /^refused_address: 127\.0\.0\.1/,
  );
  let came = 0;
  const smtp = createTcpServer((socket) => {
    came++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(smtp, 'listening');
  t.after(() => smtp.close());
  const { port } = smtp.address() as { port: number };
  const written = { id: 'm', kind: 'email', host: '127.0.0.1', port, tls: 'none', from: 'a@example.org', to: 'b@example.org' };
  const [config] = channelsConfig.parse([written]) as EmailConfig[];
  assert.ok(config !== undefined);
  const delivery = await createMailer(config, outbound).send({ subject: 's', text: 't', html: 'h', idempotencyKey: 'k' });
  assert.ok(delivery.kind === 'failed');
  assert.match(delivery.error, /127\.0\.0\.1 is internal/);
  assert.equal(came, 0);
});

test('a policy names who may go where: addresses, networks, names and what lies below them', () => {
  const config = outboundConfig.parse({
    file: { allow: ['10.0.0.0/8', 'db.example.org'], deny: ['10.9.0.0/16'] },
    administrator: { allow: ['any'], deny: ['*.secret.example', '2001:db8::/32'] },
    operator: { allow: ['public', '*.shop.internal', '192.168.7.7'], deny: ['8.8.8.8'] },
  });
  const policy = createJudge(policiesOf(config));
  const f = (trust: Trust, address: string, want: boolean, host?: string): void =>
    assert.equal(policy(address, trust, host).allowed, want, `${trust} ${address} ${host ?? ''}`);
  f('trusted', '10.1.1.1', true);
  f('trusted', '10.9.1.1', false);
  f('trusted', '8.8.4.4', false);
  f('trusted', '192.168.1.1', true, 'DB.example.org.');
  f('trusted', '192.168.1.1', false, 'evil-db.example.org');
  f('trusted', '169.254.169.254', false, 'db.example.org');
  f('administrator', '127.0.0.1', true);
  f('administrator', '10.0.0.1', false, 'a.b.secret.example');
  f('administrator', '10.0.0.1', true, 'secret.example');
  f('administrator', '2001:db8::7', false);
  f('operator', '10.0.0.1', false);
  f('operator', '10.0.0.1', true, 'api.shop.internal');
  f('operator', '10.0.0.1', false, 'api.shop.internal.evil.example');
  f('operator', '192.168.7.7', true);
  f('operator', '::ffff:192.168.7.7', true);
  f('operator', '8.8.8.8', false);
  f('operator', '::ffff:808:808', false);
  f('operator', '64:ff9b::808:808', false);
  f('operator', '64:ff9b::8.8.4.4', true);
  f('operator', '64:ff9b::10.0.0.1', false);
  f('untrusted', '10.0.0.1', false, 'api.shop.internal');
  f('untrusted', '8.8.8.8', false);
  f('untrusted', '8.8.4.4', true);
  const zoned = judgeAddress('fe80::1%eth0', 'trusted');
  assert.equal(zoned.allowed ? zoned.address : '', 'fe80::1%eth0', 'a link-local address keeps its interface');
  const refused = policy('8.8.8.8', 'operator');
  assert.equal(refused.allowed ? '' : refused.reason, '8.8.8.8 is refused by outbound.operator.deny: 8.8.8.8');
  for (const bad of [
    '',
    '*',
    '*.',
    'http://x',
    '10.0.0.0/33',
    '10.0.0',
    '1.2.3',
    '::/129',
    '10.0.0.0/8/8',
    'a b',
    '*.*.x',
    '-x',
    'x/8',
    'ANY ',
  ])
    assert.equal(parseRule(bad), undefined, bad);
  for (const bad of ['not an address', '', '1.2.3.4.5', ':::', 'localhost']) assert.equal(judgeAddress(bad, 'trusted').allowed, false, bad);
});

test('a reload changes the policy at once, and refusals are counted by who asked', async () => {
  const counted: string[] = [];
  const metrics = {
    counter: () => ({ add: (_n: number, labels: Readonly<Record<string, string>>) => void counted.push(labels['trust'] ?? '') }),
  };
  await using guard = openOutbound(outboundConfig.parse({}), { clock: realClock, metrics });
  assert.equal(guard.ways.judge('10.0.0.1', 'operator').allowed, false);
  guard.configure(outboundConfig.parse({ operator: { allow: ['10.0.0.0/8'] }, agent: { allow: ['any'] } }));
  assert.equal(guard.ways.judge('10.0.0.1', 'operator').allowed, true);
  assert.equal(guard.ways.judgeAtAgents('192.168.0.1', 'operator').allowed, true);
  assert.deepEqual(guard.forAgents(), { allow: ['any'], deny: [] });
  assert.equal(guard.ways.judge('8.8.8.8', 'operator').allowed, false);
  assert.deepEqual(counted, ['operator', 'operator']);
});
