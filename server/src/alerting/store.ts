import { epochMs } from '@nines/base/units.ts';
import { labelsOf, labelsToRecord } from '@nines/model/labels.ts';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { chunksOf } from '../platform/db/chunks.ts';
import { expectUpdated } from '../platform/db/revision.ts';
import type { AlertRow, AlertTransitionRow } from '../platform/db/migrations/0005-alerts.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Cursor } from '../platform/http/cursor.ts';
import type { AlertKind, Severity } from './contract.ts';
import type { AlertRecord } from './evaluate.ts';

/** Values that JSON cannot hold travel as text; what cannot be read back is NaN, never a number that was not measured. */
const toText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

const openKeyOf = (record: AlertRecord): string | null => (record.condition === 'resolved' ? null : `${record.rule} ${record.fingerprint}`);

function toRow(record: AlertRecord): AlertRow {
  const { handling } = record;
  return {
    id: record.id,
    open_key: openKeyOf(record),
    fingerprint: record.fingerprint,
    team_id: record.teamId,
    kind: record.kind,
    rule: record.rule,
    alertname: record.alertname,
    condition: record.condition,
    severity: record.severity,
    service: record.service,
    labels: JSON.stringify(labelsToRecord(record.labels)),
    annotations: JSON.stringify(record.annotations),
    value: toText(record.value),
    active_since_ms: record.activeSinceMs,
    starts_at_ms: record.startsAtMs,
    fired_at_ms: record.firedAtMs,
    keep_firing_since_ms: record.keepFiringSinceMs,
    ends_at_ms: record.endsAtMs,
    cooldown_ms: record.cooldownMs,
    dashboard_only: record.dashboardOnly ? 1 : 0,
    acknowledged_by: handling.acknowledgedBy,
    acknowledged_at_ms: handling.acknowledgedAtMs,
    suppressed_by: handling.suppressedBy,
    suppressed_at_ms: handling.suppressedAtMs,
    snoozed_until_ms: handling.snoozedUntilMs,
    snoozed_until_resolved: handling.snoozedUntilResolved ? 1 : 0,
    assigned_to: handling.assignedTo,
    held_back: record.heldBack,
    generator_url: record.generatorUrl,
    created_at_ms: record.createdAtMs,
    revision: record.revision,
  } satisfies AlertRow;
}

const instant = (value: number | null): ReturnType<typeof epochMs> | null => (value === null ? null : epochMs(value));

function fromRow(row: Selectable<AlertRow>): AlertRecord {
  return {
    id: row.id,
    fingerprint: row.fingerprint,
    teamId: row.team_id,
    kind: row.kind as AlertKind,
    rule: row.rule,
    alertname: row.alertname,
    condition: row.condition as AlertRecord['condition'],
    severity: row.severity as Severity,
    service: row.service,
    labels: labelsOf(JSON.parse(row.labels) as Record<string, string>),
    annotations: JSON.parse(row.annotations) as Record<string, string>,
    value: Number(row.value),
    activeSinceMs: epochMs(row.active_since_ms),
    startsAtMs: epochMs(row.starts_at_ms),
    firedAtMs: instant(row.fired_at_ms),
    keepFiringSinceMs: instant(row.keep_firing_since_ms),
    endsAtMs: instant(row.ends_at_ms),
    cooldownMs: row.cooldown_ms,
    dashboardOnly: row.dashboard_only === 1,
    handling: {
      acknowledgedBy: row.acknowledged_by,
      acknowledgedAtMs: instant(row.acknowledged_at_ms),
      suppressedBy: row.suppressed_by,
      suppressedAtMs: instant(row.suppressed_at_ms),
      snoozedUntilMs: instant(row.snoozed_until_ms),
      snoozedUntilResolved: row.snoozed_until_resolved === 1,
      assignedTo: row.assigned_to,
    },
    heldBack: row.held_back,
    generatorUrl: row.generator_url,
    createdAtMs: epochMs(row.created_at_ms),
    revision: row.revision,
  } satisfies AlertRecord;
}

/** All that is pending or firing: what a restart continues from. */
export async function loadOpen(db: Kysely<Database>): Promise<readonly AlertRecord[]> {
  return (await db.selectFrom('alerts').selectAll().where('open_key', 'is not', null).execute()).map(fromRow);
}

export async function findAlert(db: Kysely<Database>, id: string): Promise<AlertRecord | undefined> {
  const row = await db.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Rows of one statement: an alert has some thirty values. */
const MAX_ALERTS_PER_STATEMENT = 500;
const MAX_TRANSITIONS_PER_STATEMENT = 1_000;

/** A second open alert of the same rule and fingerprint is refused by the unique key. */
export async function insertAlerts(trx: Transaction<Database>, records: readonly AlertRecord[]): Promise<void> {
  for (const some of chunksOf(records, MAX_ALERTS_PER_STATEMENT)) await trx.insertInto('alerts').values(some.map(toRow)).execute();
}

/** Writes records over the revisions they were read with, and answers them as stored; throws `revision_conflict` when another writer was faster. */
export async function updateAlerts(trx: Transaction<Database>, records: readonly AlertRecord[]): Promise<readonly AlertRecord[]> {
  const next = records.map((record) => ({ ...record, revision: record.revision + 1 }));
  for (const some of chunksOf(next.map(toRow), MAX_ALERTS_PER_STATEMENT)) {
    // Many rows in one statement; open alerts are never deleted, so that none of these is inserted.
    const result = await trx
      .insertInto('alerts')
      .values([...some])
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet((row) => Object.fromEntries(columnsOf(some).map((column) => [column, row.ref(`excluded.${column}`)])))
          .whereRef('alerts.revision', '=', (row) => row('excluded.revision', '-', 1)),
      )
      .executeTakeFirst();
    expectUpdated({ numUpdatedRows: result.numInsertedOrUpdatedRows === BigInt(some.length) ? 1n : 0n }, `one of ${some.length} alerts`);
  }
  return next;
}

