import type { Kysely } from 'kysely';
import type { Database } from '../platform/db/schema.ts';
import { type Secrets, openedOr } from '../platform/secrets/contract.ts';

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

export type KeyMaking = { readonly secrets: Secrets; readonly fresh: string; readonly nowMs: number };

/** The secret of this name; the first to ask makes it. */
export async function keyNamed(db: Kysely<Database>, id: string, { secrets, fresh, nowMs }: KeyMaking): Promise<string> {
  const place = { table: 'notify_keys', id, column: 'secret' };
  await db
    .insertInto('notify_keys')
    .values({ id, secret: secrets.seal(place, fresh), made_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  const kept = await db.selectFrom('notify_keys').select('secret').where('id', '=', id).executeTakeFirstOrThrow();
  return openedOr(secrets, place, { sealed: kept.secret, fresh });
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

/** What became of the messages of one channel since an instant. */
export type ChannelRecord = {
  readonly delivered: number;
  readonly givenUp: number;
  readonly waiting: number;
  readonly deliveredAtMs: number | null;
  /** The last message that failed at least once, and how. */
  readonly failed: { readonly atMs: number; readonly error: string } | null;
};

/** Of the channels that had messages; messages that were held back say nothing about a channel. */
export async function channelRecords(db: Kysely<Database>, sinceMs: number): Promise<ReadonlyMap<string, ChannelRecord>> {
  const sent = db.selectFrom('notifications').where('created_at_ms', '>=', sinceMs).where('status', 'in', ['delivered', 'dead', 'queued']);
  const [counts, failing] = await Promise.all([
    sent
      .select((row) => ['channel', 'status', row.fn.countAll().as('messages'), row.fn.max('finished_at_ms').as('last_at_ms')])
      .groupBy(['channel', 'status'])
      .execute(),
    sent
      .select((row) => ['channel', row.fn.max('created_at_ms').as('last_at_ms')])
      .where('last_error', 'is not', null)
      .groupBy('channel')
      .execute(),
  ]);
  const failures = await Promise.all(failing.map(({ channel, last_at_ms: atMs }) => failureOf(db, channel, Number(atMs))));
  const failed = new Map(failing.map(({ channel }, index) => [channel, failures[index] ?? null]));
  return new Map(
    [...Map.groupBy(counts, ({ channel }) => channel)].map(([channel, rows]): readonly [string, ChannelRecord] => {
      const count = (status: string): number => Number(rows.find((row) => row.status === status)?.messages ?? 0);
      const lastAtMs = rows.find(({ status }) => status === 'delivered')?.last_at_ms ?? null;
      return [
        channel,
        {
          delivered: count('delivered'),
          givenUp: count('dead'),
          waiting: count('queued'),
          deliveredAtMs: lastAtMs === null ? null : Number(lastAtMs),
          failed: failed.get(channel) ?? null,
        },
      ];
    }),
  );
}

async function failureOf(db: Kysely<Database>, channel: string, createdAtMs: number): Promise<ChannelRecord['failed']> {
  const row = await db
    .selectFrom('notifications')
    .select(['last_error', 'created_at_ms', 'finished_at_ms'])
    .where('channel', '=', channel)
    .where('created_at_ms', '=', createdAtMs)
    .where('last_error', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : { atMs: row.finished_at_ms ?? row.created_at_ms, error: row.last_error ?? '' };
}
