import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { type Target, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';
import { startSmtp } from '../harness/smtp.ts';

const run = promisify(execFile);
const LOGO = `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>').toString('base64')}`;
const HOSTILE = '<img src=x onerror=alert(1)>';

const config = (target: Target, hook: Target, smtp: number): string => `
services:
  - { id: shop, name: 'Web shop', checks: [{ id: shop-http, kind: http, url: '${target.url}/health', interval: 1s, timeout: 1s }] }
  - { id: inner, name: 'Secret name' }
  - { id: whole, name: 'Shop as a whole', composite: { all: [shop] } }
channels:
  - { id: mail, kind: email, host: 127.0.0.1, port: ${smtp}, tls: none, from: 'Status <status@example.org>', to: ops@example.org }
status_pages:
  - id: shop
    title: 'Shop status'
    services: [shop]
    domain: status.example.org
    logo: '${LOGO}'
    subscriptions: { email: mail, webhook: true }
    webhooks: [{ url: '${hook.url}/told', secret: 'between us' }]
  - { id: staff, title: 'Secret title', services: [inner, whole], private: { password: 'correct horse', token: 'a-long-enough-token' } }
`;

type World = {
  readonly nines: Nines;
  readonly target: Target;
  readonly mails: readonly string[];
  /** What the declared webhook got. */
  readonly told: { readonly body: string; readonly headers: IncomingMessage['headers'] }[];
  readonly tokens: Readonly<Record<'operator' | 'read-only' | 'administrator', string>>;
};

/** One server with authentication for all that follows. */
async function begin(t: TestContext): Promise<World> {
  const [target, hook, smtp] = [await startTarget(), await startTarget(), await startSmtp(t)];
  const told: { body: string; headers: IncomingMessage['headers'] }[] = [];
  hook.answerWith((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      told.push({ body, headers: request.headers });
      response.end();
    });
  });
  const nines = await startNines({ config: config(target, hook, smtp.port), args: [] });
  t.after(async () => {
    await nines[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
    await hook[Symbol.asyncDispose]();
  });
  const tokenFor = async (role: string): Promise<string> =>
    (await run(NINES, ['token', 'create', '--data', nines.dataDir, '--name', role, '--role', role])).stdout.trim();
  const tokens = {
    operator: await tokenFor('operator'),
    'read-only': await tokenFor('read-only'),
    administrator: await tokenFor('administrator'),
  };
  return { nines, target, mails: smtp.mails, told, tokens };
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const form = (nines: Nines, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(nines.base + path, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { ...FORM, ...headers },
    redirect: 'manual',
  });

/** A request under another host name, which `fetch` does not send. */
async function underName(
  nines: Nines,
  host: string,
  path: string,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const sent = httpRequest({ port: nines.port, path, headers: { host } });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode, text };
}

/** The text of a mail without the soft line ends of its encoding. */
const plain = (mail: string): string => mail.replace(/=\r?\n/g, '').replaceAll('=3D', '=');
const linkIn = (mail: string, path: string): string =>
  new RegExp(`http://[^\\s"<>]*${path}\\?token=[\\w.-]+`).exec(plain(mail))?.[0] ?? assert.fail(`no ${path} in ${mail}`);

test('status pages', async (t) => {
  const w = await begin(t);
  await t.test('show what the ledger says, in words and in figures', () => showsTheLedger(w));
  await t.test('are answered from memory with what caches need', () => caching(w));
  await t.test('have a name of their own, under which there is nothing else', () => ownName(w));
  await t.test('tell of what people announce at once, whatever they write', () => announcements(w));
  await t.test('tell subscribers who have confirmed, until they end it', () => subscriptions(w));
  await t.test('do not show themselves to those who may not know them', () => privacy(w));
  await t.test('are made, changed and taken away through the API', () => madeInApi(w));
  await t.test('are answered while queries hold the core', () => busy(w));
});

