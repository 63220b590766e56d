import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, describe, it } from 'node:test';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { channelsConfig } from '../config.ts';
import type { Delivery } from '../contract.ts';
import { testMessage } from '../test-message.ts';
import { retryAfterMs } from '../exchange.ts';
import { type WebhookConfig, createWebhook } from './webhook.ts';

type Received = { readonly headers: IncomingMessage['headers']; readonly body: string };

/** A real receiver that answers as `answer` says and remembers what it got. */
async function receiver(
  t: TestContext,
  answer: (response: ServerResponse, nth: number) => void,
): Promise<{ url: string; got: Received[] }> {
  const got: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      answer(response, got.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got };
}

async function deliver(t: TestContext, fields: Record<string, unknown>): Promise<Delivery> {
  const config = channelsConfig.parse([{ id: 'hook', kind: 'webhook', timeout: '20s', ...fields }])[0] as WebhookConfig;
  const outbound = createOutbound({ clock: realClock });
  t.after(() => outbound[Symbol.asyncDispose]());
  const channel = createWebhook(config, { request: (target, options) => outbound.request(target, options), clock: realClock });
  const message = testMessage({ channel: 'hook', by: 'anne', atMs: 1_760_000_000_000, externalUrl: 'http://nines.example' });
  return channel.deliver({
    message,
    idempotencyKey: 'key-1',
    reason: 'fired',
    cause: 'first notification',
    signal: new AbortController().signal,
  });
}

describe('the webhook', () => {
  it('posts the message as JSON with its key, own headers and a signature over time and body', async (t) => {
    const { url, got } = await receiver(t, (response) => response.end());
    const delivery = await deliver(t, { url, secret: 's3cret', headers: { 'X-Team': 'web' } });
    assert.deepEqual(delivery, { kind: 'delivered', receipt: 'HTTP 200' });
    const [{ headers, body } = { headers: {}, body: '' }] = got;
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['idempotency-key'], 'key-1');
    assert.equal(headers['x-team'], 'web');
    const message = JSON.parse(body) as { version: string; alerts: { status: string; fingerprint: string }[] };
    assert.deepEqual([message.version, message.alerts[0]?.status, message.alerts[0]?.fingerprint], ['4', 'firing', '0000000000000000']);
    const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-nines-signature'])) ?? [];
    assert.equal(signature, createHmac('sha256', 's3cret').update(`${seconds}.${body}`).digest('hex'));
  });

  const f = (title: string, answer: (response: ServerResponse) => void, want: Partial<Delivery>, timeout = '20s') =>
    it(title, async (t) => {
      const { url } = await receiver(t, answer);
      const delivery = await deliver(t, { url, timeout });
      assert.deepEqual(
        { ...delivery, error: 'error' in delivery ? delivery.error.replace(/127.0.0.1:\d+/, 'HOST') : undefined },
        { error: undefined, ...want },
      );
    });
  f('wants another try after 500', (r) => void r.writeHead(500).end('broken'), {
    kind: 'failed',
    error: 'HTTP 500: broken',
    retryable: true,
  });
  f('wants another try after 429, when the receiver says', (r) => void r.writeHead(429, { 'retry-after': '7' }).end(), {
    kind: 'failed',
    error: 'HTTP 429',
    retryable: true,
    retryAfterMs: 7e3,
  });
  f('gives up on a refusal and says what was answered', (r) => void r.writeHead(400).end('no such room'), {
    kind: 'failed',
    error: 'HTTP 400: no such room',
    retryable: false,
  });
  f('does not follow a redirect', (r) => void r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), {
    kind: 'failed',
    error: 'HTTP 302',
    retryable: false,
  });
  const late = { kind: 'failed', error: 'HOST: no answer within 300 ms', retryable: true } as const;
  f('wants another try when the receiver hangs', () => {}, late, '300ms');
  f('wants another try when the connection is cut', (r) => void r.socket?.destroy(), {
    kind: 'failed',
    error: 'HOST: other side closed',
    retryable: true,
  });

  it('wants another try when nobody listens, without showing the path, which may hold a token', async (t) => {
    const delivery = await deliver(t, { url: 'http://127.0.0.1:1/secret-token' });
    assert.ok(delivery.kind === 'failed' && delivery.retryable);
    assert.match(delivery.error, /ECONNREFUSED/);
    assert.doesNotMatch(delivery.error, /secret-token/);
  });

  it('reads Retry-After as seconds or as a date', () => {
    assert.equal(retryAfterMs('120', 0), 120_000);
    assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:01:00 GMT', 15_000), 45_000);
    for (const neither of ['soon', '-1', '1.5', '']) assert.equal(retryAfterMs(neither, Date.UTC(2026, 0)), undefined, neither);
    assert.equal(retryAfterMs(undefined, 0), undefined);
  });
});
