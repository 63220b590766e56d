import type { EpochMs } from '@nines/base/units.ts';
import type { RecoveryRunRow } from '../platform/db/migrations/0025-recovery.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { RecoveryKind, RecoveryRun, RunStatus } from './contract.ts';

/** Runs that are kept; the oldest go first. */
const MAX_RUNS_KEPT = 10_000;

/** An outage of a check that something was done about. */
export type Outage = { readonly id: string; readonly check: string; readonly fromAtMs: EpochMs };

const toRun = (row: RecoveryRunRow): RecoveryRun => ({
  id: row.id,
  action: row.action,
  kind: row.kind as RecoveryKind,
  check: row.check_id,
  service: row.service,
  outage: row.outage_id,
  tryNumber: row.try_number,
  status: row.status as RunStatus,
  dryRun: row.dry_run === 1,
  by: row.asked_by,
  why: row.why,
  startedAtMs: row.started_at_ms as EpochMs,
  endedAtMs: row.ended_at_ms as EpochMs | null,
  detail: row.detail,
  output: row.output,
  outputCut: row.output_cut === 1,
});

const toRow = (run: RecoveryRun): RecoveryRunRow => ({
  id: run.id,
  action: run.action,
  kind: run.kind,
  check_id: run.check,
  service: run.service,
  outage_id: run.outage,
  try_number: run.tryNumber,
  status: run.status,
  dry_run: run.dryRun ? 1 : 0,
  asked_by: run.by,
  why: run.why,
  started_at_ms: run.startedAtMs,
  ended_at_ms: run.endedAtMs,
  detail: run.detail,
  output: run.output,
  output_cut: run.outputCut ? 1 : 0,
});

export async function openOutages(sql: Sql): Promise<readonly Outage[]> {
  const rows = await sql.selectFrom('recovery_outages').selectAll().where('ended_at_ms', 'is', null).execute();
  return rows.map((row) => ({ id: row.id, check: row.check_id, fromAtMs: row.from_at_ms as EpochMs }));
}

export async function insertOutage(sql: Sql, { id, check, fromAtMs }: Outage): Promise<void> {
  await sql.insertInto('recovery_outages').values({ id, check_id: check, from_at_ms: fromAtMs, ended_at_ms: null }).execute();
}

export async function endOutage(sql: Sql, id: string, endedAtMs: EpochMs): Promise<void> {
  await sql.updateTable('recovery_outages').set({ ended_at_ms: endedAtMs }).where('id', '=', id).execute();
}

export async function insertRun(sql: Sql, run: RecoveryRun): Promise<void> {
  await sql.insertInto('recovery_runs').values(toRow(run)).execute();
}

export async function endRun(sql: Sql, run: RecoveryRun): Promise<void> {
  const { status, ended_at_ms, detail, output, output_cut } = toRow(run);
  await sql.updateTable('recovery_runs').set({ status, ended_at_ms, detail, output, output_cut }).where('id', '=', run.id).execute();
}

/** Runs that were under way when the process ended. */
export async function unendedRuns(sql: Sql): Promise<readonly RecoveryRun[]> {
  return (await sql.selectFrom('recovery_runs').selectAll().where('status', '=', 'running').execute()).map(toRun);
}

export async function runsOfOutage(sql: Sql, outage: string): Promise<readonly RecoveryRun[]> {
  return (await sql.selectFrom('recovery_runs').selectAll().where('outage_id', '=', outage).orderBy('id').execute()).map(toRun);
}

/** When the last run of each action ended; that a person asked what it would do starts no cooldown. */
export async function lastEnds(sql: Sql): Promise<ReadonlyMap<string, EpochMs>> {
  const rows = await sql
    .selectFrom('recovery_runs')
    .select((query) => ['action', query.fn.max('ended_at_ms').as('ended')])
    .where('ended_at_ms', 'is not', null)
    .where((where) => where.or([where('dry_run', '=', 0), where('asked_by', '=', '')]))
    .groupBy('action')
    .execute();
  return new Map(rows.map(({ action, ended }) => [action, Number(ended) as EpochMs]));
}

/** All conditions hold; `fromMs` and `toMs` select runs that began in `[fromMs, toMs)`. */
export type RunFilter = {
  readonly action?: string | undefined;
  readonly check?: string | undefined;
  readonly service?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly limit: number;
};

/** Newest first. */
export async function listRuns(sql: Sql, { action, check, service, fromMs, toMs, limit }: RunFilter): Promise<readonly RecoveryRun[]> {
  let query = sql.selectFrom('recovery_runs').selectAll();
  if (action !== undefined) query = query.where('action', '=', action);
  if (check !== undefined) query = query.where('check_id', '=', check);
  if (service !== undefined) query = query.where('service', '=', service);
  if (fromMs !== undefined) query = query.where('started_at_ms', '>=', fromMs);
  if (toMs !== undefined) query = query.where('started_at_ms', '<', toMs);
  return (await query.orderBy('started_at_ms', 'desc').orderBy('id', 'desc').limit(limit).execute()).map(toRun);
}

export async function findRun(sql: Sql, id: string): Promise<RecoveryRun | undefined> {
  const row = await sql.selectFrom('recovery_runs').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toRun(row);
}

export async function dropOldRuns(sql: Sql): Promise<void> {
  const oldest = await sql.selectFrom('recovery_runs').select('id').orderBy('id', 'desc').offset(MAX_RUNS_KEPT).limit(1).executeTakeFirst();
  if (oldest !== undefined) await sql.deleteFrom('recovery_runs').where('id', '<=', oldest.id).where('status', '!=', 'running').execute();
}
