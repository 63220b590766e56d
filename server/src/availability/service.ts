import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, SECOND_MS } from '@nines/base/units.ts';
import { type Attempt, hasLapsed, lapse } from '@nines/maths/slo/check-history.ts';
import { timelineFrom } from '@nines/maths/slo/ledger.ts';
import type { Timeline, Transition, UnknownReason } from '@nines/maths/slo/types.ts';
import type { Kysely } from 'kysely';
import type { CheckResult } from '../checks/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import {
  type CurrentState,
  type Downtime,
  type Flapping,
  type FlappingChange,
  type Ledger,
  type Recorder,
  type ReplayResults,
  type ServicePlan,
  type StateChange,
} from './contract.ts';
import { DowntimeDesk } from './desk.ts';
import { downVoicesOf, outagesFrom } from './downtimes.ts';
import {
  compositesInOrder,
  draftOf,
  emptyMemory,
  isDue,
  type Memory,
  plansOf,
  reachTogether,
  takeAttempt,
  takeLapses,
  takePlans,
  takeStepBack,
  transitionsAt,
} from './evaluate.ts';
import { flappingOf, whyFlapping } from './flapping.ts';
import { downtimesKnownAt } from './known.ts';
import { loadMemory } from './restart.ts';
import { createImportStore, type ImportStore } from './imports/store.ts';
import type { StoredSpan } from './imports/contract.ts';
import { importedTransitions, reasonOf } from './imports/evaluate.ts';
import { filledWithin } from './rebuild.ts';
import { createLedgerStore, type KnownWindow, type LedgerStore, type Session } from './store.ts';
import { heardOf, subjectOf } from './voices.ts';
import { currentFrom, LedgerWriter } from './writer.ts';

/** How often `step` is to be called. */
export const LEDGER_STEP_MS = SECOND_MS;

export type AvailabilityDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly replay: ReplayResults;
};

/**
 * How long a lapse waits before it is written down. An attempt that times out ends exactly when the result before it stops speaking;
 * its own result arrives some milliseconds later and would take the lapse back at once. Reads show the lapse without waiting.
 */
const LAPSE_GRACE_MS = SECOND_MS;
/** How often tails and the sign of life are saved. What a crash loses of them, the samples hold. */
const TAIL_SAVE_MS = 5 * SECOND_MS;
/** Wall and monotonic time may drift apart by this much between two steps (slewing by NTP is 0.5 ms per second) before it counts as a step of the clock. */
const CLOCK_STEP_MS = 2 * SECOND_MS;
/** Steps come every second; when one is this late, the process itself was stopped, and what is missing is missing because of us. */
const STALL_MS = 10 * SECOND_MS;

/**
 * The ledger's service. Life: `start` (loads, replays, marks our own absence), `configure` (checks in force), then `record` and `step`
 * until `stop`. Reads are answered at any time after `start`.
 */
export class Availability implements Ledger, Recorder {
  readonly #deps: AvailabilityDeps;
  /** Where people work on downtimes. */
  readonly desk: DowntimeDesk;
  readonly #store: LedgerStore;
  readonly #imports: ImportStore;
  readonly #memory: Memory = emptyMemory();
  readonly #writer: LedgerWriter;
  readonly #listeners = new Set<(change: StateChange) => void | Promise<void>>();
  readonly #flapListeners = new Set<(change: FlappingChange) => void | Promise<void>>();
  readonly #first = new Map<string, EpochMs>();
  /** Checks whose probe said that it is isolated; names the gap that follows. */
  readonly #isolated = new Set<string>();
  /** The voices of each check that has locations. */
  readonly #voters = new Map<string, readonly string[]>();
  readonly #startedAtMs: EpochMs;
  #session: Session | undefined;
  #lastStep: { readonly wallMs: number; readonly monotonicMs: number } | undefined;
  #savedAtMonotonicMs = 0;
  #stopped = false;
  #telling: Promise<void> = Promise.resolve();
  /** The reason of the lapses that come next, when it is our own doing. */
  #ownReason: UnknownReason | undefined;

