import type { Kysely, Transaction } from 'kysely';
import type { EmbedLinkRow } from '../../platform/db/migrations/0080-embeds.ts';
import type { Database } from '../../platform/db/schema.ts';
import { type Secrets, openedOr } from '../../platform/secrets/contract.ts';

const KEY = 'links';

/** The secret that links are signed with; `fresh` becomes it when there is none. Servers of one database share it. */
export async function embedSecret(
  db: Kysely<Database>,
  { secrets, fresh, nowMs }: { readonly secrets: Secrets; readonly fresh: string; readonly nowMs: number },
): Promise<string> {
  const place = { table: 'embed_keys', id: KEY, column: 'secret' };
  await db
    .insertInto('embed_keys')
    .values({ id: KEY, secret: secrets.seal(place, fresh), made_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  const kept = await db.selectFrom('embed_keys').select('secret').where('id', '=', KEY).executeTakeFirstOrThrow();
  return openedOr(secrets, place, { sealed: kept.secret, fresh });
}

export const insertEmbed = async (trx: Transaction<Database>, row: EmbedLinkRow): Promise<void> =>
  void (await trx.insertInto('embed_links').values(row).execute());

export const findEmbed = (db: Kysely<Database>, id: string): Promise<EmbedLinkRow | undefined> =>
  db.selectFrom('embed_links').selectAll().where('id', '=', id).executeTakeFirst();

/** Newest first. `insertEmbed` after `deleteEnded` keeps them few. */
export const listEmbeds = (db: Kysely<Database>, dashboard: string): Promise<readonly EmbedLinkRow[]> =>
  db.selectFrom('embed_links').selectAll().where('dashboard', '=', dashboard).orderBy('made_at_ms', 'desc').orderBy('id').execute();

/** Links that still open something: of one dashboard, or of all. */
export async function countOpenEmbeds(db: Kysely<Database>, nowMs: number, dashboard?: string): Promise<number> {
  let query = db
    .selectFrom('embed_links')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('revoked_at_ms', 'is', null)
    .where('expires_at_ms', '>', nowMs);
  if (dashboard !== undefined) query = query.where('dashboard', '=', dashboard);
  return Number((await query.executeTakeFirstOrThrow()).count);
}

type Forgotten = { readonly dashboard: string; readonly nowMs: number; readonly beforeMs: number; readonly keep: number };

/** What ended before `beforeMs` is forgotten, and of this dashboard what ended beyond the newest `keep`. */
export async function deleteEnded(trx: Transaction<Database>, { dashboard, nowMs, beforeMs, keep }: Forgotten): Promise<void> {
  await trx
    .deleteFrom('embed_links')
    .where((or) => or.or([or('expires_at_ms', '<', beforeMs), or('revoked_at_ms', '<', beforeMs)]))
    .execute();
  const more = await trx
    .selectFrom('embed_links')
    .select('id')
    .where('dashboard', '=', dashboard)
    .where((or) => or.or([or('expires_at_ms', '<=', nowMs), or('revoked_at_ms', 'is not', null)]))
    .orderBy('made_at_ms', 'desc')
    .orderBy('id')
    .execute();
  for (const { id } of more.slice(keep)) await trx.deleteFrom('embed_links').where('id', '=', id).execute();
}

export async function revokeEmbed(
  trx: Transaction<Database>,
  id: string,
  { by, nowMs }: { readonly by: string; readonly nowMs: number },
): Promise<boolean> {
  const done = await trx
    .updateTable('embed_links')
    .set({ revoked_at_ms: nowMs, revoked_by: by })
    .where('id', '=', id)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}
