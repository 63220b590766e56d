import { epochMs } from '@nines/base/units.ts';
import type { Kysely, Selectable } from 'kysely';
import type { SlaExclusionRow, SlaStatementRow, SlaStatementSendingRow } from '../../platform/db/migrations/0007-statements.ts';
import type { Database } from '../../platform/db/schema.ts';
import type { Decision, Exclusion, ExclusionDecision, ExclusionReason, ExclusionRequest } from './exclusions.ts';

/** Whose period a statement is about. `customer` '' is nobody in particular. */
export type StatementKey = {
  readonly sla: string;
  readonly customer: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly zone: string;
};

/** A statement that was issued. */
export type IssuedStatement = StatementKey & {
  readonly id: string;
  readonly teamId: string;
  readonly revision: number;
  readonly digest: string;
  readonly document: string;
  readonly issuedBy: string;
  readonly issuedAtMs: number;
};

/** Exclusions of one SLA, or of all of them, in the order in which they were asked for. */
export async function exclusionsOf(db: Kysely<Database>, sla?: string): Promise<readonly Exclusion[]> {
  const all = db.selectFrom('sla_exclusions').selectAll();
  const rows = await (sla === undefined ? all : all.where('sla', '=', sla)).orderBy('requested_at_ms').orderBy('id').execute();
  return withDecisions(db, rows);
}

export async function findExclusion(db: Kysely<Database>, id: string): Promise<Exclusion | undefined> {
  const rows = await db.selectFrom('sla_exclusions').selectAll().where('id', '=', id).execute();
  return (await withDecisions(db, rows))[0];
}

async function withDecisions(db: Kysely<Database>, rows: readonly Selectable<SlaExclusionRow>[]): Promise<readonly Exclusion[]> {
  if (rows.length === 0) return [];
  const decisions = await db
    .selectFrom('sla_exclusion_decisions as d')
    .innerJoin('sla_exclusions as e', 'e.id', 'd.exclusion_id')
    .select(['d.exclusion_id', 'd.decision', 'd.decided_by', 'd.note', 'd.decided_at_ms'])
    .where('e.sla', 'in', [...new Set(rows.map(({ sla }) => sla))])
    .orderBy('d.exclusion_id')
    .orderBy('d.seq')
    .execute();
  const byExclusion = Map.groupBy(decisions, (row) => row.exclusion_id);
  return rows.map((row) => ({
    id: row.id,
    sla: row.sla,
    teamId: row.team_id,
    fromMs: epochMs(row.from_ms),
    toMs: epochMs(row.to_ms),
    reason: row.reason as ExclusionReason,
    note: row.note,
    requestedBy: row.requested_by,
    requestedAtMs: epochMs(row.requested_at_ms),
    decisions: (byExclusion.get(row.id) ?? []).map(
      (one): ExclusionDecision => ({
        decision: one.decision as Decision,
        by: one.decided_by,
        note: one.note,
        atMs: epochMs(one.decided_at_ms),
      }),
    ),
  }));
}

export async function insertExclusion(db: Kysely<Database>, request: ExclusionRequest): Promise<void> {
  await db
    .insertInto('sla_exclusions')
    .values({
      id: request.id,
      sla: request.sla,
      team_id: request.teamId,
      from_ms: request.fromMs,
      to_ms: request.toMs,
      reason: request.reason,
      note: request.note,
      requested_by: request.requestedBy,
      requested_at_ms: request.requestedAtMs,
    } satisfies SlaExclusionRow)
    .execute();
}

/** The database refuses a second decision with the same number: of two people who decide at once one is told so. */
export async function insertDecision(db: Kysely<Database>, exclusion: Exclusion, decision: ExclusionDecision): Promise<void> {
  await db
    .insertInto('sla_exclusion_decisions')
    .values({
      exclusion_id: exclusion.id,
      seq: exclusion.decisions.length + 1,
      decision: decision.decision,
      decided_by: decision.by,
      note: decision.note,
      decided_at_ms: decision.atMs,
    })
    .execute();
}

const ofKey = (db: Kysely<Database>, key: StatementKey) =>
  db
    .selectFrom('sla_statements')
    .selectAll()
    .where('sla', '=', key.sla)
    .where('customer', '=', key.customer)
    .where('from_ms', '=', key.fromMs)
    .where('to_ms', '=', key.toMs)
    .where('zone', '=', key.zone);

/** The newest revision of one period, or the one asked for. */
export async function issuedStatement(db: Kysely<Database>, key: StatementKey, revision?: number): Promise<IssuedStatement | undefined> {
  const found = ofKey(db, key);
  const row = await (revision === undefined ? found.orderBy('revision', 'desc') : found.where('revision', '=', revision))
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : toIssued(row);
}

export async function findStatement(db: Kysely<Database>, id: string): Promise<IssuedStatement | undefined> {
  const row = await db.selectFrom('sla_statements').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toIssued(row);
}

