import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { OncallCalendarRow, OncallOverrideRow, OncallSpecRow } from '../platform/db/migrations/0034-oncall.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Override } from './evaluate.ts';

/** What was made through the API. */
export async function madeSpecs(db: Sql, kind: string): Promise<readonly OncallSpecRow[]> {
  return db.selectFrom('oncall_specs').selectAll().where('kind', '=', kind).orderBy('id').execute();
}

export async function saveSpec(db: Sql, row: OncallSpecRow): Promise<void> {
  const { spec, revision, made_by, made_at_ms } = row;
  await db
    .insertInto('oncall_specs')
    .values(row)
    .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet({ spec, revision, made_by, made_at_ms }))
    .execute();
}

export async function deleteSpec(db: Sql, kind: string, id: string): Promise<void> {
  await db.deleteFrom('oncall_specs').where('kind', '=', kind).where('id', '=', id).execute();
}

/** Overrides that end after an instant. */
export async function overridesAfter(db: Sql, atMs: number): Promise<readonly Override[]> {
  const rows = await db.selectFrom('oncall_overrides').selectAll().where('to_ms', '>', atMs).orderBy('from_ms').orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    schedule: row.schedule,
    person: row.person,
    fromMs: epochMs(row.from_ms),
    toMs: epochMs(row.to_ms),
    note: row.note,
    by: row.made_by,
    madeAtMs: epochMs(row.made_at_ms),
  }));
}

export async function insertOverride(db: Sql, one: Override): Promise<void> {
  const row: OncallOverrideRow = {
    id: one.id,
    schedule: one.schedule,
    person: one.person,
    from_ms: one.fromMs,
    to_ms: one.toMs,
    note: one.note,
    made_by: one.by,
    made_at_ms: one.madeAtMs,
  };
  await db.insertInto('oncall_overrides').values(row).execute();
}

export async function cutOverride(db: Sql, id: string, toMs: number): Promise<void> {
  await db.updateTable('oncall_overrides').set({ to_ms: toMs }).where('id', '=', id).execute();
}

export async function deleteOverride(db: Sql, id: string): Promise<void> {
  await db.deleteFrom('oncall_overrides').where('id', '=', id).execute();
}

export type KnownTurn = { readonly fromMs: EpochMs; readonly people: readonly string[]; readonly reason: string };

/** Who was last known to be on call, by schedule. */
export async function lastTurns(db: Kysely<Database>): Promise<ReadonlyMap<string, KnownTurn>> {
  const rows = await db
    .selectFrom('oncall_turns as turn')
    .selectAll('turn')
    .where((eb) =>
      eb(
        'turn.from_ms',
        '=',
        eb
          .selectFrom('oncall_turns as other')
          .select(({ fn }) => fn.max('other.from_ms').as('newest'))
          .whereRef('other.schedule', '=', 'turn.schedule'),
      ),
    )
    .execute();
  return new Map(rows.map((row) => [row.schedule, turnOf(row)]));
}

/** Who was on call within `[fromMs, toMs)`, oldest first, with the turn that had begun before it. */
export async function turnsOf(db: Sql, schedule: string, { fromMs, toMs, limit }: { fromMs: number; toMs: number; limit: number }) {
  const before = await db
    .selectFrom('oncall_turns')
    .selectAll()
    .where('schedule', '=', schedule)
    .where('from_ms', '<=', fromMs)
    .orderBy('from_ms', 'desc')
    .limit(1)
    .execute();
  const within = await db
    .selectFrom('oncall_turns')
    .selectAll()
    .where('schedule', '=', schedule)
    .where('from_ms', '>', fromMs)
    .where('from_ms', '<', toMs)
    .orderBy('from_ms')
    .limit(limit)
    .execute();
  return [...before, ...within].map(turnOf);
}

const turnOf = (row: { readonly from_ms: number; readonly people: string; readonly reason: string }): KnownTurn => ({
  fromMs: epochMs(row.from_ms),
  people: JSON.parse(row.people) as string[],
  reason: row.reason,
});

export async function insertTurn(db: Sql, schedule: string, turn: KnownTurn): Promise<void> {
  const row = { schedule, from_ms: turn.fromMs, people: JSON.stringify(turn.people), reason: turn.reason };
  await db
    .insertInto('oncall_turns')
    .values(row)
    .onConflict((conflict) => conflict.columns(['schedule', 'from_ms']).doUpdateSet({ people: row.people, reason: row.reason }))
    .execute();
}

export async function deleteTurnsBefore(db: Sql, schedule: string, atMs: number): Promise<void> {
  await db.deleteFrom('oncall_turns').where('schedule', '=', schedule).where('from_ms', '<', atMs).execute();
}

export async function calendars(db: Sql): Promise<readonly OncallCalendarRow[]> {
  return db.selectFrom('oncall_calendars').selectAll().orderBy('made_at_ms').orderBy('id').execute();
}

export async function insertCalendar(db: Sql, row: OncallCalendarRow): Promise<void> {
  await db.insertInto('oncall_calendars').values(row).execute();
}

export async function deleteCalendar(db: Sql, id: string): Promise<boolean> {
  const done = await db.deleteFrom('oncall_calendars').where('id', '=', id).executeTakeFirst();
  return done.numDeletedRows > 0n;
}

/** The calendar of a token, marked as read now. */
export async function readCalendar(db: Sql, tokenHash: string, nowMs: number): Promise<OncallCalendarRow | undefined> {
  const row = await db.selectFrom('oncall_calendars').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst();
  if (row !== undefined) await db.updateTable('oncall_calendars').set({ read_at_ms: nowMs }).where('id', '=', row.id).execute();
  return row;
}
