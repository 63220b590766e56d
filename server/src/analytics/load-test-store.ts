import type { Sql } from '../platform/records/contract.ts';
import type { LoadTestView } from './contract.ts';

/** Checks whose latest result is kept; the oldest go first. */
const MAX_KEPT = 200;

/** The latest result of each check, newest first. */
export async function latestLoadTests(sql: Sql): Promise<LoadTestView[]> {
  const rows = await sql.selectFrom('load_tests').select('body').orderBy('started_at_ms', 'desc').limit(MAX_KEPT).execute();
  return rows.map(({ body }) => JSON.parse(body) as LoadTestView);
}

export async function putLoadTest(db: Sql, view: LoadTestView): Promise<void> {
  const row = { check_id: view.check, started_at_ms: view.started_at_ms, body: JSON.stringify(view) };
  await db.transaction().execute(async (sql) => {
    await sql.deleteFrom('load_tests').where('check_id', '=', view.check).execute();
    await sql.insertInto('load_tests').values(row).execute();
    const kept = sql.selectFrom('load_tests').select('check_id').orderBy('started_at_ms', 'desc').limit(MAX_KEPT);
    await sql.deleteFrom('load_tests').where('check_id', 'not in', kept).execute();
  });
}
