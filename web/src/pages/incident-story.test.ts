import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storyOf } from './incident-story.ts';

const AT_MS = 1_760_000_000_000;

test('notes, alerts, deployments and messages stand in one line of time, each message once', () => {
  const entry = { data: {}, actor: 'anne' };
  const alert = { alert: 'a/1', alertname: 'Down', severity: 'critical', service: 'shop', because: 'same service' };
  const message = { id: 'm', channel: 'hook', reason: 'firing', status: 'delivered', created_at_ms: AT_MS + 5 };
  const deployment = { id: 'd', at_ms: AT_MS - 10, service: 'shop', version: 'v2', environment: 'production', status: 'succeeded' };
  const story = storyOf(
    {
      timeline: [
        { ...entry, id: '1', at_ms: AT_MS + 1, kind: 'opened', text: 'opened' },
        { ...entry, id: '2', at_ms: AT_MS + 9, kind: 'comment', text: 'the pool was empty' },
      ],
      alerts: [{ ...alert, joined_at_ms: AT_MS, ended_at_ms: AT_MS + 20 }],
    },
    {
      deployments: [{ ...deployment, note: '', url: 'https://ci.example/7', by: 'ci' } as never],
      messages: [message, message] as never,
    },
  );
  assert.deepEqual(
    story.map(({ atMs, kind, text }) => [atMs - AT_MS, kind, text]),
    [
      [-10, 'deployment', 'shop v2'],
      [0, 'alert', 'Down on shop belongs to it: same service'],
      [1, 'change', 'opened'],
      [5, 'message', 'Firing through hook: Delivered'],
      [9, 'note', 'the pool was empty'],
      [20, 'alert', 'Down on shop fires no more'],
    ],
  );
  assert.equal(story[1]?.href, '/alerts-dashboard?alert=a%2F1&status=all');
});
