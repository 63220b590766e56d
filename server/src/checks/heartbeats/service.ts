import type { Clock } from '@nines/base/clock.ts';
import { formatDuration } from '@nines/base/duration.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { CHECK_CODES, type CheckResult, type CheckSpec, type Outcome, type SpecOf } from '../contract.ts';
import { down, judgeLength, UP } from '../evaluate.ts';
import { type Beat, type Expectation, expectationOf } from '../kinds/heartbeat/due.ts';

/** What a job says: that it began, how it ended, or with which exit code. */
export type Signal =
  | { readonly kind: 'start' | 'success' | 'fail' }
  /** 0 is success. */
  | { readonly kind: 'exit'; readonly code: number };

/** Keeps what was heard across a restart. */
export interface BeatStore {
  load(): Promise<ReadonlyMap<string, Beat>>;
  save(check: string, beat: Beat): Promise<void>;
}

export type HeartbeatsDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: BeatStore;
  /** Takes a result as if an attempt had seen it. Rejects when it is not stored. */
  readonly report: (result: CheckResult) => Promise<void>;
};

/** Characters of what a job says about its failure that are kept. */
const MAX_EXCERPT_CHARS = 1_024;

type Waiting = {
  readonly spec: SpecOf<'heartbeat'>;
  beat: Beat;
  /** What was due before counts no more: it was missed and reported, or we were away. */
  awakeSinceMs: EpochMs;
  timer: Disposable | undefined;
};

/** Takes the signals of jobs and misses those that do not come. Life: `load`, then `configure` and `signal`, until it is disposed. */
export class Heartbeats implements Disposable {
  readonly #deps: HeartbeatsDeps;
  readonly #waiting = new Map<string, Waiting>();
  /** Of every check ever heard of, also those that are not configured now. */
  readonly #beats = new Map<string, Beat>();
  readonly #awakeSinceMs: EpochMs;

  constructor(deps: HeartbeatsDeps) {
    this.#deps = deps;
    this.#awakeSinceMs = epochMs(deps.clock.now());
  }

  async load(): Promise<void> {
    for (const [check, beat] of await this.#deps.store.load()) this.#beats.set(check, beat);
  }

  /** The whole set now. What stays as it is goes on waiting; what is new waits from now on. */
  async configure(specs: readonly CheckSpec[]): Promise<void> {
    const wanted = new Map(specs.flatMap((spec) => (spec.kind === 'heartbeat' ? [[spec.id, spec] as const] : [])));
    for (const [id, waiting] of this.#waiting) {
      waiting.timer?.[Symbol.dispose]();
      if (!wanted.has(id)) this.#waiting.delete(id);
    }
    const nowMs = epochMs(this.#deps.clock.now());
    for (const [id, spec] of wanted) {
      const before = this.#waiting.get(id);
      const same = before !== undefined && JSON.stringify(before.spec) === JSON.stringify(spec);
      const beat = this.#beats.get(id) ?? { sinceMs: nowMs, runSinceMs: undefined };
      // A rhythm that changed is judged from now on: nothing was late under a rule that did not hold.
      const awakeSinceMs = same ? before.awakeSinceMs : before === undefined ? this.#awakeSinceMs : nowMs;
      const waiting: Waiting = { spec, beat, awakeSinceMs, timer: undefined };
      this.#waiting.set(id, waiting);
      if (!this.#beats.has(id)) await this.#keep(waiting, beat);
      this.#arm(waiting);
    }
  }

  /** Refuses checks that are no heartbeat. Resolves when what was said is stored. */
  async signal(check: string, signal: Signal, said: string): Promise<void> {
    const waiting = this.#waiting.get(check);
    if (waiting === undefined) throw new AppError('not_found', CHECK_CODES.notFound, `there is no heartbeat "${check}"`);
    const nowMs = epochMs(this.#deps.clock.now());
    if (signal.kind === 'start') {
      await this.#keep(waiting, { ...waiting.beat, runSinceMs: nowMs });
      this.#arm(waiting);
      return;
    }
    const { runSinceMs } = waiting.beat;
    const runMs = runSinceMs === undefined ? undefined : Math.max(0, nowMs - runSinceMs);
    const outcome = outcomeOf(signal, runMs, waiting.spec.degraded_after);
    await this.#keep(waiting, { sinceMs: nowMs, runSinceMs: undefined });
    this.#arm(waiting);
    await this.#deps.report({
      ...resultOf(waiting.spec, nowMs, outcome),
      figures: runMs === undefined ? [] : [{ name: 'probe_heartbeat_run_seconds', value: runMs / 1000 }],
      ...(outcome.kind === 'down' && said !== '' ? { excerpt: said.slice(0, MAX_EXCERPT_CHARS) } : {}),
    });
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#waiting.values()) timer?.[Symbol.dispose]();
    this.#waiting.clear();
  }

  async #keep(waiting: Waiting, beat: Beat): Promise<void> {
    const check = waiting.spec.id;
    await this.#deps.store.save(check, beat);
    this.#beats.set(check, beat);
    waiting.beat = beat;
  }

  #arm(waiting: Waiting): void {
    waiting.timer?.[Symbol.dispose]();
    const expectation = expectationOf(waiting.spec, waiting.beat, waiting.awakeSinceMs);
    const delayMs = Math.max(0, expectation.deadlineMs - this.#deps.clock.now());
    waiting.timer = this.#deps.clock.after(delayMs, () => void this.#missed(waiting, expectation));
  }

  async #missed(waiting: Waiting, expectation: Expectation): Promise<void> {
    const { clock, logger } = this.#deps;
    // Wall time stepped back since the timer was set: it is not yet late.
    if (clock.now() < expectation.deadlineMs) return this.#arm(waiting);
    const { spec, beat } = waiting;
    // A run that was begun early and did not end leaves what is due as it was.
    if (expectation.downFromMs === expectation.dueMs) waiting.awakeSinceMs = epochMs(expectation.dueMs + 1);
    try {
      if (beat.runSinceMs !== undefined) await this.#keep(waiting, { ...beat, runSinceMs: undefined });
      await this.#deps.report(resultOf(spec, expectation.downFromMs, missedOutcome(spec, expectation, beat)));
    } catch (thrown) {
      logger.error('missing heartbeat not stored', { check: spec.id, error: messageOf(thrown) });
    }
    if (this.#waiting.get(spec.id) === waiting) this.#arm(waiting);
  }
}

function outcomeOf(signal: Exclude<Signal, { kind: 'start' }>, runMs: number | undefined, limitMs: number | undefined): Outcome {
  if (signal.kind === 'fail') return down('reported', 'the job reported a failure');
  if (signal.kind === 'exit' && signal.code !== 0) return down('exit_code', `the job ended with exit code ${signal.code}`);
  return runMs === undefined ? UP : judgeLength(limitMs, runMs);
}

function missedOutcome({ grace }: SpecOf<'heartbeat'>, { code, dueMs }: Expectation, { runSinceMs }: Beat): Outcome {
  const at = (instantMs: number): string => new Date(instantMs).toISOString();
  if (code === 'missing') return down(code, `no signal within ${formatDuration(grace)} after it was due`);
  return down(code, `the run that began at ${at(runSinceMs ?? dueMs)} did not end within ${formatDuration(grace)}`);
}

const resultOf = (spec: SpecOf<'heartbeat'>, atMs: EpochMs, outcome: Outcome): CheckResult => ({
  check: spec.id,
  service: spec.service,
  checkKind: spec.kind,
  target: spec.target,
  startedAtMs: atMs,
  durationMs: 0,
  outcome,
  phases: {},
  loopDelayMs: 0,
});
