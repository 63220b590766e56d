import type { Clock } from '@nines/base/clock.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { type CurrentState, type Downtime, downtimeToWire, type FlappingChange, type StateChange } from './contract.ts';
import { type DowntimeStep, downVoicesOf, type Outage, outagesFrom, reconcile } from './downtimes.ts';
import { commit, compositesInOrder, type Draft, draftOf, forget, historyIn, type Memory, reachTogether, settleDraft } from './evaluate.ts';
import { rebuild, type Rebuilt } from './rebuild.ts';
import { flappingOf } from './flapping.ts';
import type { LedgerStore } from './store.ts';
import type { Bus } from '../platform/bus.ts';
import { createTurns } from '../platform/turns.ts';
import type { Transition } from '@nines/maths/slo/types.ts';

/**
 * The one hand that writes the ledger. Steps queue up, are decided together on a draft, saved in one transaction, and only then enter
 * the memory and are told to listeners. A failed transaction keeps its steps: they are tried again with the next ones, so a
 * state database that is busy or full for a while delays the ledger and loses nothing.
 */
export type Step = (draft: Draft, nowMs: EpochMs) => void;

/**
 * After a transaction the next begins no sooner than this many times its length later, and its batch is the larger for it. On a slow disk
 * the synchronous state database would otherwise hold the whole process while ten thousand checks start.
 */
const REST_FACTOR = 4;

export type WriterDeps = {
  readonly store: LedgerStore;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly bus: Bus;
  readonly onFailure: (thrown: unknown) => void;
  /** Told of each change after it is durable, in order. */
  readonly onChange: (change: StateChange) => void;
  /** Told after the changes of the same batch. */
  readonly onFlapping: (change: FlappingChange) => void;
};

/** What is known of an outage beyond its time when it is heard of. */
export type Describe = (outage: Outage) => Pick<Downtime, 'reason' | 'note'> | undefined;

type Queued = { readonly step: Step; readonly resolve: () => void };

