/**
 * Units. An instant and a length are different things, so they are different types; a plain number is neither.
 * Names carry the unit (`timeoutMs`, `fromMs`), brands carry the kind where mixing them up would be a silent fault.
 */
declare const brand: unique symbol;

/** An instant: integer milliseconds since the Unix epoch, UTC. */
export type EpochMs = number & { readonly [brand]: 'EpochMs' };
/** A length of time in integer milliseconds. */
export type Ms = number & { readonly [brand]: 'Ms' };

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const WEEK_MS = 7 * DAY_MS;

/** Truncates to the millisecond. */
export const epochMs = (value: number): EpochMs => Math.trunc(value) as EpochMs;
export const ms = (value: number): Ms => Math.trunc(value) as Ms;
/** The instant `length` after `at`. */
export const plus = (at: EpochMs, length: number): EpochMs => (at + length) as EpochMs;
/** The length from `from` to `to`; negative when `to` is earlier. */
export const between = (from: EpochMs, to: EpochMs): Ms => (to - from) as Ms;
