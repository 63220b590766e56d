import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAddresses, type ForwardedHeader } from './client-address.ts';

const asked = (remoteAddress: string, headers: Record<string, string> = {}) => ({ socket: { remoteAddress }, headers }) as never;

test('attack: without trusted proxies nobody chooses their address by sending a header', () => {
  const addressOf = clientAddresses({ proxies: [], header: 'X-Forwarded-For' });
  const headers = { 'x-forwarded-for': '1.2.3.4', forwarded: 'for=1.2.3.4', 'x-real-ip': '1.2.3.4', 'true-client-ip': '1.2.3.4' };
  assert.equal(addressOf(asked('203.0.113.9', headers)), '203.0.113.9');
  assert.equal(addressOf(asked('::ffff:203.0.113.9', headers)), '203.0.113.9');
});

test('attack: what a client wrote in front of what the proxy wrote is not read', () => {
  const cases: readonly [header: ForwardedHeader, remote: string, sent: string, expected: string][] = [
    ['X-Forwarded-For', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['X-Forwarded-For', '::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
    // The client sent 1.2.3.4; the proxy added whom it heard that from.
    ['X-Forwarded-For', '10.0.0.1', '1.2.3.4, 198.51.100.7', '198.51.100.7'],
    ['X-Forwarded-For', '10.0.0.1', '1.2.3.4, 198.51.100.7, 10.0.0.2', '198.51.100.7'],
    // A client that names a trusted address is still behind the one that the outermost proxy saw.
    ['X-Forwarded-For', '10.0.0.1', '10.0.0.9, 198.51.100.7', '198.51.100.7'],
    ['X-Forwarded-For', '10.0.0.1', '10.0.0.7, 10.0.0.2', '10.0.0.7'],
    ['X-Forwarded-For', '10.0.0.1', '198.51.100.7:4711', '198.51.100.7'],
    ['X-Forwarded-For', '10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['X-Forwarded-For', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['X-Forwarded-For', '10.0.0.1', '198.51.100.7, <script>', '10.0.0.1'],
    ['X-Forwarded-For', '10.0.0.1', '', '10.0.0.1'],
    ['X-Forwarded-For', '203.0.113.9', '198.51.100.7', '203.0.113.9'],
    ['X-Forwarded-For', 'fd00::1', '198.51.100.7', '198.51.100.7'],
    ['Forwarded', '10.0.0.1', 'for=198.51.100.7;proto=https;by=10.0.0.1', '198.51.100.7'],
    ['Forwarded', '10.0.0.1', 'for=1.2.3.4, For="[2001:db8::7]:4711"', '2001:db8::7'],
    ['Forwarded', '10.0.0.1', 'proto=https', '10.0.0.1'],
    ['Forwarded', '10.0.0.1', 'for=_hidden', '10.0.0.1'],
  ];
  for (const [header, remote, sent, expected] of cases) {
    const addressOf = clientAddresses({ proxies: ['10.0.0.0/8', 'fd00::/8'], header });
    assert.equal(addressOf(asked(remote, { [header.toLowerCase()]: sent })), expected, `${header}: ${sent} from ${remote}`);
  }
});

test('attack: the header that the proxy does not set is not read', () => {
  const addressOf = clientAddresses({ proxies: ['10.0.0.1'], header: 'X-Forwarded-For' });
  assert.equal(addressOf(asked('10.0.0.1', { forwarded: 'for=1.2.3.4', 'x-forwarded-for': '198.51.100.7' })), '198.51.100.7');
});

test('attack: a header of thousands of addresses is read at its end only', () => {
  const addressOf = clientAddresses({ proxies: ['10.0.0.0/8'], header: 'X-Forwarded-For' });
  const sent = `198.51.100.7, ${Array<string>(5_000).fill('10.0.0.1').join(', ')}`;
  assert.equal(addressOf(asked('10.0.0.1', { 'x-forwarded-for': sent })), '10.0.0.1');
});