export class LedgerWriter {
  /** Runs alone, between batches. */
  readonly exclusive = createTurns();
  readonly #deps: WriterDeps;
  readonly #queue: Queued[] = [];
  /** Downtimes that a rewrite may still move: open ones, and those that ended within reach. By service. */
  readonly #downtimes = new Map<string, readonly Downtime[]>();
  /** Checks whose tail moved since it was last saved. */
  readonly #dirty = new Set<string>();
  #scheduled = false;
  #restUntilMs = 0;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
  }

  /** The downtimes that stood when the process before ended. */
  adopt(downtimes: readonly Downtime[]): void {
    for (const downtime of downtimes) this.#downtimes.set(downtime.service, [...(this.#downtimes.get(downtime.service) ?? []), downtime]);
  }

  /** Resolves when the step is durable; it is taken as soon as the one under way has ended. */
  submit(step: Step): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push({ step, resolve });
      void this.exclusive(() => this.#drain());
    });
  }

  /** The same for steps that come by the thousand: they may be held back to make a larger batch. */
  submitSoon(step: Step): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push({ step, resolve });
      this.#schedule();
    });
  }

  /** Takes what is queued now, held back or not; what could not be saved before is tried again. */
  flush(): Promise<void> {
    return this.exclusive(() => this.#drain());
  }

  /** Saves the tails that moved. Cheap: one row per check that was attempted since. */
  saveTails(): Promise<void> {
    return this.exclusive(async () => {
      const checks = [...this.#dirty];
      if (checks.length === 0) return;
      const { memory, store } = this.#deps;
      await store.saveTails(new Map(checks.flatMap((check) => memory.checks.get(check) ?? []).map((state) => [state.rules.check, state])));
      for (const check of checks) this.#dirty.delete(check);
    });
  }

  /**
   * Decides a service anew from `fromMs` on, because something was learnt about its past, and the composites above it; returns all of them. To be
   * called within a turn of `exclusive`. `describe` says why an outage was that is heard of only now.
   */
  async rebuild(service: string, fromMs: EpochMs, describe: Describe = () => undefined): Promise<readonly string[]> {
    const draft = draftOf(this.#deps.memory);
    await this.#rebuildOne(service, fromMs, describe);
    const affected = new Set([service]);
    for (const { id, composite } of compositesInOrder(draft)) {
      if (id === service || !composite.rule.members.some((member) => affected.has(member.id))) continue;
      affected.add(id);
      await this.#rebuildOne(id, fromMs, () => undefined);
    }
    return [...affected];
  }

  async #rebuildOne(service: string, fromMs: EpochMs, describe: Describe): Promise<void> {
    const { memory, store, newId } = this.#deps;
    const nowMs = this.#deps.clock.now();
    const before = historyIn(draftOf(memory), service).at(-1);
    const rebuilt = await rebuild({ store, memory }, service, fromMs);
    if (rebuilt === undefined) return;
    const { step, rewrites } = rebuilt;
    const opened = step.opened.map((outage) => ({ ...this.#open(service, outage), ...describe(outage) }));
    const { changed, retracted } = step;
    await store.save({ nowMs, newId, rewrites, tails: new Map(), composed: new Map(), opened, changed, retracted });
    this.#remember(service, rebuilt, nowMs);
    const standing = stillStanding(rebuilt.standing, step, opened);
    const horizonMs = memory.services.get(service)?.transitions[0]?.atMs ?? nowMs;
    this.#downtimes.set(
      service,
      standing.filter((one) => one.toAtMs === null || one.toAtMs >= horizonMs),
    );
    this.#tell({ service, step, opened, standing, change: changeOf(service, before, rebuilt.history.at(-1)) }, nowMs);
  }

  #remember(service: string, { own }: Rebuilt, nowMs: EpochMs): void {
    const { memory } = this.#deps;
    const state = memory.services.get(service) ?? { checks: [], transitions: [], version: 0 };
    const horizonMs = nowMs - reachTogether(draftOf(memory), state.checks, service);
    const keepFrom = Math.max(
      0,
      own.findLastIndex((transition) => transition.atMs <= horizonMs),
    );
    memory.services.set(service, { ...state, transitions: own.slice(keepFrom), version: state.version + 1 });
  }

  /** What people say of a downtime that may still move. */
  describeDowntime(id: string, said: Pick<Downtime, 'reason' | 'note' | 'revision'>): void {
    for (const [service, list] of this.#downtimes) {
      if (list.some((one) => one.id === id))
        this.#downtimes.set(
          service,
          list.map((one) => (one.id === id ? { ...one, ...said } : one)),
        );
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const drain = (): void =>
      void this.exclusive(() => {
        this.#scheduled = false;
        return this.#drain();
      });
    const restMs = this.#restUntilMs - this.#deps.clock.monotonic();
    if (restMs > 0) this.#deps.clock.after(restMs, drain);
    else drain();
  }

  async #drain(): Promise<void> {
    const batch = this.#queue.splice(0);
    if (batch.length === 0) return;
    try {
      await this.#apply(batch);
    } catch (thrown) {
      this.#queue.unshift(...batch);
      this.#deps.onFailure(thrown);
    }
  }

  async #apply(batch: readonly Queued[]): Promise<void> {
    const { memory, store, newId } = this.#deps;
    const nowMs = this.#deps.clock.now();
    const draft = draftOf(memory);
    for (const { step } of batch) step(draft, nowMs);
    const rewrites = settleDraft(draft);
    // A check that joins an outage changes nothing about the service, but its downtime lists it.
    const moves = [...draft.touchedFrom].map(([service, fromMs]) => this.#moveOf(draft, service, fromMs));
    const checks = new Set(rewrites.flatMap((rewrite) => (rewrite.kind === 'check' ? rewrite.subject : [])));
    const tails = new Map([...draft.checks].filter(([check]) => checks.has(check) || draft.configured.has(check)));
    if (tails.size > 0 || rewrites.length > 0 || draft.composed.size > 0) {
      const beganMs = this.#deps.clock.monotonic();
      await store.save({ nowMs, newId, rewrites, tails, composed: draft.composed, ...joined(moves) });
      const endedMs = this.#deps.clock.monotonic();
      this.#restUntilMs = endedMs + REST_FACTOR * (endedMs - beganMs);
    }
    for (const check of draft.checks.keys()) this.#dirty.add(check);
    for (const check of tails.keys()) this.#dirty.delete(check);
    forget(draft, nowMs);
    const flapped = flapChanges(draft);
    commit(draft);
    for (const move of moves) this.#downtimes.set(move.service, move.standing);
    for (const { resolve } of batch) resolve();
    for (const move of moves) this.#tell(move, nowMs);
    for (const change of flapped) this.#tellFlapping(change, nowMs);
  }

  #tellFlapping(change: FlappingChange, nowMs: EpochMs): void {
    const { check, service, flapping } = change;
    const data = { id: check, service, change_percent: flapping?.changePercent ?? null };
    this.#deps.bus.publish(fact(nowMs, flapping === null ? 'check.steady' : 'check.flapping', data));
    this.#deps.onFlapping(change);
  }

  #moveOf(draft: Draft, service: string, fromMs: EpochMs): Move {
    const before = historyIn(draftOf(draft.base), service).at(-1);
    const transitions = historyIn(draft, service);
    const voices = downVoicesOf(draft, service);
    const known = this.#downtimes.get(service) ?? [];
    const step = reconcile(outagesFrom(transitions, voices, fromMs), known, fromMs);
    const opened = step.opened.map((outage) => this.#open(service, outage));
    const standing = stillStanding(known, step, opened);
    const horizonMs = transitions[0]?.atMs ?? fromMs;
    return {
      service,
      step,
      opened,
      standing: standing.filter((one) => one.toAtMs === null || one.toAtMs >= horizonMs),
      change: changeOf(service, before, transitions.at(-1)),
    };
  }

  #open(service: string, { edges, checks, evidence }: Outage): Downtime {
    const said = { reason: 'unplanned_outage', note: '', excluded: false, revision: 1 } as const;
    return { id: this.#deps.newId(), service, ...edges, checks, evidence, ...said };
  }

  #tell(move: Move, nowMs: EpochMs): void {
    const { bus, onChange } = this.#deps;
    for (const downtime of move.opened) bus.publish(fact(nowMs, 'downtime.opened', downtimeToWire(downtime)));
    for (const downtime of move.step.changed) {
      bus.publish(fact(nowMs, downtime.toAtMs === null ? 'downtime.changed' : 'downtime.closed', downtimeToWire(downtime)));
    }
    for (const id of move.step.retracted) bus.publish(fact(nowMs, 'downtime.retracted', { id, service: move.service }));
    if (move.change === null) return;
    const { service, state, unknownReason, previous, sinceMs } = move.change;
    bus.publish(
      fact(nowMs, 'service.changed', { id: service, state, unknown_reason: unknownReason ?? null, previous, since_at_ms: sinceMs }),
    );
    onChange(move.change);
  }
}

