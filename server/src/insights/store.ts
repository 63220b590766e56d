import type { Kysely, Transaction } from 'kysely';
import type { InsightMuteRow, InsightRow, InsightVerdictRow } from '../platform/db/migrations/0071-insights.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Cursor } from '../platform/http/cursor.ts';
import type { InsightKind, InsightView, MutedThing, Verdict } from './contract.ts';

type Sql = Kysely<Database> | Transaction<Database>;
export type LabelSets = readonly Readonly<Record<string, string>>[];

/** The part of a view that is kept as it is. */
export type Body = Pick<
  InsightView,
  'sentence' | 'subject' | 'expr' | 'unit' | 'from_at_ms' | 'to_at_ms' | 'confidence' | 'figures' | 'evidence' | 'next'
>;

export type Kept = {
  readonly id: string;
  readonly kind: InsightKind;
  readonly fingerprint: string;
  readonly subjectKey: string;
  /** Who sees all of them sees it; undefined: only who sees everything does. */
  readonly labels: LabelSets | undefined;
  readonly body: Body;
  readonly score: number;
  readonly foundAtMs: number;
  readonly seenAtMs: number;
  readonly endedAtMs: number | null;
  readonly missed: number;
};

const toRow = (kept: Kept): InsightRow => ({
  id: kept.id,
  kind: kept.kind,
  fingerprint: kept.fingerprint,
  subject_key: kept.subjectKey,
  labels: kept.labels === undefined ? null : JSON.stringify(kept.labels),
  body: JSON.stringify(kept.body),
  score: kept.score,
  found_at_ms: kept.foundAtMs,
  seen_at_ms: kept.seenAtMs,
  ended_at_ms: kept.endedAtMs,
  missed: kept.missed,
});

const labelsFrom = (text: string | null): LabelSets | undefined => (text === null ? undefined : (JSON.parse(text) as LabelSets));

const fromRow = (row: InsightRow): Kept => ({
  id: row.id,
  kind: row.kind as InsightKind,
  fingerprint: row.fingerprint,
  subjectKey: row.subject_key,
  labels: labelsFrom(row.labels),
  body: JSON.parse(row.body) as Body,
  score: row.score,
  foundAtMs: row.found_at_ms,
  seenAtMs: row.seen_at_ms,
  endedAtMs: row.ended_at_ms,
  missed: row.missed,
});

/** What is open, and what ended at or after `sinceMs`; best first. */
export async function openOrEndedSince(sql: Sql, sinceMs: number): Promise<readonly Kept[]> {
  const rows = await sql
    .selectFrom('insights')
    .selectAll()
    .where((or) => or.or([or('ended_at_ms', 'is', null), or('ended_at_ms', '>=', sinceMs)]))
    .orderBy('score', 'desc')
    .orderBy('id')
    .execute();
  return rows.map(fromRow);
}

export async function openOnes(sql: Sql, limit: number): Promise<readonly Kept[]> {
  const rows = sql.selectFrom('insights').selectAll().where('ended_at_ms', 'is', null).orderBy('score', 'desc').orderBy('id').limit(limit);
  return (await rows.execute()).map(fromRow);
}

/** Newest first. */
export async function page(
  sql: Sql,
  { kind, after, limit }: { readonly kind: InsightKind | undefined; readonly after: Cursor | undefined; readonly limit: number },
): Promise<readonly Kept[]> {
  let query = sql.selectFrom('insights').selectAll();
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (after !== undefined) {
    const { atMs, id } = after;
    query = query.where((or) => or.or([or('found_at_ms', '<', atMs), or.and([or('found_at_ms', '=', atMs), or('id', '<', id)])]));
  }
  return (await query.orderBy('found_at_ms', 'desc').orderBy('id', 'desc').limit(limit).execute()).map(fromRow);
}

export async function find(sql: Sql, id: string): Promise<Kept | undefined> {
  const row = await sql.selectFrom('insights').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** The kinds of those that were found at or after `sinceMs`. */
export async function kindsFoundSince(sql: Sql, sinceMs: number): Promise<readonly InsightKind[]> {
  const rows = await sql.selectFrom('insights').select('kind').where('found_at_ms', '>=', sinceMs).execute();
  return rows.map(({ kind }) => kind as InsightKind);
}

export async function save(sql: Sql, kept: Kept): Promise<void> {
  const row = toRow(kept);
  const { id: _, ...rest } = row;
  await sql
    .insertInto('insights')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(rest))
    .execute();
}

