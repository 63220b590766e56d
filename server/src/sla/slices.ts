import type { Clock } from '@nines/base/clock.ts';
import { type EpochMs, SECOND_MS, epochMs } from '@nines/base/units.ts';
import { type SliceRun, sliceStart } from '@nines/maths/slo/slices.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { clipSpan } from '@nines/maths/slo/window.ts';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/db/schema.ts';
import type { BookEntry } from './book.ts';
import { combineParts } from './composite.ts';
import { judgeCounters } from './counters.ts';
import { outagesOf } from './facts.ts';
import { type SampleReader, joinRuns, judgeSlices, stepFor } from './judge.ts';
import { ARRIVING_MS, SETTLE_MS, slicesToJudgeAgain, unionOf, withJudged } from './late.ts';
import type { SlicedSpec } from './spec.ts';
import { replaceSliceRuns, saveSliceRuns } from './slice-store.ts';
import type { ServiceTimelines } from './timelines.ts';

/** Slices judged with one read; four hours of one-minute slices. */
const SLICES_PER_READ = 240;
/** Reads of one SLA in one step: a month of one-minute slices is caught up within a minute without holding up the others. */
const READS_PER_STEP = 12;
/** Reads of one SLA in one step stop after this time, and it rests nine times as long: a costly query takes a tenth of the process at most. */
const READING_MS = 200;
const REST_FACTOR = 9;
/** Slices about which samples came late are judged again at most this often. */
const AGAIN_MS = 30 * SECOND_MS;
/** A query that failed is not asked again at once. */
const REST_AFTER_FAILURE_MS = 5 * SECOND_MS;

export type SliceDeps = {
  readonly db: Kysely<Database>;
  readonly timelines: ServiceTimelines;
  readonly readSamples: SampleReader;
  readonly clock: Clock;
};

/**
 * Judges the slices of a threshold SLA that have closed since the last time, and keeps the verdicts. A slice is judged once:
 * afterwards its verdict stands, even when its samples are deleted. Slices older than the window are not judged.
 */
export async function closeSlices(
  deps: SliceDeps,
  entry: BookEntry,
  at: { readonly nowMs: EpochMs; readonly signal?: AbortSignal },
): Promise<void> {
  const { indicator } = entry.terms.spec;
  if (indicator.kind === 'availability' || at.nowMs < entry.restUntilMs) return;
  const begunMs = deps.clock.monotonic();
  const spentMs = (): number => deps.clock.monotonic() - begunMs;
  entry.restUntilMs = at.nowMs + REST_AFTER_FAILURE_MS;
  for (let read = 0; read < READS_PER_STEP && spentMs() < READING_MS; read++) {
    const span = nextSlices(entry, indicator, at.nowMs);
    if (span === undefined) break;
    const time = await deps.timelines.read(entry.terms.spec.service, span.fromMs, at.nowMs);
    const seen = { span, outages: outagesOf(time.intervals), ...(at.signal === undefined ? {} : { signal: at.signal }) };
    await keep(deps.db, entry, { judged: await judge(deps.readSamples, indicator, seen), indicator });
  }
  entry.restUntilMs = spentMs() < READING_MS ? 0 : at.nowMs + spentMs() * (1 + REST_FACTOR);
  forgetOld(entry, at.nowMs);
}

async function judge(
  readSamples: SampleReader,
  indicator: SlicedSpec,
  at: { readonly span: Span; readonly outages: readonly Span[]; readonly signal?: AbortSignal },
): Promise<readonly SliceRun[]> {
  const { counters, parts } = indicator;
  if (parts !== undefined) {
    const judged: (readonly SliceRun[])[] = [];
    for (const { spec } of parts) judged.push(await judge(readSamples, spec, at));
    return combineParts(indicator, judged, at.span);
  }
  if (counters !== undefined) return judgeCounters({ ...indicator, counters }, readSamples, at);
  const series = await readSamples(indicator.query, { ...at.span, stepMs: stepFor(indicator.slice_ms) }, at.signal);
  return judgeSlices(indicator, { series, outages: at.outages }, at.span);
}

/**
 * Judges slices again about which samples came late. Under the terms in force alone: what was promised before is judged by what was
 * promised then. The span that is said in another way than before, or undefined.
 */
