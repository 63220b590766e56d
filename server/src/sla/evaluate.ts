import { type EpochMs, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { attainedBounds } from '@nines/maths/slo/bounds.ts';
import { type Budget, attainedOf, budgetOf, exhaustionOf } from '@nines/maths/slo/budget.ts';
import { type BurnReading, readPair } from '@nines/maths/slo/burn.ts';
import { type SlaVerdict, statusOf } from '@nines/maths/slo/status.ts';
import { type Tally, type TallyTerms, tally } from '@nines/maths/slo/tally.ts';
import type { LedgerInterval, Span } from '@nines/maths/slo/types.ts';
import { coverageOf, rollingWindow } from '@nines/maths/slo/window.ts';
import type { SlaTerms } from './spec.ts';

/**
 * The forecast takes the future to be like the better of the last hour and the last five minutes (both shorter in a short
 * window), as a burn pair does: what is over by now spends nothing more.
 */
const FORECAST_MS = HOUR_MS;
const FORECAST_SHORT_MS = 5 * MINUTE_MS;
const FORECAST_SHORT_SHARE = 12;

/** What is known about the subject of an SLA. */
export type SlaFacts = {
  /** Contiguous; covers the window and `lookbackMs` before it. */
  readonly intervals: readonly LedgerInterval[];
  /** When monitoring began; null when it has not. */
  readonly sinceMs: EpochMs | null;
  /** Time that the contract takes out. Sorted and disjoint. */
  readonly excluded: readonly Span[];
  /** From here on no slice is closed yet; absent for availability, where every instant is decided. */
  readonly undecidedFromMs?: number;
  /** The newest measured value of a threshold indicator; null when there is none. */
  readonly lastValue: number | null;
};

export type SlaEvaluation = {
  readonly terms: SlaTerms;
  readonly window: Span;
  readonly young: boolean;
  readonly observedMs: number;
  readonly counted: Tally;
  readonly budget: Budget;
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
  return evaluateWindow(terms, facts, rollingWindow(nowMs, terms.windowMs));
}

/**
 * The same over any window, for a statement's period. Burn pairs and the forecast look back from its end. `aheadMs`: how much of the
 * period comes after the window; it earns budget.
 */
export function evaluateWindow(terms: SlaTerms, facts: SlaFacts, window: Span, aheadMs = 0): SlaEvaluation {
  const tallyTerms: TallyTerms = {
    unknown: terms.unknown,
    excluded: facts.excluded,
    ...(terms.degradedWeight === undefined ? {} : { degradedWeight: terms.degradedWeight }),
    ...(facts.undecidedFromMs === undefined ? {} : { undecidedFromMs: facts.undecidedFromMs }),
  };
  const over = (span: Span): Tally => tally(facts.intervals, span, tallyTerms);
  const counted = over(window);
  const budget = budgetOf(counted, terms.target, aheadMs);
  const { young, observedMs } = coverageOf(window, facts.sinceMs);
  const burn = terms.pairs.map((pair) =>
    readPair(pair, terms.target, {
      long: over(tailOf(window, pair.longMs)),
      short: over(tailOf(window, pair.shortMs)),
      observedMs,
    }),
  );
  const attained = attainedOf(counted);
  const windowMs = window.toMs - window.fromMs;
  const recent = [FORECAST_MS, Math.min(FORECAST_SHORT_MS, Math.ceil(windowMs / FORECAST_SHORT_SHARE))].map((lengthMs) =>
    over(tailOf(window, lengthMs)),
  );
  return {
    terms,
    window,
    young,
    observedMs,
    counted,
    budget,
    attained,
    attainedBounds: attainedBounds(facts.intervals, window, tallyTerms),
    burn,
    verdict: statusOf({ budget, counted, burn, maxUnknown: terms.maxUnknown }),
    exhaustsAtMs: exhaustionOf(budget, recent, { nowMs: window.toMs, horizonMs: windowMs }),
    value: terms.spec.indicator.kind === 'availability' ? attained : facts.lastValue,
  };
}

/** The last `lengthMs` of a window, or all of it when it is shorter. */
const tailOf = (window: Span, lengthMs: number): Span => ({
  fromMs: epochMs(Math.max(window.fromMs, window.toMs - lengthMs)),
  toMs: window.toMs,
});
