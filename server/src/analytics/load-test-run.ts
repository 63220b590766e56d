import type { Clock } from '@nines/base/clock.ts';
import { OutboundError, type Outbound } from '../platform/fetch/outbound.ts';
import type { LoadTestConfig } from './config.ts';
import type { LoadTestStep } from './contract.ts';
import { type Exchange, pointsOf, stepView, stopReason } from './load-test.ts';
import type { LoadTarget } from './load-target.ts';

/** Bytes of an answer that are read; longer ones count as failures. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export type LoadRunDeps = { readonly clock: Clock; readonly outbound: Pick<Outbound, 'request'> };
export type LoadRun = {
  readonly target: LoadTarget;
  readonly limits: LoadTestConfig;
  readonly steps: readonly number[];
  readonly stepMs: number;
  /** Its reason, a sentence, ends the run. */
  readonly signal: AbortSignal;
  /** Told of each step that ended, also one that was cut short. */
  readonly onStep: (step: LoadTestStep, points: readonly (readonly [number, number])[]) => void;
  readonly onExchange: () => void;
};

/** Asks once, the way that the steps do. Rejects with `OutboundError`. */
export async function askOnce({ clock, outbound }: LoadRunDeps, target: LoadTarget, signal: AbortSignal): Promise<Exchange> {
  const fromMs = clock.monotonic();
  const { url, method, headers, timeoutMs, trust } = target;
  const { status } = await outbound.request(url, { method, headers, timeoutMs, trust, signal, maxBytes: MAX_ANSWER_BYTES });
  return { fromMs, toMs: clock.monotonic(), answer: { status }, good: target.isGood(status) };
}

/** The steps one after the other; why it stopped before their end, or undefined. Never more than `max_rps` requests begin in a second. */
export async function runSteps(deps: LoadRunDeps, run: LoadRun): Promise<string | undefined> {
  const all: Exchange[] = [];
  const stopping = new AbortController();
  const signal = AbortSignal.any([run.signal, stopping.signal]);
  const note = (exchange: Exchange): void => {
    all.push(exchange);
    run.onExchange();
    const reason = stopReason(all, { maxErrors: run.limits.max_errors, maxLatencyMs: run.limits.max_latency });
    if (reason !== undefined) stopping.abort(reason);
  };
  const pace = createPace(deps.clock, run.limits.max_rps);
  for (const concurrency of run.steps) {
    if (signal.aborted) break;
    const before = all.length;
    const fromMs = deps.clock.monotonic();
    const endMs = fromMs + run.stepMs;
    const heldBefore = pace.held();
    await Promise.all(Array.from({ length: concurrency }, () => askUntil(deps, { run, endMs, signal, note, pace })));
    const measured = {
      concurrency,
      fromMs,
      toMs: Math.min(endMs, deps.clock.monotonic()),
      exchanges: all.slice(before),
      heldBack: pace.held() - heldBefore,
    };
    run.onStep(stepView(measured), pointsOf(measured));
  }
  return signal.aborted ? String(signal.reason) : undefined;
}

type Pace = { held(): number; next(signal: AbortSignal): Promise<void> };
type Asking = {
  readonly run: LoadRun;
  readonly endMs: number;
  readonly signal: AbortSignal;
  readonly note: (exchange: Exchange) => void;
  readonly pace: Pace;
};

/** One of those who ask at the same time: the next request begins when the last was answered. */
async function askUntil(deps: LoadRunDeps, { run, endMs, signal, note, pace }: Asking): Promise<void> {
  const { clock } = deps;
  while (clock.monotonic() < endMs && !signal.aborted) {
    try {
      await pace.next(signal);
    } catch {
      return;
    }
    if (clock.monotonic() >= endMs) return;
    const fromMs = clock.monotonic();
    try {
      note(await askOnce(deps, run.target, signal));
    } catch (thrown) {
      // What was under way when the test was stopped is nobody's failure.
      if (signal.aborted) return;
      if (!(thrown instanceof OutboundError)) throw thrown;
      note({ fromMs, toMs: clock.monotonic(), answer: { failure: thrown.failure }, good: false });
    }
  }
}

/** Lets requests begin one after the other, as far apart as the rate says. */
function createPace(clock: Clock, perSecond: number): Pace {
  let nextMs = Number.NEGATIVE_INFINITY;
  let held = 0;
  return {
    held: () => held,
    async next(signal) {
      const nowMs = clock.monotonic();
      const dueMs = Math.max(nowMs, nextMs);
      nextMs = dueMs + 1_000 / perSecond;
      if (dueMs <= nowMs) return;
      held++;
      await clock.sleep(dueMs - nowMs, { signal });
    },
  };
}
