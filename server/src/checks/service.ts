import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
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
} from './contract.ts';
import { notAsked, voidWhenLate } from './evaluate.ts';
import { askOf, type AskedSpec, isAsked } from './kinds/asks.ts';
import { type IsolationDeps, IsolationGuard, reachOver } from './isolation.ts';
import { LoopDelay } from './loop-delay.ts';
import { Scheduler, type SchedulerStats } from './scheduler.ts';
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
} & Partial<Pick<IsolationDeps, 'references' | 'reaches'>>;

/** What was not written in the file may not look into this machine. */
const askIfAllowed = async (spec: AskedSpec, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> => {
  const refusal = spec.trust === 'untrusted' ? localRefusal(spec) : undefined;
  return refusal === undefined ? askOf(spec)(spec, run, deps) : notAsked('refused_kind', refusal);
};

/** Samples first, then the ledger: a crash in between is made good from the samples at the next start. */
export function samplesThenLedger(ingest: Pick<Ingest, 'appendSamples'>, record: ResultSink): ResultSink {
  return async (result, timing) => {
    const samples = samplesOf(result);
    if (samples.length > 0) await ingest.appendSamples(samples);
    await record(result, timing);
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
  /** The attempts under way. A map, not one shared signal: adding a listener to a signal takes longer the more it has. */
  readonly #active = new Map<AbortController, Promise<unknown>>();
  #stopped = false;

  constructor(deps: ChecksDeps) {
    this.#deps = deps;
    this.#delay = new LoopDelay(deps.clock);
    const { clock, references = [], reaches = reachOver(clock) } = deps;
    this.#guard = new IsolationGuard({ clock, references, reaches });
    this.#scheduler = new Scheduler({ clock: deps.clock, start: (id) => this.#run(id) });
  }

  configure(specs: readonly CheckSpec[]): void {
    const before = new Map(this.#entries);
    this.#entries.clear();
    for (const spec of specs) {
      const old = before.get(spec.id);
      const kept = old !== undefined && old.spec.service === spec.service && old.spec.target === spec.target ? old : undefined;
      this.#entries.set(spec.id, { spec, results: kept?.results ?? [], lastFailure: kept?.lastFailure });
    }
    this.#scheduler.set(specs.filter((spec) => isAsked(spec) && !spec.paused).map(({ id, intervalMs }) => ({ id, intervalMs })));
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

  stats(): SchedulerStats {
    return this.#scheduler.stats();
  }

  /** No attempt starts any more, those under way are cut short and leave no result. Results on their way to the sink are its own. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#scheduler.stop();
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
      await this.#take(entry, await this.#guard.judge(result, hostOfCheck(spec)?.host));
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

  async #take(entry: Entry, result: CheckResult): Promise<void> {
    const { spec } = entry;
    this.#keep(entry, result);
    await this.#deps.sink(result, spec);
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
        startedAtMs: run.startedAtMs,
        durationMs,
        outcome: voidWhenLate(outcome, { loopDelayMs, limitMs }),
        phases: run.phases,
        ...run.seen,
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

  #keep(entry: Entry, result: CheckResult): void {
    // One picture for each check is enough, and the failure that it shows.
    const { screenshot: _screenshot, ...lean } = result;
    entry.results.push(lean);
    const kept = Math.max(MIN_RESULTS_PER_CHECK, Math.min(MAX_RESULTS_PER_CHECK, Math.floor(MAX_RESULTS / this.#entries.size)));
    if (entry.results.length > kept) entry.results.splice(0, entry.results.length - kept);
    if (result.outcome.kind === 'down') entry.lastFailure = result;
  }
}
