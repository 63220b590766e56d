import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import { periodAt, periodsBefore } from '@nines/maths/calendar/period.ts';
import { attainedBounds } from '@nines/maths/slo/bounds.ts';
import { type Tally, type TallyTerms, tally } from '@nines/maths/slo/tally.ts';
import type { Buckets, Span, Timeline } from '@nines/maths/slo/types.ts';
import { clipSpan, rollingWindow } from '@nines/maths/slo/window.ts';
import type { ShownState } from './evaluate.ts';

/** A day of a zone's calendar as far as it is over: today's ends now. */
export type Day = Span & { readonly name: string };

/** What a day's bar shows. */
export type DayBar = Day & {
  readonly buckets: Buckets;
  /** The worst state that was seen in it. */
  readonly mark: ShownState;
  /** Share of the day that is unknown, from 0 to 1, time before monitoring began included. */
  readonly unknownShare: number;
  /** Planned maintenance within the day, whether or not it counts. */
  readonly maintenanceMs: number;
};

/** The uptime of a window that ends now. */
export type Uptime = {
  readonly windowMs: number;
  /** Up and degraded over known time; null when nothing is known. Unknown and excluded time is on neither side. */
  readonly uptime: number | null;
  /** The uptimes that the evidence allows, both ends inclusive. */
  readonly bounds: readonly [low: number, high: number] | null;
};

/** A service's days, the uptime of all of them, and that of shorter windows, the shortest first. */
export type History = Uptime & { readonly days: readonly DayBar[]; readonly recent: readonly Uptime[] };

/** Shorter windows than a page's days. */
const RECENT_MS = [DAY_MS, 7 * DAY_MS, 30 * DAY_MS];

/** The last `count` days of a zone's calendar, oldest first, today the last. */
export function lastDays(nowMs: EpochMs, count: number, zone: string): readonly Day[] {
  const today = periodAt(nowMs, 'day', zone);
  const before = periodsBefore(today, zone, count - 1).map(({ fromMs, toMs, name }) => ({ fromMs, toMs, name: name ?? '' }));
  // At midnight itself nothing of the new day is over yet.
  return nowMs > today.fromMs ? [...before, { fromMs: today.fromMs, toMs: nowMs, name: today.name }] : before;
}

/** `maintenance` and `excluded` are sorted and disjoint; `excluded` is what of it the page does not count. */
export type DayTerms = { readonly maintenance: readonly Span[]; readonly excluded: readonly Span[] };

/** Projects a timeline that covers the days, which follow each other, on each of them and on all together. */
export function historyOf(timeline: Timeline, days: readonly Day[], terms: DayTerms): History {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return { days: [], recent: [], windowMs: 0, uptime: null, bounds: null };
  const policy: TallyTerms = { unknown: { kind: 'exclude' }, excluded: terms.excluded };
  const whole = { fromMs: first.fromMs, toMs: last.toMs };
  const recent = RECENT_MS.filter((lengthMs) => lengthMs < whole.toMs - whole.fromMs);
  return {
    ...uptimeOf(timeline, whole, policy),
    days: days.map((day) => barOf(day, tally(timeline.intervals, day, policy), terms.maintenance)),
    recent: recent.map((lengthMs) => uptimeOf(timeline, rollingWindow(last.toMs, lengthMs), policy)),
  };
}

function uptimeOf({ intervals }: Timeline, window: Span, policy: TallyTerms): Uptime {
  const { goodMs, badMs } = tally(intervals, window, policy);
  return {
    windowMs: window.toMs - window.fromMs,
    uptime: goodMs + badMs === 0 ? null : goodMs / (goodMs + badMs),
    bounds: attainedBounds(intervals, window, policy),
  };
}

function barOf(day: Day, { buckets }: Tally, maintenance: readonly Span[]): DayBar {
  const lengthMs = day.toMs - day.fromMs;
  return {
    ...day,
    buckets,
    mark: markOf(buckets),
    unknownShare: buckets.unknownMs / lengthMs,
    maintenanceMs: maintenance.reduce((sum, span) => sum + lengthOf(clipSpan(span, day)), 0),
  };
}

const lengthOf = (span: Span | undefined): number => (span === undefined ? 0 : span.toMs - span.fromMs);

function markOf({ upMs, degradedMs, downMs, excludedMs }: Buckets): ShownState {
  if (downMs > 0) return 'down';
  if (degradedMs > 0) return 'degraded';
  if (upMs > 0) return 'up';
  return excludedMs > 0 ? 'maintenance' : 'unknown';
}

/** The spans as far as they are over at `nowMs`. */
export const until = (spans: readonly Span[], nowMs: EpochMs): readonly Span[] =>
  spans.flatMap((span) => clipSpan(span, { fromMs: epochMs(0), toMs: nowMs }) ?? []);