  constructor(deps: AvailabilityDeps) {
    this.#deps = deps;
    this.#store = createLedgerStore(deps.db);
    this.#imports = createImportStore(deps.db);
    this.#startedAtMs = deps.clock.now();
    this.#writer = new LedgerWriter({
      store: this.#store,
      memory: this.#memory,
      clock: deps.clock,
      newId: () => deps.ids.uuid(),
      bus: deps.bus,
      onFailure: (thrown) => deps.logger.error('ledger not saved, will be tried again', { error: messageOf(thrown) }),
      onChange: (change) => this.#changed(change),
      onFlapping: (change) => this.#flapped(change),
    });
    this.desk = new DowntimeDesk({
      store: this.#store,
      writer: this.#writer,
      clock: deps.clock,
      newId: () => deps.ids.uuid(),
      bus: deps.bus,
      ledger: (filter) => this.#ledgerDowntimes(filter),
    });
  }

  /** Loads what stands, takes in the results that the process before could not write down, and marks the time without a monitor. */
  async start(): Promise<void> {
    const { clock, ids, logger } = this.#deps;
    const nowMs = clock.now();
    const imported = Map.groupBy(await this.#imports.standing(), (span) => span.service);
    for (const [service, spans] of imported) this.#memory.imported.set(service, importedTransitions(spans));
    const loaded = await loadMemory({ store: this.#store, memory: this.#memory, replay: this.#deps.replay, nowMs });
    await this.#learnFirsts();
    await this.desk.load();
    this.#writer.adopt(loaded.downtimes);
    // One batch, so that what is replayed and our absence are one transaction.
    await this.#writer.submit(loaded.steps);
    this.#session = { id: ids.uuid(), startedAtMs: nowMs };
    await this.#store.beginSession(this.#session);
    logger.info('ledger loaded', { checks: this.#memory.checks.size, replayed: loaded.replayed });
  }

  async configure(plans: readonly ServicePlan[]): Promise<void> {
    const services = plans.map(({ service: id, composite }) => ({ id, ...(composite === undefined ? {} : { composite }) }));
    const before = this.#composites();
    const checks = plans.flatMap((plan) => plan.checks.flatMap((timing) => plansOf(timing, plan)));
    this.#voters.clear();
    for (const { rules, vote } of checks)
      if (vote !== undefined) this.#voters.set(vote.check, [...(this.#voters.get(vote.check) ?? []), rules.check]);
    await this.#writer.submit((draft, nowMs) => takePlans(draft, { services, checks }, nowMs));
    await this.#composePast(before);
  }

  /** Every composite with its rule, as text. */
  #composites(): ReadonlyMap<string, string> {
    return new Map([...this.#memory.composites].map((id) => [id, JSON.stringify(this.#memory.services.get(id)?.composite)]));
  }

  /** Composes what composites that are new make of their members' past, each after those among its members. */
  async #composePast(before: ReadonlyMap<string, string>): Promise<void> {
    const now = this.#composites();
    const isNew = (id: string): boolean => now.get(id) !== before.get(id) || this.#memory.services.get(id)?.transitions.length === 0;
    if (![...now.keys()].some(isNew)) return;
    await this.#writer.exclusive(async () => {
      const composites = compositesInOrder(draftOf(this.#memory));
      for (const { composite } of composites) for (const member of composite.rule.members) await this.#widen(member.id);
      for (const { id, composite } of composites) {
        if (isNew(id) && composite.fromMs === 0) await this.#writer.rebuild(id, composite.fromMs);
      }
    });
    await this.#learnFirsts();
  }

  /** Keeps a member's history in memory as far back as its composite may have to look. */
  async #widen(service: string): Promise<void> {
    const state = this.#memory.services.get(service);
    if (state === undefined) return;
    const fromMs = (this.#deps.clock.now() - reachTogether(draftOf(this.#memory), state.checks, service)) as EpochMs;
    const transitions = await this.#store.transitionsSince({ kind: 'service', id: service }, fromMs);
    this.#memory.services.set(service, { ...state, transitions });
  }

  async record(result: CheckResult): Promise<void> {
    const { outcome } = result;
    const check = subjectOf(result.check, result.location);
    if (this.#stopped) return;
    if (outcome.kind === 'void') {
      if (outcome.code === 'probe_isolated') this.#isolated.add(check);
      return;
    }
    const attempt: Attempt = {
      atMs: result.startedAtMs,
      endMs: (result.startedAtMs + Math.ceil(result.durationMs)) as EpochMs,
      seen: outcome.kind,
      detail: outcome.kind === 'up' ? upDetail(result) : outcome.detail,
      ...(result.uncertaintyMs === undefined ? {} : { uncertaintyMs: result.uncertaintyMs }),
    };
    const gapReason = this.#gapReason(check);
    this.#isolated.delete(check);
    await this.#writer.submitSoon((draft) => takeAttempt(draft, check, { attempt, gapReason }));
  }

  #gapReason(check: string): UnknownReason {
    return this.#isolated.has(check) ? 'probe_isolated' : (this.#ownReason ?? 'no_data');
  }

  /** Once a second: lapses, the sign of life, tails, clock steps. `nowMs` is wall time. */
  async step(nowMs: EpochMs): Promise<void> {
    const monotonicMs = this.#deps.clock.monotonic();
    const driftMs = this.#judgeClock(nowMs, monotonicMs);
    await this.#writer.flush();
    if (driftMs < -CLOCK_STEP_MS) await this.#writer.submit((draft) => takeStepBack(draft, nowMs));
    const dueMs = (nowMs - LAPSE_GRACE_MS) as EpochMs;
    const own = this.#ownReason;
    if (hasDue(this.#memory, dueMs)) {
      await this.#writer.submit((draft) => takeLapses(draft, dueMs, (check) => (own === undefined ? this.#gapReason(check) : own)));
    }
    // The reason covers the results of the checks due in this step; what lapses later lapses for its own reasons.
    if (own !== undefined && !hasDue(this.#memory, nowMs)) this.#ownReason = undefined;
    if (monotonicMs - this.#savedAtMonotonicMs >= TAIL_SAVE_MS) await this.#saveSigns(nowMs, false);
  }

  /** Names what the time since the last step made unknown; returns by how much wall time moved against monotonic time. */
  #judgeClock(nowMs: EpochMs, monotonicMs: number): number {
    const last = this.#lastStep;
    this.#lastStep = { wallMs: nowMs, monotonicMs };
    if (last === undefined) return 0;
    const driftMs = nowMs - last.wallMs - (monotonicMs - last.monotonicMs);
    if (Math.abs(driftMs) > CLOCK_STEP_MS) {
      this.#deps.logger.warn('wall clock stepped', { byMs: Math.round(driftMs) });
      this.#ownReason = 'clock_step';
    } else if (monotonicMs - last.monotonicMs > STALL_MS) {
      this.#deps.logger.warn('the monitor itself stood still', { forMs: Math.round(monotonicMs - last.monotonicMs) });
      this.#ownReason = 'monitor_down';
    }
    return driftMs;
  }

  async #saveSigns(nowMs: EpochMs, stopped: boolean): Promise<void> {
    await this.#writer.saveTails();
    if (this.#session !== undefined) await this.#store.keepSession(this.#session, { aliveUntilMs: nowMs, stopped });
    this.#savedAtMonotonicMs = this.#deps.clock.monotonic();
  }

  /** Saves everything that is only in memory. Results that come later are found again in the samples at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writer.flush();
    await this.#saveSigns(this.#deps.clock.now(), true);
    await this.#telling;
  }

  async timeline(service: string, fromMs: EpochMs, toMs: EpochMs, options: { readonly knownAtMs?: EpochMs } = {}): Promise<Timeline> {
    const nowMs = this.#deps.clock.now();
    const { knownAtMs } = options;
    if (knownAtMs !== undefined && knownAtMs < nowMs) {
      const history = await this.#knownHistory(service, { fromMs, toMs, knownAtMs });
      return timelineFrom(history, { fromMs, toMs, knownUntilMs: knownAtMs });
    }
    const recent = transitionsAt(this.#memory, service, nowMs);
    const recentFromMs = recent[0]?.atMs;
    const window = { fromMs, toMs, knownUntilMs: nowMs };
    const covered = recentFromMs !== undefined && (recentFromMs < fromMs || recentFromMs <= (this.#first.get(service) ?? recentFromMs));
    if (covered) return timelineFrom(recent, window);
    const own = await this.#store.transitionsWithin(service, { fromMs, toMs });
    const stored = filledWithin(own, this.#memory.imported.get(service), { fromMs, toMs });
    const older = recentFromMs === undefined ? stored : stored.filter((transition) => transition.atMs < recentFromMs);
    return timelineFrom([...older, ...recent], window);
  }

  /** What was known then of the time around a window. */
  async #knownHistory(service: string, window: Required<KnownWindow>): Promise<readonly Transition[]> {
    const [own, spans] = await Promise.all([
      this.#store.transitionsWithin(service, window),
      this.#imports.spansOf(service, { ...window, fromMs: 0 as EpochMs }),
    ]);
    return filledWithin(own, importedTransitions(spans), window);
  }

  /**
   * Puts what other monitors saw of a service in force, and returns the services whose time that may have changed: it, and the composites above
   * it. `fromMs` is the earliest instant that is new or gone.
   */
  async putImported(service: string, spans: readonly StoredSpan[], fromMs: EpochMs): Promise<readonly string[]> {
    const affected = await this.#writer.exclusive(async () => {
      this.#memory.imported.set(service, importedTransitions(spans));
      return this.#writer.rebuild(service, fromMs, (outage) => reasonOf(spans, outage));
    });
    await this.#learnFirsts();
    return affected;
  }

  /** When the history of each service begins, from our own results or others'. */
  async #learnFirsts(): Promise<void> {
    const firsts = new Map(await this.#store.firstTransitions());
    for (const [service, [first]] of this.#memory.imported) {
      if (first !== undefined) firsts.set(service, Math.min(first.atMs, firsts.get(service) ?? first.atMs) as EpochMs);
    }
    this.#first.clear();
    for (const [service, firstMs] of firsts) this.#first.set(service, firstMs);
  }

  /** Whether a service consists of others, so that what is imported belongs to its members. */
  isComposite(service: string): boolean {
    return this.#memory.composites.has(service);
  }

  current(service: string): CurrentState {
    return currentFrom(transitionsAt(this.#memory, service, this.#deps.clock.now()).at(-1)) ?? this.#notYet();
  }

  currentOfCheck(check: string): CurrentState {
    const nowMs = this.#deps.clock.now();
    const states = (this.#voters.get(check) ?? [check]).flatMap((voice) => {
      const state = this.#memory.checks.get(voice);
      if (state === undefined) return [];
      return hasLapsed(state.history, nowMs) ? { ...state, history: lapse(state.history, 'no_data').history } : state;
    });
    const [only] = states;
    // Lists ask about ten thousand checks at once, and hardly any of them has locations whose vote is to be counted.
    const transitions = states.length === 1 && only?.vote === undefined ? only?.history.transitions : heardOf(states)[0]?.transitions;
    return currentFrom(transitions?.at(-1)) ?? this.#notYet();
  }

  flapping(check: string): Flapping | null {
    return flappingOf(this.#memory.checks.get(check));
  }

  whyFlapping(service: string): string | undefined {
    const checks = this.#memory.services.get(service)?.checks ?? [];
    return whyFlapping(checks.flatMap((check) => this.#memory.checks.get(check) ?? []));
  }

  #notYet(): CurrentState {
    return { state: 'unknown', unknownReason: 'not_yet_monitored', sinceMs: this.#startedAtMs, evidence: [] };
  }

  async monitoredSinceMs(service: string): Promise<EpochMs | null> {
    const recentMs = this.#memory.services.get(service)?.transitions[0]?.atMs;
    const firstMs = this.#first.get(service);
    return recentMs !== undefined && firstMs !== undefined && recentMs < firstMs ? recentMs : (firstMs ?? recentMs ?? null);
  }

  version(service: string): number {
    return this.#memory.services.get(service)?.version ?? 0;
  }

  downtimes(filter: Parameters<Ledger['downtimes']>[0]): Promise<readonly Downtime[]> {
    return this.desk.list(filter);
  }

  async #ledgerDowntimes(filter: Parameters<Ledger['downtimes']>[0]): Promise<readonly Downtime[]> {
    const nowMs = this.#deps.clock.now();
    if ('knownAtMs' in filter && filter.knownAtMs < nowMs) {
      const [known, histories] = await Promise.all([this.#knownHistory(filter.service, filter), this.#store.downtimeHistories(filter)]);
      return downtimesKnownAt(known, histories, filter);
    }
    return (await this.#store.downtimes(filter)).map((downtime) => this.#asKnownAt(downtime, nowMs));
  }

  /** An open downtime ends where the timeline says that knowledge ended, whether or not that is written down yet. */
  #asKnownAt(downtime: Downtime, nowMs: EpochMs): Downtime {
    if (downtime.toAtMs !== null) return downtime;
    const voices = downVoicesOf(draftOf(this.#memory), downtime.service);
    const outages = outagesFrom(transitionsAt(this.#memory, downtime.service, nowMs), voices, downtime.fromAtMs);
    const edges = outages.find((outage) => outage.edges.fromAtMs === downtime.fromAtMs)?.edges;
    return edges === undefined ? downtime : { ...downtime, toAtMs: edges.toAtMs, toBoundsAtMs: edges.toBoundsAtMs };
  }

  detections(filter: Parameters<Ledger['detections']>[0]): Promise<readonly number[]> {
    return this.#store.detections({ ...filter, knownAtMs: filter.knownAtMs ?? this.#deps.clock.now() });
  }

  onStateChange(listener: (change: StateChange) => void | Promise<void>): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  onFlapping(listener: (change: FlappingChange) => void | Promise<void>): Disposable {
    this.#flapListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#flapListeners.delete(listener) };
  }

  #changed(change: StateChange): void {
    const first = this.#memory.services.get(change.service)?.transitions[0]?.atMs;
    if (first !== undefined && !this.#first.has(change.service)) this.#first.set(change.service, first);
    this.#deps.logger.info('service state changed', { service: change.service, state: change.state, previous: change.previous });
    this.#tell(this.#listeners, change);
  }

  #flapped(change: FlappingChange): void {
    const { check, service, flapping } = change;
    this.#deps.logger.info(flapping === null ? 'check is steady again' : 'check flaps', { check, service });
    this.#tell(this.#flapListeners, change);
  }

  #tell<T extends { readonly service: string }>(listeners: ReadonlySet<(change: T) => void | Promise<void>>, change: T): void {
    for (const listener of listeners) {
      this.#telling = this.#telling.then(async () => {
        try {
          await listener(change);
        } catch (thrown) {
          this.#deps.logger.error('listener of state changes failed', { service: change.service, error: messageOf(thrown) });
        }
      });
    }
  }
}

function hasDue(memory: Memory, dueMs: EpochMs): boolean {
  for (const state of memory.checks.values()) if (isDue(state, dueMs)) return true;
  return false;
}

const upDetail = (result: CheckResult): string =>
  `${result.statusCode === undefined ? 'answered' : `status ${result.statusCode}`} in ${Math.round(result.durationMs)} ms`;
