import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { type EventSlice, outside } from '@nines/maths/slo/counters.ts';
import { type SliceRun, sliceTimeline } from '@nines/maths/slo/slices.ts';
import type { LedgerInterval, Span } from '@nines/maths/slo/types.ts';
import { unionSpans } from '@nines/maths/slo/window.ts';
import type { BookEntry } from './book.ts';
import type { SlaFacts } from './evaluate.ts';
import type { ServiceTime, ServiceTimelines } from './timelines.ts';

/** When a service was down, within the intervals given. */
export const outagesOf = (intervals: readonly LedgerInterval[]): readonly Span[] =>
  unionSpans(intervals.filter((interval) => interval.state === 'down'));

/** What is known about an SLA's subject over `window` and as far before it as its terms look. */
export async function factsFor(timelines: ServiceTimelines, entry: BookEntry, window: Span): Promise<SlaFacts> {
  const fromMs = epochMs(window.fromMs - entry.terms.lookbackMs);
  const time = await timelines.read(entry.terms.spec.service, fromMs, window.toMs);
  return factsOf(entry, time, { fromMs, toMs: window.toMs });
}

/** Pure part of `factsFor`: what the ledger, the slices and people's exclusions say together over `span`. */
export function factsOf(entry: Pick<BookEntry, 'terms' | 'runs' | 'exclusions'>, time: ServiceTime, span: Span): SlaFacts {
  const { indicator } = entry.terms.spec;
  if (indicator.kind === 'availability')
    return { intervals: time.intervals, sinceMs: time.sinceMs, excluded: entry.exclusions, lastValue: null };
  const outages = outagesOf(time.intervals);
  const sinceMs = earliest(time.sinceMs, entry.runs.find((run) => run.state !== 'unknown')?.fromMs ?? null);
  const lastKnown = entry.runs.findLast((run) => run.last !== null && run.toMs > span.fromMs && run.fromMs < span.toMs);
  return {
    intervals: sliceTimeline(entry.runs, span, { sinceMs, outages, whileDown: indicator.while_down }),
    sinceMs,
    excluded: indicator.while_down === 'exclude' ? unionSpans([...outages, ...entry.exclusions]) : entry.exclusions,
    undecidedFromMs: entry.runs.at(-1)?.toMs ?? span.fromMs,
    lastValue: lastKnown?.last ?? null,
    ...(indicator.kind === 'ratio' ? { events: outside(entry.runs.flatMap(toEvents), entry.exclusions) } : {}),
  };
}

const toEvents = ({ fromMs, good, total }: SliceRun): readonly EventSlice[] =>
  good === undefined || total === undefined ? [] : [{ fromMs, good, total }];

const earliest = (a: EpochMs | null, b: EpochMs | null): EpochMs | null => (a === null || b === null ? (a ?? b) : epochMs(Math.min(a, b)));
