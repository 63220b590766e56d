/**
 * When rules run. A unit (a rule file's group, a threshold rule) is never evaluated twice at once; being woken while it runs
 * or rests means one more evaluation afterwards, however many requests woke it.
 */
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Labels } from '@nines/model/labels.ts';
import { type Listener, WakeIndex } from '@nines/model/wake-index.ts';

/** `start`: nothing came and nothing is due, but what was stored before this process began may not have been looked at. */
export type Trigger = { readonly kind: 'timer' | 'woken' | 'start'; readonly atMs: EpochMs };

export interface Unit extends Listener {
  readonly id: string;
  /** The next instant after `afterMs` at which the unit wants to run without being woken; null when it does not. */
  nextAtMs(afterMs: EpochMs): EpochMs | null;
  evaluate(trigger: Trigger, signal: AbortSignal): Promise<void>;
}

export type RunnerDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly labelsOfRef: (ref: number) => Labels;
  /** Processor time of this process so far; absent, an evaluation is taken to cost what it lasted. */
  readonly processorMs?: () => number;
};

/** Evaluations at once. Queries share one thread; more would only delay the first. */
const MAX_CONCURRENT = 4;
/**
 * A unit rests this many times what its evaluation cost, so that a costly one takes about a tenth of a core. It costs no more than it lasted and
 * no more than the process worked meanwhile: waiting for the disk, or for a processor that others use, is no cost.
 */
const REST_FACTOR = 9;
/** All units together rest this many times what they cost: a third of a core. With a tenth, a thousand cheap rules waited for each other. */
const SHARED_REST_FACTOR = 2;
/** A unit waits no longer than this for what other units have used up: one slow rule must not make the quick ones late. */
const LONGEST_REST_FOR_OTHERS_MS = 1_000;
/** After a failed evaluation (the database was away) the unit runs again without waiting for a sample: after 1 s, 2 s, 4 s … 1 min. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

type Slot = {
  readonly unit: Unit;
  running: boolean;
  woken: boolean;
  /** Woken by the start alone. */
  started: boolean;
  /** A timer fell due while the unit ran. */
  due: boolean;
  restUntilMs: number;
  /** Failures in a row. */
  failures: number;
  timer: Disposable | undefined;
  rest: Disposable | undefined;
  /** The evaluation that runs now. */
  run: Promise<void> | undefined;
};

const newSlot = (unit: Unit): Slot => ({
  unit,
  running: false,
  woken: false,
  started: false,
  due: false,
  restUntilMs: 0,
  failures: 0,
  timer: undefined,
  rest: undefined,
  run: undefined,
});

