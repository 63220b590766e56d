import { DAY_MS, type EpochMs, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { addressGroup } from './networks.ts';

/**
 * Slows guessing without locking anyone out: failures are counted per account and address together, so that a stranger
 * cannot lock the owner's own address out, and per address alone, so that one address cannot walk through many accounts.
 */
export type Throttle = {
  /** How long this attempt has to wait; 0 when it may go on. */
  waitMs(account: string, address: string, nowMs: EpochMs): number;
  /** Counts a try before its outcome is known, so that tries made at the same time count as well. */
  trying(account: string, address: string, nowMs: EpochMs): void;
  /** The try was good: it does not count, and neither do the account's failures from this address. */
  succeeded(account: string, address: string): void;
};

/** Failures without any wait: typing errors. */
export const FREE_FAILURES = 5;
const FREE_FAILURES_PER_ADDRESS = 30;
const FIRST_WAIT_MS = SECOND_MS;
/** The wait doubles per failure up to this: 96 guesses a day. Of codes of six digits, three of which are valid, one in 3 500 days is right. */
const MAX_WAIT_MS = 15 * MINUTE_MS;
/** A failure is forgotten after this. */
const MEMORY_MS = DAY_MS;
/** Keys remembered; beyond it the oldest are forgotten, so that a flood of names cannot fill the memory. */
const MAX_KEYS = 10_000;

export type Failures = { readonly count: number; readonly lastMs: number };

/** How long the next try has to wait after former failures, of which the first `free` cost nothing; 0 when it may go on. */
export function waitAfter(known: Failures | undefined, free: number, nowMs: number): number {
  if (known === undefined || nowMs - known.lastMs > MEMORY_MS || known.count < free) return 0;
  const wait = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (known.count - free));
  return Math.max(0, known.lastMs + wait - nowMs);
}

/** With one more at `nowMs`. */
export const oneMore = (known: Failures | undefined, nowMs: number): Failures => ({
  count: known === undefined || nowMs - known.lastMs > MEMORY_MS ? 1 : known.count + 1,
  lastMs: nowMs,
});

export function createThrottle(): Throttle {
  const failures = new Map<string, Failures>();
  // Whoever has one address of IPv6 has 2^64 of them.
  const keysOf = (account: string, address: string): readonly (readonly [key: string, free: number])[] => [
    [`${addressGroup(address)}\u0000${account.toLowerCase()}`, FREE_FAILURES],
    [addressGroup(address), FREE_FAILURES_PER_ADDRESS],
  ];
  return {
    waitMs: (account, address, nowMs) =>
      Math.max(...keysOf(account, address).map(([key, free]) => waitAfter(failures.get(key), free, nowMs))),
    trying(account, address, nowMs) {
      for (const [key] of keysOf(account, address)) {
        const next = oneMore(failures.get(key), nowMs);
        failures.delete(key);
        failures.set(key, next);
      }
      for (const key of failures.keys()) {
        if (failures.size <= MAX_KEYS) break;
        failures.delete(key);
      }
    },
    succeeded(account, address) {
      failures.delete(keysOf(account, address)[0]?.[0] ?? '');
      const group = addressGroup(address);
      const ofAddress = failures.get(group);
      if (ofAddress !== undefined) failures.set(group, { ...ofAddress, count: ofAddress.count - 1 });
    },
  };
}
