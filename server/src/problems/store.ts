import type { Kysely, Transaction } from 'kysely';
import type { Severity } from '../alerting/contract.ts';
import { chunksOf } from '../platform/db/chunks.ts';
import type { ProblemAlertRow, ProblemRow } from '../platform/db/migrations/0038-problems.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Cursor } from '../platform/http/cursor.ts';
import type { CauseView, ProblemAlertView, ProblemView } from './contract.ts';

/** A statement takes some ten thousand values at most; the alerts of a storm have more. */
const MAX_ROWS_PER_STATEMENT = 1_000;
const chunks = <T>(items: readonly T[]) => chunksOf(items, MAX_ROWS_PER_STATEMENT);

const toRow = (view: ProblemView): ProblemRow =>
  ({
    id: view.id,
    title: view.title,
    severity: view.severity,
    opened_at_ms: view.opened_at_ms,
    last_at_ms: view.last_at_ms,
    resolved_at_ms: view.resolved_at_ms,
    merged_into: view.merged_into,
    alerts: view.alerts,
    alerts_open: view.alerts_open,
    services: JSON.stringify(view.services),
    causes: JSON.stringify(view.causes),
  }) satisfies ProblemRow;

const fromRow = (row: ProblemRow): ProblemView => ({
  id: row.id,
  state: row.merged_into !== null ? 'merged' : row.resolved_at_ms === null ? 'open' : 'resolved',
  title: row.title,
  severity: row.severity as Severity,
  opened_at_ms: row.opened_at_ms,
  last_at_ms: row.last_at_ms,
  resolved_at_ms: row.resolved_at_ms,
  merged_into: row.merged_into,
  alerts: row.alerts,
  alerts_open: row.alerts_open,
  services: JSON.parse(row.services) as string[],
  causes: JSON.parse(row.causes) as CauseView[],
});

export const toAlertView = (row: ProblemAlertRow): ProblemAlertView => ({
  alert: row.alert_id,
  alertname: row.alertname,
  severity: row.severity as Severity,
  service: row.service,
  labels: JSON.parse(row.labels) as Record<string, string>,
  active_at_ms: row.active_at_ms,
  joined_at_ms: row.joined_at_ms,
  ended_at_ms: row.ended_at_ms,
  because: row.because,
});

/** What happened to problems since it was last saved, in the order of the lists' names. */
export type Changes = {
  readonly joined: readonly ProblemAlertRow[];
  readonly merged: readonly { readonly kept: string; readonly absorbed: string }[];
  readonly ended: readonly { readonly alert: string; readonly atMs: number }[];
  readonly problems: readonly ProblemView[];
};

export async function saveChanges(trx: Transaction<Database>, { joined, merged, ended, problems }: Changes): Promise<void> {
  for (const rows of chunks(joined)) {
    await trx
      .insertInto('problem_alerts')
      .values([...rows])
      .onConflict((conflict) => conflict.column('alert_id').doNothing())
      .execute();
  }
  for (const { kept, absorbed } of merged) {
    await trx.updateTable('problem_alerts').set({ problem_id: kept }).where('problem_id', '=', absorbed).execute();
    await trx.updateTable('problems').set({ merged_into: kept }).where('merged_into', '=', absorbed).execute();
  }
  const byInstant = Map.groupBy(ended, ({ atMs }) => atMs);
  for (const [atMs, ofInstant] of byInstant) {
    for (const some of chunks(ofInstant.map(({ alert }) => alert))) {
      await trx.updateTable('problem_alerts').set({ ended_at_ms: atMs }).where('alert_id', 'in', some).execute();
    }
  }
  for (const views of chunks(problems)) {
    await trx
      .insertInto('problems')
      .values(views.map(toRow))
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((row) => ({
          title: row.ref('excluded.title'),
          severity: row.ref('excluded.severity'),
          opened_at_ms: row.ref('excluded.opened_at_ms'),
          last_at_ms: row.ref('excluded.last_at_ms'),
          resolved_at_ms: row.ref('excluded.resolved_at_ms'),
          merged_into: row.ref('excluded.merged_into'),
          alerts: row.ref('excluded.alerts'),
          alerts_open: row.ref('excluded.alerts_open'),
          services: row.ref('excluded.services'),
          causes: row.ref('excluded.causes'),
        })),
      )
      .execute();
  }
}

