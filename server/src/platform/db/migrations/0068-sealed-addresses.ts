import { type Kysely, sql } from 'kysely';

/**
 * Addresses that whoever knows them may post to stand sealed from now on, and are found by their digest. What stands open is sealed by
 * the start that follows; until then its digest is null. The columns stand in 0016's `StatusSubscriberRow` and 0022's
 * `PushSubscriptionRow`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('status_subscribers').renameTo('status_subscribers_open').execute();
  await db.schema
    .createTable('status_subscribers')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('page', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('address_digest', 'text')
    .addColumn('confirmed_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('status_subscribers_once_each', ['page', 'kind', 'address_digest'])
    .execute();
  await sql`insert into status_subscribers (id, page, kind, address, confirmed_at_ms)
    select id, page, kind, address, confirmed_at_ms from status_subscribers_open`.execute(db);
  await db.schema.dropTable('status_subscribers_open').execute();

  await db.schema.alterTable('push_subscriptions').renameTo('push_subscriptions_open').execute();
  await db.schema
    .createTable('push_subscriptions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('endpoint', 'text', (column) => column.notNull())
    .addColumn('endpoint_digest', 'text')
    .addColumn('p256dh', 'text', (column) => column.notNull())
    .addColumn('auth', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('push_subscriptions_once_each', ['endpoint_digest'])
    .execute();
  await sql`insert into push_subscriptions (id, channel, actor, endpoint, p256dh, auth, created_at_ms)
    select id, channel, actor, endpoint, p256dh, auth, created_at_ms from push_subscriptions_open`.execute(db);
  await db.schema.dropTable('push_subscriptions_open').execute();

  // The address stood in the key that kept its rows in order.
  await sql`update outbox set key = id where topic = 'status.confirm'`.execute(db);
}
