import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HOSTILE, alertOf, attemptOf, failureOf, openOne, startProvider } from '../testing/provider.ts';

type Sent = {
  text: string;
  parse_mode?: string;
  reply_parameters?: { message_id: number };
  reply_markup?: { inline_keyboard: { callback_data: string }[][] };
};

it('telegram: plain text with a button, answers in the thread, waits as told', async (t) => {
  const provider = await startProvider(t);
  provider.answer = (response) => void response.end('{"ok":true,"result":{"message_id":42}}');
  const channel = openOne(t, { kind: 'telegram', bot_token: '1:x', chat_id: -100, secret_token: 's', api_url: provider.url });
  assert.deepEqual(await channel.deliver(attemptOf([HOSTILE])), { kind: 'delivered', receipt: 'message 42', thread: '42' });
  await channel.deliver(attemptOf([alertOf({ status: 'resolved' })], { thread: '42' }));
  const [first, second] = provider.got.map(({ json }) => json as unknown as Sent);
  assert.equal(first?.parse_mode, undefined);
  assert.ok((first?.text.length ?? 9_999) <= 4_096);
  const data = first?.reply_markup?.inline_keyboard[0]?.[0]?.callback_data ?? '';
  assert.ok(data.startsWith('ack:') && Buffer.byteLength(data) <= 64);
  assert.deepEqual([second?.reply_parameters?.message_id, second?.reply_markup], [42, undefined]);
  provider.answer = (response) =>
    void response.writeHead(429).end('{"ok":false,"description":"Too Many Requests","parameters":{"retry_after":9}}');
  assert.equal(failureOf(await channel.deliver(attemptOf())).retryAfterMs, 9_000);
});

it('telegram: believes a pressed button and a reply of its own chat, with its secret', (t) => {
  const channel = openOne(t, { kind: 'telegram', bot_token: '1:x', chat_id: -100, secret_token: 's' });
  const call = (update: unknown, token = 's') =>
    channel.called?.({ headers: { 'x-telegram-bot-api-secret-token': token }, body: JSON.stringify(update) });
  const button = (chat: number) => ({
    callback_query: { id: 'q', from: { id: 1, username: 'anne' }, data: 'ack:n-1', message: { chat: { id: chat } } },
  });
  const pressed = call(button(-100));
  assert.ok(pressed?.kind === 'acknowledge');
  assert.deepEqual([pressed.message, pressed.by], [{ id: 'n-1' }, 'anne (Telegram)']);
  assert.match(pressed.answer('done').body, /answerCallbackQuery/);
  assert.equal(call(button(-100), 'wrong')?.kind, 'refused');
  const elsewhere = call(button(5));
  assert.equal(elsewhere?.kind === 'acknowledge' && elsewhere.recipient, '5', 'only a message that was sent there counts');
  const reply = (text: string) => ({ message: { chat: { id: -100 }, from: { id: 1 }, text, reply_to_message: { message_id: 42 } } });
  const said = call(reply('ack please'));
  assert.deepEqual(said?.kind === 'acknowledge' ? said.message : said, { receipt: 'message 42' });
  for (const other of [reply('what is it?'), 'nonsense', { message: {} }]) assert.equal(call(other)?.kind, 'ignored');
});
