import { type ExactRatio, portionMs } from './exact.ts';
import { ms } from '@nines/base/units.ts';
import type { Buckets, LedgerInterval, Span, UnknownPolicy } from './types.ts';
import { clipSpan } from './window.ts';

/**
 * Sums of a window, and what of it counts as good and as bad under a contract. The six buckets add up to the window's
 * length; no policy moves time between them. `goodMs + badMs` is the counted time.
 */
export type Tally = {
  readonly buckets: Buckets;
  readonly goodMs: number;
  readonly badMs: number;
  /** The part of `buckets.unknownMs` from before monitoring began (overlays taken off); no policy counts it. */
  readonly notYetMonitoredMs: number;
};

export type TallyTerms = {
  readonly unknown: UnknownPolicy;
  /** How much a degraded millisecond is worth; absent: as much as an up one. */
  readonly degradedWeight?: ExactRatio;
  /** Time taken out of the promise. Sorted and disjoint (see `unionSpans`). */
  readonly excluded?: readonly Span[];
  /** Time outside service hours; wins over `excluded`. Sorted and disjoint. */
  readonly outOfHours?: readonly Span[];
  /** From here on nothing is decided yet (a slice that is still open): unknown, and counted by no policy. */
  readonly undecidedFromMs?: number;
};

type Sums = {
  up: number;
  degraded: number;
  down: number;
  unknown: number;
  excluded: number;
  outOfHours: number;
  notYet: number;
  unknownGood: number;
  unknownBad: number;
  /** Degraded time carried into a gap; weighed like the rest of the degraded time. */
  carriedDegraded: number;
};

/** What a stretch of unknown time counts as. */
type Counted = 'good' | 'bad' | 'degraded' | 'none';

/**
 * Adds up `window` over `intervals`, which are contiguous and cover it. Under `carry_forward` they should reach back by
 * `maxGapMs` before the window, so that a gap at its start knows what it carries.
 */
export function tally(intervals: readonly LedgerInterval[], window: Span, terms: TallyTerms): Tally {
  const sums: Sums = {
    up: 0,
    degraded: 0,
    down: 0,
    unknown: 0,
    excluded: 0,
    outOfHours: 0,
    notYet: 0,
    unknownGood: 0,
    unknownBad: 0,
    carriedDegraded: 0,
  };
  const carry = new Carry(terms.unknown);
  for (let i = firstReaching(intervals, carry.reach(window.fromMs)); i < intervals.length; i++) {
    const interval = intervals[i];
    if (interval === undefined || interval.fromMs >= window.toMs) break;
    carry.enter(interval);
    const inside = clipSpan(interval, window);
    if (inside !== undefined) addInterval(sums, { interval, inside, terms, carry });
  }
  return settle(sums, terms);
}

function addInterval(
  sums: Sums,
  step: { readonly interval: LedgerInterval; readonly inside: Span; readonly terms: TallyTerms; readonly carry: Carry },
): void {
  const { interval, inside, terms, carry } = step;
  eachStretch(inside, terms, (stretch, overlay) => {
    const length = stretch.toMs - stretch.fromMs;
    if (overlay === 'out_of_hours') sums.outOfHours += length;
    else if (overlay === 'excluded') sums.excluded += length;
    else if (interval.state !== 'unknown') sums[interval.state] += length;
    else addUnknown(sums, { stretch, interval, terms, carry });
  });
}

function addUnknown(
  sums: Sums,
  step: { readonly interval: LedgerInterval; readonly stretch: Span; readonly terms: TallyTerms; readonly carry: Carry },
): void {
  const { interval, stretch, terms, carry } = step;
  sums.unknown += stretch.toMs - stretch.fromMs;
  if (interval.unknownReason === 'not_yet_monitored') {
    sums.notYet += stretch.toMs - stretch.fromMs;
    return;
  }
  const decidedTo = Math.min(stretch.toMs, terms.undecidedFromMs ?? stretch.toMs);
  const length = Math.max(0, decidedTo - stretch.fromMs);
  switch (terms.unknown.kind) {
    case 'exclude':
      return;
    case 'down':
      sums.unknownBad += length;
      return;
    case 'up':
      sums.unknownGood += length;
      return;
    case 'carry_forward': {
      const carried = Math.max(0, Math.min(decidedTo, carry.untilMs) - stretch.fromMs);
      if (carry.counted === 'good') sums.unknownGood += carried;
      else if (carry.counted === 'bad') sums.unknownBad += carried;
      else if (carry.counted === 'degraded') sums.carriedDegraded += carried;
    }
  }
}