type Wire = {
  state: string;
  groups: {
    services: {
      id: string;
      state: string;
      uptime: number | null;
      days: { day: string; up_ms: number; down_ms: number; unknown_ms: number }[];
    }[];
  }[];
};

async function showsTheLedger({ nines, target, tokens }: World): Promise<void> {
  const shown = async (): Promise<Wire> => (await nines.get<Wire>('/status/shop/status.json')).json;
  await poll('the page to show the shop up', async () => (await shown()).state === 'up');
  await target.stop();
  await poll('the page to show the shop down', async () => (await shown()).state === 'down');
  const html = (await nines.get('/status/shop')).text;
  assert.match(html, /Web shop is down/);
  assert.doesNotMatch(html, /<script/i);
  await target.start();
  await poll('the page to show the shop up again', async () => (await shown()).state === 'up');
  const service = (await shown()).groups[0]?.services[0] ?? assert.fail('no service');
  assert.equal(service.days.length, 90);
  const first = service.days[0] ?? assert.fail('no day');
  assert.deepEqual([first.up_ms, first.down_ms, first.unknown_ms], [0, 0, 86_400_000], 'nobody watched then');
  // The outage is over, so its time stays as it is; a slow machine may bring another one while this is compared.
  await poll('the figures of the page to be those of the ledger', async () => {
    const { json } = await nines.get<{ items: { from_at_ms: number; to_at_ms: number | null }[] }>(
      '/api/downtime?service=shop',
      bearer(tokens['read-only']),
    );
    const downMs = json.items.reduce((sum, one) => sum + ((one.to_at_ms ?? one.from_at_ms) - one.from_at_ms), 0);
    const { days, uptime } = (await shown()).groups[0]?.services[0] ?? assert.fail('no service');
    const sum = (key: 'up_ms' | 'down_ms'): number => days.reduce((all, day) => all + day[key], 0);
    return sum('down_ms') === downMs && downMs > 0 && uptime === sum('up_ms') / (sum('up_ms') + downMs);
  });
}

async function caching({ nines }: World): Promise<void> {
  const again = async (): Promise<number> => {
    const first = await nines.get('/status/shop');
    assert.equal(first.headers.get('cache-control'), 'public, max-age=15');
    return (await nines.get('/status/shop', { 'if-none-match': first.headers.get('etag') ?? '' })).status;
  };
  // It may be written anew between the two.
  await poll('the same page twice', async () => (await again()) === 304);
  const page = await nines.get('/status/shop');
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/);
  assert.equal(page.headers.get('content-encoding'), 'gzip');
  const badge = await nines.get('/status/shop/badge/shop.svg');
  assert.equal(badge.headers.get('content-type'), 'image/svg+xml');
  assert.equal(badge.headers.get('cross-origin-resource-policy'), 'cross-origin');
  assert.match(badge.text, /aria-label="Web shop: (?:up|down|unknown) · [\d.]+%"/);
  const logo = await nines.get('/status/shop/logo');
  assert.deepEqual([logo.status, logo.headers.get('content-type')], [200, 'image/svg+xml']);
  assert.match(logo.headers.get('content-security-policy') ?? '', /sandbox/);
  // The only public one.
  assert.match((await nines.get('/status')).text, /<h1>Shop status<\/h1>/);
  for (const path of ['/status/nowhere', '/status/shop/nothing', '/status/shop/badge/inner.svg'])
    assert.equal((await nines.get(path)).status, 404, path);
}

async function ownName({ nines }: World): Promise<void> {
  for (const path of ['/', '/feed.rss', '/status/shop/badge.svg'])
    assert.equal((await underName(nines, 'status.example.org', path)).status, 200, path);
  assert.match((await underName(nines, 'STATUS.example.org:80', '/')).text, /<h1>Shop status<\/h1>/);
  for (const path of ['/api/health', '/login', '/status/staff', '/metrics'])
    assert.equal((await underName(nines, 'status.example.org', path)).status, 404, path);
}

