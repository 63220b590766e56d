import { AppError } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Sql } from '../platform/records/contract.ts';
import { FREE_FAILURES, oneMore, waitAfter } from '../platform/throttle.ts';
import { FACTOR_CODES } from './contract.ts';
import * as store from './store.ts';

/** Tries at the same time that are counted one after the other before the rest is told to wait. */
const MOST_TURNS = 10;

/**
 * Counts an answer before it is examined, in the database, so that all processes and all starts count together. Per person wherever
 * they are: whoever gets to answer has shown a password or a session. `AppError` `too_many_tries`.
 */
export async function takeTry(db: Sql, userId: string, kind: string, nowMs: number): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const known = await store.triesOf(db, userId, kind);
    const failures = known === undefined ? undefined : { count: known.failures, lastMs: known.last_at_ms };
    const waitMs = waitAfter(failures, FREE_FAILURES, nowMs);
    if (waitMs > 0) throw tooMany(waitMs);
    const next = { failures: oneMore(failures, nowMs).count, last_at_ms: nowMs };
    if (await store.countTry(db, { userId, kind, known, next })) return;
  }
  throw tooMany(SECOND_MS);
}

const tooMany = (waitMs: number): AppError =>
  new AppError('limited', FACTOR_CODES.tooManyTries, `too many wrong codes; wait ${Math.ceil(waitMs / SECOND_MS)} s`, {
    retryAfterMs: waitMs,
  });