/** The alerts of problems that are open or ended at or after that instant, by when they joined. */
export async function recentAlerts(db: Kysely<Database>, endedAfterMs: number): Promise<readonly ProblemAlertRow[]> {
  return db
    .selectFrom('problem_alerts')
    .innerJoin('problems', 'problems.id', 'problem_alerts.problem_id')
    .selectAll('problem_alerts')
    .where('problems.merged_into', 'is', null)
    .where((or) => or.or([or('problems.resolved_at_ms', 'is', null), or('problems.resolved_at_ms', '>=', endedAfterMs)]))
    .orderBy('problem_alerts.joined_at_ms')
    .orderBy('problem_alerts.alert_id')
    .execute();
}

export async function findProblem(db: Kysely<Database>, id: string): Promise<ProblemView | undefined> {
  const row = await db.selectFrom('problems').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** The problems of alerts, by the alerts' ids. */
export async function problemsOfAlerts(db: Kysely<Database>, alertIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const some of chunks(alertIds)) {
    const rows = await db.selectFrom('problem_alerts').select(['alert_id', 'problem_id']).where('alert_id', 'in', some).execute();
    for (const row of rows) found.set(row.alert_id, row.problem_id);
  }
  return found;
}

/** In the order in which they joined. */
export async function alertsOfProblem(db: Kysely<Database>, id: string, limit: number): Promise<readonly ProblemAlertRow[]> {
  const rows = db.selectFrom('problem_alerts').selectAll().where('problem_id', '=', id);
  return rows.orderBy('joined_at_ms').orderBy('alert_id').limit(limit).execute();
}

export type ProblemFilter = {
  readonly status: 'open' | 'resolved' | 'all';
  readonly minAlerts: number;
  readonly service: string | undefined;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly after: Cursor | undefined;
  readonly limit: number;
};

/** Newest start first, then by id; absorbed ones are left out. */
export async function listProblems(db: Kysely<Database>, filter: ProblemFilter): Promise<readonly ProblemView[]> {
  const { status, minAlerts, service, fromMs, toMs, after } = filter;
  let query = db.selectFrom('problems').selectAll().where('merged_into', 'is', null).where('alerts', '>=', minAlerts);
  if (status === 'open') query = query.where('resolved_at_ms', 'is', null);
  if (status === 'resolved') query = query.where('resolved_at_ms', 'is not', null);
  if (fromMs !== undefined) query = query.where((or) => or.or([or('resolved_at_ms', 'is', null), or('resolved_at_ms', '>', fromMs)]));
  if (toMs !== undefined) query = query.where('opened_at_ms', '<', toMs);
  if (service !== undefined) {
    query = query.where((or) =>
      or.exists(
        or
          .selectFrom('problem_alerts')
          .select('alert_id')
          .whereRef('problem_alerts.problem_id', '=', 'problems.id')
          .where('problem_alerts.service', '=', service),
      ),
    );
  }
  if (after !== undefined) {
    const { atMs, id } = after;
    query = query.where((or) => or.or([or('opened_at_ms', '<', atMs), or.and([or('opened_at_ms', '=', atMs), or('id', '<', id)])]));
  }
  return (await query.orderBy('opened_at_ms', 'desc').orderBy('id', 'desc').limit(filter.limit).execute()).map(fromRow);
}

/** Removes at most `limit` problems that were over before `beforeMs`, with what is known of their alerts. Returns how many. */
export function purgeProblems(db: Kysely<Database>, beforeMs: number, limit: number): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const ended = trx.selectFrom('problems').select('id').where('resolved_at_ms', '<', beforeMs).limit(limit);
    const ids = (await ended.execute()).map((row) => row.id);
    if (ids.length === 0) return 0;
    await trx.deleteFrom('problem_alerts').where('problem_id', 'in', ids).execute();
    await trx.deleteFrom('problems').where('id', 'in', ids).execute();
    return ids.length;
  });
}
