import type { Kysely } from 'kysely';

/** What channels keep between messages: the thread of a group, secrets of our own, bundles that wait, and browsers that are pushed to. */
export type ChannelTables = {
  notify_threads: NotifyThreadRow;
  notify_keys: NotifyKeyRow;
  notify_bundles: NotifyBundleRow;
  push_subscriptions: PushSubscriptionRow;
};

/** Where later messages of a group join its first; gone with the resolve. */
export type NotifyThreadRow = { group_id: string; thread: string; begun_at_ms: number };

export type NotifyKeyRow = { id: string; secret: string; made_at_ms: number };

/** Messages of one channel that were more than it takes and go out as one. */
export type NotifyBundleRow = {
  id: string;
  channel: string;
  due_at_ms: number;
  /** When it was closed for sending; null while messages still join it. */
  sealed_at_ms: number | null;
  /** Whom its messages are to reach in place of the channel's own recipients; since 0032. */
  recipient: string | null;
};

export type PushSubscriptionRow = {
  id: string;
  channel: string;
  /** Who asked for it. */
  actor: string;
  /** Sealed: whoever knows the address may post to it. */
  endpoint: string;
  /** SHA-256; null until a start has sealed what an older version kept open. Since 0068. */
  endpoint_digest: string | null;
  /** The browser's key and secret, base64url (RFC 8291). */
  p256dh: string;
  auth: string;
  created_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('notify_threads')
    .addColumn('group_id', 'text', (column) => column.primaryKey())
    .addColumn('thread', 'text', (column) => column.notNull())
    .addColumn('begun_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('notify_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('notify_bundles')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('due_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('sealed_at_ms', 'bigint')
    .execute();
  await db.schema
    .createTable('push_subscriptions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('endpoint', 'text', (column) => column.notNull().unique())
    .addColumn('p256dh', 'text', (column) => column.notNull())
    .addColumn('auth', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.alterTable('notifications').addColumn('bundle_id', 'text').execute();
  await db.schema
    .alterTable('notifications')
    .addColumn('failed_over', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema.createIndex('notifications_bundle').on('notifications').column('bundle_id').execute();
}
