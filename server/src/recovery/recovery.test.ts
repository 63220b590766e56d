import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ids } from '@nines/base/ids.ts';
import { epochMs, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { State } from '@nines/maths/slo/types.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import { manualClock, settle } from '../../../test/harness/manual-clock.ts';
import { poll } from '../../../test/harness/poll.ts';
import type { ActiveElement, Evaluation } from '../alerting/contract.ts';
import { createBus } from '../platform/bus.ts';
import { migrate } from '../platform/db/migrate.ts';
import { type Db, openDb } from '../platform/db/open.ts';
import { recoveryConfig, type RecoveryRun } from './contract.ts';
import type { Performed } from './perform.ts';
import { Recovery } from './service.ts';

const DONE: Performed = { ok: true, did: 'it was restarted', output: 'said something', outputCut: false };

/** One check of one service, whose state the test says, on a real database. */
async function world(actions: readonly object[], before?: { readonly db: Db; readonly ids: Ids }) {
  const clock = manualClock();
  const { db, ids } = before ?? { db: await openDb({ kind: 'sqlite', path: ':memory:' }), ids: countingIds() };
  await migrate(db, clock.now());
  const now = {
    state: 'up' as State,
    sinceMs: clock.now(),
    isFlapping: false,
    maintenance: false,
    /** What the next run does. */
    perform: async (): Promise<Performed> => DONE,
  };
  const told: Evaluation[] = [];
  const performed: { readonly id: string; readonly dryRun: boolean }[] = [];
  const recovery = new Recovery({
    db: db.kysely,
    clock,
    ids,
    logger: recordingLogger(),
    bus: createBus((thrown) => assert.fail(String(thrown))),
    ledger: {
      currentOfCheck: () => ({ state: now.state, sinceMs: now.sinceMs, evidence: [] }),
      flapping: () => (now.isFlapping ? { sinceMs: now.sinceMs, changePercent: 40, leavePercent: 25 } : null),
    },
    maintenance: {
      occurrences: ({ fromMs, toMs }) =>
        now.maintenance
          ? [
              {
                window: 'move',
                name: 'Move',
                services: ['shop'],
                suppressAlerts: true,
                fromMs,
                toMs,
                plannedFromMs: fromMs,
                plannedToMs: toMs,
                announcedAtMs: fromMs,
              },
            ]
          : [],
    },
    services: { list: () => [SHOP] },
    alert: async (evaluation) => void told.push(evaluation),
    perform: async (action, { dryRun }) => {
      performed.push({ id: action.id, dryRun });
      return now.perform();
    },
    unmet: async () => undefined,
    askCheck: async () => {},
  });
  await recovery.load();
  recovery.configure(recoveryConfig.parse({ commands: ['/bin/true'], actions }));
  const go = (state: State): void => {
    now.state = state;
    now.sinceMs = clock.now();
  };
  /** Time passes, with a step each second, until what runs has ended. */
  const pass = async (lengthMs: number): Promise<void> => {
    for (let at = 0; at < lengthMs; at += SECOND_MS) {
      await clock.advance(SECOND_MS);
      await recovery.step(clock.now());
      await settle();
    }
  };
  const runs = (): Promise<readonly RecoveryRun[]> => recovery.runs({ limit: 100 });
  const statuses = async (): Promise<readonly string[]> => (await runs()).map((run) => run.status).toReversed();
  const firing = (): readonly ActiveElement[] => {
    const found = told.at(-1)?.found;
    return found?.kind === 'complete' ? found.active : [];
  };
  const reason = async (): Promise<string> => (await recovery.actions())[0]?.decision.reason ?? '';
  return { clock, db, ids, now, recovery, told, performed, go, pass, runs, statuses, firing, reason };
}

const SHOP = {
  entityId: 'e',
  id: 'shop',
  name: 'Web shop',
  owner: 'platform',
  teamId: 'default',
  labels: {},
  tier: '',
  description: '',
  runbook: '',
  tags: [],
  dependsOn: [],
  suppressWhenParentDown: false,
  checks: ['shop-http'],
  origin: { kind: 'file', place: 'nines.yml:3' },
} as const;

const RESTART = { id: 'restart', check: 'shop-http', kind: 'command', command: ['/bin/true'], after: '10s', cooldown: '1m', within: '5s' };

test('an outage that lasts is acted on, and when the check comes up the next outage begins anew', async () => {
  const w = await world([RESTART]);
  await w.pass(5_000);
  assert.equal(await w.reason(), 'not_down');
  w.go('down');
  await w.pass(9_000);
  assert.equal(await w.reason(), 'not_yet');
  w.now.perform = async () => {
    w.go('up');
    return DONE;
  };
  await w.pass(2_000);
  const [run] = await w.runs();
  assert.deepEqual([run?.status, run?.tryNumber, run?.by, run?.output], ['helped', 1, '', 'said something']);
  assert.match(run?.why ?? '', /^down since .*, try 1 of 2$/);
  assert.deepEqual(w.firing(), []);
  w.go('down');
  await w.pass(20_000);
  assert.equal(await w.reason(), 'cooling_down', 'the cooldown goes on over the end of an outage');
  await w.pass(MINUTE_MS);
  assert.deepEqual(
    (await w.runs()).map((one) => one.tryNumber),
    [1, 1],
  );
});

test('what does not help is tried as often as is said, then people are told what was tried, until the check is up', async () => {
  const w = await world([{ ...RESTART, severity: 'emergency' }]);
  w.go('down');
  await w.pass(30_000);
  assert.deepEqual(await w.statuses(), ['not_helped']);
  assert.deepEqual(w.firing(), [], 'there is another try');
  await w.pass(2 * MINUTE_MS);
  assert.deepEqual(await w.statuses(), ['not_helped', 'not_helped']);
  assert.equal(await w.reason(), 'tries_used_up');
  const [alert] = w.firing();
  assert.equal(alert?.severity, 'emergency');
  assert.match(
    alert?.annotations['description'] ?? '',
    /restart at .* \(try 2\): it was restarted; the check shop-http is still down, it said: said something/,
  );
  await w.pass(5 * MINUTE_MS);
  assert.equal((await w.runs()).length, 2);
  w.go('unknown');
  await w.pass(3_000);
  assert.equal(w.firing().length, 1, 'what is unknown is no recovery');
  w.go('up');
  await w.pass(2_000);
  assert.deepEqual(w.firing(), []);
});

test('nothing is done while the check is unknown or flaps, during maintenance, or in earnest when it is said to be a dry run', async () => {
  const w = await world([{ ...RESTART, after: '0s' }]);
  for (const [hold, set, unset] of [
    ['unknown', () => w.go('unknown'), () => undefined],
    ['flapping', () => void (w.now.isFlapping = true), () => void (w.now.isFlapping = false)],
    ['maintenance', () => void (w.now.maintenance = true), () => void (w.now.maintenance = false)],
  ] as const) {
    w.go('down');
    set();
    await w.pass(3_000);
    assert.equal(await w.reason(), hold);
    await assert.rejects(w.recovery.run('restart', { by: 'ann', reason: '', dryRun: false }), { code: 'recovery_held' });
    unset();
  }
  assert.equal(w.performed.length, 0);
  const dry = await world([{ ...RESTART, after: '0s', dry_run: true }]);
  dry.go('down');
  await dry.pass(5 * MINUTE_MS);
  assert.deepEqual(await dry.statuses(), ['dry_run', 'dry_run'], 'once for each try');
  assert.ok(dry.performed.every(({ dryRun }) => dryRun));
  assert.deepEqual(dry.firing(), [], 'nothing was tried');
});

test('a person may run an action at any time but not twice at once, and is written down', async () => {
  const w = await world([{ ...RESTART, automatic: false }]);
  await assert.rejects(w.recovery.run('other', { by: 'ann', reason: '', dryRun: false }), { code: 'recovery_action_not_found' });
  const ending = Promise.withResolvers<Performed>();
  w.now.perform = () => ending.promise;
  await w.recovery.run('restart', { by: 'ann', reason: 'it is slow', dryRun: false });
  await assert.rejects(w.recovery.run('restart', { by: 'bob', reason: '', dryRun: false }), { code: 'recovery_held' });
  ending.resolve(DONE);
  const run = await poll('the run to end', async () => (await w.runs()).find(({ endedAtMs }) => endedAtMs !== null));
  assert.deepEqual([run.status, run.by, run.why, run.outage], ['helped', 'ann', 'it is slow', null]);
  await assert.rejects(w.recovery.run('restart', { by: 'ann', reason: '', dryRun: false }), /it waits until/);
  w.go('down');
  await w.pass(5 * MINUTE_MS);
  assert.equal(await w.reason(), 'manual_only');
  assert.equal(w.performed.length, 1);
  const audit = await w.db.kysely
    .selectFrom('events')
    .select(['kind', 'retention_class'])
    .where('kind', 'like', 'recovery.%')
    .orderBy('id')
    .execute();
  assert.deepEqual(
    audit.map(({ kind }) => kind),
    ['recovery.began', 'recovery.ended'],
  );
  assert.ok(audit.every((event) => event.retention_class === 'audit'));
});

test('a run that a crash cut short is said to be interrupted and counts as a try; the next start goes on from there', async () => {
  const before = await world([RESTART]);
  before.go('down');
  before.now.perform = () => new Promise(() => {});
  await before.pass(12_000);
  assert.deepEqual(await before.statuses(), ['running']);
  // The process dies here; another one starts on the same database.
  const after = await world([RESTART], before);
  assert.deepEqual(await after.statuses(), ['interrupted']);
  after.now.state = 'down';
  after.now.sinceMs = epochMs(after.clock.now() - MINUTE_MS);
  await after.pass(5_000);
  assert.equal(await after.reason(), 'cooling_down', 'never at once');
  await after.pass(2 * MINUTE_MS);
  assert.deepEqual(
    (await after.runs()).map(({ tryNumber }) => tryNumber),
    [2, 1],
  );
  await after.pass(2 * MINUTE_MS);
  assert.equal((await after.runs()).length, 2, 'the interrupted one was one of the two tries');
  assert.equal(after.firing().length, 1);
});
