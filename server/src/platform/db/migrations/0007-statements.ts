import type { Kysely } from 'kysely';

/**
 * Statements that were issued, and time that people took out of a contract. Both only grow: a decision about an exclusion is a
 * row of its own with its instant, so that what was known on any day can be asked again; a statement that no longer holds is
 * followed by another revision and stays.
 */
export type StatementTables = {
  sla_exclusions: SlaExclusionRow;
  sla_exclusion_decisions: SlaExclusionDecisionRow;
  sla_statements: SlaStatementRow;
  sla_statement_sendings: SlaStatementSendingRow;
};

/** What somebody asked for. Never changed. */
export type SlaExclusionRow = {
  id: string;
  sla: string;
  team_id: string;
  from_ms: number;
  to_ms: number;
  reason: string;
  note: string;
  requested_by: string;
  requested_at_ms: number;
};

export type SlaExclusionDecisionRow = {
  exclusion_id: string;
  /** 1 for the first decision about it. */
  seq: number;
  /** `approved`, `rejected`, `revoked`. */
  decision: string;
  decided_by: string;
  note: string;
  decided_at_ms: number;
};

export type SlaStatementRow = {
  id: string;
  sla: string;
  /** '' when it is for nobody in particular. */
  customer: string;
  team_id: string;
  from_ms: number;
  to_ms: number;
  zone: string;
  /** 1 for the first one of its period. */
  revision: number;
  /** Of what it says without its trend and its advice; another one makes a restatement. */
  digest: string;
  /** The signed canonical JSON, byte for byte. */
  document: string;
  issued_by: string;
  issued_at_ms: number;
};

/** A period of a schedule that was dealt with, so that nobody gets it twice. */
export type SlaStatementSendingRow = {
  schedule: string;
  sla: string;
  customer: string;
  from_ms: number;
  to_ms: number;
  statement_id: string;
  at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await createExclusions(db);
  await db.schema
    .createTable('sla_statements')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sla', 'text', (column) => column.notNull())
    .addColumn('customer', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('zone', 'text', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('issued_by', 'text', (column) => column.notNull())
    .addColumn('issued_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('sla_statements_revision', ['sla', 'customer', 'from_ms', 'to_ms', 'zone', 'revision'])
    .execute();
  await db.schema
    .createTable('sla_statement_sendings')
    .addColumn('schedule', 'text', (column) => column.notNull())
    .addColumn('sla', 'text', (column) => column.notNull())
    .addColumn('customer', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('statement_id', 'text', (column) => column.notNull().references('sla_statements.id'))
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('sla_statement_sendings_key', ['schedule', 'sla', 'customer', 'from_ms', 'to_ms'])
    .execute();
}

async function createExclusions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sla_exclusions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sla', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('requested_by', 'text', (column) => column.notNull())
    .addColumn('requested_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('sla_exclusions_by_sla').on('sla_exclusions').columns(['sla', 'from_ms']).execute();
  await db.schema
    .createTable('sla_exclusion_decisions')
    .addColumn('exclusion_id', 'text', (column) => column.notNull().references('sla_exclusions.id'))
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('decision', 'text', (column) => column.notNull())
    .addColumn('decided_by', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('decided_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('sla_exclusion_decisions_key', ['exclusion_id', 'seq'])
    .execute();
}
