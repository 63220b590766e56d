import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { type AnchoredCalendar, anchoredPeriodAt } from '../calendar/anchored.ts';
import type { Span } from './types.ts';

/** The rolling window that ends at `nowMs`. Its start is never clipped to when monitoring began; its parts sum to its length. */
export function rollingWindow(nowMs: EpochMs, lengthMs: number): Span {
  return { fromMs: epochMs(nowMs - lengthMs), toMs: nowMs };
}

/** The part of `span` inside `bounds`; undefined when nothing is left. */
export function clipSpan(span: Span, bounds: Span): Span | undefined {
  const fromMs = epochMs(Math.max(span.fromMs, bounds.fromMs));
  const toMs = epochMs(Math.min(span.toMs, bounds.toMs));
  return fromMs < toMs ? { fromMs, toMs } : undefined;
}

/** Sorted, disjoint, touching spans joined, empty ones dropped. An instant covered twice is covered once. */
export function unionSpans(spans: readonly Span[]): readonly Span[] {
  const sorted = spans.filter((span) => span.fromMs < span.toMs).sort((a, b) => a.fromMs - b.fromMs);
  const joined: Span[] = [];
  for (const span of sorted) {
    const last = joined.at(-1);
    if (last === undefined || span.fromMs > last.toMs) joined.push(span);
    else if (span.toMs > last.toMs) joined[joined.length - 1] = { fromMs: last.fromMs, toMs: span.toMs };
  }
  return joined;
}

/** How much of the window was watched. `young`: monitoring began after the window did, so the window is not full yet. */
export type Coverage = { readonly young: boolean; readonly observedMs: number };

export function coverageOf(window: Span, monitoredSinceMs: EpochMs | null): Coverage {
  if (monitoredSinceMs === null || monitoredSinceMs >= window.toMs) return { young: true, observedMs: 0 };
  if (monitoredSinceMs > window.fromMs) return { young: true, observedMs: window.toMs - monitoredSinceMs };
  return { young: false, observedMs: window.toMs - window.fromMs };
}

/** Over which time an SLA is judged: the last so many milliseconds, or the period of a calendar that is running. */
export type WindowTerms =
  | { readonly kind: 'rolling'; readonly lengthMs: number }
  | { readonly kind: 'calendar'; readonly calendar: AnchoredCalendar };

/** The window that ends at `nowMs`, and how much of its period is still to come; a rolling one has nothing ahead. */
export function windowAt(terms: WindowTerms, nowMs: EpochMs): { readonly window: Span; readonly aheadMs: number } {
  if (terms.kind === 'rolling') return { window: rollingWindow(nowMs, terms.lengthMs), aheadMs: 0 };
  const period = anchoredPeriodAt(nowMs, terms.calendar);
  return { window: { fromMs: period.fromMs, toMs: nowMs }, aheadMs: period.toMs - nowMs };
}

/** What of `spans` lies in none of `taken`; both sorted and disjoint. */
export function without(spans: readonly Span[], taken: readonly Span[]): readonly Span[] {
  return spans.flatMap((span) => {
    const parts: Span[] = [];
    let fromMs = span.fromMs;
    for (const cut of taken) {
      if (cut.toMs <= fromMs || cut.fromMs >= span.toMs) continue;
      if (cut.fromMs > fromMs) parts.push({ fromMs, toMs: cut.fromMs });
      fromMs = cut.toMs;
    }
    return fromMs < span.toMs ? [...parts, { fromMs, toMs: span.toMs }] : parts;
  });
}
