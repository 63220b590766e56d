import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import { test } from 'node:test';
import { realClock } from '../clock.ts';
import { judgeAddress } from './judge.ts';
import { OutboundError, createOutbound } from './outbound.ts';

async function serving(handler: RequestListener): Promise<AsyncDisposable & { readonly url: string; readonly port: number }> {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const failureOf = async (asked: Promise<unknown>): Promise<OutboundError> => {
  const thrown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(thrown instanceof OutboundError, `expected an OutboundError, found ${String(thrown)}`);
  return thrown;
};

test('a request reaches a trusted target and brings its answer back', async () => {
  await using peer = await serving((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => response.writeHead(201, { 'x-seen': request.headers['x-sent'] }).end(`got ${text}`));
  });
  await using outbound = createOutbound({ clock: realClock });
  const answer = await outbound.request(peer.url, { method: 'POST', headers: { 'x-sent': 'yes' }, body: 'hello', timeoutMs: 5_000 });
  assert.deepEqual([answer.status, answer.headers['x-seen'], String(answer.body)], [201, 'yes', 'got hello']);
});

test('each way to have no answer has its own name', async () => {
  await using silent = await serving(() => undefined);
  await using long = await serving((_request, response) => response.end('x'.repeat(2_000)));
  await using gone = await serving(() => undefined);
  const port = gone.port;
  await gone[Symbol.asyncDispose]();
  await using outbound = createOutbound({ clock: realClock });
  assert.equal((await failureOf(outbound.request(silent.url, { timeoutMs: 50 }))).failure, 'timeout');
  assert.equal((await failureOf(outbound.request(long.url, { timeoutMs: 5_000, maxBytes: 1_000 }))).failure, 'too_large');
  const refused = await failureOf(outbound.request(`http://127.0.0.1:${port}/`, { timeoutMs: 5_000 }));
  assert.equal(refused.failure, 'connection');
  assert.match(refused.message, /ECONNREFUSED 127\.0\.0\.1/);
  assert.equal((await failureOf(outbound.request('file:///etc/passwd', { timeoutMs: 1 }))).failure, 'bad_url');
  assert.equal((await failureOf(outbound.request('nonsense', { timeoutMs: 1 }))).failure, 'bad_url');
});

test('an untrusted target may not reach this host, in whatever spelling', async () => {
  await using peer = await serving((_request, response) => response.end('secret'));
  await using outbound = createOutbound({ clock: realClock });
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]']) {
    const refused = await failureOf(outbound.request(`http://${host}:${peer.port}/`, { timeoutMs: 5_000, trust: 'untrusted' }));
    assert.equal(refused.failure, 'refused_address', host);
  }
});

test('metadata addresses are refused even to trusted targets', async () => {
  await using outbound = createOutbound({ clock: realClock });
  for (const host of ['169.254.169.254', '[fd00:ec2::254]', '[::ffff:169.254.169.254]', '2852039166']) {
    assert.equal(
      (await failureOf(outbound.request(`http://${host}/latest/meta-data`, { timeoutMs: 5_000 }))).failure,
      'refused_address',
      host,
    );
  }
});

test('a redirect is handed back, not followed', async () => {
  await using peer = await serving((_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end());
  await using outbound = createOutbound({ clock: realClock });
  assert.equal((await outbound.request(peer.url, { timeoutMs: 5_000 })).status, 302);
});

test('addresses are judged by range', () => {
  const judged = (address: string): boolean => judgeAddress(address, 'untrusted').allowed;
  for (const address of [
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
    '0.0.0.0',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'ff02::1',
  ])
    assert.equal(judged(address), false, address);
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111']) assert.equal(judged(address), true, address);
});
