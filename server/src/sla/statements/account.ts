import { AppError } from '@nines/base/errors.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { periodAt } from '@nines/maths/calendar/period.ts';
import { tally } from '@nines/maths/slo/tally.ts';
import type { Buckets, LedgerInterval, Span } from '@nines/maths/slo/types.ts';
import { clipSpan, windowAt } from '@nines/maths/slo/window.ts';
import { type DowntimeView, type IntervalView, bucketsToWire, downtimeToWire, intervalToWire } from '../../availability/contract.ts';
import { type OccurrenceView, occurrenceToWire } from '../../maintenance/contract.ts';
import { SLA_CODES, type SlaView } from '../contract.ts';
import { evaluateSla, evaluateWindow, isInEvents, tallyTermsOf } from '../evaluate.ts';
import { type ExcludedStretch, excludedStretches } from './exclusions.ts';
import { type GatherDeps, type Known, type Question, readKnown } from './gather.ts';
import { type ExclusionStretchView, toExclusionView } from './statement.ts';

/**
 * How a contract counts each stretch of time, for screens that lead from a figure to what decided it. The sums of a window's
 * stretches are the figures of `GET /api/slas/{id}` over the same window, to the millisecond. Reads, keeps nothing.
 */
export type AccountView = {
  readonly id: string;
  readonly service: string;
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly segments: readonly SegmentView[];
};

/** A stretch in one state with one treatment. What is neither good nor bad is not counted. */
export type SegmentView = IntervalView & {
  readonly good_ms: number;
  readonly bad_ms: number;
  /** Out of hours wins over excluded, both over the state. */
  readonly overlay: 'out_of_hours' | 'excluded' | null;
  readonly excluded_by: ExcludedStretch['by'] | null;
  readonly exclusion: ExclusionStretchView['exclusion'];
  /** Announced maintenance of the service at this time, whether the contract excludes it or not. */
  readonly maintenance: OccurrenceView | null;
  /** The outage of the service that this stretch belongs to. */
  readonly downtime: Pick<DowntimeView, 'id' | 'reason' | 'note' | 'revision' | 'from_at_ms' | 'to_at_ms'> | null;
};

export type DayView = {
  /** `2026-11-21` in the zone that was asked for. */
  readonly name: string;
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  /** The worst that was counted; `unwatched` before monitoring began, `excluded` when nothing was promised. */
  readonly worst: 'up' | 'degraded' | 'down' | 'unknown' | 'excluded' | 'unwatched';
  readonly attained: number | null;
  readonly bad_ms: number;
  readonly buckets: SlaView['buckets'];
};

/** What was left of the budget at instants of a window, ascending; in events where those are what is promised. */
export type BurnDownView = {
  readonly unit: 'ms' | 'events';
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly total: number;
  readonly points: readonly { readonly at_ms: number; readonly remaining: number }[];
};

/** The contract's figures as they stood at instants, ascending: each of the window that ended then. */
export type TrendView = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly points: readonly { readonly at_ms: number; readonly attained: number | null; readonly budget_left: number | null }[];
};

/** More than a screen can draw; a window of so many pieces is looked at from closer. */
const MAX_SEGMENTS = 20_000;
const BURN_DOWN_STEPS = 240;
const TREND_STEPS = 120;
const MAX_EDGES = 400;

/** `AppError` as for a statement, and `range_invalid` for more stretches than one answer holds. */
export async function accountOf(deps: GatherDeps, question: Question, nowMs: EpochMs): Promise<AccountView> {
  const known = await readKnown(deps, { ...question, trend: false }, nowMs);
  const { window, contract } = known;
  const { service, indicator } = contract.spec;
  const downtimes = indicator.kind === 'availability' ? await deps.ledger.downtimes({ service, ...window }) : [];
  const planned = deps.maintenance.occurrences({ service, ...window });
  const segments = segmentsOf(known).map((segment) => {
    const { fromMs, toMs, interval } = segment;
    const outage = interval.state === 'down' ? downtimes.find((one) => one.fromAtMs < toMs && (one.toAtMs ?? toMs) > fromMs) : undefined;
    const work = planned.find((one) => one.fromMs < toMs && one.toMs > fromMs);
    return {
      ...toSegmentView(known, segment),
      maintenance: work === undefined ? null : occurrenceToWire(work),
      downtime: outage === undefined ? null : inBrief(downtimeToWire(outage)),
    };
  });
  return { id: contract.sla, service, from_at_ms: window.fromMs, to_at_ms: window.toMs, segments };
}

