import { type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS, epochMs } from '@nines/base/units.ts';
import { attainedBounds } from '@nines/maths/slo/bounds.ts';
import { type Budget, attainedOf, budgetOf, budgetOfEvents, exhaustionOf, exhaustionOfEvents } from '@nines/maths/slo/budget.ts';
import { type BurnReading, readPair } from '@nines/maths/slo/burn.ts';
import { type EventSlice, sumEvents } from '@nines/maths/slo/counters.ts';
import { type SlaVerdict, statusOf } from '@nines/maths/slo/status.ts';
import { type Tally, type TallyTerms, tally } from '@nines/maths/slo/tally.ts';
import type { LedgerInterval, Span } from '@nines/maths/slo/types.ts';
import { clipSpan, coverageOf, unionSpans, windowAt } from '@nines/maths/slo/window.ts';
import { type Recovery, recoveryOf, recoveryVerdict } from './recovery.ts';
import { type SlaTerms, keepsShares, recoverWithinMs } from './spec.ts';

/**
 * The forecast takes the future to be like the better of the last hour and the last five minutes (both shorter in a short
 * window), as a burn pair does: what is over by now spends nothing more.
 */
const FORECAST_MS = HOUR_MS;
const FORECAST_SHORT_MS = 5 * MINUTE_MS;
const FORECAST_SHORT_SHARE = 12;

type Counted = Pick<Tally, 'goodMs' | 'badMs'>;

/** What is known about the subject of an SLA. */
export type SlaFacts = {
  /** Contiguous; covers the window and `lookbackMs` before it. */
  readonly intervals: readonly LedgerInterval[];
  /** When monitoring began; null when it has not. */
  readonly sinceMs: EpochMs | null;
  /** Time that the contract takes out. Sorted and disjoint. */
  readonly excluded: readonly Span[];
  /** Time when nothing is promised. Sorted and disjoint; may reach beyond the window. */
  readonly outOfHours: readonly Span[];
  /** From here on no slice is closed yet; absent for availability, where every instant is decided. */
  readonly undecidedFromMs?: number;
  /** The newest measured value of a threshold indicator; null when there is none. */
  readonly lastValue: number | null;
  /** Of a ratio: the slices that count, ascending. */
  readonly events?: readonly EventSlice[];
};

export type SlaEvaluation = {
  readonly terms: SlaTerms;
  readonly window: Span;
  /** How much of a calendar's period is still to come. */
  readonly aheadMs: number;
  readonly young: boolean;
  readonly observedMs: number;
  readonly counted: Tally;
  /** In events where they are what is promised, otherwise in milliseconds. */
  readonly budget: Budget;
  /** The same of the time of bad slices. */
  readonly inTime: Budget;
  readonly attained: number | null;
  readonly attainedBounds: readonly [low: number, high: number] | null;
  readonly burn: readonly BurnReading[];
  readonly verdict: SlaVerdict;
  readonly exhaustsAtMs: number | null;
  /** What was measured, in the unit of the objective: the attained ratio, or the newest value of a threshold. */
  readonly value: number | null;
};

/** The whole verdict about one SLA over the window that ends at `nowMs`. Pure: the same facts give the same bytes later. */
export function evaluateSla(terms: SlaTerms, facts: SlaFacts, nowMs: EpochMs): SlaEvaluation {
  const { window, aheadMs } = windowAt(terms.window, nowMs);
  return evaluateWindow(terms, facts, window, aheadMs);
}

/**
 * The same over any window, for a statement's period. Burn pairs and the forecast look back from its end. `aheadMs`: how much of the
 * period comes after the window; it earns budget.
 */
