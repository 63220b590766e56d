import type { Kysely, Selectable, Transaction } from 'kysely';
import type { AlertView } from '../alerting/contract.ts';
import { chunksOf } from '../platform/db/chunks.ts';
import type { EscalationRow } from '../platform/db/migrations/0032-escalation.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Ladder, LadderPolicy, PausedBy, Recipient } from './evaluate.ts';

/** A ladder as stored: which one of its alert it is, and how long a fingerprint stays quiet after it was told. */
export type StoredLadder = {
  readonly key: string;
  readonly cooldownMs: number;
  readonly endedAtMs: number | null;
  readonly ladder: Ladder;
};

const MAX_ROWS_PER_STATEMENT = 1_000;
const chunks = <T>(all: readonly T[]) => chunksOf(all, MAX_ROWS_PER_STATEMENT);

const toRow = ({ key, cooldownMs, endedAtMs, ladder }: StoredLadder): EscalationRow => ({
  alert_id: ladder.alert.id,
  ladder: key,
  rule: ladder.alert.rule,
  fingerprint: ladder.alert.fingerprint,
  policy: JSON.stringify(ladder.policy),
  alert: JSON.stringify(ladder.alert),
  cooldown_ms: cooldownMs,
  status: ladder.status,
  why: ladder.why,
  paused_by: ladder.pausedBy,
  round: ladder.round,
  level: ladder.level,
  base_ms: ladder.baseMs,
  next_at_ms: ladder.nextAtMs,
  told_at_ms: ladder.toldAtMs,
  told: JSON.stringify(ladder.told),
  started_at_ms: ladder.startedAtMs,
  ended_at_ms: endedAtMs,
});

const fromRow = (row: Selectable<EscalationRow>): StoredLadder => ({
  key: row.ladder,
  cooldownMs: row.cooldown_ms,
  endedAtMs: row.ended_at_ms,
  ladder: {
    alert: JSON.parse(row.alert) as AlertView,
    policy: JSON.parse(row.policy) as LadderPolicy,
    status: row.status as Ladder['status'],
    why: row.why,
    pausedBy: row.paused_by as PausedBy,
    round: row.round,
    level: row.level,
    baseMs: row.base_ms,
    nextAtMs: row.next_at_ms,
    toldAtMs: row.told_at_ms,
    told: JSON.parse(row.told) as readonly Recipient[],
    startedAtMs: row.started_at_ms,
  },
});

/** Inserts ladders, or writes over them. */
export async function saveLadders(trx: Transaction<Database>, ladders: readonly StoredLadder[]): Promise<void> {
  for (const some of chunks(ladders)) {
    await trx
      .insertInto('escalations')
      .values(some.map(toRow))
      .onConflict((conflict) =>
        conflict.columns(['alert_id', 'ladder']).doUpdateSet((row) => ({
          policy: row.ref('excluded.policy'),
          alert: row.ref('excluded.alert'),
          cooldown_ms: row.ref('excluded.cooldown_ms'),
          status: row.ref('excluded.status'),
          why: row.ref('excluded.why'),
          paused_by: row.ref('excluded.paused_by'),
          round: row.ref('excluded.round'),
          level: row.ref('excluded.level'),
          base_ms: row.ref('excluded.base_ms'),
          next_at_ms: row.ref('excluded.next_at_ms'),
          told_at_ms: row.ref('excluded.told_at_ms'),
          told: row.ref('excluded.told'),
          started_at_ms: row.ref('excluded.started_at_ms'),
          ended_at_ms: row.ref('excluded.ended_at_ms'),
        })),
      )
      .execute();
  }
}