/** Remembers what the last known state was, for gaps. */
class Carry {
  readonly #maxGapMs: number;
  counted: Counted = 'none';
  /** Until when the last known state is carried. */
  untilMs = Number.NEGATIVE_INFINITY;

  constructor(policy: UnknownPolicy) {
    this.#maxGapMs = policy.kind === 'carry_forward' ? policy.maxGapMs : 0;
  }

  /** Where the walk must start so that what is carried into the window is known. */
  reach(fromMs: number): number {
    return fromMs - this.#maxGapMs;
  }

  enter(interval: LedgerInterval): void {
    if (interval.state === 'unknown') return;
    this.counted = interval.state === 'down' ? 'bad' : interval.state === 'up' ? 'good' : 'degraded';
    this.untilMs = interval.toMs + this.#maxGapMs;
  }
}

type Overlay = 'none' | 'excluded' | 'out_of_hours';

/** Cuts `span` where overlays begin and end. Out of hours wins over excluded. */
function eachStretch(span: Span, terms: TallyTerms, visit: (stretch: Span, overlay: Overlay) => void): void {
  const hours = overlapping(terms.outOfHours ?? [], span);
  const excluded = overlapping(terms.excluded ?? [], span);
  if (hours.length === 0 && excluded.length === 0) {
    visit(span, 'none');
    return;
  }
  const cuts = new Set<number>([span.fromMs, span.toMs]);
  for (const part of [...hours, ...excluded]) cuts.add(part.fromMs).add(part.toMs);
  const ordered = [...cuts].sort((a, b) => a - b);
  for (let i = 0; i + 1 < ordered.length; i++) {
    const stretch = { fromMs: ordered[i], toMs: ordered[i + 1] } as Span;
    const covers = (part: Span): boolean => part.fromMs <= stretch.fromMs && stretch.toMs <= part.toMs;
    visit(stretch, hours.some(covers) ? 'out_of_hours' : excluded.some(covers) ? 'excluded' : 'none');
  }
}

/** The parts of sorted disjoint `spans` inside `bounds`, clipped. */
function overlapping(spans: readonly Span[], bounds: Span): readonly Span[] {
  const parts: Span[] = [];
  for (let i = firstReaching(spans, bounds.fromMs); i < spans.length; i++) {
    const span = spans[i];
    if (span === undefined || span.fromMs >= bounds.toMs) break;
    const part = clipSpan(span, bounds);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

/** Index of the first span that ends after `atMs`; spans are ascending and disjoint. A year of one service is thousands of them, and a burn pair looks at the last few. */
function firstReaching(spans: readonly Span[], atMs: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.toMs ?? Number.POSITIVE_INFINITY) > atMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

function settle(sums: Sums, terms: TallyTerms): Tally {
  const degraded = sums.degraded + sums.carriedDegraded;
  const degradedGood = terms.degradedWeight === undefined ? degraded : portionMs(terms.degradedWeight, degraded);
  return {
    buckets: {
      upMs: ms(sums.up),
      degradedMs: ms(sums.degraded),
      downMs: ms(sums.down),
      unknownMs: ms(sums.unknown),
      excludedMs: ms(sums.excluded),
      outOfHoursMs: ms(sums.outOfHours),
    },
    goodMs: sums.up + degradedGood + sums.unknownGood,
    badMs: sums.down + (degraded - degradedGood) + sums.unknownBad,
    notYetMonitoredMs: sums.notYet,
  };
}
