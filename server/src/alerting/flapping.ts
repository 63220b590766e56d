/**
 * Alerts that fire and resolve again and again. What flaps stays told as firing until it is steady: its resolves wait, so that its next
 * firings are no news either. A page is never held back for it.
 */
import { type EpochMs, MINUTE_MS, epochMs } from '@nines/base/units.ts';

/** Changes within the window that make an alert flap, and below how many it no longer does. */
export const FLAPPING = { windowMs: 30 * MINUTE_MS, enter: 10, leave: 4 } as const;
/** Alerts whose changes are remembered; beyond, those that changed longest ago are forgotten. */
const MAX_ALERTS = 100_000;

export type Flapping = {
  readonly sinceMs: EpochMs;
  readonly changes: number;
  /** When it is steady again, unless it changes before. */
  readonly untilMs: EpochMs;
};

type Entry = { times: EpochMs[]; sinceMs: EpochMs | null };

/** What an alert is across its lives: its rule and fingerprint. */
export type Identity = { readonly rule: string; readonly fingerprint: string };

export class FlapBook {
  /** Changed longest ago first. */
  readonly #entries = new Map<string, Entry>();

  /** The alert fired or resolved. */
  note(alert: Identity, atMs: EpochMs): void {
    const key = keyOf(alert);
    const before = this.#entries.get(key);
    const times = [...(before?.times ?? []), atMs].filter((time) => time > atMs - FLAPPING.windowMs).slice(-FLAPPING.enter);
    const isOn = times.length >= (isFlapping(before, atMs) ? FLAPPING.leave : FLAPPING.enter);
    this.#entries.delete(key);
    this.#entries.set(key, { times, sinceMs: isOn ? (before?.sinceMs ?? atMs) : null });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ALERTS && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Undefined while the alert is steady. */
  of(alert: Identity, nowMs: number): Flapping | undefined {
    const entry = this.#entries.get(keyOf(alert));
    if (entry === undefined || entry.sinceMs === null || !isFlapping(entry, nowMs)) return undefined;
    const changes = entry.times.filter((time) => time > nowMs - FLAPPING.windowMs).length;
    return { sinceMs: entry.sinceMs, changes, untilMs: endOf(entry.times) };
  }
}

const keyOf = ({ rule, fingerprint }: Identity): string => `${rule} ${fingerprint}`;
const isFlapping = (entry: Entry | undefined, nowMs: number): boolean =>
  entry !== undefined && entry.sinceMs !== null && endOf(entry.times) > nowMs;
/** When fewer changes than keep it flapping are within the window. */
const endOf = (times: readonly EpochMs[]): EpochMs => epochMs((times.at(-FLAPPING.leave) ?? 0) + FLAPPING.windowMs);