export async function countOpen(sql: Sql): Promise<readonly { readonly kind: InsightKind; readonly count: number }[]> {
  const rows = await sql
    .selectFrom('insights')
    .select(({ fn }) => ['kind', fn.countAll().as('count')])
    .where('ended_at_ms', 'is', null)
    .groupBy('kind')
    .execute();
  return rows.map(({ kind, count }) => ({ kind: kind as InsightKind, count: Number(count) }));
}

/** Removes at most `limit` that ended before `beforeMs`, with what was said of them, and mutes that are over since. */
export async function purge(sql: Sql, beforeMs: number, limit: number): Promise<number> {
  const rows = await sql.selectFrom('insights').select('id').where('ended_at_ms', '<', beforeMs).limit(limit).execute();
  await sql.deleteFrom('insight_mutes').where('until_ms', '<', beforeMs).execute();
  if (rows.length === 0) return 0;
  const ids = rows.map(({ id }) => id);
  await sql.deleteFrom('insight_verdicts').where('insight_id', 'in', ids).execute();
  await sql.deleteFrom('insights').where('id', 'in', ids).execute();
  return ids.length;
}

export type VerdictOf = { readonly insightId: string; readonly verdict: Verdict };

/** What one person has said. */
export async function verdictsBy(sql: Sql, byId: string, ids: readonly string[]): Promise<ReadonlyMap<string, Verdict>> {
  if (ids.length === 0) return new Map();
  const rows = await sql
    .selectFrom('insight_verdicts')
    .select(['insight_id', 'verdict'])
    .where('by_id', '=', byId)
    .where('insight_id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.insight_id, row.verdict as Verdict]));
}

export async function say(sql: Sql, row: InsightVerdictRow): Promise<void> {
  const { insight_id: _, by_id: __, ...rest } = row;
  await sql
    .insertInto('insight_verdicts')
    .values(row)
    .onConflict((conflict) => conflict.columns(['insight_id', 'by_id']).doUpdateSet(rest))
    .execute();
}

export async function unsay(sql: Sql, insightId: string, byId: string): Promise<void> {
  await sql.deleteFrom('insight_verdicts').where('insight_id', '=', insightId).where('by_id', '=', byId).execute();
}

/** How often findings of a kind about a subject were called wrong at or after `sinceMs`. */
export async function wrongCounts(
  sql: Sql,
  sinceMs: number,
): Promise<readonly { readonly kind: InsightKind; readonly subjectKey: string; readonly count: number }[]> {
  const rows = await sql
    .selectFrom('insight_verdicts')
    .select(({ fn }) => ['kind', 'subject_key', fn.countAll().as('count')])
    .where('verdict', '=', 'wrong')
    .where('at_ms', '>=', sinceMs)
    .groupBy(['kind', 'subject_key'])
    .execute();
  return rows.map((row) => ({ kind: row.kind as InsightKind, subjectKey: row.subject_key, count: Number(row.count) }));
}

export type Mute = {
  readonly id: string;
  readonly what: MutedThing;
  /** Each that is given must be the insight's. */
  readonly kind: InsightKind | null;
  readonly subjectKey: string | null;
  readonly fingerprint: string | null;
  readonly subject: string | null;
  readonly labels: LabelSets | undefined;
  readonly reason: string;
  readonly madeAtMs: number;
  readonly untilMs: number;
};

const fromMuteRow = (row: InsightMuteRow): Mute => ({
  id: row.id,
  what: row.what as MutedThing,
  kind: row.kind as InsightKind | null,
  subjectKey: row.subject_key,
  fingerprint: row.fingerprint,
  subject: row.subject,
  labels: labelsFrom(row.labels),
  reason: row.reason,
  madeAtMs: row.made_at_ms,
  untilMs: row.until_ms,
});

/** Those in force, newest first. */
export async function mutesAt(sql: Sql, nowMs: number): Promise<readonly Mute[]> {
  const rows = sql
    .selectFrom('insight_mutes')
    .selectAll()
    .where('until_ms', '>', nowMs)
    .orderBy('made_at_ms', 'desc')
    .orderBy('id', 'desc');
  return (await rows.execute()).map(fromMuteRow);
}

export async function addMute(sql: Sql, mute: Mute): Promise<void> {
  await sql
    .insertInto('insight_mutes')
    .values({
      id: mute.id,
      what: mute.what,
      kind: mute.kind,
      subject_key: mute.subjectKey,
      fingerprint: mute.fingerprint,
      subject: mute.subject,
      labels: mute.labels === undefined ? null : JSON.stringify(mute.labels),
      reason: mute.reason,
      made_at_ms: mute.madeAtMs,
      until_ms: mute.untilMs,
    })
    .execute();
}

export async function removeMute(sql: Sql, id: string): Promise<void> {
  await sql.deleteFrom('insight_mutes').where('id', '=', id).execute();
}
