import { type ExpressionBuilder, type Transaction, sql as text } from 'kysely';
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
  /** With what lies below it: `incidents` finds `incidents/comments` too. */
  readonly objectKind?: string | undefined;
  /** With its parts: `7` finds `7/3` too. */
  readonly objectId?: string | undefined;
  readonly phase?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
};

/** People were called `users` in entries of before. */
const kindsOf = (kind: string): readonly string[] => (kind === 'people' ? ['people', 'users'] : [kind]);

/** That a text begins with `head/`, whatever stands in it. */
const below = (eb: ExpressionBuilder<Database, 'audit_entries'>, column: 'object_kind' | 'object_id', head: string) =>
  eb(text<string>`substr(${text.ref(column)}, 1, ${text.lit(Array.from(head).length + 1)})`, '=', `${head}/`);

const filtered = (sql: Sql, filter: AuditFilter) => {
  let query = sql.selectFrom('audit_entries').selectAll();
  if (filter.actorId !== undefined) query = query.where('actor_id', '=', filter.actorId);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  const { objectKind, objectId } = filter;
  if (objectKind !== undefined) {
    const kinds = kindsOf(objectKind);
    query = query.where((eb) => eb.or(kinds.flatMap((kind) => [eb('object_kind', '=', kind), below(eb, 'object_kind', kind)])));
  }
  if (objectId !== undefined) query = query.where((eb) => eb.or([eb('object_id', '=', objectId), below(eb, 'object_id', objectId)]));
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
  for await (const page of pagesUpTo(sql, toSeq, filter)) yield* page;
}

/** The same as pages. */
export async function* pagesUpTo(sql: Sql, toSeq: number, filter: AuditFilter = {}): AsyncGenerator<readonly AuditRow[]> {
  for (let after: number | undefined; ; ) {
    const query = filtered(sql, filter).where('seq', '<=', toSeq);
    const rows = await (after === undefined ? query : query.where('seq', '>', after)).orderBy('seq').limit(PAGE_ROWS).execute();
    yield rows;
    after = rows.at(-1)?.seq;
    if (rows.length < PAGE_ROWS || after === undefined) return;
  }
}

/** Those after a number, oldest first. */
export const entriesAfter = (sql: Sql, seq: number, limit: number): Promise<readonly AuditRow[]> =>
  sql.selectFrom('audit_entries').selectAll().where('seq', '>', seq).orderBy('seq').limit(limit).execute();

export const firstAfter = (sql: Sql, seq: number): Promise<AuditRow | undefined> =>
  sql.selectFrom('audit_entries').selectAll().where('seq', '>', seq).orderBy('seq').limit(1).executeTakeFirst();

/** The number of the first entry at or after an instant. */
export async function firstSince(sql: Sql, atMs: number): Promise<number | undefined> {
  const found = await sql.selectFrom('audit_entries').select('seq').where('at_ms', '>=', atMs).orderBy('seq').limit(1).executeTakeFirst();
  return found?.seq;
}

/** Gives the chain its first key unless it has one, and returns the one it has. */
export async function claimKey(sql: Sql, keyId: string): Promise<string> {
  await sql.updateTable('audit_chain').set({ key_id: keyId }).where('id', '=', 1).where('key_id', 'is', null).execute();
  return (await readEnds(sql)).key_id ?? keyId;
}

/** The key that seals what is about a person, made when there is none; null once they were erased. */
export async function keyOfPerson(trx: Transaction<Database>, personId: string, fresh: string): Promise<string | null> {
  const row = { person_id: personId, key: fresh, erased_at_ms: null };
  await trx
    .insertInto('audit_people')
    .values(row)
    .onConflict((conflict) => conflict.column('person_id').doNothing())
    .execute();
  return (await trx.selectFrom('audit_people').select('key').where('person_id', '=', personId).executeTakeFirstOrThrow()).key;
}

/** The keys of those of the people who were not erased. */
export async function keysOfPeople(sql: Sql, personIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (personIds.length === 0) return new Map();
  const rows = await sql.selectFrom('audit_people').select(['person_id', 'key']).where('person_id', 'in', personIds).execute();
  return new Map(rows.flatMap(({ person_id, key }) => (key === null ? [] : [[person_id, key] as const])));
}

export async function erasePerson(trx: Transaction<Database>, personId: string, atMs: number): Promise<void> {
  const gone = { key: null, erased_at_ms: atMs };
  await trx
    .insertInto('audit_people')
    .values({ person_id: personId, ...gone })
    .onConflict((conflict) => conflict.column('person_id').doUpdateSet(gone))
    .execute();
}

/** Every actor that is in the log, the one with the newest entry first, with the number of that entry. */
export const listActors = (sql: Sql, limit: number) =>
  sql
    .selectFrom('audit_entries')
    .select(({ fn }) => ['actor_kind', 'actor_id', fn.max<number>('seq').as('last_seq')])
    .groupBy(['actor_kind', 'actor_id'])
    .orderBy('last_seq', 'desc')
    .limit(limit)
    .execute();

export const entriesBySeq = (sql: Sql, seqs: readonly number[]): Promise<readonly AuditRow[]> =>
  seqs.length === 0 ? Promise.resolve([]) : sql.selectFrom('audit_entries').selectAll().where('seq', 'in', seqs).execute();

export async function deleteBefore(trx: Transaction<Database>, seq: number): Promise<void> {
  await trx.deleteFrom('audit_entries').where('seq', '<', seq).execute();
}
