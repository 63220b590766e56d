import type { Kysely } from 'kysely';

/** People and schedules that were made through the API, overrides, links to calendars, and who was on call from when on. */
export type OncallTables = {
  oncall_specs: OncallSpecRow;
  oncall_overrides: OncallOverrideRow;
  oncall_calendars: OncallCalendarRow;
  oncall_turns: OncallTurnRow;
};

export type OncallSpecRow = {
  /** `person` or `schedule`. */
  kind: string;
  id: string;
  /** JSON as a person would write it. */
  spec: string;
  revision: number;
  made_by: string;
  made_at_ms: number;
};

export type OncallOverrideRow = {
  id: string;
  schedule: string;
  person: string;
  from_ms: number;
  to_ms: number;
  note: string;
  made_by: string;
  made_at_ms: number;
};

/** A link that whoever knows it reads without signing in; only its hash is kept. */
export type OncallCalendarRow = {
  id: string;
  /** `person` or `schedule`, and its id. */
  kind: string;
  subject: string;
  token_hash: string;
  made_by: string;
  made_at_ms: number;
  read_at_ms: number | null;
};

/** From `from_ms` on these were on call, as far as people were told. Never changed. */
export type OncallTurnRow = {
  schedule: string;
  from_ms: number;
  /** JSON: ids of people. */
  people: string;
  reason: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('oncall_specs')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('made_by', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('oncall_specs_key', ['kind', 'id'])
    .execute();
  await db.schema
    .createTable('oncall_overrides')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('schedule', 'text', (column) => column.notNull())
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('made_by', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('oncall_overrides_of').on('oncall_overrides').columns(['schedule', 'to_ms']).execute();
  await db.schema
    .createTable('oncall_calendars')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('made_by', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('read_at_ms', 'bigint')
    .execute();
  await db.schema
    .createTable('oncall_turns')
    .addColumn('schedule', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('people', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('oncall_turns_key', ['schedule', 'from_ms'])
    .execute();
}
