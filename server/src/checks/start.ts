import type { Ingest } from '../collect/contract.ts';
import { judgeAddress } from '../platform/fetch/judge.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { CheckSpec, ResultSink } from './contract.ts';
import { Heartbeats } from './heartbeats/service.ts';
import { createBeatStore } from './heartbeats/store.ts';
import { reachOver } from './isolation.ts';
import { Browsers } from './kinds/browser/browsers.ts';
import type { BrowserSettings } from './kinds/browser/config.ts';
import { createResolve } from './resolve.ts';
import { type ChecksDeps, CheckService, samplesThenLedger } from './service.ts';

export type CheckingDeps = Omit<ChecksDeps, 'resolve' | 'judge' | 'sink' | 'browsers'> & {
  readonly browser: BrowserSettings;
  readonly sql: Sql;
  readonly ingest: Ingest;
  /** Takes each result once its samples are stored. */
  readonly record: ResultSink;
};

export type Checking = AsyncDisposable & {
  readonly checks: CheckService;
  readonly heartbeats: Heartbeats;
  /** Puts these checks in force, and no others. */
  configure(specs: readonly CheckSpec[]): Promise<void>;
  /** How many of the references nobody answers at, in percent; undefined without any. */
  unreachable(): Promise<number | undefined>;
};

/** What asks and what listens: the checks that go out, and the heartbeats that come in. Nothing runs before `configure`. */
export async function openChecks(deps: CheckingDeps): Promise<Checking> {
  const { clock, logger, sql, ingest, record } = deps;
  const browsers = new Browsers(deps.browser, clock);
  const checks = new CheckService({
    ...deps,
    browsers,
    resolve: createResolve(),
    judge: judgeAddress,
    sink: samplesThenLedger(ingest, record),
  });
  const heartbeats = new Heartbeats({ clock, logger, store: createBeatStore(sql), report: (result) => checks.report(result) });
  await heartbeats.load();
  return {
    checks,
    heartbeats,
    async configure(specs) {
      checks.configure(specs);
      await heartbeats.configure(specs);
    },
    async unreachable() {
      const { references = [], reaches = reachOver(clock) } = deps;
      if (references.length === 0) return undefined;
      const answers = await Promise.all(references.map(reaches));
      return (100 * answers.filter((reached) => !reached).length) / answers.length;
    },
    async [Symbol.asyncDispose]() {
      await checks.stop();
      await browsers[Symbol.asyncDispose]();
      heartbeats[Symbol.dispose]();
    },
  };
}
