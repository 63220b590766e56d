import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { Db } from '../db/open.ts';
import { startLoop } from '../loop.ts';
import type { SecretPlace, Secrets } from '../secrets/contract.ts';
import { type OutboxHandler, type OutboxMessage, type OutboxVerdict, type Sql, toJson } from './contract.ts';
import { claimDue, endLeases, type OutboxStatus, outboxStatus, purgeOutbox, settleRow } from './outbox-store.ts';
import { scrub } from '../scrub.ts';

/** Attempts under way at once: enough that one slow receiver does not hold up the others, few enough for a small host. */
const MAX_CONCURRENT = 16;
/** An attempt ends before its lease does, so that nobody else starts the same one meanwhile. */
const LEASE_MS = 90 * SECOND_MS;
const ATTEMPT_TIMEOUT_MS = 60 * SECOND_MS;
/** Looks for due retries; new rows do not wait for it, they are woken. */
const POLL_MS = SECOND_MS;
const FIRST_RETRY_MS = SECOND_MS;
const LONGEST_RETRY_MS = 5 * MINUTE_MS;
/** Spread of a retry around its delay, so that receivers that came back are not met by everyone at once. */
const JITTER = 0.2;
/** The longest that a receiver's own wish is followed: a page that waits for a day reaches nobody in time. */
const LONGEST_WISH_MS = HOUR_MS;
const KEEP_DONE_MS = 7 * DAY_MS;
const KEEP_DEAD_MS = 90 * DAY_MS;

export type OutboxEntry = {
  readonly topic: string;
  /** Rows of one key are sent one after the other, in the order they were enqueued. It stands open and is logged: no secret belongs in it. */
  readonly key: string;
  readonly payload: unknown;
  readonly notBeforeMs?: number;
};

export type Outbox = AsyncDisposable & {
  /** Writes a row in the caller's transaction; call `wake` once that has committed. Returns the row's id, the idempotency key. */
  enqueue(trx: Sql, entry: OutboxEntry): Promise<string>;
  /** Sends what is due now instead of at the next look. */
  wake(): void;
  status(): Promise<OutboxStatus>;
  /** Sends a topic from now on; until then its rows wait. For parts that are there later than the outbox. */
  handle(topic: string, handler: OutboxHandler): void;
};

export type OutboxOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly handlers: Readonly<Record<string, OutboxHandler>>;
  /** Payloads stand sealed: a row lies for days after it was sent, and what is sent may hold links and addresses. */
  readonly secrets: Secrets;
  /** In [0, 1). */
  readonly random: () => number;
  /** No other process sends from this database, so that nothing is under way when this one begins: leases left by a crash are not waited for. */
  readonly alone?: boolean;
};

/**
 * The transactional outbox: at least once, in order per key, with leases that a crash cannot strand. Starts sending at once,
 * beginning with what a former process left. A handler that throws is retried. Disposing aborts the attempts under way and
 * puts them back.
 */
