import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnyCheck, attempt, faultsOf, figuresOf, said } from '../../../../../test/harness/checks.ts';
import { judgeSilence } from './ask.ts';

type Icmp = Extract<AnyCheck, { kind: 'icmp' }>;
const check = (host: string, more: Partial<Icmp> = {}): Icmp => ({ kind: 'icmp', host, timeout: '5s', ...more });

test('a host that answers is up, with the time that ping measured', async () => {
  const result = await attempt(check('127.0.0.1', { size: 100 }));
  assert.equal(said(result), 'up');
  const figures = figuresOf(result);
  const rtt = figures['probe_icmp_duration_seconds{phase=rtt}'] ?? Number.NaN;
  assert.ok(rtt > 0 && rtt * 1000 <= result.durationMs, `${rtt} s of ${result.durationMs} ms`);
  assert.equal(figures['probe_icmp_reply_hop_limit'], 64);
  assert.equal(said(await attempt(check('localhost', { ip_version: 4 }))), 'up');
  assert.match(said(await attempt(check('127.0.0.1', { degraded_after: '0ms' }))), /^degraded slow/);
});

test('what ping prints instead of an answer says whether the host or this machine is at fault', async () => {
  const f = (printed: string): string => {
    const outcome = judgeSilence(printed, 'h');
    return outcome.kind === 'up' ? 'up' : `${outcome.kind} ${outcome.code}: ${outcome.detail}`;
  };
  const head = 'PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n';
  const lost = '\n--- 192.0.2.1 ping statistics ---\n1 packets transmitted, 0 received, 100% packet loss, time 0ms\n';
  const errors = lost.replace('0 received,', '0 received, +1 errors,');
  assert.equal(f(head + lost), 'down timeout: no answer from h');
  assert.equal(
    f(`${head}From 10.0.0.1 icmp_seq=1 Destination Host Unreachable\n${errors}`),
    'down host_unreachable: h: From 10.0.0.1 icmp_seq=1 Destination Host Unreachable',
  );
  assert.match(f(`${head}From 10.0.0.1 icmp_seq=1 Packet filtered\n${errors}`), /^down host_unreachable/);
  assert.match(f(`${head}From 10.0.0.1 icmp_seq=1 Time to live exceeded\n${errors}`), /^down ttl_exceeded: h: From 10/);
  assert.match(f('ping: connect: Network is unreachable\n'), /^void probe_isolated/);
  assert.match(f('ping: socktype: SOCK_RAW\nping: socket: Operation not permitted\n'), /^void ping_failed: ping: .*not permitted$/);
  // The real one refuses this address, or has no way there: nothing was asked.
  assert.match(said(await attempt(check('255.255.255.255'))), /^void (ping_failed|probe_isolated)/);
});

test('names that nobody knows are down; what may not be asked is not', async () => {
  assert.match(said(await attempt(check('no-such-host.invalid'))), /^down name_/);
  assert.match(said(await attempt(check('127.0.0.1'), 'untrusted')), /^void refused_address/);
});

test('a host is never mistaken for an option', () => {
  assert.match(faultsOf({ kind: 'icmp', host: '-f' }), /^host: write a host name/);
  assert.match(faultsOf({ kind: 'icmp', host: 'a b' }), /^host: write a host name/);
  assert.equal(faultsOf({ kind: 'icmp', host: '2001:db8::1' }), 'fits');
});
