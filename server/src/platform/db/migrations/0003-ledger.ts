import type { Kysely } from 'kysely';
import type { DowntimeChangeColumns, DowntimePartColumns } from './0019-downtime-parts.ts';

/**
 * The ledger. Transitions are append-only: a row is never changed but for the mark that it was superseded, so what was known at
 * any past instant can be read again. Running states cost no rows: each check has one tail that moves along. The tails of a
 * process that was killed lag by seconds; the samples hold what is missing (see availability/service.ts).
 */
export type LedgerTables = {
  ledger_transitions: LedgerTransitionRow;
  check_tails: CheckTailRow;
  monitor_sessions: MonitorSessionRow;
  downtimes: DowntimeRow & DowntimePartColumns;
  downtime_revisions: DowntimeRevisionRow & DowntimeChangeColumns;
};

/** From `at_ms` on the subject was in `state`, until its next transition that is not superseded. */
export type LedgerTransitionRow = {
  id: string;
  /** `check` or `service`. */
  subject_kind: string;
  /** The slug; history outlives the entity. */
  subject: string;
  at_ms: number;
  state: string;
  /** Set exactly when `state` is `unknown`. */
  unknown_reason: string | null;
  low_ms: number;
  high_ms: number;
  /** JSON array of `{ check, atMs, detail }`. */
  evidence: string;
  recorded_at_ms: number;
  /** When something better was known; null while it stands. */
  superseded_at_ms: number | null;
};

/** What a check's results speak for so far. */
export type CheckTailRow = {
  check_id: string;
  service: string;
  last_at_ms: number | null;
  /** Exclusive. */
  known_until_ms: number | null;
  /** JSON array: the attempts that confirmation still counts. */
  recent: string;
  /** JSON: how its results are to be read, so that results found after a restart are read as they would have been. */
  rules: string;
  /** JSON: limits and last states; null where nobody asks whether the check flaps. See 0013-flapping.ts. */
  flapping: string | null;
};

/** One run of the monitor. The newest row's `alive_until_ms` says when a process that was killed was last seen alive. */
export type MonitorSessionRow = { id: string; started_at_ms: number; alive_until_ms: number; stopped_at_ms: number | null };

/** One outage of a service, as the ledger has it now, with what people said about it. */
export type DowntimeRow = {
  id: string;
  service: string;
  from_ms: number;
  to_ms: number | null;
  from_low_ms: number;
  from_high_ms: number;
  to_low_ms: number | null;
  to_high_ms: number | null;
  reason: string;
  note: string;
  /** JSON array of check ids. */
  checks: string;
  evidence: string;
  excluded: number;
  /** Rises with every edit by a person; opening and closing are not edits. */
  revision: number;
  recorded_at_ms: number;
  /** Set when better evidence showed that it was none; it is no longer listed. */
  retracted_at_ms: number | null;
};

/** What stood before an edit, and who replaced it. */
export type DowntimeRevisionRow = {
  downtime_id: string;
  revision: number;
  reason: string;
  note: string;
  replaced_at_ms: number;
  replaced_by: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTransitions(db);
  await createTails(db);
  await createDowntimes(db);
}

async function createTransitions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ledger_transitions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('subject_kind', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('unknown_reason', 'text')
    .addColumn('low_ms', 'bigint', (column) => column.notNull())
    .addColumn('high_ms', 'bigint', (column) => column.notNull())
    .addColumn('evidence', 'text', (column) => column.notNull())
    .addColumn('recorded_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('superseded_at_ms', 'bigint')
    .execute();
  await db.schema
    .createIndex('ledger_transitions_by_subject')
    .on('ledger_transitions')
    .columns(['subject_kind', 'subject', 'at_ms'])
    .execute();
}

async function createTails(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('check_tails')
    .addColumn('check_id', 'text', (column) => column.primaryKey())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('last_at_ms', 'bigint')
    .addColumn('known_until_ms', 'bigint')
    .addColumn('recent', 'text', (column) => column.notNull())
    .addColumn('rules', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('monitor_sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('alive_until_ms', 'bigint', (column) => column.notNull())
    .addColumn('stopped_at_ms', 'bigint')
    .execute();
}

async function createDowntimes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('downtimes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint')
    .addColumn('from_low_ms', 'bigint', (column) => column.notNull())
    .addColumn('from_high_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_low_ms', 'bigint')
    .addColumn('to_high_ms', 'bigint')
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('checks', 'text', (column) => column.notNull())
    .addColumn('evidence', 'text', (column) => column.notNull())
    .addColumn('excluded', 'integer', (column) => column.notNull())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('recorded_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('retracted_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('downtimes_by_service').on('downtimes').columns(['service', 'from_ms']).execute();
  await db.schema
    .createTable('downtime_revisions')
    .addColumn('downtime_id', 'text', (column) => column.notNull().references('downtimes.id'))
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('replaced_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('replaced_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('downtime_revisions_key', ['downtime_id', 'revision'])
    .execute();
}
