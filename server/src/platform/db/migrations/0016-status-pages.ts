import type { Kysely } from 'kysely';

/** Status pages that were made through the API, what people announced on any page, and who is told of it. */
export type StatusPageTables = {
  status_pages: StatusPageRow;
  status_announcements: StatusAnnouncementRow;
  status_updates: StatusUpdateRow;
  status_subscribers: StatusSubscriberRow;
  status_keys: StatusKeyRow;
};

export type StatusPageRow = {
  id: string;
  /** JSON as a person would write it, secrets sealed. */
  spec: string;
  made_by: string;
  made_at_ms: number;
};

export type StatusAnnouncementRow = {
  id: string;
  title: string;
  /** JSON: ids of pages, whoever owns them. */
  pages: string;
  /** JSON: ids of services. */
  services: string;
  withdrawn_at_ms: number | null;
  withdrawn_by: string | null;
};

/** Never changed: who wants to say something else writes another one. */
export type StatusUpdateRow = {
  id: string;
  announcement_id: string;
  state: string;
  text: string;
  at_ms: number;
  recorded_at_ms: number;
  by_name: string;
};

/** Confirmed by their owners; an address that was only typed in stands nowhere. */
export type StatusSubscriberRow = {
  id: string;
  page: string;
  kind: string;
  /** Sealed. */
  address: string;
  /** Keyed, so that nobody can try addresses; null until a start has sealed what an older version kept open. Since 0068. */
  address_digest: string | null;
  confirmed_at_ms: number;
};

/** What links and cookies are signed with. */
export type StatusKeyRow = { id: string; secret: string; made_at_ms: number };

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('status_pages')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('made_by', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('status_announcements')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('pages', 'text', (column) => column.notNull())
    .addColumn('services', 'text', (column) => column.notNull())
    .addColumn('withdrawn_at_ms', 'bigint')
    .addColumn('withdrawn_by', 'text')
    .execute();
  await db.schema
    .createTable('status_updates')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('announcement_id', 'text', (column) => column.notNull().references('status_announcements.id'))
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('recorded_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('by_name', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('status_updates_of').on('status_updates').columns(['announcement_id', 'at_ms']).execute();
  await db.schema
    .createTable('status_subscribers')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('page', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('confirmed_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('status_subscribers_once', ['page', 'kind', 'address'])
    .execute();
  await db.schema
    .createTable('status_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
