import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { type AnyCheck, attempt, closedPort, faultsOf, figuresOf, listen, said } from '../../../../../test/harness/checks.ts';
import { poll } from '../../../../../test/harness/poll.ts';
import { decodeAnswer, encodeQuestion } from './message.ts';

/** dnsmasq, which answers for `.test` and nothing else. */
const LONG = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(200));
let server = '';
let stop: () => void = () => {};
before(async () => {
  const port = await closedPort();
  const records = [
    '--host-record=shop.test,192.0.2.10,2001:db8::10',
    '--host-record=shop.test,192.0.2.11',
    '--cname=www.shop.test,shop.test',
    '--mx-host=shop.test,mail.shop.test,10',
    '--srv-host=_sip._tcp.shop.test,sip.shop.test,5060,1,5',
    '--txt-record=shop.test,v=spf1 -all',
    ...LONG.map((text) => `--txt-record=long.test,${text}`),
    '--ptr-record=10.2.0.192.in-addr.arpa,shop.test',
    '--caa-record=shop.test,0,issue,letsencrypt.org',
    '--local=/test/',
  ];
  const own = ['--keep-in-foreground', '--no-resolv', '--no-hosts', '--conf-file=/dev/null', '--pid-file', '--user=root'];
  const child = spawn('/usr/sbin/dnsmasq', [...own, '--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`, ...records], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  stop = () => child.kill();
  server = `127.0.0.1:${port}`;
  await poll('dnsmasq', async () => said(await attempt(check('shop.test', 'A'))) === 'up');
});
after(() => stop());

type Dns = Extract<AnyCheck, { kind: 'dns' }>;
const check = (query: string, record: NonNullable<Dns['record']>, more: Partial<Dns> = {}): Dns => ({
  kind: 'dns',
  query,
  record,
  server,
  timeout: '5s',
  ...more,
});

test('every kind of record is read as it stands in a zone', async () => {
  const f = async (name: string, record: NonNullable<Dns['record']>, values: readonly string[]): Promise<void> => {
    for (const transport of ['udp', 'tcp'] as const) {
      const result = await attempt(check(name, record, { transport, expect: { values: [...values] } }));
      assert.equal(said(result), 'up', `${name} ${record} ${transport}`);
    }
  };
  await f('shop.test', 'A', ['192.0.2.11', '192.0.2.10']);
  await f('SHOP.test.', 'AAAA', ['2001:0db8:0::0010']);
  await f('www.shop.test', 'CNAME', ['Shop.Test.']);
  await f('shop.test', 'MX', ['10 mail.shop.test']);
  await f('_sip._tcp.shop.test', 'SRV', ['1 5 5060 sip.shop.test']);
  await f('shop.test', 'TXT', ['v=spf1 -all']);
  await f('10.2.0.192.in-addr.arpa', 'PTR', ['shop.test']);
  await f('shop.test', 'CAA', ['0 issue letsencrypt.org']);
});

test('an answer that does not fit into a packet is asked for over TCP', async () => {
  const result = await attempt(check('long.test', 'TXT', { expect: { values: LONG } }));
  assert.deepEqual([said(result), figuresOf(result)['probe_dns_answer_rrs']], ['up', 8]);
  assert.ok((result.phases.connect ?? 0) > 0);
});

test('other values, no values and other codes are down and say what came instead', async () => {
  const f = async (asked: Dns, want: string): Promise<void> => assert.equal(said(await attempt(asked)), want);
  await f(check('shop.test', 'A', { expect: { contains: ['192.0.2.11'] } }), 'up');
  await f(check('shop.test', 'TXT', { expect: { matches: '^v=spf1' } }), 'up');
  await f(check('www.shop.test', 'CNAME', { expect: { values: ['old.test'] } }), 'down value: got shop.test, expected old.test');
  await f(check('www.shop.test', 'CNAME', { expect: { contains: ['x.test'] } }), 'down value: got shop.test, expected x.test among them');
  await f(check('shop.test', 'TXT', { expect: { matches: 'dmarc' } }), 'down value: got v=spf1 -all, expected a match of dmarc');
  await f(check('shop.test', 'NS'), 'down value: shop.test has no NS record');
  await f(check('gone.test', 'A'), 'down rcode: NXDOMAIN for A of gone.test, expected NOERROR');
  await f(check('gone.test', 'A', { expect: { code: 'NXDOMAIN' } }), 'up');
  await f(check('shop.example', 'A'), 'down rcode: REFUSED for A of shop.example, expected NOERROR');
});

test('the figures are those of blackbox_exporter', async () => {
  const figures = figuresOf(await attempt(check('shop.test', 'A')));
  assert.deepEqual([figures['probe_dns_query_succeeded'], figures['probe_dns_answer_rrs'], figures['probe_dns_authority_rrs']], [1, 2, 0]);
  assert.ok((figures['probe_dns_duration_seconds{phase=request}'] ?? 0) > 0);
});

/** A name server of our own, for what a real one never says. */
async function forged(t: TestContext, answer: (question: Buffer) => readonly Buffer[]): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    for (const packet of answer(message)) socket.send(packet, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return `127.0.0.1:${(socket.address() as AddressInfo).port}`;
}

test('a closed, silent, slow or confused name server is down or degraded; forged packets are passed over', async (t) => {
  const f = async (to: string, more: Partial<Dns> = {}): Promise<string> =>
    said(await attempt({ ...check('shop.test', 'A'), server: to, timeout: '300ms', ...more }));
  assert.match(await f(`127.0.0.1:${await closedPort()}`), /^down connection_refused/);
  assert.match(await f(await forged(t, () => [])), /^down timeout: no answer .* waiting for the first byte/);
  const reply = (question: Buffer): Buffer => {
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(0x8183, 2);
    header.writeUInt16BE(0, 10);
    return Buffer.concat([header, question.subarray(12, question.length - 11)]);
  };
  const other = (question: Buffer): Buffer => Buffer.concat([Buffer.from([question.readUInt8(0) ^ 1]), reply(question).subarray(1)]);
  const slow = createSocket('udp4');
  slow.on('message', (message, { port, address }) => void setTimeout(() => slow.send(reply(message), port, address), 120));
  slow.bind(0, '127.0.0.1');
  await once(slow, 'listening');
  t.after(() => slow.close());
  const late = `127.0.0.1:${slow.address().port}`;
  assert.match(await f(late, { timeout: '5s', degraded_after: '100ms', expect: { code: 'NXDOMAIN' } }), /^degraded slow/);
  const forger = await forged(t, (question) => [other(question), Buffer.from('x'), reply(question)]);
  assert.equal(await f(forger, { timeout: '5s' }), 'down rcode: NXDOMAIN for A of shop.test, expected NOERROR');
  const broken = await forged(t, (question) => {
    const bad = reply(question);
    bad.writeUInt16BE(1, 6);
    return [bad];
  });
  assert.match(await f(broken, { timeout: '5s' }), /^down bad_answer: the answer of .* cannot be read/);
  const hangsUp = await listen(
    t,
    createServer((socket) => void socket.on('error', () => {}).end('\0')),
  );
  assert.match(await f(`127.0.0.1:${hangsUp}`, { transport: 'tcp' }), /^down connection_(closed|reset)/);
  assert.match(said(await attempt(check('shop.test', 'A'), 'untrusted')), /^void refused_address/);
});

test('no bytes make the reader of answers hang or fail other than by name', () => {
  const question = { id: 7, name: 'a.test', type: 'MX', recursion: true } as const;
  const head = encodeQuestion(question).subarray(0, 12 + 8 + 4);
  head.writeUInt16BE(0x8180, 2);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(3), fc.nat(3), (bytes, answers, more) => {
      const message = Buffer.concat([head, bytes]);
      message.writeUInt16BE(answers, 6);
      message.writeUInt16BE(more, 10);
      try {
        decodeAnswer(message, question);
      } catch (thrown) {
        assert.ok(thrown instanceof RangeError, String(thrown));
      }
    }),
  );
});

test('what cannot be asked is refused when it is read', () => {
  assert.match(faultsOf({ kind: 'dns', query: 'a..b' }), /^query: not a domain name/);
  assert.match(faultsOf({ kind: 'dns', query: 'a.test', record: 'X' }), /^record: /);
  assert.match(faultsOf({ kind: 'dns', query: 'a.test', server: '9.9.9.9' }), /^server: not an address/);
  assert.equal(faultsOf({ kind: 'dns', query: 'a.test' }), 'fits');
});
