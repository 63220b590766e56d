import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { auditConfig } from './config.ts';
import { type AuditEntryView, type AuditEntry, REFUSED, SIGN_IN_REFUSED } from './contract.ts';
import { decide, eventOf } from './findings.ts';
import { Refusals } from './refusals.ts';

/** A Wednesday, 12:00 UTC. */
const NOON = Date.parse('2026-01-07T12:00:00Z');

function entry(more: Partial<AuditEntryView>): AuditEntryView {
  return {
    seq: 1,
    at_ms: NOON,
    actor: { kind: 'user', id: 'u1', name: 'Ann', role: 'administrator' },
    action: 'PUT /api/things/:id',
    object: { kind: 'things', id: '7' },
    phase: 'asked',
    about_seq: null,
    status: null,
    request_id: null,
    address: '192.0.2.7',
    needs: null,
    asked: null,
    before: null,
    after: null,
    erased: false,
    digest: '',
    ...more,
  };
}

const failed = (account: string, address: string, atMs: number, repeated = 0): Partial<AuditEntryView> => ({
  action: SIGN_IN_REFUSED,
  phase: 'done',
  object: { kind: 'sign-ins', id: account },
  address,
  at_ms: atMs,
  asked: { repeated },
});
const made = (kind: string, before: unknown, after: unknown, by = 'u1'): Partial<AuditEntryView> => ({
  action: 'changed',
  phase: 'done',
  object: { kind, id: 'x' },
  actor: { kind: 'user', id: by, name: 'Ann', role: 'administrator' },
  before,
  after,
});
const took = (bytes: number, atMs = NOON): Partial<AuditEntryView> => ({
  action: 'GET /api/exports/intervals',
  object: { kind: 'exports/intervals', id: null },
  phase: 'answered',
  status: 200,
  at_ms: atMs,
  after: { bytes },
});
const administered = (at: string): Partial<AuditEntryView> => ({ needs: 'administer', at_ms: Date.parse(at) });

const administers = (role: string): boolean => ['administrator', 'sla-admin'].includes(role);

type Case = readonly [what: string, entries: readonly Partial<AuditEntryView>[], found: readonly string[], atMs?: number];
const NIGHT = Date.parse('2026-01-07T22:30:00Z');

const CASES: readonly Case[] = [
  ['nothing', [], []],
  ['nine failures of one account', [failed('a', '192.0.2.1', NOON, 8)], []],
  [
    'ten failures of one account, from several addresses',
    [failed('a', '192.0.2.1', NOON, 4), failed('a', '192.0.2.2', NOON, 4)],
    ['AuditSignInFailures account=a (10)'],
  ],
  ['the same in more than five minutes', [failed('a', '192.0.2.1', NOON - 5 * MINUTE_MS, 4), failed('a', '192.0.2.2', NOON, 4)], []],
  [
    'fifty names from one address',
    Array.from({ length: 50 }, (_, i) => failed(`a${i}`, '192.0.2.1', NOON)),
    ['AuditSignInFailures address=192.0.2.1 (50)'],
  ],
  [
    'a name that nobody typed is no account',
    Array.from({ length: 12 }, (_, i) => ({ ...failed('', `192.0.2.${i}`, NOON), object: { kind: 'sign-ins', id: null } })),
    [],
  ],
  [
    'a token that tries what it may not',
    [{ action: REFUSED, phase: 'done', asked: { repeated: 19 }, actor: { kind: 'token', id: 't1', name: 'ci', role: 'ingest' } }],
    ['AuditPermissionDenials actor=token t1 (20)'],
  ],
  [
    'a user raised to administrator',
    [made('users', { role: 'operator' }, { role: 'administrator' })],
    ['AuditAdministratorMade object=users/x (1)'],
  ],
  ['a token made as one', [made('tokens', null, { role: 'administrator' })], ['AuditAdministratorMade object=tokens/x (1)']],
  ['one that was one', [made('users', { role: 'administrator' }, { role: 'administrator' })], []],
  ['one that became less', [made('users', { role: 'administrator' }, { role: 'operator' })], []],
  [
    'attack: a role of our own that administers, given',
    [made('users', { role: 'operator' }, { role: 'sla-admin' })],
    ['AuditAdministratorMade object=users/x (1)'],
  ],
  ['from one role that administers to another', [made('users', { role: 'administrator' }, { role: 'sla-admin' })], []],
  [
    'attack: a role that people hold is given something to administer',
    [{ ...made('roles', { permits: { slas: 'operate' } }, { permits: { slas: ['read', 'administer'] } }), action: 'role.changed' }],
    ['AuditAdministratorMade object=roles/x (1)'],
  ],
  [
    'attack: one that administered something administers more',
    [
      {
        ...made('roles', { permits: { slas: 'administer' } }, { permits: { slas: 'administer', audit: 'administer' } }),
        action: 'role.changed',
      },
    ],
    ['AuditAdministratorMade object=roles/x (1)'],
  ],
  [
    'a role that administers is changed in something else',
    [
      {
        ...made('roles', { permits: { slas: 'administer' } }, { permits: { slas: 'administer', alerts: 'read' } }),
        action: 'role.changed',
      },
    ],
    [],
  ],
  ['the first administrator', [made('users', null, { role: 'administrator' }, 'x')], []],
  ['an hour later it is over', [made('users', null, { role: 'administrator' })], [], NOON + HOUR_MS],
  [
    'half a gigabyte in an hour',
    [took(300 * 1024 ** 2, NOON - 30 * MINUTE_MS), took(200 * 1024 ** 2)],
    ['AuditBulkExport actor=user u1 (524288000)'],
  ],
  ['half a gigabyte in two hours', [took(300 * 1024 ** 2, NOON - 61 * MINUTE_MS), took(200 * 1024 ** 2)], []],
  ['administration at noon', [administered('2026-01-07T12:00:00Z')], []],
  ['administration at night', [administered('2026-01-07T22:00:00Z')], ['AuditOffHoursAdministration actor=user u1 (1)'], NIGHT],
  ['operating at night', [{ needs: 'operate', at_ms: NIGHT }], [], NIGHT],
];