/** The ladders of these alerts, by alert. */
export async function laddersOf(db: Kysely<Database>, alertIds: readonly string[]): Promise<ReadonlyMap<string, readonly StoredLadder[]>> {
  const found = new Map<string, StoredLadder[]>();
  for (const some of chunks([...new Set(alertIds)])) {
    const rows = await db.selectFrom('escalations').selectAll().where('alert_id', 'in', some).orderBy('ladder').execute();
    for (const row of rows) found.set(row.alert_id, [...(found.get(row.alert_id) ?? []), fromRow(row)]);
  }
  return found;
}

/** When these fingerprints were last told on each ladder, whatever their alerts: `fingerprint ladder` to the row. */
export async function lastTold(
  db: Kysely<Database>,
  fingerprints: readonly string[],
): Promise<ReadonlyMap<string, { readonly toldAtMs: number; readonly cooldownMs: number }>> {
  const found = new Map<string, { toldAtMs: number; cooldownMs: number }>();
  for (const some of chunks([...new Set(fingerprints)])) {
    const rows = await db
      .selectFrom('escalations')
      .select(['rule', 'fingerprint', 'ladder', 'told_at_ms', 'cooldown_ms'])
      .where('fingerprint', 'in', some)
      .where('status', '=', 'ended')
      .execute();
    for (const { rule, fingerprint, ladder, told_at_ms: toldAtMs, cooldown_ms: cooldownMs } of rows) {
      const key = `${rule} ${fingerprint} ${ladder}`;
      if (toldAtMs !== null && toldAtMs >= (found.get(key)?.toldAtMs ?? 0)) found.set(key, { toldAtMs, cooldownMs });
    }
  }
  return found;
}

export type LadderKey = { readonly alertId: string; readonly key: string };

/** Ladders to look at now, longest overdue first. */
export async function dueLadders(db: Kysely<Database>, nowMs: number, limit: number): Promise<readonly LadderKey[]> {
  const due = db.selectFrom('escalations').select(['alert_id', 'ladder']).where('next_at_ms', '<=', nowMs);
  const rows = await due.orderBy('next_at_ms').limit(limit).execute();
  return rows.map(({ alert_id: alertId, ladder: key }) => ({ alertId, key }));
}

/** Reads a ladder and keeps every other writer of it waiting until this transaction ends. */
export async function lockLadder(trx: Transaction<Database>, { alertId, key }: LadderKey): Promise<StoredLadder | undefined> {
  await trx
    .updateTable('escalations')
    .set((row) => ({ level: row.ref('level') }))
    .where('alert_id', '=', alertId)
    .where('ladder', '=', key)
    .execute();
  const row = await trx.selectFrom('escalations').selectAll().where('alert_id', '=', alertId).where('ladder', '=', key).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** What waits for the end of a silence is looked at now. */
export async function makeHeldDue(trx: Transaction<Database>, atMs: number): Promise<void> {
  await trx.updateTable('escalations').set({ next_at_ms: atMs }).where('paused_by', '=', 'held').execute();
}

/** Forgets the ladders of at most `limit` alerts that ended before that instant. Returns how many ladders it began with. */
export async function forgetEnded(db: Kysely<Database>, beforeMs: number, limit: number): Promise<number> {
  const ended = await db.selectFrom('escalations').select('alert_id').where('ended_at_ms', '<', beforeMs).limit(limit).execute();
  const ids = ended.map(({ alert_id: id }) => id);
  if (ids.length > 0) await db.deleteFrom('escalations').where('alert_id', 'in', ids).where('ended_at_ms', '<', beforeMs).execute();
  return ids.length;
}

/** Alerts that have something to come: the ladder's next look. */
export async function alertsWithNextLook(db: Kysely<Database>): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('escalations')
    .select('alert_id')
    .where('ladder', '=', 'policy')
    .where('next_at_ms', 'is not', null)
    .execute();
  return new Set(rows.map(({ alert_id: id }) => id));
}

/** How many ladders there are of each status. */
export async function countLadders(db: Kysely<Database>): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('escalations')
    .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
    .groupBy('status')
    .execute();
  return new Map(rows.map(({ status, count }) => [status, Number(count)]));
}
