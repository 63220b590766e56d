/** When followed queries are evaluated: when samples arrive that they read, at each point of their grid, and now and then. */
import type { Clock } from '@nines/base/clock.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { SharedQuery } from './shared-query.ts';

/** Evaluations at once. Queries share one thread; more would only delay the first. */
const MAX_CONCURRENT = 4;
/** Samples of one scrape or batch come in several requests. */
const GATHER_MS = 20;
/** A query is evaluated no more often, and rests this many times what it cost. */
const LEAST_REST_MS = 500;
const REST_FACTOR = 9;
/** All together rest what they cost, so that half of a core is left; no more than this at a time. */
const LONGEST_REST_FOR_ALL_MS = SECOND_MS;
/** Rates fall and series end without a sample. */
const QUIET_MS = 5 * SECOND_MS;
/** A point is computed a little after its instant, for samples that are on their way. */
const GRACE_MS = 30;

export type ScheduleDeps = {
  readonly clock: Clock;
  /** Processor time of this process so far. */
  readonly processorMs: () => number;
  readonly queries: () => Iterable<SharedQuery>;
  /** Never rejects. */
  readonly evaluate: (query: SharedQuery) => Promise<void>;
  /** Everything that was due has been evaluated. */
  readonly onIdle: () => void;
};

export class Schedule implements AsyncDisposable {
  readonly #deps: ScheduleDeps;
  readonly #running = new Set<Promise<void>>();
  #timer: { readonly atMs: number; readonly handle: Disposable } | undefined;
  #spentUntilMs = 0;
  #stopped = false;

  constructor(deps: ScheduleDeps) {
    this.#deps = deps;
  }

  /** Samples arrived that these read. */
  wake(queries: Iterable<SharedQuery>): void {
    const nowMs = this.#deps.clock.monotonic();
    for (const query of queries) {
      query.arrivedMs ??= nowMs;
      query.woken = true;
      query.dueMs = Math.min(query.dueMs, Math.max(nowMs + GATHER_MS, query.restUntilMs));
    }
    this.arm();
  }

  /** To be called when a query was added; it is due at once. */
  arm(): void {
    if (this.#stopped || this.#running.size >= MAX_CONCURRENT) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { running, dueMs } of this.#deps.queries()) if (!running && dueMs < nextMs) nextMs = dueMs;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#deps.clock.monotonic();
    const atMs = Math.max(nowMs, nextMs, Math.min(this.#spentUntilMs, nowMs + LONGEST_REST_FOR_ALL_MS));
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.handle[Symbol.dispose]();
    const handle = this.#deps.clock.after(atMs - nowMs, () => {
      this.#timer = undefined;
      this.#turn();
    });
    this.#timer = { atMs, handle };
  }

  /** Takes no new evaluation and waits for those that run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.handle[Symbol.dispose]();
    await Promise.allSettled(this.#running);
  }

  #turn(): void {
    const nowMs = this.#deps.clock.monotonic();
    const due = [...this.#deps.queries()].filter(({ running, dueMs }) => !running && dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const query of due) {
      if (this.#running.size >= MAX_CONCURRENT) return;
      const run = this.#run(query).finally(() => {
        this.#running.delete(run);
        if (this.#stopped) return;
        const doneMs = this.#deps.clock.monotonic();
        const more = [...this.#deps.queries()].some(({ running, dueMs }) => running || dueMs <= doneMs);
        if (!more) this.#deps.onIdle();
        // What was due together is evaluated together, without the rest in between.
        if (more && this.#running.size < MAX_CONCURRENT) this.#turn();
        else this.arm();
      });
      this.#running.add(run);
    }
    this.arm();
  }

  async #run(query: SharedQuery): Promise<void> {
    const { clock, processorMs, evaluate } = this.#deps;
    Object.assign(query, { running: true, woken: false });
    const [startedMs, workedMs] = [clock.monotonic(), processorMs()];
    await evaluate(query);
    const endedMs = clock.monotonic();
    const costMs = Math.min(endedMs - startedMs, processorMs() - workedMs);
    this.#spentUntilMs = Math.max(this.#spentUntilMs, endedMs) + costMs / Math.max(1, this.#running.size);
    query.running = false;
    query.restUntilMs = endedMs + Math.max(LEAST_REST_MS, REST_FACTOR * costMs);
    const soonMs = query.woken ? 0 : Math.min(QUIET_MS, query.nextPointMs(clock.now()) + GRACE_MS);
    query.dueMs = Math.max(query.restUntilMs, endedMs + soonMs);
  }
}
