import { DAY_MS, HOUR_MS, epochMs } from '@nines/base/units.ts';
import { EventSums, eventBreachChance } from '@nines/maths/slo/predict-events.ts';
import { breachChance, type Calibration, calibrationOf, fitOutages } from '@nines/maths/slo/predict.ts';
import { budgetOfEvents } from '@nines/maths/slo/budget.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { unionSpans, windowAt, without } from '@nines/maths/slo/window.ts';
import { type SlaEvaluation, type SlaFacts, evaluateWindow, isInEvents } from './evaluate.ts';
import { type SlaTerms, recoverWithinMs } from './spec.ts';

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

/** Without this much of the past a chance is a guess: a tenth of the window, and no more than a day. */
export const neededMs = ({ windowMs }: Pick<SlaTerms, 'windowMs'>): number => Math.min(DAY_MS, Math.floor(windowMs / 10));

/** The chance of a breach as an evaluation leaves it; null before monitoring began, and of events before there were any. */
export function predict(evaluation: SlaEvaluation, facts: SlaFacts): Omit<Prediction, 'calibration'> | null {
  const { terms, window, budget, aheadMs } = evaluation;
  if (facts.sinceMs === null || facts.sinceMs >= window.toMs || isRecovery(terms)) return null;
  const nowMs = window.toMs;
  const isRolling = terms.window.kind === 'rolling';
  const horizonMs = nowMs + (isRolling ? terms.windowMs : aheadMs);
  const untilMs = [Math.min(nowMs + HOUR_MS, horizonMs), horizonMs];
  if (isInEvents(terms)) return predictEvents(evaluation, facts, untilMs);
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
    untilMs,
  });
  return { breach_by_end: chances[1] ?? 0, breach_within_60m: chances[0] ?? 0, expected_at_ms: expectedAtMs, horizon_at_ms: horizonMs };
}

function predictEvents(
  { terms, window }: SlaEvaluation,
  { events = [] }: SlaFacts,
  untilMs: readonly number[],
): Omit<Prediction, 'calibration'> | null {
  const { indicator } = terms.spec;
  if (indicator.kind === 'availability') return null;
  const found = eventBreachChance({
    slices: events.filter(({ fromMs }) => fromMs < window.toMs),
    sliceMs: indicator.slice_ms,
    target: terms.target,
    nowMs: window.toMs,
    fromMs: window.fromMs,
    rollingMs: terms.window.kind === 'rolling' ? terms.windowMs : null,
    untilMs,
  });
  if (found === null) return null;
  const [soon = 0, byEnd = 0] = found.chances;
  return {
    breach_by_end: Math.max(soon, byEnd),
    breach_within_60m: soon,
    expected_at_ms: found.expectedAtMs,
    horizon_at_ms: untilMs.at(-1) ?? window.toMs,
  };
}

/** How long outages last says little about the next one's length before it comes. */
const isRecovery = ({ spec }: SlaTerms): boolean => recoverWithinMs(spec) !== undefined;

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
  if (stepMs <= 0 || isRecovery(terms)) return null;
  const sums = isInEvents(terms) ? new EventSums(facts.events ?? []) : undefined;
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
    const happened =
      sums === undefined
        ? isOverWithin(facts, askedMs, (endMs) => at(endMs).budget.remainingMs < 0)
        : overEventsWithin(terms, sums, askedMs);
    cases.push({ said: said.breach_within_60m, happened });
  }
  return calibrationOf(cases);
}

/** Time is spent while it is bad: a breach is seen at the end of a bad stretch, or at the end of the hour. */
function isOverWithin(facts: SlaFacts, fromMs: number, isOver: (endMs: number) => boolean): boolean {
  const ends = facts.intervals.filter(({ state, toMs }) => state === 'down' && toMs > fromMs && toMs < fromMs + HOUR_MS);
  return [...ends.map(({ toMs }) => Number(toMs)), fromMs + HOUR_MS].some(isOver);
}

function overEventsWithin(terms: SlaTerms, sums: EventSums, fromMs: number): boolean {
  const { indicator } = terms.spec;
  const stepMs = indicator.kind === 'availability' ? HOUR_MS : indicator.slice_ms;
  for (let atMs = fromMs + stepMs; atMs <= fromMs + HOUR_MS; atMs += stepMs) {
    const { bad, total } = sums.over(windowAt(terms.window, epochMs(atMs)).window.fromMs, atMs);
    if (budgetOfEvents({ goodMs: total - bad, badMs: bad }, terms.target).remainingMs < 0) return true;
  }
  return false;
}

/** What was known of the subject's time at an instant. */
const factsUntil = (facts: SlaFacts, atMs: number): SlaFacts => ({
  ...facts,
  intervals: facts.intervals.flatMap((interval) =>
    interval.fromMs >= atMs ? [] : [interval.toMs <= atMs ? interval : { ...interval, toMs: epochMs(atMs) }],
  ),
});
