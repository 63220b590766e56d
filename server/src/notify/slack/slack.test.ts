import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { realClock } from '../../platform/clock.ts';
import { HOSTILE, alertOf, attemptOf, failureOf, openOne, startProvider } from '../testing/provider.ts';

const bot = (url: string, more: object = {}) => ({ kind: 'slack', token: 'xoxb-1', channel: '#ops', api_url: url, ...more });
const sent = '{"ok":true,"channel":"C7","ts":"1700.1"}';

describe('slack', () => {
  it('keeps the first message up to date and tells the rest in its thread', async (t) => {
    const provider = await startProvider(t);
    provider.answer = (response) => void response.end(sent);
    const channel = openOne(t, bot(provider.url));
    const first = await channel.deliver(attemptOf());
    assert.deepEqual(first, { kind: 'delivered', receipt: 'C7 1700.1', thread: 'C7 1700.1' });
    assert.equal(provider.got[0]?.headers['authorization'], 'Bearer xoxb-1');
    const resolved = attemptOf([alertOf({ status: 'resolved', endsAt: '2026-01-01T00:10:00Z' })], { thread: 'C7 1700.1' });
    assert.equal((await channel.deliver(resolved)).kind, 'delivered');
    const [, update, reply] = provider.got.map(({ path, json }) => ({ path, body: json as Record<string, unknown> }));
    assert.deepEqual([update?.path, update?.body['channel'], update?.body['ts']], ['/chat.update', 'C7', '1700.1']);
    assert.deepEqual([reply?.path, reply?.body['thread_ts']], ['/chat.postMessage', '1700.1']);
    assert.match(String(reply?.body['text']), /^\[RESOLVED\] HighCpu/);
  });

  it('begins a new thread when the message was deleted', async (t) => {
    const provider = await startProvider(t);
    provider.answer = (response, { path }) =>
      void response.end(path === '/chat.update' ? '{"ok":false,"error":"message_not_found"}' : sent);
    const delivery = await openOne(t, bot(provider.url)).deliver(attemptOf(undefined, { thread: 'C7 0.1' }));
    assert.deepEqual(delivery, { kind: 'delivered', receipt: 'C7 1700.1', thread: 'C7 1700.1' });
  });

  it('sends the words alone when Slack refuses the form, and says which errors may pass', async (t) => {
    const provider = await startProvider(t);
    provider.answer = (response, { json }) =>
      void response.end(
        (json as Record<string, unknown>)['attachments'] === undefined ? sent : '{"ok":false,"error":"msg_blocks_too_long"}',
      );
    const channel = openOne(t, bot(provider.url));
    assert.equal((await channel.deliver(attemptOf())).kind, 'delivered');
    for (const [error, retryable] of [
      ['ratelimited', true],
      ['channel_not_found', false],
      ['invalid_auth', false],
    ] as const) {
      provider.answer = (response) => void response.end(JSON.stringify({ ok: false, error }));
      assert.deepEqual(failureOf(await channel.deliver(attemptOf())), { kind: 'failed', error: `Slack: ${error}`, retryable });
    }
  });

  it('mentions nobody and reads no markup', async (t) => {
    const provider = await startProvider(t);
    provider.answer = (response) => void response.end(sent);
    await openOne(t, bot(provider.url)).deliver(attemptOf([HOSTILE]));
    const [got] = provider.got;
    assert.ok(got !== undefined);
    const { text, attachments } = got.json as { text: string; attachments: { blocks: { text?: { type: string } }[] }[] };
    assert.doesNotMatch(text, /<!channel>|<@U1>/);
    assert.ok(text.length < 12_000);
    for (const { text: said } of attachments.flatMap(({ blocks }) => blocks)) if (said !== undefined) assert.equal(said.type, 'plain_text');
  });

  it('believes a pressed button only when Slack signed it lately', (t) => {
    const channel = openOne(t, bot('http://127.0.0.1:1', { signing_secret: 's3' }));
    const payload = { user: { id: 'U1', username: 'anne' }, actions: [{ action_id: 'acknowledge', value: 'n-1' }] };
    const body = `payload=${encodeURIComponent(JSON.stringify(payload))}`;
    const call = (atS: number, secret = 's3', sentBody = body) => {
      const signature = `v0=${createHmac('sha256', secret).update(`v0:${atS}:${body}`).digest('hex')}`;
      return channel.called?.({ headers: { 'x-slack-request-timestamp': String(atS), 'x-slack-signature': signature }, body: sentBody });
    };
    const nowS = Math.floor(realClock.now() / 1_000);
    const called = call(nowS);
    assert.ok(called?.kind === 'acknowledge');
    assert.deepEqual([called.message, called.by], [{ id: 'n-1' }, 'anne (Slack)']);
    assert.equal(call(nowS, 'other')?.kind, 'refused');
    assert.equal(call(nowS, 's3', `${body}&x=1`)?.kind, 'refused');
    assert.equal(call(nowS - 3_600)?.kind, 'refused');
    assert.equal(channel.called?.({ headers: {}, body })?.kind, 'refused');
  });
});
