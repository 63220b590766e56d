import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { LedgerInterval } from '@nines/maths/slo/types.ts';
import type { Ledger } from '../availability/contract.ts';

/** What SLAs need of the ledger. */
export type LedgerReader = Pick<Ledger, 'timeline' | 'current' | 'monitoredSinceMs' | 'version'>;

/** The start of what is kept moves with the window only when this much lies before it, so that it is seldom read again for that. */
const TRIM_MS = 60 * 60_000;

type Cached = {
  readonly version: number;
  readonly fromMs: EpochMs;
  readonly sinceMs: EpochMs | null;
  toMs: EpochMs;
  intervals: LedgerInterval[];
};

/** A service's time: contiguous intervals that cover what was asked, and may begin earlier and end later. */
export type ServiceTime = { readonly intervals: readonly LedgerInterval[]; readonly sinceMs: EpochMs | null };

/**
 * Timelines of services for evaluations that come every few seconds. While a service's history has the same version the last
 * interval only grows, so nothing is read. Nothing here decides: what is returned is what the ledger would say.
 */
export class ServiceTimelines {
  readonly #ledger: LedgerReader;
  readonly #cached = new Map<string, Cached>();

  constructor(ledger: LedgerReader) {
    this.#ledger = ledger;
  }

  /** The intervals that cover `[fromMs, toMs)`; `toMs` is now or before. */
  async read(service: string, fromMs: EpochMs, toMs: EpochMs): Promise<ServiceTime> {
    const cached = this.#cached.get(service);
    const version = this.#ledger.version(service);
    if (cached !== undefined && cached.version === version && cached.fromMs <= fromMs && this.#grow(service, cached, toMs)) return cached;
    // An SLA with a shorter window must not drop what one with a longer window reads.
    const keepFromMs = cached === undefined || fromMs - cached.fromMs > TRIM_MS ? fromMs : epochMs(Math.min(fromMs, cached.fromMs));
    const [timeline, sinceMs] = await Promise.all([
      this.#ledger.timeline(service, keepFromMs, toMs),
      this.#ledger.monitoredSinceMs(service),
    ]);
    const read: Cached = { version, fromMs: keepFromMs, sinceMs, toMs, intervals: [...timeline.intervals] };
    this.#cached.set(service, read);
    return read;
  }

  isDown(service: string): boolean {
    return this.#ledger.current(service).state === 'down';
  }

  /** Lengthens the last interval to `toMs` when the service is still in its state; false when the ledger must be asked. */
  #grow(service: string, cached: Cached, toMs: EpochMs): boolean {
    if (toMs <= cached.toMs) return true;
    const last = cached.intervals.at(-1);
    const current = this.#ledger.current(service);
    if (last === undefined || cached.sinceMs === null) return false;
    if (last.state !== current.state || last.unknownReason !== current.unknownReason || current.sinceMs > cached.toMs) return false;
    cached.intervals[cached.intervals.length - 1] = { ...last, toMs };
    cached.toMs = toMs;
    return true;
  }
}
