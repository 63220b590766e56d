import { AppError } from '@nines/base/errors.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Throttle } from '../platform/throttle.ts';
import { PEOPLE_CODES } from './contract.ts';

/** `AppError` `too_many_tries` while former failures demand a wait. */
export function refuseWhileWaiting(throttle: Throttle, who: { readonly account: string; readonly address: string }, nowMs: EpochMs): void {
  const waitMs = throttle.waitMs(who.account, who.address, nowMs);
  if (waitMs <= 0) return;
  throw new AppError('limited', PEOPLE_CODES.tooManyTries, `too many failed tries; wait ${Math.ceil(waitMs / 1000)} s`, {
    retryAfterMs: waitMs,
  });
}

/** Counts a try before its outcome is known. `AppError` `too_many_tries` while former failures demand a wait. */
export function takeTurn(throttle: Throttle, who: { readonly account: string; readonly address: string }, nowMs: EpochMs): void {
  refuseWhileWaiting(throttle, who, nowMs);
  throttle.trying(who.account, who.address, nowMs);
}