export class Runner implements AsyncDisposable {
  readonly #deps: RunnerDeps;
  #slots: readonly Slot[] = [];
  #index: WakeIndex;
  #ready: Slot[] = [];
  #active = 0;
  #turn: Disposable | undefined;
  /** Until when the evaluations so far have used up what woken units may take. */
  #spentUntilMs = 0;
  /** Processor time of the process up to which evaluations were charged. */
  #chargedMs = 0;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  evaluations = { timer: 0, woken: 0, start: 0, failed: 0 };

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
    this.#index = new WakeIndex([], deps.labelsOfRef);
  }

  /**
   * Makes these the units. One that was there before goes on as if nothing had happened; evaluations of those that are gone end by
   * themselves, and with the last of them the promise.
   */
  async replace(units: readonly Unit[]): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const before = new Map(this.#slots.map((slot) => [slot.unit, slot]));
    this.#slots = units.map((unit) => before.get(unit) ?? newSlot(unit));
    const now = new Set(this.#slots);
    const gone = [...before.values()].filter((slot) => !now.has(slot));
    for (const slot of gone) this.#disarm(slot);
    this.#ready = this.#ready.filter((slot) => now.has(slot));
    this.#index = new WakeIndex(units, this.#deps.labelsOfRef);
    for (const slot of this.#slots) if (!before.has(slot.unit)) this.#arm(slot);
    await Promise.allSettled(gone.flatMap(({ run }) => run ?? []));
  }

  /** Marks the units that read any of `refs`; they run from the next turn of the loop on. */
  wake(refs: Uint32Array): void {
    for (const number of this.#index.wokenBy(refs)) this.#mark(this.#slots[number]);
    this.#takeTurn();
  }

  /** Has every unit, or these, run once, for samples that were stored before and that it did not look at. */
  start(only?: ReadonlySet<Unit>): void {
    for (const slot of this.#slots) {
      if (slot.woken || slot.running || only?.has(slot.unit) === false) continue;
      this.#mark(slot);
      slot.started = true;
    }
    this.#takeTurn();
  }

  /** Has a unit run on the next turn, as if a timer of it fell due. */
  poke(unit: Unit): void {
    const slot = this.#slots.find((one) => one.unit === unit);
    if (slot === undefined) return;
    slot.due = true;
    if (slot.running) return;
    this.#enqueue(slot);
    this.#turn ??= this.#deps.clock.after(0, () => this.#next());
  }

  /** Evaluations that are running or waiting for their turn. */
  get backlog(): number {
    return this.#active + this.#ready.length;
  }

  /** Takes no new evaluation and waits for those that run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error('the rules are stopping'));
    for (const slot of this.#slots) this.#disarm(slot);
    this.#slots = [];
    this.#ready = [];
    this.#turn?.[Symbol.dispose]();
    await Promise.allSettled(this.#running);
  }

  #mark(slot: Slot | undefined): void {
    if (slot === undefined) return;
    slot.started = false;
    if (slot.woken) return;
    slot.woken = true;
    if (!slot.running) this.#enqueue(slot);
  }

  #takeTurn(): void {
    if (this.#ready.length > 0) this.#turn ??= this.#deps.clock.after(0, () => this.#next());
  }

  #enqueue(slot: Slot): void {
    const restMs = slot.restUntilMs - this.#deps.clock.monotonic();
    if (restMs <= 0 || slot.due) {
      if (!this.#ready.includes(slot)) this.#ready.push(slot);
      return;
    }
    slot.rest ??= this.#deps.clock.after(restMs, () => {
      slot.rest = undefined;
      if (slot.running || !slot.woken) return;
      this.#enqueue(slot);
      this.#next();
    });
  }

  #next(): void {
    this.#turn = undefined;
    while (this.#active < MAX_CONCURRENT) {
      const slot = this.#ready.shift();
      if (slot === undefined) return;
      const run = this.#run(slot);
      slot.run = run;
      this.#running.add(run);
      void run.finally(() => {
        this.#running.delete(run);
        if (slot.run === run) slot.run = undefined;
      });
    }
  }

  async #run(slot: Slot): Promise<void> {
    const { clock, logger, processorMs } = this.#deps;
    const kind = slot.due ? 'timer' : slot.started ? 'start' : 'woken';
    // A timer may look at an instant before the sample that woke the unit, so the sample is looked at afterwards.
    Object.assign(slot, { running: true, woken: kind === 'timer' && slot.woken && !slot.started, started: false, due: false });
    this.#active++;
    this.evaluations[kind]++;
    const startedMs = clock.monotonic();
    const workedMs = processorMs?.();
    let failed = false;
    try {
      await slot.unit.evaluate({ kind, atMs: clock.now() }, this.#abort.signal);
    } catch (thrown) {
      failed = !this.#abort.signal.aborted;
      // Once per row of failures: the health of the rule shows the rest.
      if (failed && slot.failures === 0) logger.error('rule evaluation failed', { rule: slot.unit.id, error: messageOf(thrown) });
    }
    this.#active--;
    slot.running = false;
    if (failed) this.evaluations.failed++;
    slot.failures = failed ? slot.failures + 1 : 0;
    const endedMs = clock.monotonic();
    // Looking once at what was stored is no habit, and while the process starts everything takes long.
    const costMs = kind === 'start' ? 0 : this.#costOf(endedMs - startedMs, workedMs);
    if (kind === 'woken') this.#spentUntilMs = Math.max(this.#spentUntilMs, endedMs) + SHARED_REST_FACTOR * costMs;
    slot.restUntilMs = Math.max(endedMs + REST_FACTOR * costMs, Math.min(this.#spentUntilMs, endedMs + LONGEST_REST_FOR_OTHERS_MS));
    if (!this.#slots.includes(slot)) return this.#next();
    this.#arm(slot, failed ? Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(slot.failures - 1, 10)) : undefined);
    if (slot.woken || slot.due) this.#enqueue(slot);
    this.#next();
  }

  /** Evaluations that overlap share the work of the process: each is charged what was done since the one before it ended. */
  #costOf(lastedMs: number, workedBeforeMs: number | undefined): number {
    const workedMs = this.#deps.processorMs?.();
    if (workedMs === undefined || workedBeforeMs === undefined) return lastedMs;
    const sinceMs = Math.max(workedBeforeMs, this.#chargedMs);
    this.#chargedMs = workedMs;
    return Math.min(lastedMs, workedMs - sinceMs);
  }

  #arm(slot: Slot, withinMs?: number): void {
    slot.timer?.[Symbol.dispose]();
    const nowMs = this.#deps.clock.now();
    const nextMs = slot.unit.nextAtMs(epochMs(nowMs));
    if (nextMs === null && withinMs === undefined) return void (slot.timer = undefined);
    const delayMs = Math.min(nextMs === null ? Number.POSITIVE_INFINITY : nextMs - nowMs, withinMs ?? Number.POSITIVE_INFINITY);
    slot.timer = this.#deps.clock.after(Math.max(0, delayMs), () => {
      slot.timer = undefined;
      slot.due = true;
      if (slot.running) return;
      this.#enqueue(slot);
      this.#next();
    });
  }

  #disarm(slot: Slot): void {
    slot.timer?.[Symbol.dispose]();
    slot.rest?.[Symbol.dispose]();
  }
}
