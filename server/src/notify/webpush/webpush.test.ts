import assert from 'node:assert/strict';
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import { it } from 'node:test';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { HOSTILE, alertOf, attemptOf, failureOf, openOne, startProvider } from '../testing/provider.ts';
import { MAX_TEXT_BYTES, arePushKeys, createVapidKey, encryptPush, publicKeyOf, vapidHeader } from './encrypt.ts';
import type { PushSubscriber } from './subscriptions.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');

it('encrypts as RFC 8291, appendix A, shows', () => {
  const keys = {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  };
  const made = { salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'), privateKey: bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw') };
  const message = encryptPush(Buffer.from('When I grow up, I want to be a watermelon'), keys, made);
  assert.equal(
    message.toString('base64url'),
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  );
  assert.equal(arePushKeys(keys), true);
  for (const bad of [
    { ...keys, auth: 'AA' },
    { ...keys, p256dh: 'AAAA' },
    { ...keys, p256dh: keys.p256dh.replace('x', 'y') },
  ])
    assert.equal(arePushKeys(bad), false);
});

it('tells push services who asks, signed for their origin', () => {
  const key = createVapidKey();
  const header = vapidHeader(key, { endpoint: 'https://push.example/a/b', contact: 'mailto:ops@example.org', nowMs: 1_760_000_000_000 });
  const [, said = '', claims = '', signature = '', k] = /^vapid t=(([^.]+\.[^.]+))\.([^.,]+), k=(.+)$/.exec(header) ?? [];
  assert.equal(k, publicKeyOf(key));
  assert.deepEqual(JSON.parse(bytes(claims.split('.')[1] ?? '').toString()), {
    aud: 'https://push.example',
    exp: 1_760_043_200,
    sub: 'mailto:ops@example.org',
  });
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: key.x, y: key.y }, format: 'jwk' });
  assert.ok(verify('sha256', Buffer.from(said), { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes(signature)));
});

function browser(id: string, endpoint: string): PushSubscriber {
  const ecdh = createECDH('prime256v1');
  return { id, endpoint, p256dh: ecdh.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') };
}

it('each browser once; one that is gone is forgotten; addresses inside the house are refused', async (t) => {
  const provider = await startProvider(t);
  const outbound = createOutbound({ clock: realClock });
  t.after(() => outbound[Symbol.asyncDispose]());
  let kept = ['gone', 'busy', 'fine'].map((id) => browser(id, `${provider.url}/${id}`));
  const push = {
    key: createVapidKey(),
    of: async () => kept,
    remove: async (id: string) => void (kept = kept.filter((one) => one.id !== id)),
  };
  const fields = { kind: 'webpush', contact: 'ops@example.org', timeout: '20s' };
  // The test's push service is on this host, where no real one may be.
  const channel = openOne(t, fields, { push, request: (url, { trust: _trust, ...options }) => outbound.request(url, options) });
  let isBusy = true;
  provider.answer = (response, { path }) => void response.writeHead(path === '/gone' ? 410 : path === '/busy' && isBusy ? 503 : 201).end();
  const busy = failureOf(await channel.deliver(attemptOf()));
  assert.ok(busy.retryable && /HTTP 503/.test(busy.error));
  isBusy = false;
  assert.deepEqual(await channel.deliver(attemptOf()), { kind: 'delivered', receipt: '2 browsers' });
  assert.deepEqual(
    provider.got.map(({ path }) => path),
    ['/gone', '/busy', '/fine', '/busy'],
  );
  const [got] = provider.got;
  assert.deepEqual([got?.headers['content-encoding'], got?.headers['ttl'], got?.headers['urgency']], ['aes128gcm', '86400', 'high']);
  assert.match(String(got?.headers['topic']), /^[\w-]{1,32}$/);
  await channel.deliver(
    attemptOf(
      Array.from({ length: 50 }, () => HOSTILE),
      { idempotencyKey: 'other' },
    ),
  );
  assert.ok((provider.got.at(-1)?.headers['content-length'] ?? 0) <= String(MAX_TEXT_BYTES + 103));
  await channel.deliver(attemptOf([alertOf({ status: 'resolved' })], { idempotencyKey: 'third' }));
  const inside = openOne(t, fields, { push });
  assert.match(failureOf(await inside.deliver(attemptOf(undefined, { idempotencyKey: 'fourth' }))).error, /127\.0\.0\.1/);
  kept = [];
  assert.match(failureOf(await channel.deliver(attemptOf())).error, /no browser has asked/);
});
