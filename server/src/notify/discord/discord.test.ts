import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HOSTILE, alertOf, attemptOf, failureOf, openOne, startProvider } from '../testing/provider.ts';

type Body = { embeds: { title: string; description?: string }[]; allowed_mentions: { parse: string[] } };

it('discord: edits the first message, tells changes in another, escapes markup, waits as told', async (t) => {
  const provider = await startProvider(t);
  provider.answer = (response) => void response.end('{"id":"77"}');
  const channel = openOne(t, { kind: 'discord', webhook_url: `${provider.url}/hook` });
  assert.deepEqual(await channel.deliver(attemptOf([HOSTILE])), { kind: 'delivered', receipt: '77', thread: '77' });
  await channel.deliver(attemptOf([alertOf({ status: 'resolved' })], { thread: '77' }));
  assert.deepEqual(
    provider.got.map(({ method, path }) => `${method} ${path}`),
    ['POST /hook?wait=true', 'PATCH /hook/messages/77?wait=true', 'POST /hook?wait=true'],
  );
  const [got] = provider.got;
  assert.ok(got !== undefined);
  const { embeds, allowed_mentions: mentions } = got.json as Body;
  assert.deepEqual(mentions, { parse: [] });
  const description = embeds[0]?.description ?? '';
  assert.ok(description.length <= 4_096 && (embeds[0]?.title.length ?? 999) <= 256);
  assert.doesNotMatch(description, /(^|[^\\])(\*|<@|`)/);
  provider.answer = (response) => void response.writeHead(404).end('{"message":"Unknown Message"}');
  assert.match(failureOf(await channel.deliver(attemptOf(undefined, { thread: '1' }))).error, /Unknown Message/);
  provider.answer = (response) => void response.writeHead(429).end('{"message":"You are being rate limited.","retry_after":1.5}');
  assert.equal(failureOf(await channel.deliver(attemptOf())).retryAfterMs, 1_500);
});
