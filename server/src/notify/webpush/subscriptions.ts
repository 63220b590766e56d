import { AppError } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Kysely } from 'kysely';
import type { Database } from '../../platform/db/schema.ts';
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
export async function openPushBook({ db, ids, clock }: { db: Kysely<Database>; ids: Ids; clock: Clock }): Promise<PushSubscriptions> {
  const kept = await keyNamed(db, KEY, { fresh: JSON.stringify(createVapidKey()), nowMs: clock.now() });
  return new PushSubscriptions({ db, ids, clock }, JSON.parse(kept) as VapidKey);
}

export class PushSubscriptions implements PushBook {
  readonly #deps: { readonly db: Kysely<Database>; readonly ids: Ids; readonly clock: Clock };
  readonly key: VapidKey;

  constructor(deps: { readonly db: Kysely<Database>; readonly ids: Ids; readonly clock: Clock }, key: VapidKey) {
    this.#deps = deps;
    this.key = key;
  }

  async of(channel: string, actor?: string): Promise<readonly PushSubscriber[]> {
    let kept = this.#deps.db.selectFrom('push_subscriptions').select(['id', 'endpoint', 'p256dh', 'auth']);
    if (actor !== undefined) kept = kept.where('actor', '=', actor);
    return kept.where('channel', '=', channel).orderBy('created_at_ms').orderBy('id').execute();
  }

  async remove(id: string): Promise<void> {
    await this.#deps.db.deleteFrom('push_subscriptions').where('id', '=', id).execute();
  }

  /** A browser asks, or asks again: its newest keys count. `AppError` `push_keys_invalid`, `too_many_subscriptions`. */
  async add(asked: PushKeys & { readonly channel: string; readonly endpoint: string; readonly actor: string }): Promise<void> {
    const { db, ids, clock } = this.#deps;
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
    const row = { channel, actor, p256dh, auth };
    await db
      .insertInto('push_subscriptions')
      .values({ id: ids.uuid(), endpoint, created_at_ms: clock.now(), ...row })
      .onConflict((conflict) => conflict.column('endpoint').doUpdateSet(row))
      .execute();
  }

  async end(channel: string, endpoint: string): Promise<void> {
    await this.#deps.db.deleteFrom('push_subscriptions').where('channel', '=', channel).where('endpoint', '=', endpoint).execute();
  }
}
