import type { AnalyticsEpisodeRow } from '../platform/db/migrations/0073-watched-series.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Episode } from './scoring.ts';

/** Episodes kept; the oldest go first. */
const MAX_EPISODES = 100_000;

export type StoredEpisode = Episode & {
  readonly id: string;
  readonly watch: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly open: boolean;
};

/** Of one series and horizon: what it will be, or why that cannot be told. */
export type StoredForecast = {
  readonly watch: string;
  readonly horizonMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly madeAtMs: number;
  readonly body: ForecastBody;
};
type ForecastBody =
  | {
      readonly kind: 'made';
      readonly points: readonly (readonly [atMs: number, value: number, lower: number, upper: number])[];
      readonly method: string;
      readonly mase: number;
      readonly naiveMase: number;
      readonly coverage: number;
    }
  | { readonly kind: 'refused'; readonly reason: string };

const toEpisode = (row: AnalyticsEpisodeRow): StoredEpisode => ({
  id: row.id,
  watch: row.watch,
  labels: JSON.parse(row.labels) as Record<string, string>,
  fromMs: row.from_at_ms,
  toMs: row.to_at_ms,
  peakMs: row.peak_at_ms,
  score: row.score,
  reason: row.reason,
  open: row.open === 1,
});

export async function saveEpisode(
  sql: Sql,
  { id, watch, labels, open, fromMs, toMs, peakMs, score, reason }: StoredEpisode,
): Promise<void> {
  const changing = { to_at_ms: toMs, peak_at_ms: peakMs, score, reason, open: open ? 1 : 0 };
  const row = { id, watch, labels: JSON.stringify(labels), from_at_ms: fromMs, ...changing };
  await sql
    .insertInto('analytics_episodes')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changing))
    .execute();
}

export async function openEpisodes(sql: Sql): Promise<readonly StoredEpisode[]> {
  const rows = await sql.selectFrom('analytics_episodes').selectAll().where('open', '=', 1).execute();
  return rows.map(toEpisode);
}

/** Those that touch `[fromMs, toMs]`, newest first. */
export async function episodesIn(
  sql: Sql,
  {
    name,
    fromMs,
    toMs,
    limit,
  }: { readonly name?: string | undefined; readonly fromMs: number; readonly toMs: number; readonly limit: number },
): Promise<readonly StoredEpisode[]> {
  let query = sql.selectFrom('analytics_episodes').selectAll().where('from_at_ms', '<=', toMs).where('to_at_ms', '>=', fromMs);
  if (name !== undefined) query = query.where('watch', '=', name);
  return (await query.orderBy('from_at_ms', 'desc').orderBy('id', 'desc').limit(limit).execute()).map(toEpisode);
}

export async function purgeEpisodes(sql: Sql): Promise<void> {
  const last = await sql
    .selectFrom('analytics_episodes')
    .select('from_at_ms')
    .orderBy('from_at_ms', 'desc')
    .offset(MAX_EPISODES)
    .limit(1)
    .executeTakeFirst();
  if (last !== undefined) await sql.deleteFrom('analytics_episodes').where('from_at_ms', '<=', last.from_at_ms).execute();
}

export async function loadForecasts(sql: Sql): Promise<readonly StoredForecast[]> {
  const rows = await sql.selectFrom('analytics_forecasts').selectAll().execute();
  return rows.map((row) => ({
    watch: row.watch,
    horizonMs: row.horizon_ms,
    labels: JSON.parse(row.labels) as Record<string, string>,
    madeAtMs: row.made_at_ms,
    body: JSON.parse(row.body) as ForecastBody,
  }));
}

/** Replaces all forecasts of a watch and horizon. */
export async function replaceForecasts(
  db: Sql,
  { watch, horizonMs }: Pick<StoredForecast, 'watch' | 'horizonMs'>,
  forecasts: readonly StoredForecast[],
): Promise<void> {
  await db.transaction().execute(async (sql) => {
    await sql.deleteFrom('analytics_forecasts').where('watch', '=', watch).where('horizon_ms', '=', horizonMs).execute();
    for (const { labels, madeAtMs, body } of forecasts)
      await sql
        .insertInto('analytics_forecasts')
        .values({ watch, horizon_ms: horizonMs, labels: JSON.stringify(labels), made_at_ms: madeAtMs, body: JSON.stringify(body) })
        .execute();
  });
}

/** Leaves only forecasts of watches and horizons that there are. */
export async function dropForecast(sql: Sql, { watch, horizonMs }: Pick<StoredForecast, 'watch' | 'horizonMs'>): Promise<void> {
  await sql.deleteFrom('analytics_forecasts').where('watch', '=', watch).where('horizon_ms', '=', horizonMs).execute();
}
