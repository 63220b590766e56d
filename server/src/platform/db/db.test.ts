import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { epochMs } from '@nines/base/units.ts';
import { forEachDatabase, freshSource } from '../../../../test/harness/databases.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { sleepAwake } from '../clock.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { type Db, openDb } from './open.ts';
import { expectUpdated, retryOnConflict } from './revision.ts';

const NOW = epochMs(1_760_000_000_000);
const hasCode = (code: string) => (thrown: unknown) => thrown instanceof AppError && thrown.code === code;

async function addCounter(db: Db): Promise<void> {
  await db.kysely
    .insertInto('outbox')
    .values({ id: 'a', topic: 't', key: 'k', payload: '{}', state: 'queued', tries: 0, next_at_ms: NOW, created_at_ms: NOW })
    .execute();
  await db.kysely
    .insertInto('entities')
    .values({
      id: 'e',
      kind: 'service',
      slug: 's',
      name: '0',
      team_id: 'default',
      origin: 'ui',
      origin_place: '',
      spec: '{}',
      created_at_ms: NOW,
      retired_at_ms: null,
      revision: 1,
    })
    .execute();
}

/** Reads the count in `name` and writes one more, guarded by the revision. */
async function countUp(db: Db): Promise<void> {
  await retryOnConflict(async () => {
    const row = await db.kysely.selectFrom('entities').selectAll().where('id', '=', 'e').executeTakeFirstOrThrow();
    const result = await db.kysely
      .updateTable('entities')
      .set({ name: String(Number(row.name) + 1), revision: row.revision + 1 })
      .where('id', '=', 'e')
      .where('revision', '=', row.revision)
      .executeTakeFirst();
    expectUpdated(result, 'entity e');
  });
}

forEachDatabase((name, open) => {
  it('gives 64-bit instants back as numbers', async (t) => {
    const { db } = await open(t);
    await addCounter(db);
    const row = await db.kysely.selectFrom('outbox').select(['next_at_ms', 'lease_until_ms']).executeTakeFirstOrThrow();
    assert.deepEqual({ ...row }, { next_at_ms: NOW, lease_until_ms: null });
  });

  it('applies each migration once, also when two processes start together', async () => {
    const { source, remove } = await freshSource(name);
    const [first, second] = await Promise.all([openDb(source), openDb(source)]);
    const applied = await Promise.all([migrate(first, NOW), migrate(second, NOW)]);
    assert.deepEqual(applied.flat().sort(), Object.keys(MIGRATIONS).sort());
    assert.deepEqual(await migrate(first, NOW), []);
    await first.close();
    await second.close();
    remove();
  });

  it('refuses a database that is newer than the program', async (t) => {
    const { db } = await open(t);
    const older = Object.fromEntries(Object.entries(MIGRATIONS).slice(0, -1));
    await assert.rejects(migrate(db, NOW, older), hasCode('state_newer'));
  });

  it('leaves nothing behind when a migration fails half-way', async (t) => {
    const { db } = await open(t);
    const steps = {
      ...MIGRATIONS,
      '9000-good': { up: (trx: typeof db.kysely) => trx.schema.createTable('half').addColumn('id', 'text').execute() },
      '9001-bad': { up: () => Promise.reject(new Error('on purpose')) },
    } as Parameters<typeof migrate>[2];
    await assert.rejects(migrate(db, NOW, steps), hasCode('migration_failed'));
    assert.deepEqual(await migrate(db, NOW), []);
    await assert.rejects(
      db.kysely
        .selectFrom('half' as 'outbox')
        .selectAll()
        .execute(),
    );
  });

  it('loses no update when two writers change one row at once', async (t) => {
    const { db, openAgain } = await open(t);
    const other = await openAgain();
    await addCounter(db);
    await Promise.all(Array.from({ length: 20 }, (_, i) => countUp(i % 2 === 0 ? db : other)));
    const row = await db.kysely.selectFrom('entities').selectAll().where('id', '=', 'e').executeTakeFirstOrThrow();
    assert.deepEqual([row.name, row.revision], ['20', 21]);
  });

  it('refuses the update of a writer that read an older revision', async (t) => {
    const { db } = await open(t);
    await addCounter(db);
    const stale = db.kysely.updateTable('entities').set({ name: 'x', revision: 2 }).where('id', '=', 'e').where('revision', '=', 0);
    const result = await stale.executeTakeFirst();
    assert.throws(() => expectUpdated(result, 'entity e'), hasCode('revision_conflict'));
  });

  it('undoes a transaction that throws', async (t) => {
    const { db } = await open(t);
    await addCounter(db);
    const broken = db.kysely.transaction().execute(async (trx) => {
      await trx.deleteFrom('outbox').execute();
      throw new Error('on purpose');
    });
    await assert.rejects(broken, /on purpose/);
    assert.equal((await db.kysely.selectFrom('outbox').selectAll().execute()).length, 1);
  });
});

describe('another process', () => {
  it('waits for the lock and then writes, instead of ending because it had nothing else to do', async () => {
    const { source, remove } = await freshSource('sqlite');
    assert.equal(source.kind, 'sqlite');
    const db = await openDb(source);
    await migrate(db, NOW);
    const script = `
      const { openDb } = await import(${JSON.stringify(import.meta.resolve('./open.ts'))});
      const db = await openDb(${JSON.stringify(source)});
      console.log('asking');
      await db.kysely.transaction().execute((trx) => trx.deleteFrom('outbox').execute());
      console.log('done');
      await db.close();`;
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]);
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(child, 'exit');
    await db.kysely.transaction().execute(async (trx) => {
      await trx.deleteFrom('outbox').execute();
      await poll('the other process asks', () => said.includes('asking'));
      // A few of its looks at the lock: it must still be there afterwards.
      for (let i = 0; i < 10; i++) await sleepAwake(5);
    });
    const [code] = (await ended) as [number];
    assert.deepEqual([code, said], [0, 'asking\ndone\n']);
    await db.close();
    remove();
  });
});

describe('opening', () => {
  it('says in one sentence what could not be opened', async () => {
    await assert.rejects(openDb({ kind: 'sqlite', path: '/proc/nowhere/state.sqlite' }), hasCode('directory_unusable'));
    await assert.rejects(openDb({ kind: 'sqlite', path: tmpdir() }), hasCode('state_unavailable'));
    await assert.rejects(openDb({ kind: 'postgresql', url: 'postgresql://x@127.0.0.1:1/x' }), hasCode('state_unavailable'));
  });
});
