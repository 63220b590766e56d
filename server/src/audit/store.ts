import { type Transaction, sql as text } from 'kysely';
import type { AuditChainRow, AuditRow } from '../platform/db/migrations/0042-audit.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Sql } from '../platform/records/contract.ts';

/** Rows that are read at a time. */
const PAGE_ROWS = 1_000;

/** Takes the next number; every other writer waits until the transaction ends. The digest is that of the entry before. */
export const takeNext = (trx: Transaction<Database>): Promise<AuditChainRow> =>
  trx.updateTable('audit_chain').set({ seq: text<number>`seq + 1` }).where('id', '=', 1).returningAll().executeTakeFirstOrThrow();

export async function insertEntry(trx: Transaction<Database>, row: AuditRow): Promise<void> {
  await trx.insertInto('audit_entries').values(row).execute();
}

export async function saveEnds(trx: Transaction<Database>, ends: Omit<AuditChainRow, 'id'>): Promise<void> {
  await trx.updateTable('audit_chain').set(ends).where('id', '=', 1).execute();
}

export const readEnds = (sql: Sql): Promise<AuditChainRow> =>
  sql.selectFrom('audit_chain').selectAll().where('id', '=', 1).executeTakeFirstOrThrow();

export const findEntry = (sql: Sql, seq: number): Promise<AuditRow | undefined> =>
  sql.selectFrom('audit_entries').selectAll().where('seq', '=', seq).executeTakeFirst();

/** Instants are half-open: `[fromMs, toMs)`. */
export type AuditFilter = {
  readonly actorId?: string | undefined;
  readonly action?: string | undefined;
  readonly objectKind?: string | undefined;
  readonly objectId?: string | undefined;
  readonly phase?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
};

const filtered = (sql: Sql, filter: AuditFilter) => {
  let query = sql.selectFrom('audit_entries').selectAll();
  if (filter.actorId !== undefined) query = query.where('actor_id', '=', filter.actorId);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.objectKind !== undefined) query = query.where('object_kind', '=', filter.objectKind);
  if (filter.objectId !== undefined) query = query.where('object_id', '=', filter.objectId);
  if (filter.phase !== undefined) query = query.where('phase', '=', filter.phase);
  if (filter.fromMs !== undefined) query = query.where('at_ms', '>=', filter.fromMs);
  if (filter.toMs !== undefined) query = query.where('at_ms', '<', filter.toMs);
  return query;
};

/** Newest first, those before `beforeSeq`. */
export function listEntries(
  sql: Sql,
  filter: AuditFilter,
  page: { readonly beforeSeq: number | undefined; readonly limit: number },
): Promise<readonly AuditRow[]> {
  const query = filtered(sql, filter);
  return (page.beforeSeq === undefined ? query : query.where('seq', '<', page.beforeSeq))
    .orderBy('seq', 'desc')
    .limit(page.limit)
    .execute();
}

/** Every entry up to and including `toSeq`, oldest first. */
export async function* entriesUpTo(sql: Sql, toSeq: number, filter: AuditFilter = {}): AsyncGenerator<AuditRow> {
  for (let after: number | undefined; ; ) {
    const query = filtered(sql, filter).where('seq', '<=', toSeq);
    const rows = await (after === undefined ? query : query.where('seq', '>', after)).orderBy('seq').limit(PAGE_ROWS).execute();
    yield* rows;
    after = rows.at(-1)?.seq;
    if (rows.length < PAGE_ROWS || after === undefined) return;
  }
}

export const firstAfter = (sql: Sql, seq: number): Promise<AuditRow | undefined> =>
  sql.selectFrom('audit_entries').selectAll().where('seq', '>', seq).orderBy('seq').limit(1).executeTakeFirst();

/** The number of the first entry at or after an instant. */
export async function firstSince(sql: Sql, atMs: number): Promise<number | undefined> {
  const found = await sql.selectFrom('audit_entries').select('seq').where('at_ms', '>=', atMs).orderBy('seq').limit(1).executeTakeFirst();
  return found?.seq;
}

export async function deleteBefore(trx: Transaction<Database>, seq: number): Promise<void> {
  await trx.deleteFrom('audit_entries').where('seq', '<', seq).execute();
}