test('what entries amount to', async (t) => {
  const settings = auditConfig.parse({ administration_hours: { zone: 'Europe/Berlin', weekly: { wed: ['07:00-20:00'] } } });
  for (const [what, entries, expected, atMs = NOON] of CASES) {
    await t.test(what, () => {
      const events = entries.flatMap((one, i) => eventOf(entry({ seq: i + 1, ...one }), administers) ?? []);
      const found = decide(events, settings, atMs);
      assert.deepEqual(
        found.map(
          ({ alert, labels, value }) =>
            `${alert} ${Object.entries(labels)
              .filter(([name]) => name !== 'by')
              .map(([name, is]) => `${name}=${is}`)
              .join(' ')} (${value})`,
        ),
        expected,
      );
      for (const { seq, summary } of found) assert.ok(seq === entries.length && summary !== '', 'it names the last entry that it rests on');
    });
  }
  await t.test('by default the time of day does not matter', () => {
    const events = [eventOf(entry(administered('2026-01-07T22:00:00Z')), administers)].filter((event) => event !== undefined);
    assert.deepEqual(decide(events, auditConfig.parse({}), NIGHT), []);
  });
});

test('attack: a flood of failed sign-ins makes one entry of each kind and a count a minute', async () => {
  const clock = manualClock();
  const written: AuditEntry[] = [];
  const append = async (one: AuditEntry): Promise<number> => written.push(one);
  const refusals = new Refusals({ append, clock, logger: silentLogger });
  const actor = { kind: 'anonymous', id: '', name: '', role: '' } as const;
  const attempt = (id: string) =>
    refusals.note({ actor, action: SIGN_IN_REFUSED, object: { kind: 'sign-ins', id }, phase: 'done', address: '192.0.2.1' });
  for (let i = 0; i < 500; i++) await attempt('ann');
  assert.equal(written.length, 1);
  await refusals.step(clock.now());
  assert.equal(written.length, 1, 'the minute is not over');
  await clock.advance(MINUTE_MS);
  await refusals.step(clock.now());
  assert.deepEqual(
    written.map(({ asked }) => asked ?? null),
    [null, { repeated: 498 }],
  );
  assert.equal(1 + written.length - 1 + 498, 500, 'each entry stands for itself and what it repeats');
  for (let i = 0; i < 5_000; i++) await attempt(`name ${i}`);
  assert.equal(written.length, 2 + 1_001, 'names without end are counted as others');
});