async function announcements({ nines, tokens, told }: World): Promise<void> {
  const matter = { title: HOSTILE, pages: ['shop'], services: ['shop'], text: `${HOSTILE}\nWe look into it.` };
  assert.equal((await nines.send('POST', '/api/announcements', matter)).status, 401);
  assert.equal((await nines.send('POST', '/api/announcements', matter, bearer(tokens['read-only']))).status, 403);
  const wrong = await nines.send<{ detail: string }>('POST', '/api/announcements', { ...matter, pages: ['shpo'] }, bearer(tokens.operator));
  assert.deepEqual([wrong.status, wrong.json.detail], [400, 'there is no status page "shpo"']);
  const made = await nines.send<{ id: string; state: string }>('POST', '/api/announcements', matter, bearer(tokens.operator));
  assert.deepEqual([made.status, made.json.state], [201, 'investigating']);
  for (const path of ['/status/shop', '/status/shop/feed.rss', '/status/shop/feed.atom']) {
    const { text } = await nines.get(path);
    assert.match(text, /&lt;img src=x onerror=alert\(1\)&gt;/, path);
    assert.doesNotMatch(text, /<img src=x/, path);
  }
  const env = { ...process.env, NINES_URL: nines.base, NINES_TOKEN: tokens.operator };
  const update = ['status-page', 'update', made.json.id, '--state', 'resolved', '--text', 'The cable is back.'];
  assert.equal((await run(NINES, update, { env })).stdout.trim(), made.json.id);
  const listed = await run(NINES, ['status-page', 'announcements', '--format', 'json'], { env });
  assert.deepEqual(
    (JSON.parse(listed.stdout) as { state: string }[]).map(({ state }) => state),
    ['resolved'],
  );
  assert.match((await nines.get('/status/shop')).text, /The cable is back\./);
  const early = { state: 'resolved', text: 'x', at_ms: 1 };
  assert.equal((await nines.send('POST', `/api/announcements/${made.json.id}/updates`, early, bearer(tokens.operator))).status, 400);
  // The declared webhook needs no subscription; both updates come in order, signed.
  await poll('both updates at the webhook', () => told.length === 2);
  assert.deepEqual(
    told.map(({ body }) => (JSON.parse(body) as { update: { state: string } }).update.state),
    ['investigating', 'resolved'],
  );
  const [first] = told;
  const [, seconds, mac] = /^t=(\d+),v1=(\w+)$/.exec(String(first?.headers['x-nines-signature'])) ?? [];
  assert.equal(mac, createHmac('sha256', 'between us').update(`${seconds}.${first?.body}`).digest('hex'));
}