export function evaluateWindow(terms: SlaTerms, facts: SlaFacts, window: Span, aheadMs = 0): SlaEvaluation {
  const tallyTerms = tallyTermsOf(terms, facts);
  const inTime = (span: Span): Tally => tally(facts.intervals, span, tallyTerms);
  const { events } = facts;
  const over = (span: Span): Counted => (events === undefined ? inTime(span) : sumEvents(events, span));
  const spentTime = inTime(window);
  const counted: Tally = { ...spentTime, ...(events === undefined ? {} : over(window)) };
  const recovery = recoveryIn(terms, facts, window);
  if (recovery !== undefined) return recovered(terms, facts, { window, aheadMs, spentTime, recovery });
  const budget =
    events === undefined ? budgetOf(counted, terms.target, promisedAheadMs(facts, window, aheadMs)) : budgetOfEvents(counted, terms.target);
  const { young, observedMs } = coverageOf(window, facts.sinceMs);
  const knownMs = facts.sinceMs === null ? 0 : window.toMs - facts.sinceMs;
  const tailOf = (lengthMs: number): Span => tail(window, terms, lengthMs);
  const burn = terms.pairs.map((pair) =>
    readPair(pair, terms.target, { long: over(tailOf(pair.longMs)), short: over(tailOf(pair.shortMs)), observedMs: knownMs }),
  );
  const attained = attainedOf(counted);
  const windowMs = window.toMs - window.fromMs + aheadMs;
  const recent = [FORECAST_MS, Math.min(FORECAST_SHORT_MS, Math.ceil(windowMs / FORECAST_SHORT_SHARE))].map((lengthMs) => ({
    ...over(tailOf(lengthMs)),
    lengthMs,
  }));
  const at = { nowMs: window.toMs, horizonMs: aheadMs > 0 ? aheadMs : windowMs };
  return {
    terms,
    window,
    aheadMs,
    young,
    observedMs,
    counted,
    budget,
    inTime: events === undefined || !isInEvents(terms) ? budget : budgetOf(spentTime, terms.target, aheadMs),
    attained,
    attainedBounds:
      events === undefined ? attainedBounds(facts.intervals, window, tallyTerms) : attained === null ? null : [attained, attained],
    burn,
    verdict: statusOf({ budget, counted, burn, maxUnknown: terms.maxUnknown, ...(isInEvents(terms) ? { inWords: eventsInWords } : {}) }),
    exhaustsAtMs: events === undefined ? exhaustionOf(budget, recent, at) : exhaustionOfEvents(budget, recent, at),
    value: terms.spec.indicator.kind === 'availability' || events !== undefined ? attained : facts.lastValue,
  };
}

function recoveryIn({ spec }: SlaTerms, facts: SlaFacts, window: Span): Recovery | undefined {
  const withinMs = recoverWithinMs(spec);
  if (withinMs === undefined) return undefined;
  const takenOut = unionSpans([...facts.excluded, ...facts.outOfHours]);
  return recoveryOf(facts.intervals, window, { withinMs, takenOut });
}

/** The verdict about a mean time to recovery. A window without an outage keeps the promise as far as it was watched. */
function recovered(
  terms: SlaTerms,
  facts: SlaFacts,
  seen: { readonly window: Span; readonly aheadMs: number; readonly spentTime: Tally; readonly recovery: Recovery },
): SlaEvaluation {
  const { window, aheadMs, spentTime, recovery } = seen;
  const { budget } = recovery;
  const counted: Tally = { ...spentTime, ...(recovery.outages === 0 ? {} : recovery.counted) };
  const verdict = statusOf({ budget, counted, burn: [], maxUnknown: terms.maxUnknown });
  const attained = recovery.outages === 0 ? null : attainedOf(counted);
  return {
    terms,
    window,
    aheadMs,
    ...coverageOf(window, facts.sinceMs),
    counted,
    budget,
    inTime: budget,
    attained,
    attainedBounds: attained === null ? null : [attained, attained],
    burn: [],
    verdict: recoveryVerdict(verdict, recovery),
    exhaustsAtMs: null,
    value: recovery.meanMs === null ? null : recovery.meanMs / SECOND_MS,
  };
}

/** How the time of a subject is added up under its contract. */
export const tallyTermsOf = (terms: SlaTerms, facts: SlaFacts): TallyTerms => ({
  unknown: terms.unknown,
  excluded: facts.excluded,
  outOfHours: facts.outOfHours,
  ...(terms.degradedWeight === undefined ? {} : { degradedWeight: terms.degradedWeight }),
  ...(facts.undecidedFromMs === undefined ? {} : { undecidedFromMs: facts.undecidedFromMs }),
});

/** Whether the budget of an SLA is in events; otherwise it is in milliseconds. */
export const isInEvents = ({ spec }: Pick<SlaTerms, 'spec'>): boolean =>
  spec.indicator.kind !== 'availability' && keepsShares(spec.indicator) && spec.indicator.budgeting === 'occurrences';

const eventsInWords = (events: number): string => (events === 1 ? '1 event' : `${events} events`);

/** The last `lengthMs` before the end of a window. A rolling window has nothing before its start, a calendar's period does. */
function tail(window: Span, terms: SlaTerms, lengthMs: number): Span {
  const fromMs = window.toMs - lengthMs;
  return { fromMs: epochMs(terms.window.kind === 'rolling' ? Math.max(window.fromMs, fromMs) : fromMs), toMs: window.toMs };
}

/** What is to come of a period, without the hours when nothing is promised. */
function promisedAheadMs({ outOfHours }: SlaFacts, window: Span, aheadMs: number): number {
  const ahead: Span = { fromMs: window.toMs, toMs: epochMs(window.toMs + aheadMs) };
  return outOfHours.reduce((left, span) => left - lengthOf(clipSpan(span, ahead)), aheadMs);
}

const lengthOf = (span: Span | undefined): number => (span === undefined ? 0 : span.toMs - span.fromMs);
