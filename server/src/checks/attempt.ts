import type { Clock } from '@nines/base/clock.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { SampleQuery } from '../collect/contract.ts';
import type { Judge } from '../platform/fetch/judge.ts';
import type { RunProgram } from '../platform/programs.ts';
import type { CheckResult, CheckSpec, Figure, Outcome, Phase } from './contract.ts';
import type { Browsers } from './kinds/browser/browsers.ts';
import { down, faultOutcome, judgeCertificate, judgeLength } from './evaluate.ts';
import { scrub } from '../platform/scrub.ts';

/** What the kinds of checks need from outside. */
export type AttemptDeps = {
  readonly clock: Clock;
  readonly resolve: (host: string, options: { readonly ipVersion: 4 | 6 | undefined; readonly signal: AbortSignal }) => Promise<string>;
  readonly judge: Judge;
  /** Our own samples. */
  readonly query: SampleQuery['instant'];
  readonly run: RunProgram;
  /** The programs that checks may run, by absolute path: `checks.commands`. */
  readonly commands: readonly string[];
  /** The browser that journeys share; left out where there is none. */
  readonly browsers?: Browsers;
};

/** What a kind adds to the result; everything else is the same for all. */
export type Seen = Pick<
  CheckResult,
  'statusCode' | 'redirects' | 'tls' | 'certificateExpiresAtMs' | 'headers' | 'excerpt' | 'steps' | 'screenshot'
>;

/** One attempt under way: its phases, its deadline, and who was last spoken to. */
export class AttemptRun {
  readonly signal: AbortSignal;
  seen: Seen = {};
  /** What the kind measures besides; see `CheckResult`. */
  readonly figures: Figure[] = [];
  peer: string;
  /** What was asked last, once its name was resolved and judged. */
  address: string | undefined;
  readonly #clock: Clock;
  #startedAtMs: EpochMs;
  #beganMs: number;
  readonly #phases: Partial<Record<Phase, number>> = {};
  #phase: { readonly name: Phase; readonly fromMs: number } | undefined;

  constructor(spec: CheckSpec, options: { readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#clock = options.clock;
    this.signal = options.signal;
    this.#startedAtMs = epochMs(options.clock.now());
    this.#beganMs = options.clock.monotonic();
    this.peer = spec.target;
  }

  get startedAtMs(): EpochMs {
    return this.#startedAtMs;
  }

  /** What came before was waiting for something of our own: the asking begins now. */
  begin(): void {
    this.#startedAtMs = epochMs(this.#clock.now());
    this.#beganMs = this.#clock.monotonic();
  }

  /** Ends the phase under way, if any, and begins `name`. */
  enter(name: Phase): void {
    this.leave();
    this.#phase = { name, fromMs: this.#clock.monotonic() };
  }

  leave(): void {
    if (this.#phase === undefined) return;
    const { name, fromMs } = this.#phase;
    this.#phases[name] = (this.#phases[name] ?? 0) + this.#clock.monotonic() - fromMs;
    this.#phase = undefined;
  }

  get phase(): Phase | undefined {
    return this.#phase?.name;
  }

  get phases(): Readonly<Partial<Record<Phase, number>>> {
    return this.#phases;
  }

  durationMs(): number {
    return this.#clock.monotonic() - this.#beganMs;
  }
}

/** Ends an attempt early with what is known about why. */
export class AttemptEnded extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super('the attempt ended');
    this.name = 'AttemptEnded';
    this.outcome = outcome;
  }
}

const WAITING: Readonly<Record<Phase, string>> = {
  resolve: 'resolving the name',
  connect: 'connecting',
  tls: 'in the TLS handshake',
  processing: 'waiting for the first byte',
  transfer: 'receiving the answer',
};

/**
 * Runs one attempt to its end: `ask` does the work and returns the outcome; its deadline, its errors and its phases are handled here.
 * Rejects only with the reason that `ending` is aborted with. One attempt, one connection per hop: nothing is tried again.
 */
export async function runAttempt(
  spec: CheckSpec,
  { clock, ending }: { readonly clock: Clock; readonly ending: AbortController },
  ask: (run: AttemptRun) => Promise<Outcome>,
): Promise<{ readonly run: AttemptRun; readonly outcome: Outcome; readonly durationMs: number }> {
  ending.signal.throwIfAborted();
  const run = new AttemptRun(spec, { clock, signal: ending.signal });
  using _timer = clock.after(spec.timeoutMs, () => {
    const said =
      run.phase === undefined
        ? `no answer from ${run.peer} within ${spec.timeoutMs} ms`
        : `no answer from ${run.peer} within ${spec.timeoutMs} ms while ${WAITING[run.phase]}`;
    ending.abort(new AttemptEnded(down('timeout', said)));
  });
  const outcome = await ask(run).catch((thrown: unknown) => {
    const late: unknown = ending.signal.aborted ? ending.signal.reason : undefined;
    // What says that nobody was asked stands, also when the time was over.
    const said = thrown instanceof AttemptEnded && (late === undefined || late instanceof AttemptEnded);
    const reason: unknown = said ? thrown : (late ?? thrown);
    if (reason instanceof AttemptEnded) return reason.outcome;
    if (ending.signal.aborted) throw reason;
    return faultOutcome(faultOf(reason), run.peer);
  });
  run.leave();
  const said: Outcome = outcome.kind === 'up' ? outcome : { ...outcome, detail: scrub(outcome.detail) };
  return { run, outcome: said, durationMs: run.durationMs() };
}

/** What is left to be said of an answer that is right: how long its certificate holds, and how long it took. */
export const judgeRest = (
  spec: { readonly certificate_valid_for?: number | undefined; readonly degraded_after?: number | undefined },
  run: AttemptRun,
  { clock }: Pick<AttemptDeps, 'clock'>,
): Outcome =>
  judgeCertificate(spec.certificate_valid_for, { nowMs: clock.now(), untilMs: run.seen.certificateExpiresAtMs }) ??
  judgeLength(spec.degraded_after, run.durationMs());

function faultOf(thrown: unknown): { readonly code?: string; readonly message: string } {
  const { code, message } = thrown as NodeJS.ErrnoException;
  return { ...(typeof code === 'string' ? { code } : {}), message: message ?? String(thrown) };
}

/** Settles as `promise`, or rejects with the signal's reason as soon as it aborts. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
