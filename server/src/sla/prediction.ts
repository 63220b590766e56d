import { HOUR_MS, epochMs } from '@nines/base/units.ts';
import { breachChance, type Calibration, calibrationOf, fitOutages } from '@nines/maths/slo/predict.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { unionSpans, windowAt, without } from '@nines/maths/slo/window.ts';
import { type SlaEvaluation, type SlaFacts, evaluateWindow, isInEvents } from './evaluate.ts';
import type { SlaTerms } from './spec.ts';

/** How likely a breach is. A rolling window has no end: there the horizon is one window ahead. */
export type Prediction = {
  readonly breach_by_end: number;
  readonly breach_within_60m: number;
  /** When a breach has become as likely as not; null when it has not by the horizon. */
  readonly expected_at_ms: number | null;
  readonly horizon_at_ms: number;
  /** How good the chance within 60 minutes was at instants of the SLA's own past; null while there is no past. */
  readonly calibration: Calibration | null;
};

/** The chance of a breach as an evaluation leaves it; null of a budget of events, and before monitoring began. */
export function predict(evaluation: SlaEvaluation, facts: SlaFacts): Omit<Prediction, 'calibration'> | null {
  const { terms, window, budget, aheadMs } = evaluation;
  if (isInEvents(terms) || facts.sinceMs === null || facts.sinceMs >= window.toMs) return null;
  const nowMs = window.toMs;
  const isRolling = terms.window.kind === 'rolling';
  const horizonMs = nowMs + (isRolling ? terms.windowMs : aheadMs);
  const known = facts.intervals.filter(({ fromMs }) => fromMs < nowMs);
  const bad = without(badOf(known, window), facts.excluded);
  const badMs = bad.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs), 0);
  const last = known.at(-1);
  const { chances, expectedAtMs } = breachChance({
    model: fitOutages(known, { fromMs: known[0]?.fromMs ?? nowMs, toMs: nowMs }, { allowed: allowedOf(terms), budgetMs: budget.totalMs }),
    nowMs,
    badForMs: last?.state === 'down' && last.toMs >= nowMs ? nowMs - last.fromMs : null,
    bad,
    // What counts as bad without being an outage (unknown time under a policy, degraded time) is spent already.
    budgetMs: budget.totalMs - (budget.spentMs - badMs),
    rollingMs: isRolling ? terms.windowMs : null,
    untilMs: [Math.min(nowMs + HOUR_MS, horizonMs), horizonMs],
  });
  return { breach_by_end: chances[1] ?? 0, breach_within_60m: chances[0] ?? 0, expected_at_ms: expectedAtMs, horizon_at_ms: horizonMs };
}

const allowedOf = ({ target }: SlaTerms): number => Number(target.denominator - target.numerator) / Number(target.denominator);

const badOf = (intervals: SlaFacts['intervals'], window: Span): readonly Span[] =>
  unionSpans(
    intervals.flatMap(({ state, fromMs, toMs }) =>
      state === 'down' ? [{ fromMs: epochMs(Math.max(fromMs, window.fromMs)), toMs: epochMs(Math.min(toMs, window.toMs)) }] : [],
    ),
  );

/** Instants of the past at which the chance is compared with what came. */
const CASES = 48;

/** Asks at instants of the past with what was known then, and looks at what came within the hour. Facts reach back beyond one window. */
export function backTest(terms: SlaTerms, facts: SlaFacts, nowMs: number): Calibration | null {
  const firstMs = Math.max(facts.sinceMs ?? nowMs, (facts.intervals[0]?.fromMs ?? nowMs) + Math.min(terms.windowMs, HOUR_MS));
  const stepMs = (nowMs - HOUR_MS - firstMs) / CASES;
  if (isInEvents(terms) || stepMs <= 0) return null;
  const cases: { said: number; happened: boolean }[] = [];
  const at = (atMs: number): SlaEvaluation => {
    const { window, aheadMs } = windowAt(terms.window, epochMs(atMs));
    return evaluateWindow(terms, facts, window, aheadMs);
  };
  for (let i = 0; i < CASES; i++) {
    const askedMs = epochMs(firstMs + i * stepMs);
    const evaluation = at(askedMs);
    if (evaluation.budget.remainingMs < 0) continue;
    const said = predict(evaluation, factsUntil(facts, askedMs));
    if (said === null) continue;
    const ends = facts.intervals.filter(({ state, toMs }) => state === 'down' && toMs > askedMs && toMs < askedMs + HOUR_MS);
    const happened = [...ends.map(({ toMs }) => toMs), askedMs + HOUR_MS].some((endMs) => at(endMs).budget.remainingMs < 0);
    cases.push({ said: said.breach_within_60m, happened });
  }
  return calibrationOf(cases);
}

/** What was known of the subject's time at an instant. */
const factsUntil = (facts: SlaFacts, atMs: number): SlaFacts => ({
  ...facts,
  intervals: facts.intervals.flatMap((interval) =>
    interval.fromMs >= atMs ? [] : [interval.toMs <= atMs ? interval : { ...interval, toMs: epochMs(atMs) }],
  ),
});
