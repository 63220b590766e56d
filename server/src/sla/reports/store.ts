import type { Kysely } from 'kysely';
import type { SlaReportRow } from '../../platform/db/migrations/0020-sla-reports.ts';
import type { Database } from '../../platform/db/schema.ts';

/** A report of the archive. */
export type ArchivedReport = SlaReportRow;

export async function insertReport(db: Kysely<Database>, report: ArchivedReport): Promise<void> {
  await db.insertInto('sla_reports').values(report).execute();
}

export async function findReport(db: Kysely<Database>, id: string): Promise<ArchivedReport | undefined> {
  return db.selectFrom('sla_reports').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Newest first, without their documents; of one schedule or of all. */
export async function archivedReports(
  db: Kysely<Database>,
  { schedule, limit }: { readonly schedule?: string; readonly limit: number },
): Promise<readonly Omit<ArchivedReport, 'document'>[]> {
  const all = db.selectFrom('sla_reports');
  return (schedule === undefined ? all : all.where('schedule', '=', schedule))
    .select(['id', 'schedule', 'title', 'customer', 'from_ms', 'to_ms', 'zone', 'issued_by', 'issued_at_ms'])
    .orderBy('issued_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