async function subscriptions({ nines, tokens, mails, told }: World): Promise<void> {
  const counts = async () =>
    (await nines.get<{ subscribers: { email: number; webhook: number } }>('/api/status-pages/shop', bearer(tokens['read-only']))).json
      .subscribers;
  const asked = await form(nines, '/status/shop/subscribe', { email: 'ann@example.org' });
  assert.equal(asked.status, 202);
  await poll('the mail with the link', () => mails.length === 1);
  assert.deepEqual(await counts(), { email: 0, webhook: 0 }, 'nothing is kept before it is confirmed');
  assert.match(mails[0] ?? '', /^To: ann@example\.org/m);
  const link = new URL(linkIn(mails[0] ?? '', 'confirm'));
  const path = `/status/shop/confirm${link.search}`;
  assert.equal(link.host, `status.example.org:${nines.port}`);
  assert.equal((await nines.get(`${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`)).status, 404, 'a link that was changed');
  assert.match((await nines.get(path)).text, /ann@example\.org[^]*<button>Confirm the subscription<\/button>/);
  assert.deepEqual(await counts(), { email: 0, webhook: 0 }, 'a program that looks at links confirms nothing');
  assert.equal((await form(nines, path, {})).status, 200);
  assert.equal((await form(nines, path, {})).status, 200, 'once more does no harm');
  assert.deepEqual(await counts(), { email: 1, webhook: 0 });
  assert.equal((await form(nines, '/status/shop/subscribe', { email: 'not an address' })).status, 400);
  assert.equal((await form(nines, '/status/shop/subscribe', { email: 'bob@example.org' }, { origin: 'https://evil.example' })).status, 403);
  // Nobody reaches inside through a webhook that they type in.
  assert.equal((await form(nines, '/status/shop/subscribe', { webhook: `${nines.base}/api/health` })).status, 202);
  await poll('the webhook to be given up', () => /given up.*status\.confirm|status\.confirm.*given up/.test(nines.output()));

  const announce = (title: string) =>
    nines.send('POST', '/api/announcements', { title, pages: ['shop'], text: 'Soon.' }, bearer(tokens.operator));
  await announce('Payments fail');
  const mail = await poll('the mail about it', () => mails.find((one) => one.includes('Payments fail')));
  assert.match(mail, /^Subject: \[Shop status\] Investigating: Payments fail/m);
  assert.match(mail, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click/m);
  const ending = `/status/shop/unsubscribe${new URL(linkIn(mail, 'unsubscribe')).search}`;
  assert.match((await nines.get(ending)).text, /<button>End the subscription<\/button>/);
  assert.deepEqual(await counts(), { email: 1, webhook: 0 }, 'looking at it ends nothing');
  assert.equal((await form(nines, ending, { 'List-Unsubscribe': 'One-Click' })).status, 200);
  assert.deepEqual(await counts(), { email: 0, webhook: 0 });
  assert.match((await nines.get(ending)).text, /Not subscribed/);
  await announce('Nobody hears this');
  // The declared webhook does; its message was put in order together with what mails there would be.
  await poll('the webhook to hear it', () => told.some(({ body }) => body.includes('Nobody hears this')));
  assert.equal(mails.filter((one) => one.includes('Nobody hears this')).length, 0);
}

async function privacy({ nines, tokens }: World): Promise<void> {
  const closed = await nines.get('/status/staff');
  const missing = await nines.get('/status/stuff');
  assert.deepEqual([closed.status, closed.text.replaceAll('staff', 'stuff')], [missing.status, missing.text]);
  const headersOf = (headers: Headers) => [...headers].filter(([name]) => !['x-request-id', 'date', 'content-length'].includes(name));
  assert.deepEqual(headersOf(closed.headers), headersOf(missing.headers));
  for (const path of ['feed.rss', 'status.json', 'badge.svg', 'calendar.ics'])
    assert.equal((await nines.get(`/status/staff/${path}`)).status, 404, path);
  assert.equal((await nines.get('/status/staff?token=wrong')).status, 404);
  for (const path of ['confirm', 'unsubscribe', 'confirm?token=a.b', 'unsubscribe?token=a.b', 'logo', 'badge/inner.svg']) {
    const [there, not] = [await nines.get(`/status/staff/${path}`), await nines.get(`/status/stuff/${path}`)];
    assert.deepEqual([there.status, there.text.replaceAll('staff', 'stuff')], [404, not.text], path);
  }
  for (const path of ['confirm', 'unsubscribe', 'subscribe'])
    assert.equal((await form(nines, `/status/staff/${path}`, {})).status, 404, path);
  assert.equal(
    (await nines.get('/status/staff/sign-in')).text.replaceAll('staff', 'stuff'),
    (await nines.get('/status/stuff/sign-in')).text,
  );
  assert.equal((await form(nines, '/status/staff/sign-in', { password: 'wrong horse' })).status, 403);
  const cookieFrom = (answer: Response): string => {
    assert.equal(answer.status, 303);
    const [cookie = ''] = answer.headers.getSetCookie();
    assert.match(cookie, /HttpOnly; SameSite=Lax/);
    return cookie.split(';', 1)[0] ?? '';
  };
  const cookie = cookieFrom(await form(nines, '/status/staff/sign-in', { password: 'correct horse' }));
  const opened = await nines.get('/status/staff', { cookie });
  assert.match(opened.text, /Secret title/);
  assert.equal(opened.headers.get('cache-control'), 'private, no-cache');
  assert.match(opened.text, /Shop as a whole/);
  await poll('the composite to be up on the page', async () => {
    const { json } = await nines.get<Wire>('/status/staff/status.json', { cookie });
    return json.groups[0]?.services.find(({ id }) => id === 'whole')?.state === 'up';
  });
  const byLink = cookieFrom(await fetch(`${nines.base}/status/staff?token=a-long-enough-token`, { redirect: 'manual' }));
  assert.equal((await nines.get('/status/staff/feed.atom', { cookie: byLink })).status, 200);
  assert.equal((await nines.get('/status/staff/feed.atom?token=a-long-enough-token')).status, 200, 'for readers of feeds');
  const { json } = await nines.send<{ path: string }>('POST', '/api/status-pages/staff/link', undefined, bearer(tokens['read-only']));
  cookieFrom(await fetch(nines.base + json.path, { redirect: 'manual' }));
  assert.doesNotMatch((await nines.get('/status')).text, /Secret/);
  const tries = await poll('guessing to be slowed', async () => {
    const answer = await form(nines, '/status/staff/sign-in', { password: 'another horse' });
    return answer.status === 429 ? answer : undefined;
  });
  assert.ok(Number(tries.headers.get('retry-after')) >= 1);
}

