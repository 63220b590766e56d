import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { it } from 'node:test';
import { EXTERNAL_URL, HOSTILE, alertOf, attemptOf, openOne, startProvider } from '../testing/provider.ts';
import { fitGsm, gsmLength, roomOf, toGsm } from './gsm.ts';
import { replyCodeOf } from './sms.ts';

const twilio = (url: string, more: object = {}) => ({
  kind: 'sms',
  twilio: { account_sid: 'AC1', auth_token: 'tok', api_url: url },
  from: '+15550001',
  to: ['+4930000001', '+4930000002'],
  replies: true,
  ...more,
});

it('sms: each number once, also when one of them fails at first', async (t) => {
  const provider = await startProvider(t);
  const to = (body: string) => new URLSearchParams(body).get('To');
  let broken = true;
  provider.answer = (response, { body }) =>
    void (broken && to(body) === '+4930000002' ? response.writeHead(500).end() : response.writeHead(201).end('{"sid":"SM1"}'));
  const channel = openOne(t, twilio(provider.url));
  assert.equal((await channel.deliver(attemptOf())).kind, 'failed');
  broken = false;
  assert.deepEqual(await channel.deliver(attemptOf()), { kind: 'delivered', receipt: 'SM1, SM1' });
  assert.deepEqual(
    provider.got.map(({ body }) => to(body)),
    ['+4930000001', '+4930000002', '+4930000002'],
  );
  assert.equal(provider.got[0]?.path, '/2010-04-01/Accounts/AC1/Messages.json');
});

it('sms: keeps to its parts and always carries the code', async (t) => {
  const provider = await startProvider(t);
  const channel = openOne(t, twilio(provider.url, { to: '+4930000001' }));
  const attempt = attemptOf([HOSTILE]);
  await channel.deliver(attempt);
  await channel.deliver(attemptOf([alertOf({ status: 'resolved' })]));
  const [firing = '', resolved = ''] = provider.got.map(({ body }) => new URLSearchParams(body).get('Body') ?? '');
  assert.ok(gsmLength(firing) <= roomOf(2), firing);
  assert.ok(firing.endsWith(`Reply ${replyCodeOf(attempt.idempotencyKey)} to acknowledge`));
  assert.doesNotMatch(resolved, /Reply/);
});

it('sms: the alphabet of every telephone, two places for some', () => {
  assert.equal(toGsm('Größe – naïve “x” 你 🔥 ç'), 'Größe - naive "x" ? ? c');
  assert.equal(gsmLength('a€[b'), 6);
  assert.equal(fitGsm('short', '!', 1), 'short!');
  const cut = fitGsm('€'.repeat(200), '\ntail', 1);
  assert.ok(cut.endsWith('...\ntail') && gsmLength(cut) <= 160 && gsmLength(cut) >= 158, String(gsmLength(cut)));
});

it('sms: believes a reply that Twilio signed, from a number that is told', (t) => {
  const channel = openOne(t, twilio('http://127.0.0.1:1'));
  const call = (fields: Record<string, string>, token = 'tok') => {
    const sorted = Object.entries(fields)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flat()
      .join('');
    const signature = createHmac('sha1', token).update(`${EXTERNAL_URL}/api/channels/ch/callback${sorted}`).digest('base64');
    return channel.called?.({ headers: { 'x-twilio-signature': signature }, body: new URLSearchParams(fields).toString() });
  };
  const called = call({ From: '+4930000001', Body: ' 04821 ok', To: '+15550001' });
  assert.ok(called?.kind === 'acknowledge');
  assert.deepEqual([called.message, called.by], [{ code: '04821' }, '+4930000001 (SMS)']);
  assert.match(called.answer('Done & <b>').body, /<Message>Done {2}b<\/Message>/);
  assert.equal(call({ From: '+4930000001', Body: '04821' }, 'other')?.kind, 'refused');
  assert.equal(called.recipient, undefined);
  const elsewhere = call({ From: '+4999999999', Body: '04821' });
  assert.equal(elsewhere?.kind === 'acknowledge' && elsewhere.recipient, '+4999999999', 'only a message that was sent there counts');
  assert.equal(call({ From: '+4999999999', Body: 'what?' })?.kind, 'ignored');
  assert.equal(call({ From: '+4930000001', Body: 'what?' })?.kind, 'ignored');
});

it('sms: a gateway is answered with its own field names and believed by its token', async (t) => {
  const provider = await startProvider(t);
  const fields = { to: 'recipient', from: 'sender', text: 'message' };
  const channel = openOne(t, {
    kind: 'sms',
    http: { url: provider.url, fields, reply_token: 'rt' },
    from: 'Nines',
    to: '+4930000001',
    replies: true,
  });
  assert.equal((await channel.deliver(attemptOf())).kind, 'delivered');
  const sent = provider.got[0]?.json as unknown as Record<string, string>;
  assert.deepEqual(Object.keys(sent), ['recipient', 'sender', 'message']);
  const body = JSON.stringify({ sender: '+4930000001', message: '12345' });
  assert.equal(channel.called?.({ headers: { authorization: 'Bearer rt' }, body }).kind, 'acknowledge');
  assert.equal(channel.called?.({ headers: { authorization: 'Bearer x' }, body }).kind, 'refused');
});
