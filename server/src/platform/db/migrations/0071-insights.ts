import type { Kysely } from 'kysely';

/** What the numbers say by themselves, what people said of it, and what they do not want to hear. */
export type InsightTables = { insights: InsightRow; insight_verdicts: InsightVerdictRow; insight_mutes: InsightMuteRow };

export type InsightRow = {
  id: string;
  kind: string;
  /** Two findings with the same one are the same thing. */
  fingerprint: string;
  /** What it is about, for mutes and verdicts: a service's id, or the labels. */
  subject_key: string;
  /** JSON array of label objects: who sees all of them sees it. Null: only those who see everything do. */
  labels: string | null;
  /** JSON object: the view without what has a column here. */
  body: string;
  score: number;
  found_at_ms: number;
  seen_at_ms: number;
  ended_at_ms: number | null;
  /** Runs in a row that did not find it again. */
  missed: number;
};

export type InsightVerdictRow = {
  insight_id: string;
  /** Who said it. */
  by_id: string;
  kind: string;
  subject_key: string;
  verdict: string;
  note: string;
  at_ms: number;
};

export type InsightMuteRow = {
  id: string;
  what: string;
  kind: string | null;
  subject_key: string | null;
  fingerprint: string | null;
  /** What the subject is called. */
  subject: string | null;
  /** As in `insights`. */
  labels: string | null;
  reason: string;
  made_at_ms: number;
  until_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('insights')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('subject_key', 'text', (column) => column.notNull())
    .addColumn('labels', 'text')
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('score', 'double precision', (column) => column.notNull())
    .addColumn('found_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('seen_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('missed', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('insights_by_time').on('insights').columns(['found_at_ms', 'id']).execute();
  await db.schema.createIndex('insights_by_fingerprint').on('insights').column('fingerprint').execute();
  await db.schema
    .createTable('insight_verdicts')
    .addColumn('insight_id', 'text', (column) => column.notNull())
    .addColumn('by_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('subject_key', 'text', (column) => column.notNull())
    .addColumn('verdict', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('insight_verdicts_pk', ['insight_id', 'by_id'])
    .execute();
  await db.schema
    .createTable('insight_mutes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('what', 'text', (column) => column.notNull())
    .addColumn('kind', 'text')
    .addColumn('subject_key', 'text')
    .addColumn('fingerprint', 'text')
    .addColumn('subject', 'text')
    .addColumn('labels', 'text')
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('until_ms', 'bigint', (column) => column.notNull())
    .execute();
}
