import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOSTILE, alertOf, attemptOf, failureOf, openOne, startProvider } from '../testing/provider.ts';

type Event = {
  event_action: string;
  dedup_key: string;
  payload: { summary: string; severity: string; source: string; custom_details: unknown };
};

describe('pagerduty', () => {
  it('triggers, acknowledges and resolves one incident per group', async (t) => {
    const provider = await startProvider(t);
    provider.answer = (response, { json }) =>
      void response.writeHead(202).end(JSON.stringify({ status: 'success', dedup_key: (json as Event).dedup_key }));
    const channel = openOne(t, { kind: 'pagerduty', routing_key: 'k', url: provider.url });
    const first = await channel.deliver(attemptOf());
    await channel.deliver(attemptOf(undefined, { reason: 'acknowledged', cause: 'acknowledged by anne' }));
    await channel.deliver(attemptOf([alertOf({ status: 'resolved' })]));
    const events = provider.got.map(({ json }) => json as Event);
    assert.deepEqual(
      events.map(({ event_action: action }) => action),
      ['trigger', 'acknowledge', 'resolve'],
    );
    assert.equal(new Set(events.map(({ dedup_key: key }) => key)).size, 1);
    assert.deepEqual(first, { kind: 'delivered', receipt: events[0]?.dedup_key ?? '', thread: events[0]?.dedup_key ?? '' });
    const { severity, source, summary } = events[0]?.payload ?? { severity: '', source: '', summary: '' };
    assert.deepEqual([severity, source], ['critical', 'web-1']);
    assert.match(summary, /^\[FIRING:1\] HighCpu/);
  });

  it('keeps within the sizes, and tells the errors that PagerDuty lists', async (t) => {
    const provider = await startProvider(t);
    const channel = openOne(t, { kind: 'pagerduty', routing_key: 'k', url: provider.url });
    provider.answer = (response) =>
      void response
        .writeHead(400)
        .end('{"status":"invalid event","message":"Event object is invalid","errors":["\'routing_key\' is wrong"]}');
    const failure = failureOf(await channel.deliver(attemptOf(Array.from({ length: 500 }, () => HOSTILE))));
    assert.equal(failure.error, "HTTP 400: Event object is invalid: 'routing_key' is wrong");
    const [got] = provider.got;
    assert.ok(got !== undefined && Buffer.byteLength(got.body) <= 512_000);
    assert.ok((got.json as Event).payload.summary.length <= 1_024);
  });
});
