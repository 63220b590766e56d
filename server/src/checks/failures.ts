import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { type CheckResult, type Failures, type ResultView, resultToWire } from './contract.ts';

/** Of every run of failures the first are kept, among them those that the confirmation of an outage names. */
const FIRST_OF_RUN = 10;
/** After those one in this time says how it went on. */
const PACE_MS = 10 * MINUTE_MS;
/** What waits to be stored; beyond it the newest are not kept. Ten thousand checks that fail together fit. */
const MAX_WAITING = 20_000;
/** Kept together: one transaction for all that failed meanwhile. */
const FLUSH_MS = SECOND_MS;

export type KeptFailure = { readonly check: string; readonly location: string; readonly atMs: number; readonly result: ResultView };

export type FailureStore = Failures & {
  /** In one transaction. One that is known already stays as it is; what is more than the limits is let go of, the oldest first. */
  add(failures: readonly KeptFailure[]): Promise<void>;
};

export type FailureKeeperDeps = { readonly clock: Clock; readonly logger: Logger; readonly store: FailureStore };

type Run = { readonly count: number; readonly keptAtMs: number };

/** Which results are kept: of a run of failures the first ones, then one now and then. Pure. */
function keepOf(run: Run | undefined, { outcome, startedAtMs }: Pick<CheckResult, 'outcome' | 'startedAtMs'>) {
  // What says nothing about the service neither ends a run nor belongs to it.
  if (outcome.kind === 'void') return { run, isKept: false };
  if (outcome.kind === 'up') return { run: undefined, isKept: false };
  const count = (run?.count ?? 0) + 1;
  const isKept = count <= FIRST_OF_RUN || startedAtMs - (run?.keptAtMs ?? 0) >= PACE_MS;
  return { run: { count, keptAtMs: isKept ? startedAtMs : (run?.keptAtMs ?? 0) }, isKept };
}

/**
 * Keeps what failing attempts saw beyond the memory of the process, so that an outage can be looked into for as long as its downtime
 * stands. Evidence, not the ledger: what cannot be stored is told in the log, and holds nothing up.
 */
export class FailureKeeper implements Failures, AsyncDisposable {
  readonly #deps: FailureKeeperDeps;
  readonly #runs = new Map<string, Run>();
  #waiting: KeptFailure[] = [];
  #timer: Disposable | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: FailureKeeperDeps) {
    this.#deps = deps;
  }

  readonly take = (result: CheckResult): void => {
    const location = result.location ?? '';
    const key = `${result.check}\u0000${location}`;
    const { run, isKept } = keepOf(this.#runs.get(key), result);
    if (run === undefined) this.#runs.delete(key);
    else this.#runs.set(key, run);
    if (!isKept || this.#waiting.length >= MAX_WAITING) return;
    // The picture of a journey is large, and kept once for each check.
    const wire = { ...resultToWire(result), screenshot: false };
    this.#waiting.push({ check: result.check, location, atMs: result.startedAtMs, result: wire });
    this.#timer ??= this.#deps.clock.after(FLUSH_MS, () => void this.flush());
  };

  async list(check: string, within: Parameters<Failures['list']>[1]): Promise<readonly ResultView[]> {
    await this.flush();
    return this.#deps.store.list(check, within);
  }

  /** Stores what waits. */
  flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const failures = this.#waiting;
    this.#waiting = [];
    if (failures.length === 0) return;
    try {
      await this.#deps.store.add(failures);
    } catch (thrown) {
      this.#deps.logger.warn('failures of checks not kept as evidence', { failures: failures.length, error: messageOf(thrown) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }
}
