import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Ingest } from '../collect/contract.ts';
import type { Bus } from '../platform/bus.ts';
import { type AttemptDeps, type AttemptRun, runAttempt } from './attempt.ts';
import {
  type Checks,
  type CheckResult,
  type CheckSpec,
  hostOfCheck,
  localRefusal,
  type Outcome,
  type ResultSink,
  resultToWire,
  SERVER_LOCATION,
} from './contract.ts';
import { notAsked, voidWhenLate } from './evaluate.ts';
import { AskAgain } from './ask-again.ts';
import { askOf, type AskedSpec, isAsked } from './kinds/asks.ts';
import { type IsolationDeps, IsolationGuard, reachOver } from './isolation.ts';
import { LoopDelay } from './loop-delay.ts';
import { Scheduler, type SchedulerStats, slotAt } from './scheduler.ts';
import { samplesOf } from './series.ts';

/** Results kept in memory per check: a minute of the fastest, half an hour of the usual. The samples keep all. */
const MAX_RESULTS_PER_CHECK = 60;
/** Results kept of all checks together, about 1 KB each; with very many checks each keeps fewer, but never less than a handful. */
const MAX_RESULTS = 20_000;
const MIN_RESULTS_PER_CHECK = 3;

export type ChecksDeps = AttemptDeps & {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly sink: ResultSink;
  /** Where results go that others bring; the one that has asks for none. */
  readonly sinkMany?: (taken: Taken) => Promise<void>;
  /** Told of every result once it is durable. */
  readonly onResult?: (result: CheckResult) => void;
  /** Where this process is; default: it is the server. */
  readonly location?: string;
  /** How far off the clock may be. */
  readonly clockUncertaintyMs?: () => number;
} & Partial<Pick<IsolationDeps, 'references' | 'reaches'>>;

