import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import type { Channel, Delivery } from './contract.ts';
import { HOSTILE, alertOf, attemptOf, failureOf, openOne, startProvider } from './testing/provider.ts';

/** Each kind that speaks HTTP, pointed at a provider on this host. */
const KINDS: Readonly<Record<string, (url: string) => Record<string, unknown>>> = {
  webhook: (url) => ({ url }),
  slack: (url) => ({ token: 'xoxb-1', channel: '#ops', api_url: url }),
  'slack by webhook': (url) => ({ kind: 'slack', webhook_url: `${url}/services/T/B/secret-path` }),
  pagerduty: (url) => ({ routing_key: 'R'.repeat(32), url: `${url}/v2/enqueue` }),
  opsgenie: (url) => ({ api_key: 'secret-key', api_url: url }),
  sms: (url) => ({ twilio: { account_sid: 'AC1', auth_token: 'secret-token', api_url: url }, from: '+15550001', to: '+4930123456' }),
  'sms by http': (url) => ({ kind: 'sms', http: { url, headers: { Authorization: 'Key secret' } }, from: 'Nines', to: ['+4930123456'] }),
  teams: (url) => ({ webhook_url: `${url}/workflows/secret-path` }),
  discord: (url) => ({ webhook_url: `${url}/api/webhooks/1/secret-path` }),
  telegram: (url) => ({ bot_token: '1:secret-token', chat_id: -100, api_url: url }),
};

const open = (t: TestContext, name: string, url: string, more: Record<string, unknown> = {}): Channel =>
  openOne(t, { kind: name, timeout: '20s', ...KINDS[name]?.(url), ...more });

describe('every channel over HTTP', () => {
  for (const name of Object.keys(KINDS)) {
    it(`${name}: tries again after 429, 500, a cut, silence or nobody; gives up on a refusal; shows no secret`, async (t) => {
      const provider = await startProvider(t);
      const channel = open(t, name, provider.url);
      const failures: Delivery[] = [];
      const attempt = async (opened = channel) => {
        const failure = failureOf(await opened.deliver(attemptOf()));
        failures.push(failure);
        return failure;
      };
      provider.answer = (response) => void response.writeHead(429, { 'retry-after': '7' }).end();
      assert.deepEqual(await attempt(), { kind: 'failed', error: (await attempt()).error, retryable: true, retryAfterMs: 7_000 });
      provider.answer = (response) => void response.writeHead(500).end('broken');
      assert.equal((await attempt()).retryable, true);
      provider.answer = (response) => void response.socket?.destroy();
      assert.equal((await attempt()).retryable, true);
      provider.answer = () => undefined;
      assert.match((await attempt(open(t, name, provider.url, { timeout: '300ms' }))).error, /no answer within 300 ms/);
      provider.answer = (response) => void response.writeHead(403).end('not yours');
      assert.deepEqual(await attempt().then(({ retryable }) => retryable), false);
      const gone = await attempt(open(t, name, 'http://127.0.0.1:1'));
      assert.ok(gone.retryable && /ECONNREFUSED/.test(gone.error), gone.error);
      assert.doesNotMatch(JSON.stringify(failures), /secret/);
    });
  }

  for (const name of Object.keys(KINDS)) {
    it(`${name}: hostile text stays text within the provider's limits`, async (t) => {
      const provider = await startProvider(t);
      provider.answer = (response) => void response.end('{"ok":true,"channel":"C1","ts":"1.2","id":"9","result":{"message_id":9}}');
      const many = Array.from({ length: 200 }, (_, i) =>
        alertOf({ labels: { ...HOSTILE.labels, i: String(i) }, annotations: HOSTILE.annotations }),
      );
      const delivery = await open(t, name, provider.url).deliver(attemptOf(name === 'webhook' ? [HOSTILE] : [HOSTILE, ...many]));
      assert.equal(delivery.kind, 'delivered');
      const [got] = provider.got;
      assert.ok(got !== undefined);
      if (name === 'webhook') return;
      assert.ok(got.body.length < 60_000, `${got.body.length} characters`);
      assert.doesNotMatch(got.body, /\\u0007|\\u0000|\\u001b|[\u202e\0]/);
      if (!name.startsWith('sms')) assert.match(got.body, /cut\)|more alerts/);
    });
  }
});
