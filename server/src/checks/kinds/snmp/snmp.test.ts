import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type AnyCheck, attempt, closedPort, faultsOf, figuresOf, said } from '../../../../../test/harness/checks.ts';
import { poll } from '../../../../../test/harness/poll.ts';
import { decodeResponse, encodeGet } from './message.ts';

type Snmp = Extract<AnyCheck, { kind: 'snmp' }>;
const SYS_NAME = '1.3.6.1.2.1.1.5.0';
const SYS_UPTIME = '.1.3.6.1.2.1.1.3.0';
const SYS_OBJECT_ID = '1.3.6.1.2.1.1.2.0';
const SYS_SERVICES = '1.3.6.1.2.1.1.7.0';

/** net-snmp's agent. */
let address = '';
let stop = async (): Promise<void> => {};
before(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-snmp-'));
  const port = await closedPort();
  writeFileSync(join(folder, 'snmpd.conf'), 'rocommunity s3cret 127.0.0.1\nsysName shop-switch\nsysServices 72\n');
  const child = spawn(
    '/usr/sbin/snmpd',
    ['-f', '-Ln', '-C', '-c', join(folder, 'snmpd.conf'), '-p', join(folder, 'pid'), `udp:127.0.0.1:${port}`],
    {
      env: { ...process.env, SNMP_PERSISTENT_DIR: folder },
      stdio: 'ignore',
    },
  );
  stop = async () => {
    child.kill();
    await once(child, 'close');
    rmSync(folder, { recursive: true, force: true });
  };
  address = `127.0.0.1:${port}`;
  await poll('snmpd', async () => said(await attempt(check(SYS_NAME, { timeout: '500ms' }))) === 'up');
});
after(() => stop());

const check = (oid: string, more: Partial<Snmp> = {}): Snmp => ({
  kind: 'snmp',
  address,
  community: 's3cret',
  oid,
  timeout: '5s',
  ...more,
});

test('values of an agent are compared as text and as numbers, in both versions', async () => {
  for (const version of ['1', '2c'] as const) {
    assert.equal(said(await attempt(check(SYS_NAME, { version, expect: { equals: 'shop-switch', matches: '^shop' } }))), 'up');
    const uptime = await attempt(check(SYS_UPTIME, { version, expect: { min: 0 } }));
    assert.equal(said(uptime), 'up');
    assert.ok((figuresOf(uptime)['probe_snmp_value'] ?? -1) >= 0);
    assert.equal(said(await attempt(check(SYS_SERVICES, { version, expect: { equals: 72, min: 72, max: 72 } }))), 'up');
    assert.equal(said(await attempt(check(SYS_OBJECT_ID, { version, expect: { matches: '^1\\.3\\.6\\.1\\.4\\.1\\.8072' } }))), 'up');
    assert.match(
      said(await attempt(check('1.3.6.1.2.1.1.99.0', { version }))),
      /^down absent: the agent has no .*\(noSuch(Name|Object|Instance)\)/,
    );
  }
});

test('other values are down and say what came instead', async () => {
  const f = async (oid: string, expect: Snmp['expect']): Promise<string> => said(await attempt(check(oid, { expect })));
  assert.equal(await f(SYS_NAME, { equals: 'x' }), `down value: ${SYS_NAME} is "shop-switch", expected "x"`);
  assert.equal(await f(SYS_NAME, { min: 1 }), `down value: ${SYS_NAME} is "shop-switch", expected a number`);
  assert.equal(await f(SYS_SERVICES, { max: 71 }), `down value: ${SYS_SERVICES} is "72", expected at most 71`);
  assert.equal(await f(SYS_SERVICES, { min: 73 }), `down value: ${SYS_SERVICES} is "72", expected at least 73`);
  assert.match(await f(SYS_SERVICES, { matches: '^8' }), /expected a match of \^8$/);
});

test('a wrong community, a closed port and an agent that talks nonsense are down; a slow one is degraded', async (t) => {
  assert.match(said(await attempt(check(SYS_NAME, { community: 'public', timeout: '400ms' }))), /^down timeout/);
  assert.match(said(await attempt(check(SYS_NAME, { address: `127.0.0.1:${await closedPort()}` }))), /^down connection_refused/);
  const agent = createSocket('udp4');
  let answer = (message: Buffer): Buffer => message;
  agent.on('message', (message, { port, address: from }) => void setTimeout(() => agent.send(answer(message), port, from), 120));
  agent.bind(0, '127.0.0.1');
  await once(agent, 'listening');
  t.after(() => agent.close());
  const other = `127.0.0.1:${agent.address().port}`;
  assert.match(said(await attempt(check(SYS_NAME, { address: other }))), /^down bad_answer: .* found type 160, expected 162$/);
  // A request turned into its own response: no error, and null as the value.
  answer = (message) => Buffer.from(message.map((byte, index) => (byte === 0xa0 && index > 4 ? 0xa2 : byte)));
  assert.match(said(await attempt(check(SYS_NAME, { address: other }))), /^down absent: .*\(null\)/);
  assert.match(said(await attempt(check(SYS_NAME), 'untrusted')), /^void refused_address/);
});

test('no bytes make the reader hang or fail other than by name', () => {
  const question = { id: 5, version: '2c', community: 'c', oid: '1.3.6.1.4.1.4294967295.1' } as const;
  const message = encodeGet(question);
  message[message.indexOf(0xa0)] = 0xa2;
  assert.deepEqual(decodeResponse(message, question), { kind: 'absent', reason: 'null' });
  fc.assert(
    fc.property(fc.nat(message.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, bytes) => {
      const damaged = Buffer.from(message);
      damaged.set(bytes.slice(0, damaged.length - at), at);
      try {
        decodeResponse(damaged, question);
      } catch (thrown) {
        assert.ok(thrown instanceof RangeError, String(thrown));
      }
    }),
  );
});

test('what is written is checked when it is read', () => {
  assert.match(faultsOf({ kind: 'snmp', address: 'a:161', oid: 'sysName.0' }), /^oid: write an object identifier in numbers/);
  assert.equal(faultsOf({ kind: 'snmp', address: 'a:161', oid: SYS_NAME }), 'fits');
});
