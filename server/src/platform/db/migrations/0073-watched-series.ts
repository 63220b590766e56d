import type { Kysely } from 'kysely';

/** What came of watched series beyond their samples: episodes of unusual values, and the forecasts that are in force. */
export type WatchedSeriesTables = { analytics_episodes: AnalyticsEpisodeRow; analytics_forecasts: AnalyticsForecastRow };

export type AnalyticsEpisodeRow = {
  id: string;
  watch: string;
  /** JSON object: the labels of the series. */
  labels: string;
  from_at_ms: number;
  /** Of its last unusual value so far. */
  to_at_ms: number;
  peak_at_ms: number;
  score: number;
  reason: string;
  /** 1 while it goes on. */
  open: number;
};

export type AnalyticsForecastRow = {
  watch: string;
  horizon_ms: number;
  /** JSON object: the labels of the series. */
  labels: string;
  made_at_ms: number;
  /** JSON object: points, or why there are none. */
  body: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('analytics_episodes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('watch', 'text', (column) => column.notNull())
    .addColumn('labels', 'text', (column) => column.notNull())
    .addColumn('from_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('peak_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('score', 'double precision', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('open', 'integer', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('analytics_episodes_from').on('analytics_episodes').columns(['from_at_ms', 'id']).execute();
  await db.schema
    .createTable('analytics_forecasts')
    .addColumn('watch', 'text', (column) => column.notNull())
    .addColumn('horizon_ms', 'bigint', (column) => column.notNull())
    .addColumn('labels', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('analytics_forecasts_key', ['watch', 'horizon_ms', 'labels'])
    .execute();
}