export async function judgeLateSlices(
  deps: SliceDeps,
  entry: BookEntry,
  at: { readonly nowMs: EpochMs; readonly signal?: AbortSignal },
): Promise<Span | undefined> {
  const { terms, contract, late } = entry;
  const { indicator } = terms.spec;
  const [first, last] = [entry.runs[0], entry.runs.at(-1)];
  if (indicator.kind === 'availability' || late === undefined || at.nowMs < entry.againAtMs) return undefined;
  entry.late = undefined;
  if (first === undefined || last === undefined) return undefined;
  const sinceMs = contract.version === 1 ? first.fromMs : Math.ceil(contract.effectiveFromMs / indicator.slice_ms) * indicator.slice_ms;
  const judged = { fromMs: epochMs(Math.max(first.fromMs, sinceMs)), toMs: last.toMs };
  const span = judged.fromMs < judged.toMs ? slicesToJudgeAgain(late, judged, indicator.slice_ms) : undefined;
  if (span === undefined) return undefined;
  entry.againAtMs = at.nowMs + AGAIN_MS;
  const begunMs = deps.clock.monotonic();
  let changed: Span | undefined;
  for (let fromMs: number = span.fromMs; fromMs < span.toMs; fromMs += SLICES_PER_READ * indicator.slice_ms) {
    const part = clipSpan({ fromMs: epochMs(fromMs), toMs: epochMs(fromMs + SLICES_PER_READ * indicator.slice_ms) }, span) ?? span;
    // The rest waits its turn like everybody else's.
    if (deps.clock.monotonic() - begunMs >= READING_MS) {
      entry.late = unionOf(entry.late, { fromMs: part.fromMs, toMs: span.toMs });
      break;
    }
    if (await judgePartAgain(deps, entry, { part, indicator, ...at })) changed = unionOf(changed, part);
  }
  return changed;
}

async function judgePartAgain(
  deps: SliceDeps,
  entry: BookEntry,
  at: { readonly part: Span; readonly indicator: SlicedSpec; readonly nowMs: EpochMs; readonly signal?: AbortSignal },
): Promise<boolean> {
  const { part, indicator, nowMs } = at;
  const time = await deps.timelines.read(entry.terms.spec.service, part.fromMs, nowMs);
  const seen = { span: part, outages: outagesOf(time.intervals), ...(at.signal === undefined ? {} : { signal: at.signal }) };
  const replaced = withJudged(entry.runs, { span: part, judged: await judge(deps.readSamples, indicator, seen) }, indicator);
  if (replaced === undefined) return false;
  const near = replaced.runs.filter((run) => run.toMs >= part.fromMs && run.fromMs <= part.toMs);
  await replaceSliceRuns(deps.db, entry.contract.sla, {
    span: { fromMs: epochMs(near[0]?.fromMs ?? part.fromMs), toMs: epochMs(near.at(-1)?.toMs ?? part.toMs) },
    runs: near,
    contractVersion: entry.contract.version,
    ...(part.fromMs >= nowMs - ARRIVING_MS ? {} : { undo: { atMs: nowMs, span: part, runs: replaced.before } }),
  });
  entry.runs = [...replaced.runs];
  return true;
}

/** When the next slice can be judged; never for an indicator without slices. */
export function nextVerdictMs(entry: BookEntry): number {
  const { indicator } = entry.terms.spec;
  const judgedToMs = entry.runs.at(-1)?.toMs;
  return indicator.kind === 'availability' || judgedToMs === undefined
    ? Number.POSITIVE_INFINITY
    : judgedToMs + indicator.slice_ms + SETTLE_MS;
}

/** The next closed slices, at most as many as one read takes; undefined when there are none. */
function nextSlices(
  entry: BookEntry,
  indicator: SlicedSpec,
  nowMs: EpochMs,
): { readonly fromMs: EpochMs; readonly toMs: EpochMs } | undefined {
  const sliceMs = indicator.slice_ms;
  const windowFromMs = sliceStart(nowMs - entry.terms.windowMs - entry.terms.lookbackMs, sliceMs);
  const judgedToMs = entry.runs.at(-1)?.toMs ?? windowFromMs;
  // After a change of the slice's length the next one begins at its own boundary, never inside one that is already judged.
  const fromMs = Math.max(Math.ceil(judgedToMs / sliceMs) * sliceMs, windowFromMs);
  const closedToMs = sliceStart(nowMs - SETTLE_MS, sliceMs);
  const toMs = Math.min(closedToMs, fromMs + SLICES_PER_READ * sliceMs);
  return fromMs < toMs ? { fromMs: epochMs(fromMs), toMs: epochMs(toMs) } : undefined;
}

async function keep(
  db: Kysely<Database>,
  entry: BookEntry,
  change: { readonly judged: readonly SliceRun[]; readonly indicator: SlicedSpec },
): Promise<void> {
  const runs = [...entry.runs];
  const unchanged = Math.max(0, runs.length - 1);
  for (const run of change.judged) joinRuns(runs, run, change.indicator);
  await saveSliceRuns(db, entry.contract.sla, { runs: runs.slice(unchanged), contractVersion: entry.contract.version });
  entry.runs = runs;
}

/** The book keeps one window; older verdicts stay in the database for statements. */
function forgetOld(entry: BookEntry, nowMs: EpochMs): void {
  const oldestMs = nowMs - entry.terms.windowMs - entry.terms.lookbackMs;
  const kept = entry.runs.findIndex((run) => run.toMs > oldestMs);
  if (kept > 0) entry.runs = entry.runs.slice(kept);
}
