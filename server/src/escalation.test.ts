import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '../../test/harness/logs.ts';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { realClock } from './platform/clock.ts';
import { createIds } from './platform/ids.ts';
import type { App } from './serve.ts';

const GOOD = 'correct horse battery';

let app: App;
let folder: string;
/** Ann's, who is an administrator. */
let cookie: string;

type Answer = { readonly status: number; readonly json: Record<string, unknown>; readonly cookie: string };
type Sent = { readonly token?: string | undefined; readonly cookie?: string; readonly body?: unknown; readonly type?: string };

async function call(method: string, path: string, { token, cookie: session, body, type = 'application/json' }: Sent = {}): Promise<Answer> {
  const answer = await fetch(`${app.url}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(session !== undefined && { cookie: session }),
      ...(body !== undefined && { 'content-type': type }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  return { status: answer.status, json: isJson ? JSON.parse(text) : {}, cookie: answer.headers.getSetCookie().join('; ') };
}

/** A token as Ann makes it. */
async function tokenOf(about: Record<string, unknown>): Promise<{ readonly id: string; readonly token: string }> {
  const made = await call('POST', '/api/tokens', { cookie, body: { name: 'ci', role: 'administrator', ...about } });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  return made.json as { id: string; token: string };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nines-escalation-'));
  const file = join(folder, 'nines.yml');
  writeFileSync(file, 'server: { listen: 127.0.0.1:0 }\n');
  const dataDir = join(folder, 'data');
  const read = () => readConfig({ file, dataDir });
  const loaded = read();
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const clock = realClock;
  const ids = createIds(clock);
  app = await createApp({ loaded, read, dataDir, configFile: file, key: undefined, open: false, clock, ids, logger: silentLogger });
  const made = await call('POST', '/api/setup', { body: { token: app.setupUrl?.split('token=')[1], name: 'Ann', password: GOOD } });
  assert.equal(made.status, 204);
  cookie = made.cookie;
  const role = { id: 'help-desk', name: 'Help desk', permits: { own: 'read', access: 'administer' }, landing: '/settings' };
  assert.equal((await call('POST', '/api/roles', { cookie, body: role })).status, 201);
});
after(async () => {
  await app?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Whoever may do nothing but see to people and tokens: by their role, and by a token that was narrowed to that. */
const SMALL = [
  ['a small role', { role: 'help-desk' }],
  ['a narrowed token', { permits: { own: 'read', access: 'administer' } }],
] as const;

for (const [who, about] of SMALL) {
  test(`escalation: ${who} reads no secret of a token that may do more, by replacing it`, async () => {
    const small = await tokenOf(about);
    const great = await tokenOf({});
    const replaced = await call('POST', `/api/tokens/${great.id}/replace`, { token: small.token });
    assert.deepEqual([replaced.status, replaced.json['code']], [403, 'beyond_own_permits']);
    assert.equal((await call('GET', '/api/audit', { token: great.token })).status, 200, 'the great one goes on');
    const own = await call('POST', `/api/tokens/${small.id}/replace`, { token: small.token });
    assert.equal(own.status, 200, 'one that may do the same is replaced');
  });

  test(`escalation: ${who} makes nobody an administrator, neither by inviting, nor by a link, a role or lost factors`, async () => {
    const { token } = await tokenOf(about);
    const people = (await call('GET', '/api/people', { token })).json['items'] as { id: string; name: string; revision: number }[];
    const ann = people.find(({ name }) => name === 'Ann');
    assert.ok(ann !== undefined);
    const role = { id: 'evil', name: 'Evil', permits: { own: 'read', system: 'administer' }, landing: '/' };
    const tried = [
      await call('POST', '/api/people', { token, body: { name: 'Eve', role: 'administrator' } }),
      await call('POST', `/api/people/${ann.id}/link`, { token, body: {} }),
      await call('POST', `/api/people/${ann.id}/reset-factors`, { token }),
      await call('PATCH', `/api/people/${ann.id}`, { token, body: { revision: ann.revision, disabled: true } }),
      await call('POST', '/api/roles', { token, body: role }),
    ];
    assert.deepEqual(
      tried.map(({ status }) => status),
      [403, 403, 403, 403, 403],
      JSON.stringify(tried),
    );
  });
}

test('escalation: a token that ends, or counts in some networks only, makes none without that', async () => {
  const expires_at_ms = realClock.now() + 3_600_000;
  const { token } = await tokenOf({ expires_at_ms, addresses: ['127.0.0.0/8'] });
  const made = await call('POST', '/api/tokens', { token, body: { name: 'heir', role: 'administrator' } });
  assert.deepEqual([made.status, made.json['expires_at_ms'], made.json['addresses']], [201, expires_at_ms, ['127.0.0.0/8']]);
  const other = await tokenOf({});
  for (const answer of [
    await call('POST', '/api/tokens', { token, body: { name: 'x', role: 'administrator', expires_at_ms: expires_at_ms + 1 } }),
    await call('POST', '/api/tokens', { token, body: { name: 'x', role: 'administrator', addresses: ['0.0.0.0/0'] } }),
    await call('POST', `/api/tokens/${other.id}/replace`, { token }),
  ])
    assert.deepEqual([answer.status, answer.json['code']], [403, 'beyond_own_permits']);
});

test('bypass: a token for some actions writes no samples by the short way, which knows it from its first try', async () => {
  const { token } = await tokenOf({ actions: ['acknowledge'] });
  for (let turn = 0; turn < 3; turn++) {
    const answer = await call('POST', '/api/v1/write', { token, body: 'evil 1\n', type: 'text/plain' });
    assert.equal(answer.status, 403, `try ${turn}`);
  }
});

test('second factor bypass: a session that was left open links no identity, which would sign in without password and factor', async () => {
  const book = (await call('GET', '/api/openapi.json', { cookie })).json as unknown as {
    paths: Record<string, Record<string, { 'x-step-up'?: boolean }>>;
  };
  assert.equal(book.paths['/api/sso/{provider}/link']?.['post']?.['x-step-up'], true);
});
