import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScheduleSpec, WindowView } from '../api/maintenance.ts';
import { draftOf, emptyDraft, scheduleText, windowOf } from './maintenance-draft.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 34);
const window = (schedule: ScheduleSpec): WindowView => ({
  id: 'move',
  name: 'Move',
  services: ['shop'],
  suppress_alerts: false,
  schedule,
  announced_at_ms: NOW,
  next: null,
  active: false,
  origin: 'ui',
});

test('a new window is for later, and is said in instants whatever the zone of the reader', () => {
  const draft = { ...emptyDraft(NOW, ['shop']), name: 'Move to the new racks' };
  const written = windowOf(draft);
  assert.equal(written.id, 'move-to-the-new-racks');
  assert.deepEqual([written.from, written.to], ['2026-11-21T14:00:00.000Z', '2026-11-21T15:00:00.000Z']);
});

test('what is announced can be changed: it is read back as it was written', () => {
  const f = (schedule: ScheduleSpec, want: object): void => {
    const { id, name, services, suppress_alerts: suppress, ...rest } = windowOf(draftOf(window(schedule), NOW), 'move');
    assert.deepEqual([id, name, services, suppress], ['move', 'Move', ['shop'], false]);
    assert.deepEqual(rest, want);
  };
  f({ kind: 'once', from_at_ms: NOW, to_at_ms: NOW + 60_000 }, { from: '2026-11-21T12:34:00.000Z', to: '2026-11-21T12:35:00.000Z' });
  f(
    { kind: 'cron', expression: '30 2 * * sun', zone: 'Europe/Berlin', duration_ms: 5_400_000 },
    { cron: '30 2 * * sun', zone: 'Europe/Berlin', duration: '1h30m' },
  );
  f(
    { kind: 'rrule', rule: 'FREQ=DAILY', start_wall_ms: Date.UTC(2026, 0, 4, 2, 30), zone: 'UTC', duration_ms: 86_400_000 },
    { rrule: 'FREQ=DAILY', start: '2026-01-04T02:30', zone: 'UTC', duration: '1d' },
  );
});

test('a schedule is told in one line', () => {
  assert.equal(scheduleText({ kind: 'once', from_at_ms: 0, to_at_ms: 1 }), 'once');
  assert.match(scheduleText({ kind: 'cron', expression: '0 3 * * *', zone: 'UTC', duration_ms: 3_600_000 }), /^0 3 \* \* \*, 1.h, UTC$/);
});
