import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { expired, isDue, standingOf } from './evaluate.ts';

const at = (name: string, completeUntilMs: number) => ({ name, completeUntilMs });

it('is due when the newest one is as old as the interval, and at once when there is none', () => {
  const due = (stored: readonly ReturnType<typeof at>[], nowMs: number, lastFailureAtMs?: number) =>
    isDue({ stored, lastFailureAtMs, everyMs: DAY_MS }, nowMs);
  assert.equal(due([], 0), true);
  assert.equal(due([at('a', 0), at('b', HOUR_MS)], DAY_MS), false);
  assert.equal(due([at('a', 0), at('b', HOUR_MS)], DAY_MS + HOUR_MS), true);
  assert.equal(due([], 30 * MINUTE_MS, 0), false, 'a failure is not tried again at once');
  assert.equal(due([], HOUR_MS, 0), true);
});

it('keeps the newest, however old it is', () => {
  const stored = [at('a', 0), at('b', DAY_MS), at('c', 2 * DAY_MS)];
  assert.deepEqual(expired(stored, { keepMs: DAY_MS, nowMs: 2 * DAY_MS }), ['a']);
  assert.deepEqual(expired(stored, { keepMs: DAY_MS, nowMs: 400 * DAY_MS }), ['a', 'b']);
  assert.deepEqual(expired([at('a', 0)], { keepMs: DAY_MS, nowMs: 400 * DAY_MS }), []);
});

it('says that it is stale, failed or not to be relied on', () => {
  const base = { everyMs: DAY_MS, startedAtMs: 0, stored: [at('a', 0)], lastError: undefined, damaged: undefined };
  assert.deepEqual(standingOf(base, DAY_MS), { status: 'ok', detail: 'the newest backup is 1 d old' });
  assert.deepEqual(standingOf(base, 2 * DAY_MS + 1_000), {
    status: 'degraded',
    detail: 'the newest backup is 2 d 1 s old; one is due every 1 d',
  });
  assert.equal(standingOf({ ...base, stored: [], startedAtMs: DAY_MS }, 2 * DAY_MS).detail, 'there is no backup yet');
  assert.equal(standingOf({ ...base, stored: [] }, 3 * DAY_MS).status, 'degraded');
  assert.equal(standingOf({ ...base, lastError: 'no space' }, 1).status, 'degraded');
  assert.equal(standingOf({ ...base, lastError: 'x', damaged: 'pages.db' }, 1).status, 'failing');
  assert.deepEqual(standingOf({ ...base, everyMs: undefined, stored: [] }, 9 * DAY_MS), { status: 'ok', detail: 'no scheduled backups' });
});