const inBrief = ({ id, reason, note, revision, from_at_ms, to_at_ms }: DowntimeView) => ({
  id,
  reason,
  note,
  revision,
  from_at_ms,
  to_at_ms,
});

type Overlay = Span & { readonly over: 'out_of_hours' | ExcludedStretch };
type Segment = Span & { readonly interval: LedgerInterval; readonly over: Overlay['over'] | null };

/** The window cut wherever the state or the treatment changes. */
function segmentsOf({ facts, window, exclusions, outages, overlays }: Known): readonly Segment[] {
  const hours: readonly Overlay[] = overlays.outOfHours.flatMap((span) => {
    const inside = clipSpan(span, window);
    return inside === undefined ? [] : [{ ...inside, over: 'out_of_hours' as const }];
  });
  const stretches = excludedStretches(window, exclusions, { outages, ...overlays });
  const over = [...hours, ...stretches.map((stretch) => ({ ...stretch, over: stretch }))].sort((a, b) => a.fromMs - b.fromMs);
  const segments: Segment[] = [];
  let next = 0;
  for (const interval of facts.intervals) {
    const inside = clipSpan(interval, window);
    if (inside === undefined) continue;
    let fromMs = inside.fromMs;
    while (fromMs < inside.toMs) {
      while ((over[next]?.toMs ?? Number.POSITIVE_INFINITY) <= fromMs) next++;
      const overlay = over[next];
      const isCovered = overlay !== undefined && overlay.fromMs <= fromMs;
      const toMs = epochMs(Math.min(inside.toMs, overlay === undefined ? inside.toMs : isCovered ? overlay.toMs : overlay.fromMs));
      segments.push({ fromMs, toMs, interval, over: isCovered ? overlay.over : null });
      fromMs = toMs;
    }
    if (segments.length > MAX_SEGMENTS) {
      throw new AppError('bad_input', SLA_CODES.range, `the period has more than ${MAX_SEGMENTS} stretches; ask for a shorter one`);
    }
  }
  return segments;
}

function toSegmentView(known: Known, { fromMs, toMs, interval, over }: Segment): Omit<SegmentView, 'maintenance' | 'downtime'> {
  const { goodMs, badMs } = tally(known.facts.intervals, { fromMs, toMs }, tallyTermsOf(known.terms, known.facts));
  const { from_bounds_at_ms: bounds, ...wire } = intervalToWire(interval);
  const stretch = over === null || over === 'out_of_hours' ? null : over;
  return {
    ...wire,
    // How exactly the start is known is said where the state begins, not where its treatment changes.
    ...(bounds === undefined || fromMs !== interval.fromMs ? {} : { from_bounds_at_ms: bounds }),
    from_at_ms: fromMs,
    to_at_ms: toMs,
    good_ms: goodMs,
    bad_ms: badMs,
    overlay: stretch === null ? (over === null ? null : 'out_of_hours') : 'excluded',
    excluded_by: stretch?.by ?? null,
    exclusion: stretch?.by === 'exclusion' ? toExclusionView(stretch.exclusion) : null,
  };
}

/** The days of the zone that overlap a period, ascending; the first and the last whole where the period holds them. */
export async function daysOf(deps: GatherDeps, question: Question, nowMs: EpochMs): Promise<readonly DayView[]> {
  const known = await readKnown(deps, { ...question, trend: false }, nowMs);
  const { window, terms, facts } = known;
  const days: DayView[] = [];
  for (let atMs = window.fromMs; atMs < window.toMs; ) {
    const day = periodAt(atMs, 'day', question.zone);
    const inside = clipSpan(day, window) ?? window;
    const { counted, attained } = evaluateWindow(terms, facts, inside);
    days.push({
      name: day.name,
      from_at_ms: inside.fromMs,
      to_at_ms: inside.toMs,
      worst: inside.toMs <= (facts.sinceMs ?? inside.toMs) ? 'unwatched' : worstOf(counted.buckets, counted.notYetMonitoredMs),
      attained,
      bad_ms: tally(facts.intervals, inside, tallyTermsOf(terms, facts)).badMs,
      buckets: bucketsToWire(counted.buckets),
    });
    atMs = day.toMs;
  }
  return days;
}

