import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { DAY_MS } from '@nines/base/units.ts';
import { forEachDatabase, freshSource, type OpenDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { migrate } from '../platform/db/migrate.ts';
import { openDb } from '../platform/db/open.ts';
import { AUDIT_KEY_FILE, addAuditKey } from '../platform/signing/audit-key.ts';
import { macOfEnds } from './chain.ts';
import type { AuditEntry } from './contract.ts';
import { openAuditLog } from './start.ts';

const ANN = { kind: 'user', id: 'u-ann', name: 'Ann Example', role: 'administrator' } as const;
const BOB = { kind: 'user', id: 'u-bob', name: 'Bob Example', role: 'operator' } as const;
const did = (action: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  actor: ANN,
  action,
  object: { kind: 'things', id: '7' },
  phase: 'done',
  address: '192.0.2.7',
  ...more,
});

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'nines-audit-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function world(t: TestContext, open: OpenDatabase) {
  const { db } = await open(t);
  const clock = manualClock();
  const deps = { db, clock, logger: silentLogger, dataDir: folder(t), keptMs: 400 * DAY_MS, sealing: undefined };
  return { audit: await openAuditLog(deps), db, clock, deps };
}

forEachDatabase((_kind, open) => {
  test('the chain goes on with another key, and entries of both are genuine', async (t) => {
    const { audit, db, deps } = await world(t, open);
    await audit.append(did('before'));
    const beside = await openAuditLog(deps);
    const id = await audit.rotateKey(ANN);
    await audit.append(did('after'));
    await beside.append(did('by a process that knew only the key before'));
    const rows = await db.kysely.selectFrom('audit_entries').select(['action', 'key_id']).orderBy('seq').execute();
    assert.deepEqual(
      rows.map(({ action, key_id }) => [action, key_id === id]),
      [
        ['before', false],
        ['audit.key_rotated', false],
        ['after', true],
        ['by a process that knew only the key before', true],
      ],
    );
    assert.deepEqual([(await audit.verify()).fault, (await (await openAuditLog(deps)).verify()).entries], [null, 4]);
    await db.kysely.updateTable('audit_entries').set({ actor_id: 'eve' }).where('seq', '=', 1).execute();
    assert.equal((await audit.verify()).fault?.seq, 1, 'the key before still tells what is genuine');
  });

  test('attack: who kept a replaced key can neither cut the log off nor go on with it', async (t) => {
    const { audit, db, deps } = await world(t, open);
    await audit.append(did('before'));
    const stolen = audit.keys.known().current;
    await audit.rotateKey(ANN);
    await audit.append(did('after'));
    const first = await db.kysely.selectFrom('audit_entries').selectAll().where('seq', '=', 1).executeTakeFirstOrThrow();
    await db.kysely.deleteFrom('audit_entries').where('seq', '>', 1).execute();
    const ends = { start_seq: 1, start_prev: '0'.repeat(64), seq: 1, digest: first.digest, key_id: stolen.id };
    await db.kysely
      .updateTable('audit_chain')
      .set({ ...ends, mac: macOfEnds(stolen, ends) })
      .execute();
    const { fault } = await audit.verify();
    assert.deepEqual([fault?.problem, fault?.seq], ['ends_edited', null]);
    assert.match(fault?.detail ?? '', /was replaced by/);
    assert.equal((await (await openAuditLog(deps)).verify()).whole, false, 'also after a start');
  });

  test('a rotation that was cut short loses nothing, before and after the entry that it writes', async (t) => {
    const { audit, deps } = await world(t, open);
    await audit.append(did('before'));
    await addAuditKey(deps.dataDir, undefined, deps.clock.now());
    assert.equal((await audit.verify()).whole, true);
    const file = join(deps.dataDir, AUDIT_KEY_FILE);
    const id = await audit.rotateKey(ANN);
    const written = JSON.parse(readFileSync(file, 'utf8')) as { current: string; keys: { key_id: string }[] };
    writeFileSync(file, JSON.stringify({ ...written, current: written.keys[0]?.key_id }));
    const again = await openAuditLog(deps);
    await again.append(did('after'));
    assert.deepEqual([again.keys.known().current.id, (await again.verify()).whole, (await again.verify()).entries], [id, true, 3]);
  });

  test('who is erased stays an opaque id: nobody reads their name, address or data again, and the chain is whole', async (t) => {
    const { audit, db } = await world(t, open);
    const bob = { kind: 'users', id: BOB.id } as const;
    await audit.append(did('user.created', { object: bob, after: { name: 'Bob Example', email: 'bob@example.org' } }));
    await audit.append(did('PUT /api/things/:id', { actor: BOB, address: '203.0.113.9', after: { size: 1 } }));
    await audit.append(
      did('POST /api/oncall/people', { object: { kind: 'oncall/people', id: null }, asked: { body: { phone: '+4930123' } } }),
    );
    await audit.append(did('person.moved', { object: { kind: 'teams', id: 't' }, subject: BOB.id, after: { note: 'Bob joins' } }));
    const read = async () => (await audit.list({}, { beforeSeq: undefined, limit: 20 })).toReversed();
    const before = await read();
    assert.deepEqual(
      before.map(({ actor, address, erased }) => [actor.name, address, erased]),
      [
        ['Ann Example', '192.0.2.7', false],
        ['Bob Example', '203.0.113.9', false],
        ['Ann Example', '192.0.2.7', false],
        ['Ann Example', '192.0.2.7', false],
      ],
    );
    assert.deepEqual([before[0]?.after, before[2]?.asked], [{ name: 'Bob Example', email: 'bob@example.org' }, { fields: ['phone'] }]);
    const stored = JSON.stringify(await db.kysely.selectFrom('audit_entries').selectAll().execute());
    assert.doesNotMatch(stored, /Example|bob@|203\.0|\+4930|joins/, 'what is about people is sealed from the beginning');
    await db.kysely.transaction().execute((trx) => audit.erase(trx, ANN, BOB.id));
    const after = await read();
    assert.deepEqual(
      after.map(({ actor, address, erased }) => [actor.id, actor.name, address, erased]),
      [
        ['u-ann', 'Ann Example', '192.0.2.7', true],
        ['u-bob', '', null, true],
        ['u-ann', 'Ann Example', '192.0.2.7', false],
        ['u-ann', 'Ann Example', '192.0.2.7', true],
        ['u-ann', 'Ann Example', null, false],
      ],
    );
    assert.deepEqual([after[1]?.after, after[0]?.after, after[3]?.after], [{ size: 1 }, null, null], 'what was done stays');
    assert.equal((await audit.verify()).whole, true);
    await audit.append(did('late', { actor: BOB }));
    assert.equal((await read()).at(-1)?.erased, true, 'what comes later is read by nobody either');
    assert.deepEqual(
      (await audit.actors()).map(({ id, name }) => [id, name]),
      [
        ['u-bob', ''],
        ['u-ann', 'Ann Example'],
      ],
    );
  });
});