/** Checks that began to flap with the draft, and those that are steady again. */
function flapChanges(draft: Draft): readonly FlappingChange[] {
  return [...draft.checks].flatMap(([check, state]) => {
    const flapping = flappingOf(state);
    const before = flappingOf(draft.base.checks.get(check));
    return (flapping === null) === (before === null) ? [] : { check, service: state.service, flapping };
  });
}

/** What one service's rewrite does to its downtimes and its state. */
type Move = {
  readonly service: string;
  readonly step: DowntimeStep;
  readonly opened: readonly Downtime[];
  readonly standing: readonly Downtime[];
  readonly change: StateChange | null;
};

function stillStanding(known: readonly Downtime[], step: DowntimeStep, opened: readonly Downtime[]): readonly Downtime[] {
  const changed = new Map(step.changed.map((downtime) => [downtime.id, downtime]));
  return [...known.filter((one) => !step.retracted.includes(one.id)).map((one) => changed.get(one.id) ?? one), ...opened];
}

const joined = (moves: readonly Move[]) => ({
  opened: moves.flatMap((move) => move.opened),
  changed: moves.flatMap((move) => move.step.changed),
  retracted: moves.flatMap((move) => move.step.retracted),
});

const fact = (atMs: EpochMs, type: string, data: unknown) => ({ topic: 'services' as const, type, atMs, data });

function changeOf(service: string, before: Transition | undefined, after: Transition | undefined): StateChange | null {
  if (after === undefined || (before?.state === after.state && before.unknownReason === after.unknownReason)) return null;
  return {
    service,
    state: after.state,
    ...(after.unknownReason === undefined ? {} : { unknownReason: after.unknownReason }),
    previous: before?.state ?? 'unknown',
    sinceMs: after.atMs,
    evidence: after.evidence,
  };
}

/** What the newest transition says; undefined when there is none. */
export function currentFrom(transition: Transition | undefined): CurrentState | undefined {
  if (transition === undefined) return undefined;
  const { state, unknownReason, atMs, evidence } = transition;
  return { state, ...(unknownReason === undefined ? {} : { unknownReason }), sinceMs: atMs, evidence };
}
