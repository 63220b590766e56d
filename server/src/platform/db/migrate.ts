import { AppError, messageOf } from '@nines/base/errors.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { type Kysely, sql } from 'kysely';
import { MIGRATIONS, type Migration } from './migrations/index.ts';
import type { Db } from './open.ts';

type Applied = { schema_migrations: { name: string; applied_at_ms: number } };

/** PostgreSQL advisory lock of everyone who migrates this product's schema; the number is the ASCII text `nines`. */
const MIGRATION_LOCK = 0x6e69_6e65_73;

/**
 * Brings the schema to the program's newest step, all outstanding steps in one transaction: either all happened or none.
 * Two processes that migrate at once wait for each other. Returns the names of the steps applied now.
 * `AppError` `state_newer` when the database knows steps that this program does not, `migration_failed` when a step failed.
 */
export async function migrate(db: Db, nowMs: EpochMs, steps: Readonly<Record<string, Migration>> = MIGRATIONS): Promise<readonly string[]> {
  const kysely = db.kysely as unknown as Kysely<Applied>;
  return kysely.transaction().execute(async (trx) => {
    if (db.kind === 'postgresql') await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(trx);
    await trx.schema
      .createTable('schema_migrations')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('applied_at_ms', 'bigint', (column) => column.notNull())
      .execute();
    const applied = (await trx.selectFrom('schema_migrations').select('name').orderBy('name').execute()).map((row) => row.name);
    const newer = applied.filter((name) => steps[name] === undefined);
    if (newer.length > 0) throw newerThanProgram(newer);
    const due = Object.entries(steps).filter(([name]) => !applied.includes(name));
    for (const [name, step] of due) {
      try {
        await step.up(trx as unknown as Kysely<unknown>);
      } catch (thrown) {
        throw new AppError('unavailable', 'migration_failed', `migration ${name} failed: ${messageOf(thrown)}`, { cause: thrown });
      }
      await trx.insertInto('schema_migrations').values({ name, applied_at_ms: nowMs }).execute();
    }
    return due.map(([name]) => name);
  });
}

function newerThanProgram(names: readonly string[]): AppError {
  return new AppError(
    'unavailable',
    'state_newer',
    `the state database is newer than this program: it has ${names.join(', ')}; start the newer version again or restore a backup made before it`,
  );
}
