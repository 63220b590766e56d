import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { Sql } from '../platform/records/contract.ts';
import { FACTOR_CODES } from './contract.ts';
import * as store from './store.ts';

/** Wrong answers without any wait: typing errors. */
const FREE_FAILURES = 5;
const FIRST_WAIT_MS = SECOND_MS;
/** 96 guesses a day at three valid codes in a million: one in 3 500 days is expected to be right. */
const MAX_WAIT_MS = 15 * MINUTE_MS;
const MEMORY_MS = DAY_MS;
/** Tries at the same time that are counted one after the other before the rest is told to wait. */
const MOST_TURNS = 10;

/** How long the next answer has to wait after `failures` wrong ones. */
export function waitMs(known: store.Tries | undefined, nowMs: number): number {
  if (known === undefined || nowMs - known.last_at_ms > MEMORY_MS || known.failures < FREE_FAILURES) return 0;
  const wait = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (known.failures - FREE_FAILURES));
  return Math.max(0, known.last_at_ms + wait - nowMs);
}

/**
 * Counts an answer before it is examined, in the database, so that all processes and all starts count together. Per person wherever
 * they are: whoever gets to answer has shown a password or a session. `AppError` `too_many_tries`.
 */
export async function takeTry(db: Sql, userId: string, kind: string, nowMs: number): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const known = await store.triesOf(db, userId, kind);
    const wait = waitMs(known, nowMs);
    if (wait > 0) throw tooMany(wait);
    const failures = known === undefined || nowMs - known.last_at_ms > MEMORY_MS ? 1 : known.failures + 1;
    if (await store.countTry(db, { userId, kind, known, next: { failures, last_at_ms: nowMs } })) return;
  }
  throw tooMany(FIRST_WAIT_MS);
}

const tooMany = (wait: number): AppError =>
  new AppError('limited', FACTOR_CODES.tooManyTries, `too many wrong codes; wait ${Math.ceil(wait / SECOND_MS)} s`, { retryAfterMs: wait });
