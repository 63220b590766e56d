import type { WidgetRevisionRow } from '../platform/db/migrations/0089-widget-revisions.ts';
import type { Sql } from '../platform/records/contract.ts';

export async function insertRevision(sql: Sql, row: WidgetRevisionRow): Promise<void> {
  await sql.insertInto('widget_revisions').values(row).execute();
}

/** The newest first, without what they held. */
export async function listRevisions(sql: Sql, id: string, limit: number): Promise<readonly Omit<WidgetRevisionRow, 'spec'>[]> {
  return sql
    .selectFrom('widget_revisions')
    .select(['widget_id', 'revision', 'at_ms', 'by_name'])
    .where('widget_id', '=', id)
    .orderBy('revision', 'desc')
    .limit(limit)
    .execute();
}

export async function findRevision(sql: Sql, id: string, revision: number): Promise<WidgetRevisionRow | undefined> {
  return sql.selectFrom('widget_revisions').selectAll().where('widget_id', '=', id).where('revision', '=', revision).executeTakeFirst();
}

/** Forgets all but the newest `keep` revisions of a widget. */
export async function trimRevisions(sql: Sql, id: string, keep: number): Promise<void> {
  const oldest = await sql
    .selectFrom('widget_revisions')
    .select('revision')
    .where('widget_id', '=', id)
    .orderBy('revision', 'desc')
    .offset(keep)
    .limit(1)
    .executeTakeFirst();
  if (oldest === undefined) return;
  await sql.deleteFrom('widget_revisions').where('widget_id', '=', id).where('revision', '<=', oldest.revision).execute();
}
