import type { Kysely, Selectable, Transaction } from 'kysely';
import type { AlertView } from '../alerting/contract.ts';
import type { NotificationRow, NotifyGroupRow } from '../platform/db/migrations/0005-alerts.ts';
import { chunksOf } from '../platform/db/chunks.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Cursor } from '../platform/http/cursor.ts';
import type { NotificationView } from './contract.ts';
import type { Member, Told } from './evaluate.ts';
import type { Group } from './route.ts';

/** A group as stored. */
export type StoredGroup = {
  readonly group: Group;
  readonly told: Told;
  readonly flushAtMs: number | null;
  readonly flushedAtMs: number | null;
};

const toGroupRow = ({ group, told, flushAtMs, flushedAtMs }: StoredGroup): NotifyGroupRow =>
  ({
    id: group.id,
    group_key: group.groupKey,
    channel: group.channel,
    receiver: group.receiver,
    intervals: JSON.stringify(group.intervals),
    group_labels: JSON.stringify(group.groupLabels),
    group_wait_ms: group.groupWaitMs,
    group_interval_ms: group.groupIntervalMs,
    repeat_interval_ms: group.repeatIntervalMs,
    flush_at_ms: flushAtMs,
    flushed_at_ms: flushedAtMs,
    notified_at_ms: told.atMs,
    notified_firing: JSON.stringify([...told.firing].sort()),
  }) satisfies NotifyGroupRow;

const GROUP_COLUMNS = [
  'id',
  'group_key',
  'channel',
  'receiver',
  'intervals',
  'group_labels',
  'group_wait_ms',
  'group_interval_ms',
  'repeat_interval_ms',
] as const;

const groupFromRow = (row: Pick<Selectable<NotifyGroupRow>, (typeof GROUP_COLUMNS)[number]>): Group => ({
  id: row.id,
  groupKey: row.group_key,
  channel: row.channel,
  // Groups of an older version were told under their channel's name.
  receiver: row.receiver === '' ? row.channel : row.receiver,
  intervals: JSON.parse(row.intervals) as Group['intervals'],
  groupLabels: JSON.parse(row.group_labels) as Record<string, string>,
  groupWaitMs: row.group_wait_ms,
  groupIntervalMs: row.group_interval_ms,
  repeatIntervalMs: row.repeat_interval_ms,
});

const fromGroupRow = (row: Selectable<NotifyGroupRow>): StoredGroup => ({
  group: groupFromRow(row),
  told: { atMs: row.notified_at_ms, firing: new Set(JSON.parse(row.notified_firing) as string[]) },
  flushAtMs: row.flush_at_ms,
  flushedAtMs: row.flushed_at_ms,
});

export async function findGroup(db: Kysely<Database>, id: string): Promise<StoredGroup | undefined> {
  const row = await db.selectFrom('notify_groups').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : fromGroupRow(row);
}

/** Makes every other writer of the group wait until this transaction ends; a no-op where writers take turns anyway. */
export async function lockGroup(trx: Transaction<Database>, id: string): Promise<void> {
  await trx
    .updateTable('notify_groups')
    .set((row) => ({ flush_at_ms: row.ref('flush_at_ms') }))
    .where('id', '=', id)
    .execute();
}

