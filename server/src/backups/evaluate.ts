import { lengthInWords } from '@nines/base/length-words.ts';
import { RETRY_MS, STALE_AFTER_MISSED } from './contract.ts';

/** When the next scheduled backup is due, which ones may go, and how it stands with them. */

export type Stored = { readonly name: string; readonly completeUntilMs: number };

/** Whether a backup is due now. A failure is tried again after `RETRY_MS` at the earliest, or the interval when that is shorter. */
export function isDue(
  {
    stored,
    lastFailureAtMs,
    everyMs,
  }: { readonly stored: readonly Stored[]; readonly lastFailureAtMs: number | undefined; readonly everyMs: number },
  nowMs: number,
): boolean {
  if (lastFailureAtMs !== undefined && nowMs - lastFailureAtMs < Math.min(RETRY_MS, everyMs)) return false;
  return nowMs - newestOf(stored) >= everyMs;
}

/** The names of those that are older than `keepMs`; never the newest. A clock that jumped ahead costs old backups, not the last one. */
export function expired(
  stored: readonly Stored[],
  { keepMs, nowMs }: { readonly keepMs: number; readonly nowMs: number },
): readonly string[] {
  const newest = newestOf(stored);
  return stored.filter(({ completeUntilMs }) => completeUntilMs !== newest && nowMs - completeUntilMs > keepMs).map(({ name }) => name);
}

export type Standing = {
  readonly everyMs: number | undefined;
  readonly startedAtMs: number;
  readonly stored: readonly Stored[];
  readonly lastError: string | undefined;
  readonly damaged: string | undefined;
};

export function standingOf(
  { everyMs, startedAtMs, stored, lastError, damaged }: Standing,
  nowMs: number,
): { readonly status: 'ok' | 'degraded' | 'failing'; readonly detail: string } {
  if (damaged !== undefined) return { status: 'failing', detail: `the last backup cannot be relied on: ${damaged}` };
  if (lastError !== undefined) return { status: 'degraded', detail: `the last backup failed: ${lastError}` };
  if (everyMs === undefined) return { status: 'ok', detail: 'no scheduled backups' };
  const newest = newestOf(stored);
  const sinceMs = nowMs - Math.max(newest, stored.length === 0 ? startedAtMs : 0);
  const stale = sinceMs > STALE_AFTER_MISSED * everyMs;
  const age =
    stored.length === 0
      ? 'there is no backup yet'
      : `the newest backup is ${lengthInWords(Math.max(0, Math.floor(sinceMs / 1000) * 1000))} old`;
  return { status: stale ? 'degraded' : 'ok', detail: stale ? `${age}; one is due every ${lengthInWords(everyMs)}` : age };
}

const newestOf = (stored: readonly Stored[]): number =>
  stored.reduce((newest, { completeUntilMs }) => Math.max(newest, completeUntilMs), Number.NEGATIVE_INFINITY);
