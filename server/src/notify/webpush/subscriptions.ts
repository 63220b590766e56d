import { AppError } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Kysely } from 'kysely';
import type { Database } from '../../platform/db/schema.ts';
import type { SecretPlace, Secrets } from '../../platform/secrets/contract.ts';
import { digestOf } from '../../platform/secret-digest.ts';
import { keyNamed } from '../channel-store.ts';
import { type PushKeys, type VapidKey, arePushKeys, createVapidKey } from './encrypt.ts';

export type PushSubscriber = PushKeys & { readonly id: string; readonly endpoint: string };

/** What the channel needs of the browsers that asked for its messages. */
export type PushBook = {
  readonly key: VapidKey;
  /** All of them, or those of one person. */
  of(channel: string, actor?: string): Promise<readonly PushSubscriber[]>;
  remove(id: string): Promise<void>;
};

const MAX_PER_CHANNEL = 1_000;
const KEY = 'vapid';

/** Browsers that asked to be told, in the database; the key by which push services know this installation is made once. */
export async function openPushBook(deps: BookDeps): Promise<PushSubscriptions> {
  const { db, clock, secrets } = deps;
  const kept = await keyNamed(db, KEY, { secrets, fresh: JSON.stringify(createVapidKey()), nowMs: clock.now() });
  await nameOpened(deps);
  return new PushSubscriptions(deps, JSON.parse(kept) as VapidKey);
}

/** Rows that an older version kept without their digest. */
async function nameOpened({ db, secrets }: Pick<BookDeps, 'db' | 'secrets'>): Promise<void> {
  const rows = await db.selectFrom('push_subscriptions').select(['id', 'endpoint']).where('endpoint_digest', 'is', null).execute();
  for (const { id, endpoint } of rows) {
    const opened = secrets.open(placeOf(id, 'endpoint'), endpoint);
    if (!opened.ok) continue;
    await db
      .updateTable('push_subscriptions')
      .set({ endpoint_digest: digestOf(opened.value) })
      .where('id', '=', id)
      .execute();
  }
}

type BookDeps = { readonly db: Kysely<Database>; readonly ids: Ids; readonly clock: Clock; readonly secrets: Secrets };

/** A browser that asks again keeps its row. */
const placeOf = (id: string, column: 'auth' | 'endpoint'): SecretPlace => ({ table: 'push_subscriptions', id, column });

export class PushSubscriptions implements PushBook {
  readonly #deps: BookDeps;
  readonly key: VapidKey;

  constructor(deps: BookDeps, key: VapidKey) {
    this.#deps = deps;
    this.key = key;
  }

  async of(channel: string, actor?: string): Promise<readonly PushSubscriber[]> {
    let kept = this.#deps.db.selectFrom('push_subscriptions').select(['id', 'endpoint', 'p256dh', 'auth']);
    if (actor !== undefined) kept = kept.where('actor', '=', actor);
    const rows = await kept.where('channel', '=', channel).orderBy('created_at_ms').orderBy('id').execute();
    return rows.flatMap((row) => {
      const auth = this.#deps.secrets.open(placeOf(row.id, 'auth'), row.auth);
      const endpoint = this.#deps.secrets.open(placeOf(row.id, 'endpoint'), row.endpoint);
      return auth.ok && endpoint.ok ? [{ ...row, auth: auth.value, endpoint: endpoint.value }] : [];
    });
  }

  async remove(id: string): Promise<void> {
    await this.#deps.db.deleteFrom('push_subscriptions').where('id', '=', id).execute();
  }

  /** A browser asks, or asks again: its newest keys count. `AppError` `push_keys_invalid`, `too_many_subscriptions`. */
  async add(asked: PushKeys & { readonly channel: string; readonly endpoint: string; readonly actor: string }): Promise<void> {
    const { db, ids, clock, secrets } = this.#deps;
    const { channel, endpoint, actor, p256dh, auth } = asked;
    if (!arePushKeys(asked))
      throw new AppError(
        'bad_input',
        'push_keys_invalid',
        'the keys are not those of a browser: "p256dh" is a point of P-256, "auth" 16 bytes',
      );
    const others = (await this.of(channel)).filter((one) => one.endpoint !== endpoint);
    if (others.length >= MAX_PER_CHANNEL)
      throw new AppError('limited', 'too_many_subscriptions', `the channel ${channel} has ${MAX_PER_CHANNEL} browsers already`);
    // A push service makes addresses that nobody can guess (RFC 8030, 8.3), so their plain digest opens nothing.
    const digest = digestOf(endpoint);
    const known = await db.selectFrom('push_subscriptions').select('id').where('endpoint_digest', '=', digest).executeTakeFirst();
    const id = known?.id ?? ids.uuid();
    // The texts are bound to the id, so a row that somebody else made at the same instant takes ours.
    const sealed = { auth: secrets.seal(placeOf(id, 'auth'), auth), endpoint: secrets.seal(placeOf(id, 'endpoint'), endpoint) };
    const row = { id, channel, actor, p256dh, ...sealed };
    await db
      .insertInto('push_subscriptions')
      .values({ endpoint_digest: digest, created_at_ms: clock.now(), ...row })
      .onConflict((conflict) => conflict.column('endpoint_digest').doUpdateSet(row))
      .execute();
  }

  async end(channel: string, endpoint: string): Promise<void> {
    await this.#deps.db
      .deleteFrom('push_subscriptions')
      .where('channel', '=', channel)
      .where('endpoint_digest', '=', digestOf(endpoint))
      .execute();
  }
}
