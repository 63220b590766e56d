import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntryView } from '../api/audit.ts';
import { differencesOf, joined, outcomeOf } from './audit-rows.ts';

const entry = (more: Partial<AuditEntryView>): AuditEntryView => ({
  seq: 1,
  at_ms: 0,
  actor: { kind: 'user', id: 'u1', name: 'Ann', role: 'operator' },
  action: 'PUT /api/things/:id',
  object: { kind: 'things', id: '7' },
  phase: 'asked',
  about_seq: null,
  status: null,
  request_id: null,
  address: null,
  needs: null,
  asked: null,
  before: null,
  after: null,
  erased: false,
  digest: '',
  ...more,
});

test('a request and its outcome are one line, newest first; what was cut short says so', () => {
  const rows = joined([
    entry({ seq: 9, phase: 'answered', about_seq: 1, status: 204 }),
    entry({ seq: 6, phase: 'read' }),
    entry({ seq: 5, phase: 'asked' }),
    entry({ seq: 4, phase: 'answered', about_seq: 3, status: 404 }),
    entry({ seq: 3 }),
    entry({ seq: 2, phase: 'done' }),
  ]);
  assert.deepEqual(
    rows.map((row) => [row.entry.seq, outcomeOf(row)]),
    [
      [9, 'Done'],
      [6, 'Read'],
      [5, 'Outcome unknown'],
      [3, 'Refused (404)'],
      [2, 'Done'],
    ],
  );
});

test('before and after are told by what differs', () => {
  assert.deepEqual(differencesOf({ a: 1, b: { c: 'x', d: [1] }, e: 'gone' }, { a: 1, b: { c: 'y', d: [1, 2] }, f: true }), [
    { path: 'b.c', before: 'x', after: 'y' },
    { path: 'b.d', before: '[1]', after: '[1,2]' },
    { path: 'e', before: 'gone', after: '' },
    { path: 'f', before: '', after: 'true' },
  ]);
});
