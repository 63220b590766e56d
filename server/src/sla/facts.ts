import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { type EventSlice, outside } from '@nines/maths/slo/counters.ts';
import { atEdges } from '@nines/maths/slo/edges.ts';
import { type SliceRun, sliceTimeline } from '@nines/maths/slo/slices.ts';
import type { LedgerInterval, Span } from '@nines/maths/slo/types.ts';
import { unionSpans, windowAt } from '@nines/maths/slo/window.ts';
import type { Maintenance } from '../maintenance/contract.ts';
import type { BookEntry } from './book.ts';
import { keepsShares } from './spec.ts';
import type { SlaFacts } from './evaluate.ts';
import { type SlaOverlays, overlaysOf } from './overlay-terms.ts';
import type { ServiceTime, ServiceTimelines } from './timelines.ts';

/** When a service was down, within the intervals given. */
export const outagesOf = (intervals: readonly LedgerInterval[]): readonly Span[] =>
  unionSpans(intervals.filter((interval) => interval.state === 'down'));

/** What is known about an SLA's subject over `window` and as far before it as its terms look. */
export async function factsFor({ timelines, maintenance }: FactSources, entry: BookEntry, window: Span): Promise<SlaFacts> {
  const span: Span = { fromMs: epochMs(window.fromMs - entry.terms.lookbackMs), toMs: window.toMs };
  const time = await timelines.read(entry.terms.spec.service, span.fromMs, span.toMs);
  const { aheadMs } = windowAt(entry.terms.window, span.toMs);
  const overlays = overlaysOf(entry.terms, maintenance, { ...span, toMs: epochMs(span.toMs + aheadMs) });
  return factsOf(entry, { ...time, overlays }, span);
}

/** Where facts come from. */
export type FactSources = { readonly timelines: ServiceTimelines; readonly maintenance: Maintenance };

/** Pure part of `factsFor`: what the ledger, the slices, people's exclusions and the calendar say together over `span`. */
export function factsOf(
  entry: Pick<BookEntry, 'terms' | 'runs' | 'exclusions'>,
  time: ServiceTime & { readonly overlays: SlaOverlays },
  span: Span,
): SlaFacts {
  const { indicator } = entry.terms.spec;
  const { outOfHours, maintenance } = time.overlays;
  const takenOut = maintenance.length === 0 ? entry.exclusions : unionSpans([...entry.exclusions, ...maintenance]);
  if (indicator.kind === 'availability')
    return {
      intervals: atEdges(time.intervals, entry.terms.spec.edges ?? 'first_failure'),
      sinceMs: time.sinceMs,
      excluded: takenOut,
      outOfHours,
      lastValue: null,
    };
  const outages = outagesOf(time.intervals);
  const sinceMs = earliest(time.sinceMs, entry.runs.find((run) => run.state !== 'unknown')?.fromMs ?? null);
  const lastKnown = entry.runs.findLast((run) => run.last !== null && run.toMs > span.fromMs && run.fromMs < span.toMs);
  return {
    intervals: sliceTimeline(entry.runs, span, { sinceMs, outages, whileDown: indicator.while_down }),
    sinceMs,
    excluded: indicator.while_down === 'exclude' ? unionSpans([...outages, ...takenOut]) : takenOut,
    outOfHours,
    undecidedFromMs: entry.runs.at(-1)?.toMs ?? span.fromMs,
    lastValue: lastKnown?.last ?? null,
    ...(keepsShares(indicator) ? { events: outside(entry.runs.flatMap(toEvents), unionSpans([...takenOut, ...outOfHours])) } : {}),
  };
}

const toEvents = ({ fromMs, good, total }: SliceRun): readonly EventSlice[] =>
  good === undefined || total === undefined ? [] : [{ fromMs, good, total }];

const earliest = (a: EpochMs | null, b: EpochMs | null): EpochMs | null => (a === null || b === null ? (a ?? b) : epochMs(Math.min(a, b)));
