import type { Kysely } from 'kysely';

/** What is known of metrics beside their samples: it comes with pushes and scrapes, and is asked for before the next of them. */
export type MetricMetadataTables = { metric_metadata: MetricMetadataRow };

export type MetricMetadataRow = {
  family: string;
  type: string;
  help: string;
  unit: string;
  /** Who said it last: `scrape:node`, `otlp`. */
  source: string;
  category: string | null;
  /** JSON. */
  attributes: string | null;
  /** When it was last said, to a day. */
  seen_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('metric_metadata')
    .addColumn('family', 'text', (column) => column.primaryKey())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('help', 'text', (column) => column.notNull())
    .addColumn('unit', 'text', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('category', 'text')
    .addColumn('attributes', 'text')
    .addColumn('seen_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