export function createOutbox(options: OutboxOptions): Outbox {
  const { db, clock, ids, logger } = options;
  const handlers = new Map(Object.entries(options.handlers));
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  let purgedAtMs = 0;
  let leasesEnded = options.alone !== true;

  const step = async (nowMs: number): Promise<void> => {
    if (!leasesEnded) await endLeases(db.kysely, nowMs);
    leasesEnded = true;
    const claim = { topics: [...handlers.keys()], limit: MAX_CONCURRENT - running.size, leaseMs: LEASE_MS };
    for (const message of await claimDue(db.kysely, claim, nowMs)) start(message);
    if (nowMs - purgedAtMs < HOUR_MS) return;
    purgedAtMs = nowMs;
    await purgeOutbox(db.kysely, { doneBeforeMs: nowMs - KEEP_DONE_MS, deadBeforeMs: nowMs - KEEP_DEAD_MS });
  };
  const start = (message: OutboxMessage): void => {
    const attempt = send(message)
      .catch((thrown: unknown) =>
        logger.error('an outbox row could not be settled', { topic: message.topic, id: message.id, error: thrown }),
      )
      .finally(() => {
        running.delete(attempt);
        // The next row of this key, or one that found no free slot, need not wait for the next look.
        loop.poke();
      });
    running.add(attempt);
  };
  const send = async (message: OutboxMessage): Promise<void> => {
    const verdict = await attemptOnce(options, message, { handler: handlers.get(message.topic), stopping: stopping.signal });
    const stopped = stopping.signal.aborted && verdict.kind === 'retry';
    const delayMs = verdict.kind === 'retry' && !stopped ? retryDelayMs(verdict.afterMs, backoffMs(message.tries, options.random())) : 0;
    const nowMs = clock.now();
    const held = await settleRow(db.kysely, message, { verdict, nextAtMs: nowMs + delayMs, nowMs });
    const fields = { topic: message.topic, key: message.key, tries: message.tries };
    if (!held) logger.warn('an outbox row was taken over while it was sent', fields);
    else if (verdict.kind === 'dead') logger.error('an outbox row was given up', { ...fields, reason: verdict.error });
    else if (verdict.kind === 'retry' && !stopped)
      logger.warn('an outbox row will be sent again', { ...fields, delay_ms: delayMs, reason: verdict.error });
  };
  const loop = startLoop({ clock, logger, name: 'outbox', everyMs: POLL_MS, step });

  return {
    async enqueue(trx, entry) {
      const id = ids.uuid();
      const nowMs = clock.now();
      const row = {
        id,
        topic: entry.topic,
        key: entry.key,
        payload: options.secrets.seal(placeOf(id), toJson(entry.payload)),
        state: 'queued',
        tries: 0,
      };
      const times = { next_at_ms: entry.notBeforeMs ?? nowMs, created_at_ms: nowMs };
      await trx
        .insertInto('outbox')
        .values({ ...row, ...times, lease_until_ms: null, last_error: null, receipt: null, finished_at_ms: null })
        .execute();
      return id;
    },
    wake: () => loop.poke(),
    status: () => outboxStatus(db.kysely),
    handle: (topic, handler) => void handlers.set(topic, handler),
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the outbox is stopping'));
      await loop[Symbol.asyncDispose]();
      await Promise.all(running);
    },
  };
}

const placeOf = (id: string): SecretPlace => ({ table: 'outbox', id, column: 'payload' });

async function attemptOnce(
  options: OutboxOptions,
  message: OutboxMessage,
  { handler, stopping }: { readonly handler: OutboxHandler | undefined; readonly stopping: AbortSignal },
): Promise<OutboxVerdict> {
  if (handler === undefined) return { kind: 'retry', error: `nothing sends the topic ${message.topic}` };
  const opened = options.secrets.open(placeOf(message.id), message.payload);
  if (!opened.ok) return { kind: 'dead', error: opened.error };
  const timeout = new AbortController();
  using _timer = options.clock.after(ATTEMPT_TIMEOUT_MS, () => timeout.abort(new Error(`no answer within ${ATTEMPT_TIMEOUT_MS} ms`)));
  try {
    return await handler({ ...message, payload: opened.value }, { signal: AbortSignal.any([timeout.signal, stopping]) });
  } catch (thrown) {
    return { kind: 'retry', error: scrub(messageOf(thrown)) };
  }
}

/** A receiver may ask for more patience than we have, within reason, but never for less: it would be asked without a pause. */
const retryDelayMs = (wishedMs: number | undefined, backoff: number): number =>
  wishedMs === undefined ? backoff : Math.max(backoff, Math.min(wishedMs, LONGEST_WISH_MS));

/** 1 s, 2 s, 4 s … 5 min, each ± 20 %. `tries` counts the attempt that failed. */
export function backoffMs(tries: number, random: number): number {
  const plain = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(tries - 1, 30));
  return Math.round(plain * (1 + JITTER * (2 * random - 1)));
}