/** What was not written in the file may not look into this machine. */
const askIfAllowed = async (spec: AskedSpec, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> => {
  const refusal = spec.trust === 'trusted' ? undefined : localRefusal(spec);
  return refusal === undefined ? askOf(spec)(spec, run, deps) : notAsked('refused_kind', refusal);
};

/** Results of one check or of many: stored together, then handed on one by one. */
type Taken = readonly (readonly [result: CheckResult, timing: CheckSpec])[];

/** Samples first, then the ledger: a crash in between is made good from the samples at the next start. */
export function samplesThenLedger(ingest: Pick<Ingest, 'appendSamples'>, record: ResultSink): ResultSink {
  return async (result, timing) => {
    const samples = samplesOf(result, timing.labels);
    if (samples.length > 0) await ingest.appendSamples(samples);
    await record(result, timing);
  };
}

/** The same for many results, in one write. */
export function manySamplesThenLedger(ingest: Pick<Ingest, 'appendSamples'>, record: ResultSink): (taken: Taken) => Promise<void> {
  return async (taken) => {
    const samples = taken.flatMap(([result, { labels }]) => samplesOf(result, labels));
    if (samples.length > 0) await ingest.appendSamples(samples);
    await Promise.all(taken.map(([result, timing]) => record(result, timing)));
  };
}

type Entry = { readonly spec: CheckSpec; readonly results: CheckResult[]; lastFailure: CheckResult | undefined };

/** Runs the checks. `configure` puts them in force; `stop` ends the attempts under way. */
export class CheckService implements Checks {
  readonly #deps: ChecksDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #delay: LoopDelay;
  readonly #scheduler: Scheduler;
  readonly #guard: IsolationGuard;
  readonly #location: string;
  /** The attempts under way. A map, not one shared signal: adding a listener to a signal takes longer the more it has. */
  readonly #active = new Map<AbortController, Promise<unknown>>();
  readonly #again: AskAgain;
  #stopped = false;

  constructor(deps: ChecksDeps) {
    this.#deps = deps;
    this.#delay = new LoopDelay(deps.clock);
    this.#location = deps.location ?? SERVER_LOCATION;
    const { clock, references = [], reaches = reachOver(deps) } = deps;
    this.#guard = new IsolationGuard({ clock, references, reaches });
    this.#scheduler = new Scheduler({ clock: deps.clock, start: (id) => this.#run(id) });
    this.#again = new AskAgain({ clock, ask: (id) => void this.#scheduler.now(id) });
  }

  configure(specs: readonly CheckSpec[]): void {
    const before = new Map(this.#entries);
    this.#entries.clear();
    for (const spec of specs) {
      const old = before.get(spec.id);
      const kept = old !== undefined && old.spec.service === spec.service && old.spec.target === spec.target ? old : undefined;
      this.#entries.set(spec.id, { spec, results: kept?.results ?? [], lastFailure: kept?.lastFailure });
    }
    const here = specs.filter((spec) => isAsked(spec) && !spec.paused && this.#isAskedHere(spec));
    this.#scheduler.set(here.map(({ id, intervalMs, vote }) => ({ id, intervalMs, onGrid: vote !== undefined })));
  }

  #isAskedHere({ vote }: CheckSpec): boolean {
    return vote?.locations.includes(this.#location) ?? true;
  }

  list(): readonly CheckSpec[] {
    return [...this.#entries.values()].map((entry) => entry.spec);
  }

  results(check: string): readonly CheckResult[] {
    return this.#entries.get(check)?.results.toReversed() ?? [];
  }

  lastFailure(check: string): CheckResult | undefined {
    return this.#entries.get(check)?.lastFailure;
  }

  askNow(id: string): Promise<void> {
    return this.#scheduler.now(id);
  }

  stats(): SchedulerStats {
    return this.#scheduler.stats();
  }

  /** No attempt starts any more, those under way are cut short and leave no result. Results on their way to the sink are its own. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#scheduler.stop();
    this.#again[Symbol.dispose]();
    for (const ending of this.#active.keys()) ending.abort(new Error('checks are stopping'));
    await Promise.allSettled(this.#active.values());
  }

  async #run(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { spec } = entry;
    if (!isAsked(spec)) return;
    try {
      const result = await this.#attempt(spec);
      const judged = await this.#guard.judge(result, hostOfCheck(spec)?.host);
      await this.#take(entry, judged);
      this.#again.after(spec, judged.outcome);
    } catch (thrown) {
      // A stopped attempt has no result; anything else is a store that cannot take it, and then the ledger must not have it either.
      if (!this.#stopped) this.#deps.logger.error('result of a check not stored', { check: id, error: messageOf(thrown) });
    }
  }

  /** Takes in what was not asked for but told: the result of a kind that waits. Rejects when it cannot be stored. */
  async report(result: CheckResult): Promise<void> {
    const entry = this.#entries.get(result.check);
    if (entry !== undefined && !entry.spec.paused && !this.#stopped) await this.#take(entry, result);
  }

  /** Takes in what another process asked, in its order. Rejects when it cannot be stored; results of checks that are not in force are passed over. */
  async reportMany(results: readonly CheckResult[]): Promise<void> {
    const taken = results.flatMap((result): [Entry, CheckResult][] => {
      const entry = this.#entries.get(result.check);
      return entry === undefined || entry.spec.paused ? [] : [[entry, result]];
    });
    if (this.#stopped) throw new AppError('unavailable', 'checks_stopping', 'the checks are stopping; send this again');
    if (taken.length === 0) return;
    await this.#deps.sinkMany?.(taken.map(([{ spec }, result]) => [result, spec]));
    for (const [entry, result] of taken) {
      this.#keep(entry, result);
      this.#publish(entry, result);
    }
  }

  async #take(entry: Entry, result: CheckResult): Promise<void> {
    this.#keep(entry, result);
    await this.#deps.sink(result, entry.spec);
    this.#publish(entry, result);
  }

  #publish({ spec }: Entry, result: CheckResult): void {
    this.#deps.onResult?.(result);
    this.#deps.bus.publish({
      topic: 'checks',
      type: 'check.completed',
      atMs: result.startedAtMs,
      data: { id: spec.id, service: spec.service, last: resultToWire(result) },
    });
  }

  async #attempt(spec: AskedSpec): Promise<CheckResult> {
    const endDelay = this.#delay.begin();
    const ending = new AbortController();
    try {
      const attempt = runAttempt(spec, { clock: this.#deps.clock, ending }, (run) => askIfAllowed(spec, run, this.#deps));
      this.#active.set(ending, attempt);
      const { run, outcome, durationMs } = await attempt;
      const loopDelayMs = endDelay();
      const limitMs = outcome.kind === 'degraded' ? (spec.degraded_after ?? spec.timeoutMs) : spec.timeoutMs;
      return {
        check: spec.id,
        service: spec.service,
        checkKind: spec.kind,
        target: spec.target,
        ...this.#instantOf(spec, run.startedAtMs),
        durationMs,
        outcome: voidWhenLate(outcome, { loopDelayMs, limitMs }),
        phases: run.phases,
        ...run.seen,
        ...(run.address === undefined ? {} : { address: run.address }),
        figures: run.figures,
        loopDelayMs,
      };
    } catch (thrown) {
      endDelay();
      throw thrown;
    } finally {
      this.#active.delete(ending);
    }
  }

  /** Locations agree on the instant of a slot; how late each began, and how far off its clock may be, widens its bounds. */
  #instantOf(spec: AskedSpec, startedAtMs: EpochMs): Pick<CheckResult, 'startedAtMs' | 'location' | 'uncertaintyMs'> {
    if (spec.vote === undefined) return { startedAtMs };
    const slotMs = slotAt(spec, startedAtMs) as EpochMs;
    const uncertaintyMs = Math.ceil(Math.abs(startedAtMs - slotMs) + (this.#deps.clockUncertaintyMs?.() ?? 0));
    return { startedAtMs: slotMs, location: this.#location, uncertaintyMs };
  }

  #keep(begun: Entry, result: CheckResult): void {
    // What was put in force while the attempt was under way has an entry of its own.
    const present = this.#entries.get(begun.spec.id);
    const entry = present?.spec.service === begun.spec.service && present.spec.target === begun.spec.target ? present : begun;
    // One picture for each check is enough, and the failure that it shows.
    const { screenshot: _screenshot, ...lean } = result;
    // A location that had been away tells of times before the newest.
    entry.results.splice(entry.results.findLastIndex((one) => one.startedAtMs <= result.startedAtMs) + 1, 0, lean);
    const kept = Math.max(MIN_RESULTS_PER_CHECK, Math.min(MAX_RESULTS_PER_CHECK, Math.floor(MAX_RESULTS / this.#entries.size)));
    if (entry.results.length > kept) entry.results.splice(0, entry.results.length - kept);
    const isNewest = result.startedAtMs >= (entry.lastFailure?.startedAtMs ?? 0);
    if (result.outcome.kind === 'down' && isNewest) entry.lastFailure = result;
  }
}
