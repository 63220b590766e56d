import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Fact } from '../../platform/bus.ts';
import { HOSTILE, attemptOf, openOne } from '../testing/provider.ts';

it('dashboard: open pages get a notice of a length that fits them', async (t) => {
  const facts: Fact[] = [];
  const channel = openOne(t, { kind: 'dashboard' }, { bus: { publish: (fact) => void facts.push(fact) } });
  const attempt = attemptOf(Array.from({ length: 9 }, () => HOSTILE));
  assert.equal((await channel.deliver(attempt)).kind, 'delivered');
  const [fact] = facts;
  const data = fact?.data as { severity: string; lines: { sentence: string }[]; more: string };
  assert.deepEqual(
    [fact?.topic, fact?.type, data.severity, data.lines.length, data.more],
    ['notifications', 'notification.shown', 'critical', 5, 'and 4 more alerts'],
  );
  assert.equal(data.lines[0]?.sentence, 'line one Bcc: evil@example.org');
});
