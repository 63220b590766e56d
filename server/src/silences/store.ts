import { type MatchOp, mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { SilenceRow } from '../platform/db/migrations/0023-silences.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Silence } from './contract.ts';

function fromRow(row: Selectable<SilenceRow>): Silence {
  const matchers = JSON.parse(row.matchers) as readonly { name: string; op: MatchOp; value: string }[];
  return {
    id: row.id,
    matchers: matchers.map(({ name, op, value }) => mustMatcher(name, op, value)),
    startsAtMs: epochMs(row.starts_at_ms),
    endsAtMs: epochMs(row.ends_at_ms),
    createdBy: row.created_by,
    comment: row.comment,
    annotations: JSON.parse(row.annotations) as Record<string, string>,
    updatedAtMs: epochMs(row.updated_at_ms),
  };
}

/** Those that end, or ended, after that instant. */
export async function silencesAfter(db: Kysely<Database>, endsAfterMs: number): Promise<readonly Silence[]> {
  return (await db.selectFrom('silences').selectAll().where('ends_at_ms', '>', endsAfterMs).execute()).map(fromRow);
}

export async function findSilence(db: Kysely<Database>, id: string): Promise<Silence | undefined> {
  const row = await db.selectFrom('silences').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Inserts, or writes over the silence with this id. */
export async function saveSilence(trx: Transaction<Database>, silence: Silence): Promise<void> {
  const columns = {
    matchers: JSON.stringify(silence.matchers.map(({ name, op, value }) => ({ name, op, value }))),
    starts_at_ms: silence.startsAtMs,
    ends_at_ms: silence.endsAtMs,
    created_by: silence.createdBy,
    comment: silence.comment,
    annotations: JSON.stringify(silence.annotations),
    updated_at_ms: silence.updatedAtMs,
  };
  await trx
    .insertInto('silences')
    .values({ id: silence.id, ...columns })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
    .execute();
}
