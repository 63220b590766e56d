import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HOSTILE, alertOf, attemptOf, failureOf, openOne, startProvider } from '../testing/provider.ts';

it('teams: a card in which no markup is read, of 28 KB at most; what old connectors say in words is heard', async (t) => {
  const provider = await startProvider(t);
  provider.answer = (response) => void response.writeHead(202).end();
  const channel = openOne(t, { kind: 'teams', webhook_url: `${provider.url}/w` });
  const long = alertOf({ labels: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`name${i}`, '👍'.repeat(200)])) });
  assert.equal((await channel.deliver(attemptOf([HOSTILE, ...Array.from({ length: 30 }, () => long)]))).kind, 'delivered');
  const [got] = provider.got;
  assert.ok(got !== undefined && Buffer.byteLength(got.body) <= 28_000, String(got?.body.length));
  const card = (got.json as { attachments: { content: { body: { type: string }[]; actions: { title: string; url: string }[] } }[] })
    .attachments[0]?.content;
  assert.deepEqual(new Set(card?.body.map(({ type }) => type)), new Set(['RichTextBlock']));
  assert.ok(card?.actions.some(({ url }) => url.includes('/acknowledge/')));
  provider.answer = (response) =>
    void response.end('Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429');
  const busy = failureOf(await channel.deliver(attemptOf()));
  assert.deepEqual([busy.retryable, /HTTP error 429/.test(busy.error)], [true, true]);
});
