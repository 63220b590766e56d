import type { AgentAuthorityRow, AgentJoinTokenRow, AgentRow } from '../platform/db/migrations/0021-agents.ts';
import type { Sql } from '../platform/records/contract.ts';

export type { AgentAuthorityRow, AgentJoinTokenRow, AgentRow };

/** The one row. */
export const AUTHORITY = 'authority';

export async function loadAuthority(db: Sql): Promise<AgentAuthorityRow | undefined> {
  return db.selectFrom('agent_authority').selectAll().where('id', '=', AUTHORITY).executeTakeFirst();
}

/** Keeps the first authority that is made, whoever makes it. */
export async function keepAuthority(db: Sql, row: Omit<AgentAuthorityRow, 'id'>): Promise<AgentAuthorityRow> {
  await db
    .insertInto('agent_authority')
    .values({ id: AUTHORITY, ...row })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  return db.selectFrom('agent_authority').selectAll().where('id', '=', AUTHORITY).executeTakeFirstOrThrow();
}

export async function loadAgents(db: Sql): Promise<readonly AgentRow[]> {
  return db.selectFrom('agents').selectAll().orderBy('created_at_ms').orderBy('id').execute();
}

export async function saveAgent(db: Sql, row: AgentRow): Promise<void> {
  const { id: _id, ...changing } = row;
  await db
    .insertInto('agents')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changing))
    .execute();
}

export async function openTokens(db: Sql, nowMs: number): Promise<readonly AgentJoinTokenRow[]> {
  return db
    .selectFrom('agent_join_tokens')
    .selectAll()
    .where('used_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .orderBy('created_at_ms')
    .execute();
}

export async function insertToken(db: Sql, row: AgentJoinTokenRow): Promise<void> {
  await db.deleteFrom('agent_join_tokens').where('expires_at_ms', '<=', row.created_at_ms).execute();
  await db.insertInto('agent_join_tokens').values(row).execute();
}

export async function deleteToken(db: Sql, id: string): Promise<boolean> {
  const done = await db.deleteFrom('agent_join_tokens').where('id', '=', id).where('used_at_ms', 'is', null).executeTakeFirst();
  return done.numDeletedRows > 0n;
}

/** The token, if it was open until now; nobody can use it again. */
export async function useToken(db: Sql, secretHash: string, nowMs: number): Promise<AgentJoinTokenRow | undefined> {
  const done = await db
    .updateTable('agent_join_tokens')
    .set({ used_at_ms: nowMs })
    .where('secret_hash', '=', secretHash)
    .where('used_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
  if (done.numUpdatedRows !== 1n) return undefined;
  return db.selectFrom('agent_join_tokens').selectAll().where('secret_hash', '=', secretHash).executeTakeFirst();
}
