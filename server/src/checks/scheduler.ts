import type { Clock } from '@nines/base/clock.ts';
import { fnv1a } from '@nines/base/fnv1a.ts';

/** What is to be started on time. */
export type Scheduled = {
  readonly id: string;
  readonly intervalMs: number;
  /** Starts on the grid only, also the first time: others elsewhere start the same at the same instants. */
  readonly onGrid?: boolean;
};

export type SchedulerDeps = {
  readonly clock: Clock;
  /** Starts one; the scheduler waits for the promise before it starts the same again. Must not reject. */
  readonly start: (id: string) => Promise<void>;
};

export type SchedulerStats = {
  readonly started: number;
  /** Starts that were due while the one before was still under way, or while the process stood still. */
  readonly skipped: number;
  /** The worst lateness of a start since the last `stats` call. */
  readonly worstLatenessMs: number;
};

/** Everything starts once within this time after it was configured, so that nobody waits an interval for a first answer. */
const FIRST_START_SPREAD_MS = 1_000;
/** With very many checks the first starts are spread wider: at most this many a second. */
const FIRST_STARTS_PER_SECOND = 500;
/** Wall and monotonic clocks disagree by less than this between two steps of the clock. */
const EARLY_MS = 20;

/**
 * Starts things on a grid of wall time: the same instants after every restart, spread over the interval by the hash of the id, so that ten
 * thousand checks do not start at once. A start that is due while the one before runs is skipped, not queued; after a suspend the
 * missed starts are skipped, not caught up.
 */
export class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #timers = new Map<string, { readonly item: Scheduled; timer: Disposable }>();
  readonly #running = new Map<string, Promise<void>>();
  #started = 0;
  #skipped = 0;
  #worstLatenessMs = 0;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
  }

  /** The whole set now. What stays with the same interval keeps its place on the grid. */
  set(items: readonly Scheduled[]): void {
    const wanted = new Map(items.map((item) => [item.id, item]));
    for (const [id, { item, timer }] of this.#timers) {
      const next = wanted.get(id);
      if (next?.intervalMs === item.intervalMs && next.onGrid === item.onGrid) continue;
      timer[Symbol.dispose]();
      this.#timers.delete(id);
    }
    const spreadMs = Math.max(FIRST_START_SPREAD_MS, (items.length * 1000) / FIRST_STARTS_PER_SECOND);
    for (const item of items) {
      if (this.#timers.has(item.id)) continue;
      const early = fnv1a(item.id) % Math.min(spreadMs, item.intervalMs);
      const delayMs = item.onGrid === true ? untilNext(item, this.#deps.clock.now()) : early;
      this.#arm(item, delayMs);
    }
  }

  /** Nothing starts any more. What is under way is its starter's to end. */
  stop(): void {
    for (const { timer } of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  /**
   * Starts one now, besides its grid, and waits for it; one that is under way began too early to count and is waited for first. Does
   * nothing for what is not in the set, and for what starts on the grid only.
   */
  async now(id: string): Promise<void> {
    await this.#running.get(id);
    const found = this.#timers.get(id);
    if (found === undefined || found.item.onGrid === true) return;
    await (this.#running.get(id) ?? this.#start(id));
  }

  stats(): SchedulerStats {
    const stats = { started: this.#started, skipped: this.#skipped, worstLatenessMs: this.#worstLatenessMs };
    this.#worstLatenessMs = 0;
    return stats;
  }

  #arm(item: Scheduled, delayMs: number): void {
    const dueMs = this.#deps.clock.monotonic() + delayMs;
    const timer = this.#deps.clock.after(delayMs, () => this.#due(item, dueMs));
    this.#timers.set(item.id, { item, timer });
  }

  #due(item: Scheduled, dueMs: number): void {
    const latenessMs = Math.max(0, this.#deps.clock.monotonic() - dueMs);
    this.#worstLatenessMs = Math.max(this.#worstLatenessMs, latenessMs);
    this.#skipped += Math.floor(latenessMs / item.intervalMs);
    if (this.#running.has(item.id)) this.#skipped++;
    else void this.#start(item.id);
    this.#arm(item, untilNext(item, this.#deps.clock.now()));
  }

  #start(id: string): Promise<void> {
    this.#started++;
    const ended = this.#deps.start(id).finally(() => this.#running.delete(id));
    this.#running.set(id, ended);
    return ended;
  }
}

/** Milliseconds until the item's next instant on the grid; more than 0, so that a timer that fires early does not fire twice. */
export function untilNext({ id, intervalMs }: Scheduled, nowMs: number): number {
  const phaseMs = fnv1a(id) % intervalMs;
  const restMs = intervalMs - ((((nowMs - phaseMs) % intervalMs) + intervalMs) % intervalMs);
  // Timers may fire a millisecond early by the wall clock; the grid instant just served must not be served again.
  return restMs < Math.min(intervalMs / 4, EARLY_MS) ? restMs + intervalMs : restMs;
}

/** The instant on the item's grid that an attempt which begins at `nowMs` serves: the last one that was due. */
export function slotAt({ id, intervalMs }: Scheduled, nowMs: number): number {
  const sinceMs = nowMs + EARLY_MS - (fnv1a(id) % intervalMs);
  return nowMs + EARLY_MS - (((sinceMs % intervalMs) + intervalMs) % intervalMs);
}
