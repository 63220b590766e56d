import type { Kysely, Transaction } from 'kysely';
import type { DashboardDeliveryRow } from '../../platform/db/migrations/0088-dashboard-deliveries.ts';
import type { Database } from '../../platform/db/schema.ts';
import type { Sql } from '../../platform/records/contract.ts';

export const insertDelivery = async (trx: Transaction<Database>, row: DashboardDeliveryRow): Promise<void> =>
  void (await trx.insertInto('dashboard_deliveries').values(row).execute());

export const findDelivery = (db: Sql, id: string): Promise<DashboardDeliveryRow | undefined> =>
  db.selectFrom('dashboard_deliveries').selectAll().where('id', '=', id).executeTakeFirst();

/** Oldest first. */
export const listDeliveries = (db: Kysely<Database>, dashboard: string): Promise<readonly DashboardDeliveryRow[]> =>
  db.selectFrom('dashboard_deliveries').selectAll().where('dashboard', '=', dashboard).orderBy('made_at_ms').orderBy('id').execute();

/** Of every dashboard. */
export const everyDelivery = (db: Kysely<Database>): Promise<readonly DashboardDeliveryRow[]> =>
  db.selectFrom('dashboard_deliveries').selectAll().orderBy('id').execute();

export async function countDeliveries(db: Kysely<Database>): Promise<number> {
  const { count } = await db
    .selectFrom('dashboard_deliveries')
    .select(({ fn }) => fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

export const dueDeliveries = (db: Kysely<Database>, nowMs: number): Promise<readonly DashboardDeliveryRow[]> =>
  db
    .selectFrom('dashboard_deliveries')
    .selectAll()
    .where('enabled', '=', 1)
    .where('next_at_ms', '<=', nowMs)
    .orderBy('next_at_ms')
    .orderBy('id')
    .execute();

/** Takes what is due for one server of those that share a database; false when another one has. */
export async function takeDue(
  trx: Transaction<Database>,
  { id, next_at_ms: dueAtMs }: DashboardDeliveryRow,
  nextAtMs: number,
): Promise<boolean> {
  const taken = await trx
    .updateTable('dashboard_deliveries')
    .set({ next_at_ms: nextAtMs })
    .where('id', '=', id)
    .where('enabled', '=', 1)
    .where('next_at_ms', '=', dueAtMs)
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

export type Outcome = { readonly dueAtMs: number; readonly atMs: number; readonly state: string; readonly note: string };

/** The newest result; one of an older instant than that which is kept changes nothing. */
export const keepOutcome = async (db: Sql, id: string, { dueAtMs, atMs, state, note }: Outcome): Promise<void> =>
  void (await db
    .updateTable('dashboard_deliveries')
    .set({ last_due_at_ms: dueAtMs, last_at_ms: atMs, last_state: state, last_note: note })
    .where('id', '=', id)
    .where((or) => or.or([or('last_due_at_ms', 'is', null), or('last_due_at_ms', '<=', dueAtMs)]))
    .execute());

/**
 * Takes what somebody asks for at `nowMs`; false while one is being sent or the last one is less than `restMs` ago. One of which
 * nothing was heard for `lostMs` is not being sent any more.
 */
export async function takeAsked(
  trx: Transaction<Database>,
  id: string,
  { nowMs, restMs, lostMs }: { readonly nowMs: number; readonly restMs: number; readonly lostMs: number },
): Promise<boolean> {
  const taken = await trx
    .updateTable('dashboard_deliveries')
    .set({ last_due_at_ms: nowMs, last_at_ms: nowMs, last_state: 'sending', last_note: '' })
    .where('id', '=', id)
    .where((is) => is.or([is('last_due_at_ms', 'is', null), is('last_due_at_ms', '<=', nowMs - restMs), is('last_due_at_ms', '>', nowMs)]))
    .where((is) => is.or([is('last_state', 'is', null), is('last_state', '!=', 'sending'), is('last_at_ms', '<=', nowMs - lostMs)]))
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

export async function setEnabled(
  trx: Transaction<Database>,
  id: string,
  { enabled, nextAtMs }: { readonly enabled: boolean; readonly nextAtMs: number },
): Promise<void> {
  await trx
    .updateTable('dashboard_deliveries')
    .set({ enabled: enabled ? 1 : 0, next_at_ms: nextAtMs })
    .where('id', '=', id)
    .execute();
}

/** All of one dashboard; returns what they were. */
export const deleteDeliveriesOf = (trx: Transaction<Database>, dashboard: string): Promise<readonly DashboardDeliveryRow[]> =>
  trx.deleteFrom('dashboard_deliveries').where('dashboard', '=', dashboard).returningAll().execute();

export const deleteDelivery = async (trx: Transaction<Database>, id: string): Promise<void> =>
  void (await trx.deleteFrom('dashboard_deliveries').where('id', '=', id).execute());
