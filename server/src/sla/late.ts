import { SECOND_MS, type EpochMs, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { type SliceRun, sliceStart } from '@nines/maths/slo/slices.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { clipSpan } from '@nines/maths/slo/window.ts';
import type { WriteBatch } from '@nines/model/storage.ts';
import { joinRuns } from './judge.ts';
import type { SlicedSpec } from './spec.ts';

/**
 * Samples that come after their slice was judged: senders have queues, and networks end. Such slices are judged again, and what
 * they were before is kept. A verdict never gives way to nothing: samples that retention took say nothing about it.
 */

/** A slice is judged this long after its end, so that samples that were on their way count; what comes later is late. */
export const SETTLE_MS = 2 * SECOND_MS;
/** Until a slice is this old it counts as still arriving: another verdict leaves no trace. */
export const ARRIVING_MS = MINUTE_MS;
/** A sample changes the slices until the next sample of its series, which is this far away at most. */
const REACH_MS = 10 * MINUTE_MS;

/** What the verdicts of a span were until they were replaced. */
export type SliceUndo = { readonly atMs: EpochMs; readonly span: Span; readonly runs: readonly SliceRun[] };

/** The stretch of time about which samples came late since it was last asked for. */
export class LateSamples {
  #fromMs = Number.POSITIVE_INFINITY;
  #toMs = Number.NEGATIVE_INFINITY;

  /** Told of each commit. */
  committed({ samplesFrom, seriesCount, times }: WriteBatch, nowMs: EpochMs): void {
    const count = samplesFrom[seriesCount] ?? 0;
    const lateMs = nowMs - SETTLE_MS;
    for (let i = 0; i < count; i++) {
      const atMs = times[i] ?? Number.POSITIVE_INFINITY;
      if (atMs >= lateMs) continue;
      if (atMs < this.#fromMs) this.#fromMs = atMs;
      if (atMs > this.#toMs) this.#toMs = atMs;
    }
  }

  take(): Span | undefined {
    if (this.#toMs < this.#fromMs) return undefined;
    const span = { fromMs: epochMs(this.#fromMs), toMs: epochMs(this.#toMs + 1) };
    this.#fromMs = Number.POSITIVE_INFINITY;
    this.#toMs = Number.NEGATIVE_INFINITY;
    return span;
  }
}

export const unionOf = (a: Span | undefined, b: Span): Span =>
  a === undefined ? b : { fromMs: epochMs(Math.min(a.fromMs, b.fromMs)), toMs: epochMs(Math.max(a.toMs, b.toMs)) };

/** Which judged slices late samples can have changed; undefined when none. `judged`: from the first to the last, under the terms in force. */
export function slicesToJudgeAgain(late: Span, judged: Span, sliceMs: number): Span | undefined {
  const fromMs = sliceStart(late.fromMs, sliceMs);
  const toMs = epochMs(Math.ceil((late.toMs + REACH_MS) / sliceMs) * sliceMs);
  return clipSpan({ fromMs, toMs }, judged);
}

export type Replaced = {
  /** All runs, with the new verdicts in the place of the old. */
  readonly runs: readonly SliceRun[];
  /** What stood in the span. */
  readonly before: readonly SliceRun[];
};

/** `runs` with what was judged again over `span`; undefined when that says the same. */
export function withJudged(
  runs: readonly SliceRun[],
  again: { readonly span: Span; readonly judged: readonly SliceRun[] },
  spec: SlicedSpec,
): Replaced | undefined {
  const { span, judged } = again;
  const before = runs.flatMap((run) => clipRun(run, span) ?? []);
  const after = judged.flatMap((run) => (run.state === 'unknown' ? before.flatMap((old) => clipRun(old, run) ?? []) : [run]));
  const joined = joinAll(after, spec);
  if (said(joined) === said(joinAll(before, spec))) return undefined;
  return { runs: replaced(runs, span, joined), before };
}

/** The runs as they were before those of `undos`, which come newest first. */
export function undone(runs: readonly SliceRun[], undos: readonly SliceUndo[]): readonly SliceRun[] {
  return undos.reduce((now, { span, runs: before }) => replaced(now, span, before), runs);
}

/** `runs` with others in the place of what they say of `span`. */
function replaced(runs: readonly SliceRun[], span: Span, by: readonly SliceRun[]): readonly SliceRun[] {
  const left = { fromMs: epochMs(Number.NEGATIVE_INFINITY), toMs: span.fromMs };
  const right = { fromMs: span.toMs, toMs: epochMs(Number.POSITIVE_INFINITY) };
  return [...runs.flatMap((run) => clipRun(run, left) ?? []), ...by, ...runs.flatMap((run) => clipRun(run, right) ?? [])];
}

/** The part of a run inside `span`, with its share of the samples. */
function clipRun(run: SliceRun, span: Span): SliceRun | undefined {
  const inside = clipSpan(run, span);
  if (inside === undefined || (inside.fromMs === run.fromMs && inside.toMs === run.toMs)) return inside && run;
  const share = (inside.toMs - inside.fromMs) / (run.toMs - run.fromMs);
  return { ...run, ...inside, samples: Math.round(run.samples * share) };
}

const joinAll = (runs: readonly SliceRun[], spec: SlicedSpec): readonly SliceRun[] =>
  runs.reduce<SliceRun[]>((joined, run) => joinRuns(joined, run, spec), []);

const said = (runs: readonly SliceRun[]): string =>
  JSON.stringify(runs.map(({ fromMs, toMs, state, good, total }) => [fromMs, toMs, state, good, total]));
