import type { Kysely } from 'kysely';
import type { Database } from '../platform/db/schema.ts';

/** The thread that a group's first message began, while the group is not resolved. */
export async function findThread(db: Kysely<Database>, groupId: string): Promise<string | undefined> {
  return (await db.selectFrom('notify_threads').select('thread').where('group_id', '=', groupId).executeTakeFirst())?.thread;
}

export async function saveThread(db: Kysely<Database>, groupId: string, { thread, atMs }: { thread: string; atMs: number }): Promise<void> {
  await db
    .insertInto('notify_threads')
    .values({ group_id: groupId, thread, begun_at_ms: atMs })
    .onConflict((conflict) => conflict.column('group_id').doUpdateSet({ thread }))
    .execute();
}

export async function endThread(db: Kysely<Database>, groupId: string): Promise<void> {
  await db.deleteFrom('notify_threads').where('group_id', '=', groupId).execute();
}

/** The secret of this name; the first to ask makes it. */
export async function keyNamed(db: Kysely<Database>, id: string, { fresh, nowMs }: { fresh: string; nowMs: number }): Promise<string> {
  await db
    .insertInto('notify_keys')
    .values({ id, secret: fresh, made_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  return (await db.selectFrom('notify_keys').select('secret').where('id', '=', id).executeTakeFirstOrThrow()).secret;
}

/** Messages to a channel since an instant, newest first: their ids, or those of their bundles. */
export async function deliveredSince(
  db: Kysely<Database>,
  channel: string,
  asked: { sinceMs: number; limit: number; receipt?: string; recipient: string | undefined },
): Promise<readonly string[]> {
  const { sinceMs, limit, receipt, recipient } = asked;
  let query = db
    .selectFrom('notifications')
    .select(['id', 'bundle_id'])
    .where('channel', '=', channel)
    .where('created_at_ms', '>=', sinceMs);
  if (receipt !== undefined) query = query.where('receipt', '=', receipt);
  if (recipient !== undefined) query = query.where('recipient', '=', recipient);
  const rows = await query.orderBy('created_at_ms', 'desc').limit(limit).execute();
  return [...new Set(rows.map(({ id, bundle_id: bundle }) => bundle ?? id))];
}

/** The alerts that a message of this channel was about; with a recipient, only if it was sent to them. */
export async function alertsOfMessage(
  db: Kysely<Database>,
  channel: string,
  { id: notificationId, recipient, limit }: { id: string; recipient: string | undefined; limit: number },
): Promise<readonly string[]> {
  let query = db
    .selectFrom('notification_alerts')
    .innerJoin('notifications', 'notifications.id', 'notification_alerts.notification_id')
    .select('notification_alerts.alert_id')
    // A bundle is answered like a message.
    .where((or) => or.or([or('notifications.id', '=', notificationId), or('notifications.bundle_id', '=', notificationId)]))
    .where('notifications.channel', '=', channel);
  if (recipient !== undefined) query = query.where('notifications.recipient', '=', recipient);
  const rows = await query.orderBy('notification_alerts.alert_id').limit(limit).execute();
  return rows.map(({ alert_id: id }) => id);
}