test('a second instance with a key of its own does not start, and says which file it needs', async (t) => {
  const { db, openAgain } = await openSqliteForTest(t);
  const clock = manualClock();
  const [one, two] = [folder(t), folder(t)];
  const shared = { clock, logger: silentLogger, keptMs: 400 * DAY_MS, sealing: undefined };
  // Neither has written an entry yet: the first one's key is the chain's all the same.
  const first = await openAuditLog({ ...shared, db, dataDir: one });
  await assert.rejects(openAuditLog({ ...shared, db: await openAgain(), dataDir: two }), { code: 'audit_key_missing' });
  await addForeign(two);
  await assert.rejects(openAuditLog({ ...shared, db: await openAgain(), dataDir: two }), { code: 'audit_key_foreign' });
  copyFileSync(join(one, AUDIT_KEY_FILE), join(two, AUDIT_KEY_FILE));
  await (await openAuditLog({ ...shared, db: await openAgain(), dataDir: two })).append(did('from the second'));
  assert.equal((await first.verify()).entries, 1);
});

/** A data directory that has served another database. */
async function addForeign(dir: string): Promise<void> {
  const { source, remove } = await freshSource('sqlite');
  const db = await openDb(source);
  const clock = manualClock();
  await migrate(db, clock.now());
  mkdirSync(dir, { recursive: true });
  await openAuditLog({ db, clock, logger: silentLogger, keptMs: DAY_MS, sealing: undefined, dataDir: dir });
  await db.close();
  remove();
}

const WRITER = `
const [source, dataDir, name, count] = JSON.parse(process.argv[1]);
const { openDb } = await import('@nines/server/platform/db/open.ts');
const { realClock } = await import('@nines/server/platform/clock.ts');
const { openAuditLog } = await import('@nines/server/audit/start.ts');
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const db = await openDb(source);
const audit = await openAuditLog({ db, clock: realClock, logger, keptMs: 1e12, sealing: undefined, dataDir });
const actor = { kind: 'user', id: name, name, role: 'operator' };
for (let i = 0; i < count; i += 5)
  await Promise.all([0, 1, 2, 3, 4].map((j) => audit.append({ actor, action: 'change', object: { kind: 'things', id: name + (i + j) }, phase: 'done' })));
await db.close();
`;

test('two processes on one PostgreSQL append at once, and the chain is whole', async (t) => {
  const { source, remove } = await freshSource('postgresql');
  t.after(remove);
  const db = await openDb(source);
  t.after(() => db.close());
  const clock = manualClock();
  await migrate(db, clock.now());
  const [one, two] = [folder(t), folder(t)];
  const audit = await openAuditLog({ db, clock, logger: silentLogger, keptMs: 400 * DAY_MS, sealing: undefined, dataDir: one });
  copyFileSync(join(one, AUDIT_KEY_FILE), join(two, AUDIT_KEY_FILE));
  const run = promisify(execFile);
  const writer = (dir: string, name: string) =>
    run(process.execPath, ['--input-type=module', '-e', WRITER, JSON.stringify([source, dir, name, 60])], { cwd: import.meta.dirname });
  await Promise.all([writer(one, 'one'), writer(two, 'two')]);
  const verdict = await audit.verify();
  assert.deepEqual([verdict.fault, verdict.entries], [null, 120]);
  const rows = await db.kysely.selectFrom('audit_entries').select('actor_id').orderBy('seq').execute();
  assert.deepEqual(new Set(rows.map(({ actor_id }) => actor_id)), new Set(['one', 'two']));
});