async function madeInApi({ nines, tokens }: World): Promise<void> {
  const page = { id: 'made', title: 'Made here', services: ['shop'], private: { password: 'battery staple' } };
  const admin = bearer(tokens.administrator);
  assert.equal((await nines.send('POST', '/api/status-pages', page, bearer(tokens.operator))).status, 403);
  assert.equal((await nines.send('POST', '/api/status-pages', { ...page, services: ['nope'] }, admin)).status, 400);
  const made = await nines.send('POST', '/api/status-pages', page, admin);
  assert.equal(made.status, 201, made.text);
  assert.doesNotMatch(made.text, /battery/);
  const kept = { ...page, title: 'Made anew', private: { password: '[redacted]' } };
  assert.equal((await nines.send('PUT', '/api/status-pages/made', kept, admin)).status, 200);
  const open = await form(nines, '/status/made/sign-in', { password: 'battery staple' });
  const [cookie = ''] = open.headers.getSetCookie();
  assert.match((await nines.get('/status/made', { cookie: cookie.split(';', 1)[0] ?? '' })).text, /Made anew/);
  assert.equal((await nines.send('PUT', '/api/status-pages/shop', { ...page, id: 'shop' }, admin)).status, 409, 'the file owns it');
  assert.equal((await nines.send('DELETE', '/api/status-pages/made', undefined, admin)).status, 204);
  assert.equal((await nines.get('/status/made', { cookie: cookie.split(';', 1)[0] ?? '' })).status, 404);
}

async function busy({ nines, tokens }: World): Promise<void> {
  const admin = bearer(tokens.administrator);
  const nowMs = Date.now();
  const series = Array.from({ length: 300 }, (_, i) => ({
    labels: { __name__: 'heavy', i: String(i) },
    samples: Array.from({ length: 10 }, (__, k) => [nowMs - (10 - k) * 60_000, i + k] as const),
  }));
  assert.equal((await nines.send('POST', '/api/v1/write', writeBody(series), { ...WRITE_HEADERS, ...admin })).status, 204);
  let going = 8;
  const queries = Array.from({ length: going }, async (_, i) => {
    const answer = await nines.get(`/api/v1/query?query=${encodeURIComponent(`sum(sum_over_time((heavy + ${i})[10m:100ms]))`)}`, admin);
    going--;
    return answer.status;
  });
  // Each page comes in its turn, not when the queries are through.
  let pages = 0;
  while (going > 0) {
    assert.equal((await nines.get('/status/shop')).status, 200);
    if (going > 0) pages++;
  }
  assert.deepEqual(
    await Promise.all(queries),
    Array.from({ length: 8 }, () => 200),
  );
  assert.ok(pages > 0, 'no page was answered while the queries went on');
}
