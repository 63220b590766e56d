import type { Kysely } from 'kysely';
import type { StatusPageRow, StatusSubscriberRow } from '../platform/db/migrations/0016-status-pages.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Sql } from '../platform/records/contract.ts';
import { type SecretPlace, type Secrets, openedOr } from '../platform/secrets/contract.ts';
import type { Announcement, AnnouncementState, AnnouncementUpdate } from './contract.ts';

export async function madePages(db: Sql): Promise<readonly StatusPageRow[]> {
  return db.selectFrom('status_pages').selectAll().orderBy('id').execute();
}

export async function savePage(db: Sql, row: StatusPageRow): Promise<void> {
  await db
    .insertInto('status_pages')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ spec: row.spec }))
    .execute();
}

export async function deletePage(db: Sql, id: string): Promise<void> {
  await db.deleteFrom('status_pages').where('id', '=', id).execute();
}

/** All announcements with their updates, in the order in which they began. */
export async function allAnnouncements(db: Sql): Promise<readonly Announcement[]> {
  const rows = await db.selectFrom('status_announcements').selectAll().execute();
  const updates = await db.selectFrom('status_updates').selectAll().orderBy('at_ms').orderBy('recorded_at_ms').orderBy('id').execute();
  const byAnnouncement = Map.groupBy(updates, (row) => row.announcement_id);
  return rows.map((row) => ({
    id: row.id,
    title: row.title,
    pages: JSON.parse(row.pages) as string[],
    services: JSON.parse(row.services) as string[],
    withdrawnAtMs: row.withdrawn_at_ms,
    withdrawnBy: row.withdrawn_by,
    updates: (byAnnouncement.get(row.id) ?? []).map((update) => ({
      id: update.id,
      state: update.state as AnnouncementState,
      text: update.text,
      atMs: update.at_ms,
      recordedAtMs: update.recorded_at_ms,
      by: update.by_name,
    })),
  }));
}

export async function insertAnnouncement(db: Sql, { id, title, pages, services }: Announcement): Promise<void> {
  const row = { id, title, pages: JSON.stringify(pages), services: JSON.stringify(services), withdrawn_at_ms: null, withdrawn_by: null };
  await db.insertInto('status_announcements').values(row).execute();
}

export async function insertUpdate(db: Sql, announcement: string, update: AnnouncementUpdate): Promise<void> {
  const { id, state, text, atMs, recordedAtMs, by } = update;
  const row = { id, announcement_id: announcement, state, text, at_ms: atMs, recorded_at_ms: recordedAtMs, by_name: by };
  await db.insertInto('status_updates').values(row).execute();
}

export async function markWithdrawn(db: Sql, id: string, mark: { readonly atMs: number; readonly by: string }): Promise<void> {
  await db.updateTable('status_announcements').set({ withdrawn_at_ms: mark.atMs, withdrawn_by: mark.by }).where('id', '=', id).execute();
}

export type Subscriber = { readonly id: string; readonly page: string; readonly kind: 'email' | 'webhook'; readonly address: string };

/** Addresses stand sealed: whoever knows that of a webhook may post to it. `digest` finds one again. */
export type AddressBook = { readonly db: Sql; readonly secrets: Secrets; readonly digest: (address: string) => string };

const placeOf = (id: string): SecretPlace => ({ table: 'status_subscribers', id, column: 'address' });

function subscriberOf({ secrets }: Pick<AddressBook, 'secrets'>, { id, page, kind, address }: StatusSubscriberRow): Subscriber | undefined {
  const opened = secrets.open(placeOf(id), address);
  return opened.ok ? { id, page, kind: kind as Subscriber['kind'], address: opened.value } : undefined;
}

/** Rows that an older version kept without their digest. */
export async function nameSubscribers({ db, secrets, digest }: AddressBook): Promise<void> {
  const rows = await db.selectFrom('status_subscribers').selectAll().where('address_digest', 'is', null).execute();
  for (const row of rows) {
    const subscriber = subscriberOf({ secrets }, row);
    if (subscriber === undefined) continue;
    const address_digest = digest(subscriber.address);
    await db.updateTable('status_subscribers').set({ address_digest }).where('id', '=', row.id).execute();
  }
}

