import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { messageOf } from '@nines/base/errors.ts';
import { type CheckResult, type CheckTiming, MAX_LATE_MS, type ResultSink, VOTE_GRACE_MS } from './contract.ts';

export type GatherDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes the voices of a slot. Calls in one turn of the event loop are decided together. */
  readonly record: (result: CheckResult) => Promise<void>;
  /** Whether a location is there to answer. One that is not is not waited for. */
  readonly isPresent: (location: string) => boolean;
};

export type GatherStats = {
  /** Slots that were decided. */
  readonly decided: number;
  /** Slots that were decided without a location that was there. */
  readonly incomplete: number;
  /** Voices that came after their slot was decided: they change what was decided. */
  readonly late: number;
  /** Voices that came too late for the ledger. */
  readonly tooLate: number;
};

type Slot = { readonly atMs: number; readonly results: Map<string, CheckResult>; readonly timer: Disposable };

/**
 * Holds the voices of a slot together until every location that is there has spoken, at most until the timeout and a grace are over, so that
 * an outage is not seen as that of the first location which notices it. The voices of one location are handed on in the order of their
 * slots. Results are durable before they come here: what is held when the process dies is found in the samples.
 */
export class Gather implements Disposable {
  readonly #deps: GatherDeps;
  /** Open slots by check, ascending. */
  readonly #open = new Map<string, Slot[]>();
  /** The newest slot of each check that was decided. */
  readonly #decided = new Map<string, number>();
  #stats: GatherStats = { decided: 0, incomplete: 0, late: 0, tooLate: 0 };

  constructor(deps: GatherDeps) {
    this.#deps = deps;
  }

  stats(): GatherStats {
    return this.#stats;
  }

  /** Takes results of every kind: those of checks without locations go on at once, and only for them the promise waits for the ledger. */
  readonly take: ResultSink = async (result, timing) => {
    const { vote } = timing;
    if (vote === undefined || result.location === undefined) return this.#deps.record(result);
    // A location that was taken out meanwhile has no voice.
    if (vote.locations.includes(result.location)) this.#hold(result, timing, vote.locations);
  };

  /** Decides what is open with what there is. */
  [Symbol.dispose](): void {
    for (const check of this.#open.keys()) this.#release(check, Number.POSITIVE_INFINITY, []);
  }

  #hold(result: CheckResult, { check, timeoutMs }: CheckTiming, locations: readonly string[]): void {
    const { startedAtMs: slotMs, location = '' } = result;
    const nowMs = this.#deps.clock.now();
    const waitMs = slotMs + timeoutMs + VOTE_GRACE_MS - nowMs;
    if (nowMs - slotMs > MAX_LATE_MS) {
      this.#count({ tooLate: 1 });
      return;
    }
    if (waitMs <= 0 || slotMs <= (this.#decided.get(check) ?? 0)) {
      // What this location said before must be told before.
      this.#release(check, slotMs - 1, locations);
      if (slotMs <= (this.#decided.get(check) ?? 0)) this.#count({ late: 1 });
      this.#tell(result);
      return;
    }
    const slots = this.#open.get(check) ?? [];
    this.#open.set(check, slots);
    const known = slots.find((slot) => slot.atMs === slotMs);
    const slot = known ?? {
      atMs: slotMs,
      results: new Map<string, CheckResult>(),
      timer: this.#deps.clock.after(waitMs, () => this.#release(check, slotMs, locations)),
    };
    if (known === undefined) slots.splice(slots.findLastIndex((one) => one.atMs < slotMs) + 1, 0, slot);
    if (!slot.results.has(location)) slot.results.set(location, result);
    if (this.#missing(slot, locations).length === 0) this.#release(check, slotMs, locations);
  }

  #missing(slot: Slot, locations: readonly string[]): readonly string[] {
    return locations.filter((location) => !slot.results.has(location) && this.#deps.isPresent(location));
  }

  /** Hands on every open slot of the check up to `untilMs`, in order. */
  #release(check: string, untilMs: number, locations: readonly string[]): void {
    const slots = this.#open.get(check) ?? [];
    const due = slots.filter((slot) => slot.atMs <= untilMs);
    if (due.length === 0) return;
    this.#open.set(
      check,
      slots.filter((slot) => slot.atMs > untilMs),
    );
    for (const slot of due) {
      slot.timer[Symbol.dispose]();
      this.#decided.set(check, Math.max(slot.atMs, this.#decided.get(check) ?? 0));
      this.#count({ decided: 1, incomplete: this.#missing(slot, locations).length > 0 ? 1 : 0 });
      for (const result of slot.results.values()) this.#tell(result);
    }
  }

  #tell(result: CheckResult): void {
    this.#deps.record(result).catch((thrown: unknown) => {
      this.#deps.logger.error('a voice did not reach the ledger', {
        check: result.check,
        location: result.location,
        error: messageOf(thrown),
      });
    });
  }

  #count(more: Partial<GatherStats>): void {
    const { decided, incomplete, late, tooLate } = this.#stats;
    this.#stats = {
      decided: decided + (more.decided ?? 0),
      incomplete: incomplete + (more.incomplete ?? 0),
      late: late + (more.late ?? 0),
      tooLate: tooLate + (more.tooLate ?? 0),
    };
  }
}