const columnsOf = ([first]: readonly AlertRow[]): readonly (keyof AlertRow)[] =>
  first === undefined ? [] : (Object.keys(first) as (keyof AlertRow)[]).filter((column) => column !== 'id');

export async function deleteAlerts(trx: Transaction<Database>, ids: readonly string[]): Promise<void> {
  for (const some of chunksOf(ids, MAX_TRANSITIONS_PER_STATEMENT)) await trx.deleteFrom('alerts').where('id', 'in', some).execute();
}

export async function insertTransitions(trx: Transaction<Database>, rows: readonly AlertTransitionRow[]): Promise<void> {
  for (const some of chunksOf(rows, MAX_TRANSITIONS_PER_STATEMENT)) await trx.insertInto('alert_transitions').values(some).execute();
}

/** Oldest first. */
export async function transitionsOf(db: Kysely<Database>, alertId: string): Promise<readonly AlertTransitionRow[]> {
  return db.selectFrom('alert_transitions').selectAll().where('alert_id', '=', alertId).orderBy('id').execute();
}

/** What fired or resolved at or after that instant, oldest first. */
export async function changesSince(
  db: Kysely<Database>,
  sinceMs: number,
): Promise<readonly Pick<AlertTransitionRow, 'rule' | 'fingerprint' | 'at_ms'>[]> {
  const changes = db.selectFrom('alert_transitions').select(['rule', 'fingerprint', 'at_ms']).where('at_ms', '>=', sinceMs);
  return changes.where('kind', 'in', ['fired', 'resolved']).orderBy('at_ms').execute();
}

/** Alerts whose waiting for a person is looked at in one answer. */
const MAX_ACKNOWLEDGEMENTS = 10_000;

/** From firing to acknowledgement, of the alerts about a service that fired in `[fromMs, toMs)`, in milliseconds. */
export async function acknowledgementsOf(
  db: Kysely<Database>,
  asked: { readonly service: string; readonly fromMs: number; readonly toMs: number; readonly knownAtMs: number },
): Promise<readonly number[]> {
  const rows = await db
    .selectFrom('alerts')
    .select(['fired_at_ms', 'acknowledged_at_ms'])
    .where('service', '=', asked.service)
    .where('fired_at_ms', '>=', asked.fromMs)
    .where('fired_at_ms', '<', asked.toMs)
    .where('acknowledged_at_ms', '<=', asked.knownAtMs)
    .limit(MAX_ACKNOWLEDGEMENTS)
    .execute();
  return rows.map((row) => Math.max(0, (row.acknowledged_at_ms ?? 0) - (row.fired_at_ms ?? 0)));
}

export type AlertFilter = {
  /** Open alerts alone are listed from memory. */
  readonly status: 'resolved' | 'all';
  readonly severities: readonly string[];
  readonly rule: string | undefined;
  readonly service: string | undefined;
  /** Alerts that overlap `[fromMs, toMs)`. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** Only what comes after this alert in the order of the list. */
  readonly after: Cursor | undefined;
  readonly limit: number;
};

/** Newest start first, then by id. */
export async function listAlerts(db: Kysely<Database>, filter: AlertFilter): Promise<readonly AlertRecord[]> {
  const { status, severities, rule, service, fromMs, toMs, after } = filter;
  let query = db.selectFrom('alerts').selectAll();
  if (status === 'resolved') query = query.where('open_key', 'is', null);
  if (severities.length > 0) query = query.where('severity', 'in', [...severities]);
  if (rule !== undefined) query = query.where((or) => or.or([or('rule', '=', rule), or('kind', '=', rule)]));
  if (service !== undefined) query = query.where('service', '=', service);
  if (fromMs !== undefined) query = query.where((or) => or.or([or('ends_at_ms', 'is', null), or('ends_at_ms', '>', fromMs)]));
  if (toMs !== undefined) query = query.where('starts_at_ms', '<', toMs);
  if (after !== undefined) {
    const { atMs, id } = after;
    // The first condition says nothing new: it lets a database begin there, instead of reading all that came before.
    query = query
      .where('starts_at_ms', '<=', atMs)
      .where((or) => or.or([or('starts_at_ms', '<', atMs), or.and([or('starts_at_ms', '=', atMs), or('id', '<', id)])]));
  }
  const rows = await query.orderBy('starts_at_ms', 'desc').orderBy('id', 'desc').limit(filter.limit).execute();
  return rows.map(fromRow);
}
