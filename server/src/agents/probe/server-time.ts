import { type EpochMs, epochMs } from '@nines/base/units.ts';

/** One exchange with the server: our monotonic clock at both ends, the server's wall clock in between. */
export type Exchange = {
  readonly sentMs: number;
  readonly heardMs: number;
  readonly receivedAtMs: number;
  readonly answeredAtMs: number;
};

/** Exchanges looked back on, and for how long: a server's clock that steps is followed within this time. */
const KEPT = 16;
const KEPT_MS = 5 * 60_000;
/** Two crystals drift apart by at most this much. */
const DRIFT = 100e-6;
/** The server gives whole milliseconds. */
const RESOLUTION_MS = 1;
/** How far off the machine's own clock is taken to be before the server was ever asked. */
const UNMEASURED_MS = 1_000;

type Measure = { readonly offsetMs: number; readonly uncertaintyMs: number; readonly atMs: number };

/**
 * The server's time, from exchanges with it as NTP measures them (RFC 5905, 8): the answer was written halfway between sending and hearing,
 * give or take half of the way there and back. The best of the last exchanges counts. Steps of this machine's own clock change nothing.
 */
export class ServerTime {
  readonly #clock: { readonly now: () => number; readonly monotonic: () => number };
  #measures: readonly Measure[] = [];
  /** Until the first exchange: the machine's clock less what it was wrong by last time. */
  readonly #assumed: { readonly skewMs: number; readonly uncertaintyMs: number };

  constructor(
    clock: { readonly now: () => number; readonly monotonic: () => number },
    last?: { readonly skewMs: number; readonly uncertaintyMs: number },
  ) {
    this.#clock = clock;
    this.#assumed = { skewMs: last?.skewMs ?? 0, uncertaintyMs: Math.max(UNMEASURED_MS, last?.uncertaintyMs ?? 0) };
  }

  observe({ sentMs, heardMs, receivedAtMs, answeredAtMs }: Exchange): void {
    const onTheWayMs = Math.max(0, heardMs - sentMs - (answeredAtMs - receivedAtMs));
    const measure: Measure = {
      offsetMs: (receivedAtMs - sentMs + (answeredAtMs - heardMs)) / 2,
      uncertaintyMs: onTheWayMs / 2 + RESOLUTION_MS,
      atMs: heardMs,
    };
    const recent = this.#measures.filter((one) => heardMs - one.atMs <= KEPT_MS);
    // What contradicts the newest exchange was measured before the server's clock stepped.
    const agreeing = recent.filter((one) => Math.abs(one.offsetMs - measure.offsetMs) <= this.#boundOf(one) + measure.uncertaintyMs);
    this.#measures = [measure, ...agreeing].slice(0, KEPT);
  }

  now(): EpochMs {
    const best = this.#best();
    return epochMs(Math.floor(best === undefined ? this.#clock.now() - this.#assumed.skewMs : this.#clock.monotonic() + best.offsetMs));
  }

  /** How far `now` may be off, either way. */
  uncertaintyMs(): number {
    const best = this.#best();
    return best === undefined ? this.#assumed.uncertaintyMs : this.#boundOf(best);
  }

  /** The machine's wall clock less the server's; undefined before the first exchange. */
  skewMs(): number | undefined {
    const best = this.#best();
    return best === undefined ? undefined : this.#clock.now() - (this.#clock.monotonic() + best.offsetMs);
  }

  #boundOf(measure: Measure): number {
    return measure.uncertaintyMs + DRIFT * (this.#clock.monotonic() - measure.atMs);
  }

  #best(): Measure | undefined {
    let best: Measure | undefined;
    for (const one of this.#measures) if (best === undefined || this.#boundOf(one) < this.#boundOf(best)) best = one;
    return best;
  }
}
