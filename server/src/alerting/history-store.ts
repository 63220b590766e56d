import type { Kysely } from 'kysely';
import type { AlertSnapshotRow } from '../platform/db/migrations/0036-alert-history.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Severity } from './contract.ts';

/** What stands in the database about alerts of the past. */

/** In one statement: each commit waits for the disk. */
export async function saveSnapshots(db: Kysely<Database>, rows: readonly AlertSnapshotRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db
    .insertInto('alert_snapshots')
    .values([...rows])
    .onConflict((conflict) => conflict.column('alert_id').doNothing())
    .execute();
}

export async function findSnapshot(db: Kysely<Database>, alertId: string): Promise<string | undefined> {
  const row = await db.selectFrom('alert_snapshots').select('data').where('alert_id', '=', alertId).executeTakeFirst();
  return row?.data;
}

export type PastAlert = {
  readonly id: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number | null;
  readonly severity: Severity;
  readonly acknowledgedAtMs: number | null;
};

/** Alerts of one rule and fingerprint that fired and overlap `[fromMs, toMs)`, newest first. */
export async function pastOf(
  db: Kysely<Database>,
  asked: { readonly rule: string; readonly fingerprint: string; readonly fromMs: number; readonly toMs: number; readonly limit: number },
): Promise<readonly PastAlert[]> {
  const rows = await db
    .selectFrom('alerts')
    .select(['id', 'starts_at_ms', 'ends_at_ms', 'severity', 'acknowledged_at_ms'])
    .where('fingerprint', '=', asked.fingerprint)
    .where('rule', '=', asked.rule)
    .where('fired_at_ms', 'is not', null)
    .where('starts_at_ms', '<', asked.toMs)
    .where((or) => or.or([or('ends_at_ms', 'is', null), or('ends_at_ms', '>', asked.fromMs)]))
    .orderBy('starts_at_ms', 'desc')
    .limit(asked.limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    startsAtMs: row.starts_at_ms,
    endsAtMs: row.ends_at_ms,
    severity: row.severity as Severity,
    acknowledgedAtMs: row.acknowledged_at_ms,
  }));
}

/** An alert that fired, as statistics need it. */
export type FiredAlert = {
  readonly id: string;
  readonly rule: string;
  readonly alertname: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly fingerprint: string;
  readonly service: string | null;
  readonly startsAtMs: number;
  readonly firedAtMs: number;
  readonly endsAtMs: number | null;
  readonly acknowledgedAtMs: number | null;
  /** Somebody acknowledged it, took it, snoozed it or ended it. */
  readonly actedUpon: boolean;
  /** The last value that it was seen with. */
  readonly value: number;
};

/** Steps of a person that say that an alert mattered to somebody. */
const ACTIONS = ['acknowledged', 'suppressed', 'snoozed', 'assigned', 'commented', 'resolved'];

export type FiredFilter = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly service: string | undefined;
  /** Who acts when no person does. */
  readonly system: string;
  readonly limit: number;
};

/** Alerts that fired and whose problem began in `[fromMs, toMs)`, newest first. */
export async function firedIn(db: Kysely<Database>, { fromMs, toMs, service, system, limit }: FiredFilter): Promise<readonly FiredAlert[]> {
  let query = db
    .selectFrom('alerts')
    .select(['id', 'rule', 'alertname', 'kind', 'severity', 'fingerprint', 'service', 'starts_at_ms', 'fired_at_ms', 'ends_at_ms'])
    .select(['acknowledged_at_ms', 'value'])
    .where('starts_at_ms', '>=', fromMs)
    .where('starts_at_ms', '<', toMs)
    .where('fired_at_ms', 'is not', null);
  if (service !== undefined) query = query.where('service', '=', service);
  const rows = await query.orderBy('starts_at_ms', 'desc').limit(limit).execute();
  const acted = await db
    .selectFrom('alert_transitions')
    .innerJoin('alerts', 'alerts.id', 'alert_transitions.alert_id')
    .select('alert_transitions.alert_id')
    .distinct()
    .where('alert_transitions.at_ms', '>=', fromMs)
    .where('alerts.starts_at_ms', '>=', fromMs)
    .where('alerts.starts_at_ms', '<', toMs)
    .where('alert_transitions.kind', 'in', ACTIONS)
    .where('alert_transitions.actor', '!=', system)
    .execute();
  const actedIds = new Set(acted.map((row) => row.alert_id));
  return rows.map((row) => ({
    id: row.id,
    rule: row.rule,
    alertname: row.alertname,
    kind: row.kind,
    severity: row.severity as Severity,
    fingerprint: row.fingerprint,
    service: row.service,
    startsAtMs: row.starts_at_ms,
    firedAtMs: row.fired_at_ms ?? row.starts_at_ms,
    endsAtMs: row.ends_at_ms,
    acknowledgedAtMs: row.acknowledged_at_ms,
    actedUpon: actedIds.has(row.id),
    value: Number(row.value),
  }));
}

/**
 * Removes at most `limit` alerts that ended before `beforeMs`, with their steps and snapshots, and as many steps of alerts that never fired.
 * Returns how many rows it began with; fewer than `limit` of both kinds is the end of the work.
 */
export async function purgeAlerts(
  db: Kysely<Database>,
  beforeMs: number,
  limit: number,
): Promise<{ readonly alerts: number; readonly steps: number }> {
  return db.transaction().execute(async (trx) => {
    const ended = trx.selectFrom('alerts').select('id').where('open_key', 'is', null).where('ends_at_ms', '<', beforeMs).limit(limit);
    const ids = (await ended.execute()).map((row) => row.id);
    if (ids.length > 0) {
      await trx.deleteFrom('alert_transitions').where('alert_id', 'in', ids).execute();
      await trx.deleteFrom('alert_snapshots').where('alert_id', 'in', ids).execute();
      await trx.deleteFrom('alerts').where('id', 'in', ids).execute();
    }
    const loose = await trx
      .selectFrom('alert_transitions')
      .leftJoin('alerts', 'alerts.id', 'alert_transitions.alert_id')
      .select('alert_transitions.id')
      .where('alert_transitions.at_ms', '<', beforeMs)
      .where('alerts.id', 'is', null)
      .limit(limit)
      .execute();
    const steps = loose.map((row) => row.id);
    if (steps.length > 0) await trx.deleteFrom('alert_transitions').where('id', 'in', steps).execute();
    return { alerts: ids.length, steps: steps.length };
  });
}