/** Has a group that was told of before look at itself at the latest then; false when there is no such group. Locks it, as `lockGroup` does. */
export async function waitUntil(trx: Transaction<Database>, id: string, atMs: number): Promise<boolean> {
  const result = await trx
    .updateTable('notify_groups')
    .set((row) => ({ flush_at_ms: row.case().when('flush_at_ms', '<=', atMs).then(row.ref('flush_at_ms')).else(atMs).end() }))
    .where('id', '=', id)
    .where('notified_at_ms', 'is not', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Groups to look at now, longest overdue first. */
export async function dueGroups(db: Kysely<Database>, nowMs: number, limit: number): Promise<readonly string[]> {
  const due = db.selectFrom('notify_groups').select('id').where('flush_at_ms', '<=', nowMs);
  return (await due.orderBy('flush_at_ms').limit(limit).execute()).map((row) => row.id);
}

/** Groups that look at themselves only at their own deadlines are due now. */
export async function makeUntimedDue(trx: Transaction<Database>, atMs: number): Promise<void> {
  await trx.updateTable('notify_groups').set({ flush_at_ms: atMs }).where('group_interval_ms', '=', 0).execute();
}

/** Those of these groups that look at themselves only at their own deadlines are due now. */
export async function makeDue(trx: Transaction<Database>, ids: readonly string[], atMs: number): Promise<void> {
  for (const some of chunks(ids)) {
    await trx.updateTable('notify_groups').set({ flush_at_ms: atMs }).where('id', 'in', some).where('group_interval_ms', '=', 0).execute();
  }
}

/** The groups that each of these alerts is a member of, whatever the routing says today. */
export async function groupsOfAlerts(db: Kysely<Database>, alertIds: readonly string[]): Promise<ReadonlyMap<string, readonly Group[]>> {
  const members: { readonly group_id: string; readonly alert_id: string }[] = [];
  for (const some of chunks([...new Set(alertIds)])) {
    const of = db.selectFrom('notify_members').select(['group_id', 'alert_id']).where('alert_id', 'in', some);
    members.push(...(await of.orderBy('group_id').execute()));
  }
  // Each group once, and without what it told: a storm has many members in few groups.
  const groups = new Map<string, Group>();
  for (const some of chunks([...new Set(members.map((member) => member.group_id))])) {
    const rows = await db.selectFrom('notify_groups').select(GROUP_COLUMNS).where('id', 'in', some).execute();
    for (const row of rows) groups.set(row.id, groupFromRow(row));
  }
  const found = new Map<string, Group[]>();
  for (const { group_id: groupId, alert_id: alertId } of members) {
    const group = groups.get(groupId);
    if (group === undefined) continue;
    const ofAlert = found.get(alertId);
    if (ofAlert === undefined) found.set(alertId, [group]);
    else ofAlert.push(group);
  }
  return found;
}

/** Inserts or replaces the group. Timings follow the newest routing. */
export async function saveGroup(trx: Transaction<Database>, stored: StoredGroup): Promise<void> {
  const row = toGroupRow(stored);
  const { id: _id, ...columns } = row;
  await trx
    .insertInto('notify_groups')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
    .execute();
}

export async function deleteGroup(trx: Transaction<Database>, id: string): Promise<void> {
  await trx.deleteFrom('notify_groups').where('id', '=', id).execute();
}

/** Puts the newest state of alerts into the group; the last one of a fingerprint counts. When a fingerprint was announced is kept. */
export async function saveMembers(
  trx: Transaction<Database>,
  groupId: string,
  changed: readonly Omit<Member, 'announcedAtMs'>[],
): Promise<void> {
  const latest = new Map(changed.map((member) => [member.alert.fingerprint, member]));
  for (const some of chunks([...latest.values()])) {
    const rows = some.map(({ alert, cooldownMs }) => ({
      group_id: groupId,
      fingerprint: alert.fingerprint,
      announced_at_ms: null,
      alert_id: alert.id,
      alert: JSON.stringify(alert),
      cooldown_ms: cooldownMs,
    }));
    await trx
      .insertInto('notify_members')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['group_id', 'fingerprint']).doUpdateSet((row) => ({
          alert_id: row.ref('excluded.alert_id'),
          alert: row.ref('excluded.alert'),
          cooldown_ms: row.ref('excluded.cooldown_ms'),
        })),
      )
      .execute();
  }
}

export async function membersOf(db: Kysely<Database>, groupId: string): Promise<readonly Member[]> {
  const rows = await db.selectFrom('notify_members').selectAll().where('group_id', '=', groupId).orderBy('fingerprint').execute();
  return rows.map((row) => ({
    alert: JSON.parse(row.alert) as AlertView,
    cooldownMs: row.cooldown_ms,
    announcedAtMs: row.announced_at_ms,
  }));
}

