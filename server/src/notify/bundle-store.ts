import type { Kysely, Selectable, Transaction } from 'kysely';
import type { NotifyBundleRow } from '../platform/db/migrations/0022-channels.ts';
import type { Database } from '../platform/db/schema.ts';
import type { AttemptResult } from './store.ts';

/** The bundle of this channel (and recipient) that still takes messages. It stays open at least until this transaction ends. */
export async function openBundle(
  trx: Transaction<Database>,
  { channel, recipient }: Pick<NotifyBundleRow, 'channel' | 'recipient'>,
): Promise<string | undefined> {
  const open = trx
    .selectFrom('notify_bundles')
    .select('id')
    .where('channel', '=', channel)
    .where('recipient', recipient === null ? 'is' : '=', recipient)
    .where('sealed_at_ms', 'is', null);
  const found = await open.executeTakeFirst();
  if (found === undefined) return undefined;
  // The lock makes whoever seals it wait, or shows that it was sealed meanwhile.
  const held = await trx
    .updateTable('notify_bundles')
    .set((row) => ({ due_at_ms: row.ref('due_at_ms') }))
    .where('id', '=', found.id)
    .where('sealed_at_ms', 'is', null)
    .executeTakeFirst();
  return held.numUpdatedRows > 0n ? found.id : undefined;
}

export async function insertBundle(trx: Transaction<Database>, row: NotifyBundleRow): Promise<void> {
  await trx.insertInto('notify_bundles').values(row).execute();
}

/** Closes the bundle for sending; afterwards it is the same for every attempt. */
export async function sealBundle(db: Kysely<Database>, id: string, nowMs: number): Promise<Selectable<NotifyBundleRow> | undefined> {
  await db.updateTable('notify_bundles').set({ sealed_at_ms: nowMs }).where('id', '=', id).where('sealed_at_ms', 'is', null).execute();
  return db.selectFrom('notify_bundles').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function deleteBundle(db: Kysely<Database>, id: string): Promise<void> {
  await db.deleteFrom('notify_bundles').where('id', '=', id).execute();
}

export type BundleContent = {
  readonly payloads: readonly string[];
  readonly messageCount: number;
  readonly alertCount: number;
  readonly attempts: number;
  readonly oldestAtMs: number;
};

/** What waits in the bundle; `payloads` are its first messages, oldest first. */
export async function contentOf(db: Kysely<Database>, id: string, limit: number): Promise<BundleContent> {
  const waiting = db.selectFrom('notifications').where('bundle_id', '=', id).where('status', '=', 'queued');
  const first = await waiting.select(['payload']).orderBy('created_at_ms').orderBy('id').limit(limit).execute();
  const counted = await waiting
    .select(({ fn }) => [fn.countAll<number>().as('messages'), fn.max('attempts').as('attempts'), fn.min('created_at_ms').as('oldest')])
    .executeTakeFirstOrThrow();
  const alerts = await db
    .selectFrom('notification_alerts')
    .innerJoin('notifications', 'notifications.id', 'notification_alerts.notification_id')
    .where('notifications.bundle_id', '=', id)
    .where('notifications.status', '=', 'queued')
    .select(({ fn }) => fn.count<number>('notification_alerts.alert_id').distinct().as('alerts'))
    .executeTakeFirstOrThrow();
  return {
    payloads: first.map(({ payload }) => payload),
    messageCount: Number(counted.messages),
    alertCount: Number(alerts.alerts),
    attempts: Number(counted.attempts ?? 0),
    oldestAtMs: Number(counted.oldest ?? 0),
  };
}

/** Notes on every message of the bundle that still waits how the attempt ended. */
export async function saveBundleAttempt(db: Kysely<Database>, id: string, result: AttemptResult): Promise<void> {
  await db.updateTable('notifications').set(result).where('bundle_id', '=', id).where('status', '=', 'queued').execute();
}