/** Which issued statements are listed; absent: whatever it is. */
export type StatementFilter = { readonly sla?: string; readonly customer?: string };

/** Issued statements, those of the newest period first, newest revision first. */
export async function statementsOf(db: Kysely<Database>, filter: StatementFilter, limit: number): Promise<readonly IssuedStatement[]> {
  let query = db.selectFrom('sla_statements').selectAll();
  if (filter.sla !== undefined) query = query.where('sla', '=', filter.sla);
  if (filter.customer !== undefined) query = query.where('customer', '=', filter.customer);
  const rows = await query
    .orderBy('to_ms', 'desc')
    .orderBy('from_ms', 'desc')
    .orderBy('sla')
    .orderBy('customer')
    .orderBy('revision', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toIssued);
}

/** The newest revisions of periods of some SLAs that overlap `[fromMs, toMs)`. */
export async function newestStatements(
  db: Kysely<Database>,
  slas: readonly string[],
  span: { readonly fromMs: number; readonly toMs: number },
): Promise<readonly IssuedStatement[]> {
  if (slas.length === 0) return [];
  const rows = await db
    .selectFrom('sla_statements as s')
    .selectAll()
    .where('s.sla', 'in', slas)
    .where('s.from_ms', '<', span.toMs)
    .where('s.to_ms', '>', span.fromMs)
    .where('s.revision', '=', (inner) =>
      inner
        .selectFrom('sla_statements as n')
        .select((each) => each.fn.max('n.revision').as('newest'))
        .whereRef('n.sla', '=', 's.sla')
        .whereRef('n.customer', '=', 's.customer')
        .whereRef('n.from_ms', '=', 's.from_ms')
        .whereRef('n.to_ms', '=', 's.to_ms')
        .whereRef('n.zone', '=', 's.zone'),
    )
    .orderBy('s.to_ms')
    .execute();
  return rows.map(toIssued);
}

/** A revision that another writer issued meanwhile is refused by the database. */
export async function insertStatement(db: Kysely<Database>, issued: IssuedStatement): Promise<void> {
  await db
    .insertInto('sla_statements')
    .values({
      id: issued.id,
      sla: issued.sla,
      customer: issued.customer,
      team_id: issued.teamId,
      from_ms: issued.fromMs,
      to_ms: issued.toMs,
      zone: issued.zone,
      revision: issued.revision,
      digest: issued.digest,
      document: issued.document,
      issued_by: issued.issuedBy,
      issued_at_ms: issued.issuedAtMs,
    } satisfies SlaStatementRow)
    .execute();
}

const toIssued = (row: Selectable<SlaStatementRow>): IssuedStatement => ({
  id: row.id,
  sla: row.sla,
  customer: row.customer,
  teamId: row.team_id,
  fromMs: row.from_ms,
  toMs: row.to_ms,
  zone: row.zone,
  revision: row.revision,
  digest: row.digest,
  document: row.document,
  issuedBy: row.issued_by,
  issuedAtMs: row.issued_at_ms,
});

/** A period of a schedule. */
export type SendingKey = {
  readonly schedule: string;
  readonly sla: string;
  readonly customer: string;
  readonly fromMs: number;
  readonly toMs: number;
};

export async function wasSent(db: Kysely<Database>, key: SendingKey): Promise<boolean> {
  const row = await db
    .selectFrom('sla_statement_sendings')
    .select('at_ms')
    .where('schedule', '=', key.schedule)
    .where('sla', '=', key.sla)
    .where('customer', '=', key.customer)
    .where('from_ms', '=', key.fromMs)
    .where('to_ms', '=', key.toMs)
    .executeTakeFirst();
  return row !== undefined;
}

export type Sending = SendingKey & { readonly statementId: string; readonly atMs: number };

/** What a schedule sent, newest first. */
export async function sendingsOf(db: Kysely<Database>, schedule: string, limit: number): Promise<readonly Sending[]> {
  const rows = await db
    .selectFrom('sla_statement_sendings')
    .selectAll()
    .where('schedule', '=', schedule)
    .orderBy('at_ms', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    schedule: row.schedule,
    sla: row.sla,
    customer: row.customer,
    fromMs: row.from_ms,
    toMs: row.to_ms,
    statementId: row.statement_id,
    atMs: row.at_ms,
  }));
}

/** Fails when another process dealt with the period meanwhile. */
export async function insertSending(
  db: Kysely<Database>,
  key: SendingKey,
  sent: { readonly statementId: string; readonly atMs: number },
): Promise<void> {
  await db
    .insertInto('sla_statement_sendings')
    .values({
      schedule: key.schedule,
      sla: key.sla,
      customer: key.customer,
      from_ms: key.fromMs,
      to_ms: key.toMs,
      statement_id: sent.statementId,
      at_ms: sent.atMs,
    } satisfies SlaStatementSendingRow)
    .execute();
}
