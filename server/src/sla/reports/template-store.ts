import type { Kysely } from 'kysely';
import type { Database } from '../../platform/db/schema.ts';
import type { ReportTemplate } from './template.ts';

export async function savedTemplates(db: Kysely<Database>): Promise<readonly ReportTemplate[]> {
  const rows = await db.selectFrom('report_templates').select('spec').orderBy('id').execute();
  return rows.map(({ spec }) => JSON.parse(spec) as ReportTemplate);
}

export async function saveTemplate(
  db: Kysely<Database>,
  template: ReportTemplate,
  { by, atMs }: { readonly by: string; readonly atMs: number },
): Promise<void> {
  const what = { spec: JSON.stringify(template), saved_by: by, saved_at_ms: atMs };
  await db
    .insertInto('report_templates')
    .values({ id: template.id, ...what })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(what))
    .execute();
}

export async function deleteTemplate(db: Kysely<Database>, id: string): Promise<void> {
  await db.deleteFrom('report_templates').where('id', '=', id).execute();
}