/** Does nothing when this address is subscribed to the page already. */
export async function insertSubscriber({ db, secrets, digest }: AddressBook, subscriber: Subscriber, atMs: number): Promise<void> {
  const { id, address } = subscriber;
  const sealed = { address: secrets.seal(placeOf(id), address), address_digest: digest(address) };
  await db
    .insertInto('status_subscribers')
    .values({ ...subscriber, ...sealed, confirmed_at_ms: atMs })
    .onConflict((conflict) => conflict.columns(['page', 'kind', 'address_digest']).doNothing())
    .execute();
}

export async function subscriberAt(
  { db, digest }: Pick<AddressBook, 'db' | 'digest'>,
  { page, kind, address }: Omit<Subscriber, 'id'>,
): Promise<Subscriber | undefined> {
  const row = await db
    .selectFrom('status_subscribers')
    .select('id')
    .where('page', '=', page)
    .where('kind', '=', kind)
    .where('address_digest', '=', digest(address))
    .executeTakeFirst();
  return row === undefined ? undefined : { id: row.id, page, kind, address };
}

export async function subscriberIds(db: Sql, page: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('status_subscribers')
    .select('id')
    .where('page', '=', page)
    .orderBy('confirmed_at_ms')
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Without those whose address cannot be read. */
export async function subscribersOf(
  { db, secrets }: Pick<AddressBook, 'db' | 'secrets'>,
  page: string,
): Promise<readonly (Subscriber & { readonly confirmedAtMs: number })[]> {
  const rows = await db
    .selectFrom('status_subscribers')
    .selectAll()
    .where('page', '=', page)
    .orderBy('confirmed_at_ms')
    .orderBy('id')
    .execute();
  return rows.flatMap((row) => {
    const subscriber = subscriberOf({ secrets }, row);
    return subscriber === undefined ? [] : [{ ...subscriber, confirmedAtMs: row.confirmed_at_ms }];
  });
}

export async function countSubscribers(
  db: Sql,
): Promise<readonly { readonly page: string; readonly kind: string; readonly count: number }[]> {
  const rows = await db
    .selectFrom('status_subscribers')
    .select(['page', 'kind', ({ fn }) => fn.countAll<number | string>().as('count')])
    .groupBy(['page', 'kind'])
    .execute();
  return rows.map(({ page, kind, count }) => ({ page, kind, count: Number(count) }));
}

/** `unreadable`: it is there, and its address does not open. */
export async function findSubscriber(
  { db, secrets }: Pick<AddressBook, 'db' | 'secrets'>,
  id: string,
): Promise<Subscriber | 'unreadable' | undefined> {
  const row = await db.selectFrom('status_subscribers').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : (subscriberOf({ secrets }, row) ?? 'unreadable');
}

/** Of this page, or of any. */
export async function deleteSubscriber(db: Sql, id: string, page?: string): Promise<void> {
  const one = db.deleteFrom('status_subscribers').where('id', '=', id);
  await (page === undefined ? one : one.where('page', '=', page)).execute();
}

export type Told = { readonly page: string; readonly window: string; readonly announcedAtMs: number };

/** Plans that subscribers were told of. */
export async function allTold(db: Sql): Promise<readonly Told[]> {
  const rows = await db.selectFrom('status_told').selectAll().execute();
  return rows.map((row) => ({ page: row.page, window: row.window_id, announcedAtMs: row.announced_at_ms }));
}

/** False when somebody else did it before: each plan is told once. */
export async function insertTold(db: Sql, { page, window, announcedAtMs }: Told, atMs: number): Promise<boolean> {
  const row = { page, window_id: window, announced_at_ms: announcedAtMs, told_at_ms: atMs };
  const done = await db
    .insertInto('status_told')
    .values(row)
    .onConflict((conflict) => conflict.columns(['page', 'window_id', 'announced_at_ms']).doNothing())
    .returning('page')
    .execute();
  return done.length > 0;
}

const LINKS = 'links';

/** The secret that links and cookies are signed with; `fresh` becomes it when there is none. Servers of one database share it. */
export async function linkSecret(
  db: Kysely<Database>,
  { secrets, fresh, nowMs }: { readonly secrets: Secrets; readonly fresh: string; readonly nowMs: number },
): Promise<string> {
  const place = { table: 'status_keys', id: LINKS, column: 'secret' };
  await db
    .insertInto('status_keys')
    .values({ id: LINKS, secret: secrets.seal(place, fresh), made_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  const kept = await db.selectFrom('status_keys').select('secret').where('id', '=', LINKS).executeTakeFirstOrThrow();
  return openedOr(secrets, place, { sealed: kept.secret, fresh });
}
