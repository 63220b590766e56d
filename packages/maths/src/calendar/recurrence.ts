import { DAY_MS, epochMs } from '@nines/base/units.ts';
import type { Span } from '../slo/types.ts';
import { type Cron, cronMatchesDay } from './cron.ts';
import { type Rrule, rruleMatchesDay } from './rrule.ts';
import { plannedInstantMs } from './wall.ts';
import { wallClockMs } from './zone.ts';

/** When something comes again, in the wall clock of a zone, and how long it lasts in real time. */
export type Recurrence = {
  readonly when: { readonly kind: 'rrule'; readonly rule: Rrule } | { readonly kind: 'cron'; readonly cron: Cron };
  readonly zone: string;
  readonly durationMs: number;
};

/**
 * The occurrences that overlap a span, whole, ascending by their starts. One lasts its full length in real time, whatever the clocks do
 * meanwhile; of two that the clocks move to one instant, one is left.
 */
export function occurrencesWithin(recurrence: Recurrence, span: Span): readonly Span[] {
  const { zone, durationMs } = recurrence;
  const found = new Map<number, Span>();
  const firstDay = Math.floor(wallClockMs(span.fromMs - durationMs, zone) / DAY_MS) - 1;
  const lastDay = Math.floor(wallClockMs(span.toMs, zone) / DAY_MS) + 1;
  for (let day = firstDay; day <= lastDay; day++) {
    for (const timeMs of timesOn(recurrence.when, day)) {
      const fromMs = epochMs(plannedInstantMs(day * DAY_MS + timeMs, zone));
      const toMs = epochMs(fromMs + durationMs);
      if (fromMs < span.toMs && toMs > span.fromMs) found.set(fromMs, { fromMs, toMs });
    }
  }
  return [...found.values()].sort((a, b) => a.fromMs - b.fromMs);
}

/** Wall clock times of a day in milliseconds. */
function timesOn(when: Recurrence['when'], day: number): readonly number[] {
  if (when.kind === 'cron') return cronMatchesDay(when.cron, day) ? when.cron.timesMs : [];
  const { startWallMs } = when.rule;
  return rruleMatchesDay(when.rule, day) ? [startWallMs - Math.floor(startWallMs / DAY_MS) * DAY_MS] : [];
}

/** Days looked at for the shortest way from one occurrence to the next: two years and their leap day. */
const GAP_DAYS = 2 * 366;

/** The shortest wall clock time from one start to the next in the two years from a day on; infinite when there is only one. */
export function shortestGapMs(when: Recurrence['when'], fromDay: number): number {
  let [last, shortestMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let day = fromDay; day < fromDay + GAP_DAYS; day++) {
    for (const timeMs of timesOn(when, day)) {
      shortestMs = Math.min(shortestMs, day * DAY_MS + timeMs - last);
      last = day * DAY_MS + timeMs;
    }
  }
  return shortestMs;
}
