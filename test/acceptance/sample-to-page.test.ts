import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNines } from '../harness/nines.ts';
import { startReceiver } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

type AlertItem = {
  id: string;
  fingerprint: string;
  state: string;
  rule: string;
  severity: string;
  value: number;
  starts_at_ms: number;
  ends_at_ms: number | null;
  labels: Record<string, string>;
};
type Alerts = { items: AlertItem[]; next: string | null };

const config = (hook: string): string => `
channels:
  - { id: hook, kind: webhook, url: '${hook}' }
routing: { default: [hook] }
rules:
  files: [queue.yml]
  thresholds:
    - { id: QUEUE_LONG, metric: queue_length, condition: '>', threshold: 100, clear: 50, for: 0s, severity: critical, cooldown: 5m }
`;
const ruleFile = `
groups:
  - name: queue
    interval: 1h
    rules:
      - alert: QueueStuck
        expr: queue_oldest_seconds > 60
        labels: { severity: page, team: shop }
        annotations: { summary: 'oldest entry of {{ $labels.queue }} waits {{ $value }} s' }
`;

test('a sample that breaks a rule becomes a notification, is acknowledged, and resolves', async () => {
  await using receiver = await startReceiver();
  await using nines = await startNines({ config: config(receiver.url), files: { 'queue.yml': ruleFile } });
  const write = async (name: string, value: number): Promise<number> => {
    const atMs = Date.now();
    const answer = await nines.send(
      'POST',
      '/api/v1/write',
      writeBody([{ labels: { __name__: name, queue: 'mail' }, samples: [[atMs, value]] }]),
      WRITE_HEADERS,
    );
    assert.equal(answer.status, 204, answer.text);
    return atMs;
  };
  const ofRule = (alertname: string, status: string) =>
    receiver.received.find(({ payload }) => payload.groupLabels['alertname'] === alertname && payload.status === status);

  const brokenAtMs = await write('queue_length', 250);
  const fired = await poll('the webhook of QUEUE_LONG', () => ofRule('QUEUE_LONG', 'firing'));
  assert.equal(fired.payload.version, '4');
  assert.equal(fired.payload.receiver, 'hook');
  const alert = fired.payload.alerts[0];
  assert.equal(alert?.labels['queue'], 'mail');
  assert.equal(alert?.labels['severity'], 'critical');
  assert.equal(alert?.endsAt, '0001-01-01T00:00:00Z');

  const listed = await nines.get<Alerts>('/api/alerts?severity=critical');
  const item = listed.json.items.find(({ rule }) => rule === 'QUEUE_LONG');
  assert.ok(item, listed.text);
  assert.equal(item.state, 'firing');
  assert.equal(item.value, 250);
  assert.equal(item.fingerprint, alert?.fingerprint);
  assert.equal(new Date(alert?.startsAt ?? 0).getTime(), item.starts_at_ms);
  assert.ok(item.starts_at_ms >= brokenAtMs, 'an alert cannot begin before the sample that caused it');

  const acknowledged = await nines.send('POST', `/api/alerts/${item.id}/acknowledge`, {});
  assert.ok(acknowledged.status < 300, acknowledged.text);
  const after = await nines.get<Alerts>('/api/alerts');
  assert.equal(after.json.items.find(({ id }) => id === item.id)?.state, 'acknowledged');

  await write('queue_length', 70);
  await write('queue_length', 20);
  const resolved = await poll('the resolve of QUEUE_LONG', () => ofRule('QUEUE_LONG', 'resolved'));
  assert.equal(resolved.payload.alerts[0]?.fingerprint, item.fingerprint);
  const gone = await nines.get<Alerts>('/api/alerts');
  assert.equal(
    gone.json.items.some(({ id }) => id === item.id),
    false,
    'a resolved alert is not open',
  );
  const history = await nines.get<Alerts>('/api/alerts?status=resolved');
  assert.equal(history.json.items.find(({ id }) => id === item.id)?.state, 'resolved');
  assert.equal(
    receiver.received.filter(({ payload }) => payload.groupLabels['alertname'] === 'QUEUE_LONG').length,
    2,
    'one page and one resolve, no more',
  );

  await write('queue_oldest_seconds', 90);
  const stuck = await poll('the webhook of QueueStuck, whose group ticks once an hour', () => ofRule('QueueStuck', 'firing'));
  assert.equal(stuck.payload.alerts[0]?.annotations['summary'], 'oldest entry of mail waits 90 s');
  assert.equal(stuck.payload.alerts[0]?.labels['severity'], 'page');
});

test('an alert that fires while its receiver is down is delivered when it is back, and survives a restart as it was', async () => {
  await using receiver = await startReceiver();
  receiver.answerWith(503);
  await using first = await startNines({ config: config(receiver.url), files: { 'queue.yml': ruleFile } });
  await first.send(
    'POST',
    '/api/v1/write',
    writeBody([{ labels: { __name__: 'queue_length', queue: 'mail' }, samples: [[Date.now(), 250]] }]),
    WRITE_HEADERS,
  );
  const before = await poll('the alert', async () =>
    (await first.get<Alerts>('/api/alerts')).json.items.find(({ rule }) => rule === 'QUEUE_LONG'),
  );
  await first.kill();
  receiver.answerWith(200);
  const second = await startNines({ folder: first.folder, port: first.port });
  try {
    const after = (await second.get<Alerts>('/api/alerts')).json.items.find(({ rule }) => rule === 'QUEUE_LONG');
    assert.deepEqual(
      { id: after?.id, starts: after?.starts_at_ms, state: after?.state },
      { id: before.id, starts: before.starts_at_ms, state: 'firing' },
    );
    await poll('the delivery that had failed', () =>
      receiver.received.find(({ payload }) => payload.alerts[0]?.fingerprint === before.fingerprint),
    );
  } finally {
    await second.kill();
  }
});