export async function markAnnounced(
  trx: Transaction<Database>,
  groupId: string,
  announced: { fingerprints: readonly string[]; atMs: number },
): Promise<void> {
  for (const some of chunks(announced.fingerprints)) {
    await trx
      .updateTable('notify_members')
      .set({ announced_at_ms: announced.atMs })
      .where('group_id', '=', groupId)
      .where('fingerprint', 'in', some)
      .execute();
  }
}

export async function deleteMembers(trx: Transaction<Database>, groupId: string, fingerprints: readonly string[]): Promise<void> {
  for (const some of chunks(fingerprints)) {
    await trx.deleteFrom('notify_members').where('group_id', '=', groupId).where('fingerprint', 'in', some).execute();
  }
}

export async function insertNotification(trx: Transaction<Database>, row: NotificationRow, alertIds: readonly string[]): Promise<void> {
  await trx.insertInto('notifications').values(row).execute();
  if (alertIds.length === 0) return;
  const links = [...new Set(alertIds)].map((alert_id) => ({ notification_id: row.id, alert_id }));
  for (const some of chunks(links)) await trx.insertInto('notification_alerts').values(some).execute();
}

/** Whether a group has told, or is about to tell, this channel that the alert fires. */
export async function wasRouted(trx: Transaction<Database>, alertId: string, channel: string): Promise<boolean> {
  const row = await trx
    .selectFrom('notification_alerts')
    .innerJoin('notifications', 'notifications.id', 'notification_alerts.notification_id')
    .select('notifications.id')
    .where('notification_alerts.alert_id', '=', alertId)
    .where('notifications.channel', '=', channel)
    .where('notifications.reason', '=', 'fired')
    .where('notifications.status', 'in', ['queued', 'delivered'])
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether a message of this group key waits to be sent. */
export async function isThreadWaiting(db: Kysely<Database>, groupKey: string): Promise<boolean> {
  const waiting = db.selectFrom('notifications').select('id').where('status', '=', 'queued').where('group_key', '=', groupKey);
  return (await waiting.executeTakeFirst()) !== undefined;
}

/** Alerts in groups that are looked at again, and those of messages that wait. */
export async function pendingAlerts(db: Kysely<Database>): Promise<ReadonlySet<string>> {
  const members = await db
    .selectFrom('notify_members')
    .innerJoin('notify_groups', 'notify_groups.id', 'notify_members.group_id')
    .select('notify_members.alert_id')
    .where('notify_groups.flush_at_ms', 'is not', null)
    .execute();
  const queued = await db
    .selectFrom('notifications')
    .innerJoin('notification_alerts', 'notification_alerts.notification_id', 'notifications.id')
    .select('notification_alerts.alert_id')
    .where('notifications.status', '=', 'queued')
    .execute();
  return new Set([...members, ...queued].map(({ alert_id: id }) => id));
}

/** The alerts that a message is about. */
export async function alertsOf(db: Kysely<Database>, notificationId: string): Promise<readonly string[]> {
  const rows = await db.selectFrom('notification_alerts').select('alert_id').where('notification_id', '=', notificationId).execute();
  return rows.map((row) => row.alert_id);
}

/** Notes that another channel was told in place of this one; false when that was noted before. */
export async function markFailedOver(trx: Transaction<Database>, id: string): Promise<boolean> {
  const result = await trx
    .updateTable('notifications')
    .set({ failed_over: 1 })
    .where('id', '=', id)
    .where('failed_over', '=', 0)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

const MAX_ROWS_PER_STATEMENT = 5_000;
const chunks = <T>(all: readonly T[]): Generator<readonly T[]> => chunksOf(all, MAX_ROWS_PER_STATEMENT);

/** Whether this suppression of this alert stands in the record already, so that each tick does not write it again. */
export async function hasSuppression(
  trx: Transaction<Database>,
  suppression: { groupId: string; alertId: string; cause: string },
): Promise<boolean> {
  const row = await trx
    .selectFrom('notifications')
    .innerJoin('notification_alerts', 'notification_alerts.notification_id', 'notifications.id')
    .select('notifications.id')
    .where('notifications.group_id', '=', suppression.groupId)
    .where('notifications.status', '=', 'suppressed')
    .where('notifications.cause', '=', suppression.cause)
    .where('notification_alerts.alert_id', '=', suppression.alertId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function findNotification(db: Kysely<Database>, id: string): Promise<Selectable<NotificationRow> | undefined> {
  return db.selectFrom('notifications').selectAll().where('id', '=', id).executeTakeFirst();
}

export type AttemptResult = Pick<NotificationRow, 'status' | 'attempts' | 'last_error' | 'receipt' | 'finished_at_ms'>;

export async function saveAttempt(db: Kysely<Database>, id: string, result: AttemptResult): Promise<void> {
  await db.updateTable('notifications').set(result).where('id', '=', id).execute();
}

/** Counts an attempt that has no end, of one message or of all that wait in a bundle. Those whose end was still recorded were not cut off. */
export async function noteCutOff(db: Kysely<Database>, of: { readonly id: string } | { readonly bundle_id: string }): Promise<void> {
  const [column, value] = 'id' in of ? (['id', of.id] as const) : (['bundle_id', of.bundle_id] as const);
  await db
    .updateTable('notifications')
    .set((row) => ({ attempts: row('attempts', '+', 1), cut_off: row('cut_off', '+', 1) }))
    .where(column, '=', value)
    .where('status', '=', 'queued')
    .execute();
}

/** Back to `queued`, but only from `dead`: of two people who press "send again" one succeeds. */
export async function requeue(trx: Transaction<Database>, id: string): Promise<boolean> {
  const result = await trx
    .updateTable('notifications')
    .set({ status: 'queued', finished_at_ms: null })
    .where('id', '=', id)
    .where('status', '=', 'dead')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export type NotificationFilter = {
  readonly status: string | undefined;
  readonly channel: string | undefined;
  readonly alertId: string | undefined;
  readonly after: Cursor | undefined;
  readonly limit: number;
};

/** Newest first, then by id. */
export async function listNotifications(db: Kysely<Database>, filter: NotificationFilter): Promise<readonly NotificationView[]> {
  const { status, channel, alertId, after } = filter;
  let query = db.selectFrom('notifications').selectAll();
  if (status !== undefined) query = query.where('status', '=', status);
  if (channel !== undefined) query = query.where('channel', '=', channel);
  if (alertId !== undefined) {
    query = query.where('id', 'in', (links) =>
      links.selectFrom('notification_alerts').select('notification_id').where('alert_id', '=', alertId),
    );
  }
  if (after !== undefined) {
    const { atMs, id } = after;
    query = query.where((or) => or.or([or('created_at_ms', '<', atMs), or.and([or('created_at_ms', '=', atMs), or('id', '<', id)])]));
  }
  const rows = await query.orderBy('created_at_ms', 'desc').orderBy('id', 'desc').limit(filter.limit).execute();
  return withAlerts(db, rows);
}

async function withAlerts(db: Kysely<Database>, rows: readonly Selectable<NotificationRow>[]): Promise<readonly NotificationView[]> {
  if (rows.length === 0) return [];
  const links = await db
    .selectFrom('notification_alerts')
    .selectAll()
    .where(
      'notification_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('alert_id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    channel: row.channel,
    group_key: row.group_key,
    reason: row.reason,
    status: row.status as NotificationView['status'],
    cause: row.cause,
    attempts: row.attempts,
    cut_off: row.cut_off,
    last_error: row.last_error,
    receipt: row.receipt,
    created_at_ms: row.created_at_ms,
    finished_at_ms: row.finished_at_ms,
    alerts: links.filter((link) => link.notification_id === row.id).map((link) => link.alert_id),
  }));
}
