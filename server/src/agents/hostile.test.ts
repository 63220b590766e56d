/** Agents that lie, and strangers at their door. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { test, type TestContext } from 'node:test';
import { specOf } from '../../../test/harness/checks.ts';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { type ManualClock, manualClock } from '../../../test/harness/manual-clock.ts';
import { freePort } from '../../../test/harness/nines.ts';
import type { CheckResult } from '../checks/contract.ts';
import { createSelfMetrics } from '../collect/self.ts';
import { createBus } from '../platform/bus.ts';
import { createIds } from '../platform/ids.ts';
import { createTestSecrets } from '../platform/secrets/testing/secrets.ts';
import { Authority } from './authority.ts';
import { AGENT_LIMITS, agentsConfig, parseJoinToken, resultsRequest } from './contract.ts';
import { AgentListener } from './listener.ts';
import { Agents } from './service.ts';

type Answer = { readonly status: number | undefined; readonly text: string };
type World = {
  readonly nowMs: number;
  readonly clock: ManualClock;
  readonly taken: CheckResult[];
  readonly agents: Agents;
  /** That of the agent, in DER. */
  readonly certificate: Buffer;
  ask(method: string, path: string, body?: string, known?: boolean): Promise<Answer>;
};

/** A listener with one agent, at Tokyo, which `ask` speaks as unless told otherwise. */
async function open(t: TestContext): Promise<World> {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock(Date.now());
  const ids = createIds(clock);
  const taken: CheckResult[] = [];
  const authority = await Authority.open({ sql: db.kysely, secrets: createTestSecrets() }, clock.now());
  assert.ok(authority !== undefined);
  const port = await freePort();
  const agents = new Agents({
    sql: db.kysely,
    clock,
    ids,
    logger: silentLogger,
    bus: createBus(() => {}),
    metrics: createSelfMetrics(),
    config: agentsConfig.parse({ listen: `127.0.0.1:${port}` }),
    authority,
    report: async (results) => {
      await new Promise((resolve) => setImmediate(resolve));
      taken.push(...results);
    },
    written: () => ({ id: 'web' }),
  });
  agents.configure([{ ...specOf({ kind: 'http', url: 'http://shop/' }), id: 'web', vote: { locations: ['tokyo', 'berlin'], quorum: 1 } }]);
  const listener = new AgentListener({ clock, logger: silentLogger, agents, authority, host: '127.0.0.1', port });
  await listener.listen();
  t.after(() => listener[Symbol.asyncDispose]());
  const { token } = await agents.createJoinToken('tokyo', 'test');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const secret = parseJoinToken(token)?.secret ?? '';
  const joined = await agents.join({ secret, publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })) });
  const own = { cert: joined.certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
  return {
    nowMs: clock.now(),
    clock,
    taken,
    agents,
    certificate: new X509Certificate(joined.certificate).raw,
    async ask(method, path, body, known = true) {
      const asked = request({ host: '127.0.0.1', port, method, path, agent: false, rejectUnauthorized: false, ...(known ? own : {}) });
      asked.on('error', () => {});
      asked.end(body);
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      let text = '';
      for await (const chunk of answer) text += String(chunk);
      return { status: answer.statusCode, text };
    },
  };
}

const result = (w: World, seq: number, more: object = {}): object => ({
  seq,
  check: 'web',
  at_ms: w.nowMs - 60_000 + seq,
  uncertainty_ms: 1,
  duration_ms: 5,
  outcome: { kind: 'up' },
  phases_ms: {},
  loop_delay_ms: 0,
  ...more,
});
const STATUS = { version: '1', host: 'h', started_at_ms: 1, skew_ms: 0, uncertainty_ms: 1, buffered: 0, lost: null, refused: [] };
const batch = (results: readonly object[], status: object = {}): string => JSON.stringify({ results, status: { ...STATUS, ...status } });

test('attack: a certificate that ended while its connection stayed open is not taken any more', async (t) => {
  const w = await open(t);
  const batchOf = (seq: number): string => batch([result(w, seq)]);
  assert.equal((await w.ask('POST', '/agent/v1/results', batchOf(1))).status, 200);
  // The handshake judges by the time of the machine, and finds it valid.
  w.clock.jump(10 * 365 * 86_400_000);
  const refused = await w.ask('POST', '/agent/v1/results', batchOf(2));
  assert.deepEqual([refused.status, JSON.parse(refused.text).code], [403, 'agent_certificate_unknown']);
});

test('the same results sent twice at once are taken once', async (t) => {
  const w = await open(t);
  const sent = resultsRequest.parse(JSON.parse(batch([result(w, 1), result(w, 2)])));
  const tokyo = await w.agents.authenticate(w.certificate);
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => w.agents.take(tokyo, sent))), [2, 2, 2]);
  assert.equal(w.taken.length, 2);
});

test('a figure that passes for the voice of another place, and an instant that no calendar has, are refused by name', async (t) => {
  const w = await open(t);
  const figure = (one: object): object => ({ figures: [{ name: 'probe_script_seconds', value: 1, ...one }] });
  const refused: readonly (readonly [object, RegExp])[] = [
    [figure({ name: 'probe_success' }), /results\[0\]\.figures\[0\]\.name/],
    [figure({ name: 'ALERTS' }), /results\[0\]\.figures\[0\]\.name/],
    [figure({ labels: { location: 'berlin' } }), /figures\[0\]\.labels/],
    [figure({ labels: { __name__: 'probe_success' } }), /figures\[0\]\.labels/],
    [figure({ labels: { service: 'other' } }), /figures\[0\]\.labels/],
    [{ duration_ms: 1e300 }, /results\[0\]\.duration_ms/],
    [{ uncertainty_ms: 1e300 }, /results\[0\]\.uncertainty_ms/],
    [{ at_ms: -1 }, /results\[0\]\.at_ms/],
    [{ certificate_expires_at_ms: 1e300 }, /certificate_expires_at_ms/],
  ];
  for (const [more, place] of refused) {
    const { status, text } = await w.ask('POST', '/agent/v1/results', batch([result(w, 1, more)]));
    assert.equal(status, 400, text);
    assert.match(text, place);
  }
  assert.equal((await w.ask('POST', '/agent/v1/results', batch([], { started_at_ms: 1e300 }))).status, 400);
  assert.equal((await w.ask('POST', '/agent/v1/results', batch([result(w, 1, figure({ labels: { label: 'x' } }))]))).status, 200);
  assert.deepEqual(
    w.taken.map(({ figures }) => figures),
    [[{ name: 'probe_script_seconds', value: 1, labels: { label: 'x' } }]],
  );
});

test('a stranger is told what is wrong, and cannot make the server hold much', async (t) => {
  const w = await open(t);
  const large = await w.ask('POST', '/agent/v1/join', JSON.stringify({ secret: 'x'.repeat(2 * AGENT_LIMITS.joinBytes) }), false);
  assert.equal(large.status, 413, large.text);
  for (const path of ['//', '//[', 'http://[']) assert.equal((await w.ask('GET', path, undefined, false)).status, 400, path);
  for (const path of ['/agent/v1/results', '/agent/v1/renew'])
    assert.match((await w.ask('POST', path, batch([]), false)).text, /agent_certificate_unknown/);
  assert.equal((await w.ask('POST', '/agent/v1/join', '[', false)).status, 400);
  assert.equal(w.taken.length, 0);
});
