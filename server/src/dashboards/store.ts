import type { DashboardDraftRow, DashboardRevisionRow } from '../platform/db/migrations/0075-dashboards.ts';
import type { Sql } from '../platform/records/contract.ts';

export async function insertRevision(sql: Sql, row: DashboardRevisionRow): Promise<void> {
  await sql.insertInto('dashboard_revisions').values(row).execute();
}

/** The newest first, without what they held. */
export async function listRevisions(sql: Sql, id: string, limit: number): Promise<readonly Omit<DashboardRevisionRow, 'spec'>[]> {
  return sql
    .selectFrom('dashboard_revisions')
    .select(['dashboard_id', 'revision', 'at_ms', 'by_name', 'note'])
    .where('dashboard_id', '=', id)
    .orderBy('revision', 'desc')
    .limit(limit)
    .execute();
}

export async function findRevision(sql: Sql, id: string, revision: number): Promise<DashboardRevisionRow | undefined> {
  return sql
    .selectFrom('dashboard_revisions')
    .selectAll()
    .where('dashboard_id', '=', id)
    .where('revision', '=', revision)
    .executeTakeFirst();
}

/** The newest revision of every dashboard: when it changed, and by whom. */
export async function latestRevisions(sql: Sql): Promise<ReadonlyMap<string, Pick<DashboardRevisionRow, 'at_ms' | 'by_name'>>> {
  const rows = await sql
    .selectFrom('dashboard_revisions as one')
    .select(['one.dashboard_id', 'one.at_ms', 'one.by_name'])
    .where('one.revision', '=', (query) =>
      query
        .selectFrom('dashboard_revisions as other')
        .select((column) => column.fn.max('other.revision').as('last'))
        .whereRef('other.dashboard_id', '=', 'one.dashboard_id'),
    )
    .execute();
  return new Map(rows.map((row) => [row.dashboard_id, row]));
}

/** Forgets all but the newest `keep` revisions of a dashboard. */
export async function trimRevisions(sql: Sql, id: string, keep: number): Promise<void> {
  const oldest = await sql
    .selectFrom('dashboard_revisions')
    .select('revision')
    .where('dashboard_id', '=', id)
    .orderBy('revision', 'desc')
    .offset(keep)
    .limit(1)
    .executeTakeFirst();
  if (oldest === undefined) return;
  await sql.deleteFrom('dashboard_revisions').where('dashboard_id', '=', id).where('revision', '<=', oldest.revision).execute();
}

export async function saveDraft(sql: Sql, row: DashboardDraftRow): Promise<void> {
  const { base_revision, at_ms, spec } = row;
  await sql
    .insertInto('dashboard_drafts')
    .values(row)
    .onConflict((conflict) => conflict.columns(['dashboard_id', 'person_id']).doUpdateSet({ base_revision, at_ms, spec }))
    .execute();
}

export async function findDraft(sql: Sql, id: string, personId: string): Promise<DashboardDraftRow | undefined> {
  return sql.selectFrom('dashboard_drafts').selectAll().where('dashboard_id', '=', id).where('person_id', '=', personId).executeTakeFirst();
}

/** How many drafts somebody keeps. */
export async function countDrafts(sql: Sql, personId: string): Promise<number> {
  const row = await sql
    .selectFrom('dashboard_drafts')
    .select((column) => column.fn.countAll().as('drafts'))
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return Number(row?.drafts ?? 0);
}

export async function deleteDraft(sql: Sql, id: string, personId: string): Promise<void> {
  await sql.deleteFrom('dashboard_drafts').where('dashboard_id', '=', id).where('person_id', '=', personId).execute();
}