function worstOf(buckets: Buckets, notYetMs: number): DayView['worst'] {
  if (buckets.downMs > 0) return 'down';
  if (buckets.degradedMs > 0) return 'degraded';
  if (buckets.unknownMs > notYetMs) return 'unknown';
  if (buckets.upMs > 0) return 'up';
  return notYetMs > 0 ? 'unwatched' : 'excluded';
}

/** What was left of a period's budget as it went on, at even steps and wherever bad time began or ended. */
export async function burnDownOf(deps: GatherDeps, question: Question, nowMs: EpochMs): Promise<BurnDownView> {
  const known = await readKnown(deps, { ...question, trend: false }, nowMs);
  const { window, terms, facts } = known;
  const whole = evaluateWindow(terms, facts, window, question.period.toMs - window.toMs);
  const spentUntil = (atMs: number): number =>
    atMs <= window.fromMs ? 0 : evaluateWindow(terms, facts, { fromMs: window.fromMs, toMs: epochMs(atMs) }).budget.spentMs;
  const stepMs = (window.toMs - window.fromMs) / BURN_DOWN_STEPS;
  const even = Array.from({ length: BURN_DOWN_STEPS + 1 }, (_, i) => Math.round(window.fromMs + i * stepMs));
  const edges = facts.intervals
    .filter(({ state }) => state === 'down')
    .flatMap(({ fromMs, toMs }) => [fromMs, toMs])
    .filter((atMs) => atMs > window.fromMs && atMs < window.toMs);
  const instants = [...new Set([...even, ...(edges.length > MAX_EDGES ? [] : edges)])].sort((a, b) => a - b);
  return {
    unit: isInEvents(terms) ? 'events' : 'ms',
    from_at_ms: question.period.fromMs,
    to_at_ms: question.period.toMs,
    total: whole.budget.totalMs,
    points: instants.map((atMs) => ({ at_ms: atMs, remaining: whole.budget.totalMs - spentUntil(atMs) })),
  };
}

/**
 * What was attained and what was left of the budget at even steps of a stretch, from the ledger as it is known now: also where nothing
 * evaluated the contract then. Null where nothing was counted. `AppError` as for a statement.
 */
export async function trendOf(deps: GatherDeps, { sla, zone, period }: Question, nowMs: EpochMs): Promise<TrendView> {
  const agreed = deps.book.get(sla)?.terms;
  if (agreed === undefined) throw new AppError('not_found', SLA_CODES.notFound, `there is no SLA "${sla}"`);
  const toMs = epochMs(Math.min(period.toMs, nowMs));
  const reachMs = windowAt(agreed.window, period.fromMs).window.fromMs;
  const known = await readKnown(deps, { sla, zone, period: { fromMs: reachMs, toMs }, trend: false }, nowMs);
  const { terms, facts } = known;
  const stepMs = (toMs - period.fromMs) / TREND_STEPS;
  const instants = Array.from({ length: TREND_STEPS + 1 }, (_, i) => epochMs(Math.round(period.fromMs + i * stepMs)));
  return {
    from_at_ms: period.fromMs,
    to_at_ms: toMs,
    points: [...new Set(instants)].map((atMs) => {
      // Before anybody watched there is no figure, whatever the contract says of the unknown.
      if (facts.sinceMs === null || atMs <= facts.sinceMs) return { at_ms: atMs, attained: null, budget_left: null };
      const { attained, budget } = evaluateSla(terms, facts, atMs);
      return { at_ms: atMs, attained, budget_left: budget.totalMs > 0 ? 1 - budget.spentMs / budget.totalMs : null };
    }),
  };
}
