import type { Ingest, SelfMetrics } from '../collect/contract.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { CheckResult, CheckSpec, Failures } from './contract.ts';
import { FailureKeeper } from './failures.ts';
import { Heartbeats } from './heartbeats/service.ts';
import { createBeatStore } from './heartbeats/store.ts';
import { reachOver } from './isolation.ts';
import { Browsers } from './kinds/browser/browsers.ts';
import type { BrowserSettings } from './kinds/browser/config.ts';
import { createResolve } from './resolve.ts';
import { Gather, type GatherStats } from './gather.ts';
import { createFailureStore } from './store-failures.ts';
import { type ChecksDeps, CheckService, manySamplesThenLedger, samplesThenLedger } from './service.ts';

export type CheckingDeps = Omit<ChecksDeps, 'resolve' | 'sink' | 'sinkMany' | 'browsers'> & {
  readonly browser: BrowserSettings;
  readonly sql: Sql;
  readonly ingest: Ingest;
  /** Takes each result once its samples are stored. */
  readonly record: (result: CheckResult) => Promise<void>;
  readonly metrics: SelfMetrics;
  /** Whether a location is there to answer. */
  readonly isPresent: (location: string) => boolean;
};

export type Checking = AsyncDisposable & {
  readonly failures: Failures;
  readonly checks: CheckService;
  readonly gather: Gather;
  readonly heartbeats: Heartbeats;
  /** Puts these checks in force, and no others. */
  configure(specs: readonly CheckSpec[]): Promise<void>;
  /** How many of the references nobody answers at, in percent; undefined without any. */
  unreachable(): Promise<number | undefined>;
};

/** What asks and what listens: the checks that go out, and the heartbeats that come in. Nothing runs before `configure`. */
export async function openChecks(deps: CheckingDeps): Promise<Checking> {
  const { clock, logger, sql, ingest, record } = deps;
  const resolve = createResolve();
  const browsers = new Browsers(deps.browser, clock);
  const gather = new Gather({ clock, logger, record, isPresent: deps.isPresent });
  const failures = new FailureKeeper({ clock, logger, store: createFailureStore(sql) });
  watchVotes(deps.metrics, gather);
  const checks = new CheckService({
    ...deps,
    browsers,
    resolve,
    onResult: failures.take,
    sink: samplesThenLedger(ingest, gather.take),
    sinkMany: manySamplesThenLedger(ingest, gather.take),
  });
  const heartbeats = new Heartbeats({ clock, logger, store: createBeatStore(sql), report: (result) => checks.report(result) });
  await heartbeats.load();
  return {
    checks,
    failures,
    gather,
    heartbeats,
    async configure(specs) {
      checks.configure(specs);
      await heartbeats.configure(specs);
    },
    async unreachable() {
      const { references = [], reaches = reachOver({ ...deps, resolve }) } = deps;
      if (references.length === 0) return undefined;
      const answers = await Promise.all(references.map(reaches));
      return (100 * answers.filter((reached) => !reached).length) / answers.length;
    },
    async [Symbol.asyncDispose]() {
      await checks.stop();
      await browsers[Symbol.asyncDispose]();
      gather[Symbol.dispose]();
      heartbeats[Symbol.dispose]();
      await failures[Symbol.asyncDispose]();
    },
  };
}

function watchVotes(metrics: SelfMetrics, gather: Gather): void {
  const count = (name: string, help: string, read: (stats: GatherStats) => number): void =>
    metrics.watch(`nines_vote_${name}_total`, help, () => read(gather.stats()), 'counter');
  count('slots', 'Slots of checks with locations that were decided.', ({ decided }) => decided);
  count('incomplete_slots', 'Slots that were decided without a location that was there.', ({ incomplete }) => incomplete);
  count('late_voices', 'Voices that came after their slot and changed what was decided.', ({ late }) => late);
  count('too_late_voices', 'Voices that came more than a day late: samples, and not in the ledger.', ({ tooLate }) => tooLate);
}
