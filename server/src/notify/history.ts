import type { Kysely } from 'kysely';
import type { Database } from '../platform/db/schema.ts';

/** Removes at most `limit` notifications made before `beforeMs` that wait for nothing any more, oldest first. Returns how many. */
export function purgeNotifications(db: Kysely<Database>, beforeMs: number, limit: number): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const old = trx
      .selectFrom('notifications')
      .select('id')
      .where('created_at_ms', '<', beforeMs)
      .where('status', '!=', 'queued')
      .orderBy('created_at_ms')
      .limit(limit);
    const ids = (await old.execute()).map((row) => row.id);
    if (ids.length === 0) return 0;
    await trx.deleteFrom('notification_alerts').where('notification_id', 'in', ids).execute();
    await trx.deleteFrom('notifications').where('id', 'in', ids).execute();
    return ids.length;
  });
}
