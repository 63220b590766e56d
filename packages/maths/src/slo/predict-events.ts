import { epochMs } from '@nines/base/units.ts';
import type { EventSlice } from './counters.ts';
import type { ExactRatio } from './exact.ts';
import { type OutageModel, breachChance, fitOutages } from './predict.ts';
import type { LedgerInterval, Span } from './types.ts';

/**
 * The chance that a budget of events is overspent. Time in which errors come much faster than allowed is bad time, as an outage is;
 * everything else has a rate of errors of its own, which the budget has to bear too. Events become the time that as many take in bad
 * stretches, and the rest is as in predict.ts.
 */

/** A slice with more errors than so many times the allowed share is part of a bad stretch. */
const BAD_BURN = 2;
/** Before anything was seen, this share of events fails in a bad stretch. */
const PRIOR_BAD_SHARE = 0.5;
/** The prior counts like so many milliseconds of a bad stretch. */
const PRIOR_BAD_MS = 5 * 60_000;

/** Sums over any span in two look-ups. Slices are ascending; one belongs to the span in which it begins. */
export class EventSums {
  readonly #starts: Float64Array;
  readonly #bad: Float64Array;
  readonly #total: Float64Array;

  constructor(slices: readonly EventSlice[]) {
    this.#starts = Float64Array.from(slices, ({ fromMs }) => fromMs);
    this.#bad = new Float64Array(slices.length + 1);
    this.#total = new Float64Array(slices.length + 1);
    slices.forEach(({ good, total }, i) => {
      this.#bad[i + 1] = (this.#bad[i] ?? 0) + total - good;
      this.#total[i + 1] = (this.#total[i] ?? 0) + total;
    });
  }

  /** Of the slices that begin in `[fromMs, toMs)`. */
  over(fromMs: number, toMs: number): { readonly bad: number; readonly total: number } {
    const [from, to] = [this.#before(fromMs), this.#before(toMs)];
    return { bad: (this.#bad[to] ?? 0) - (this.#bad[from] ?? 0), total: (this.#total[to] ?? 0) - (this.#total[from] ?? 0) };
  }

  /** How many slices begin before an instant. */
  #before(atMs: number): number {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? Number.POSITIVE_INFINITY) < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export type EventQuestion = {
  /** What is known by now, ascending; reaches back beyond the window where there is more. */
  readonly slices: readonly EventSlice[];
  readonly sliceMs: number;
  readonly target: ExactRatio;
  readonly nowMs: number;
  /** Where the window began. */
  readonly fromMs: number;
  /** Of a rolling window its length; null where nothing leaves before the end. */
  readonly rollingMs: number | null;
  /** Instants until which the chance is asked for, ascending. */
  readonly untilMs: readonly number[];
};

type Course = {
  /** Events and, outside of bad stretches, bad ones per millisecond. */
  readonly perMs: number;
  readonly quietBadPerMs: number;
  /** Bad ones per millisecond in bad stretches. */
  readonly stormPerMs: number;
  readonly storms: readonly { readonly fromMs: number; readonly toMs: number; readonly bad: number }[];
  readonly intervals: readonly LedgerInterval[];
};

/** The chance of a breach until each of the instants, and when it has become as likely as not. Null when nothing was counted yet. */
export function eventBreachChance(
  question: EventQuestion,
): { readonly chances: readonly number[]; readonly expectedAtMs: number | null } | null {
  const { slices, target, nowMs, fromMs, rollingMs, untilMs } = question;
  const allowed = Number(target.denominator - target.numerator) / Number(target.denominator);
  const course = courseOf(question, allowed);
  if (course === undefined) return null;
  const { perMs, quietBadPerMs, stormPerMs, storms } = course;
  const seen = new EventSums(slices).over(fromMs, nowMs);
  const inWindow = storms.filter((storm) => storm.toMs > fromMs);
  const stormBad = inWindow.reduce((sum, { bad }) => sum + bad, 0);
  const model: OutageModel = fitOutages(
    course.intervals,
    { fromMs: epochMs(slices[0]?.fromMs ?? nowMs), toMs: epochMs(nowMs) },
    { allowed, budgetMs: ((rollingMs ?? (untilMs.at(-1) ?? nowMs) - fromMs) * perMs * allowed) / stormPerMs },
  );
  const last = storms.at(-1);
  const badForMs = last !== undefined && last.toMs >= nowMs - question.sliceMs ? nowMs - last.fromMs : null;
  const bad: readonly Span[] = inWindow.map((storm) => ({
    fromMs: epochMs(storm.fromMs),
    toMs: epochMs(Math.min(nowMs, storm.fromMs + storm.bad / stormPerMs)),
  }));
  const over = untilMs.map((endMs) => {
    // What comes until then earns budget and has its usual errors; of a rolling window as much leaves as comes.
    const aheadMs = rollingMs === null ? endMs - nowMs : 0;
    const events = allowed * (seen.total + perMs * aheadMs) - (seen.bad - stormBad) - quietBadPerMs * aheadMs;
    return breachChance({ model, nowMs, badForMs, bad, budgetMs: events / stormPerMs, rollingMs, untilMs: [endMs] });
  });
  const expected = over.at(-1)?.expectedAtMs ?? null;
  return { chances: over.map(({ chances }) => chances[0] ?? 0), expectedAtMs: expected };
}

/** How events came so far; undefined before there were any. */
function courseOf({ slices, sliceMs, nowMs }: EventQuestion, allowed: number): Course | undefined {
  const storms: { fromMs: number; toMs: number; bad: number }[] = [];
  const intervals: LedgerInterval[] = [];
  let [total, quietBad, quietMs, stormMs, stormBad] = [0, 0, 0, 0, 0];
  for (const { fromMs, good, total: events } of slices) {
    const bad = events - good;
    const toMs = Math.min(nowMs, fromMs + sliceMs);
    total += events;
    const isStorm = events > 0 && bad > BAD_BURN * allowed * events;
    push(intervals, { fromMs: epochMs(fromMs), toMs: epochMs(toMs), state: isStorm ? 'down' : 'up' });
    if (!isStorm) {
      quietBad += bad;
      quietMs += toMs - fromMs;
      continue;
    }
    stormBad += bad;
    stormMs += toMs - fromMs;
    const before = storms.at(-1);
    if (before?.toMs === fromMs) [before.toMs, before.bad] = [toMs, before.bad + bad];
    else storms.push({ fromMs, toMs, bad });
  }
  const wholeMs = quietMs + stormMs;
  if (total === 0 || wholeMs <= 0) return undefined;
  const perMs = total / wholeMs;
  return {
    perMs,
    quietBadPerMs: quietMs === 0 ? 0 : quietBad / quietMs,
    stormPerMs: (stormBad + PRIOR_BAD_SHARE * perMs * PRIOR_BAD_MS) / (stormMs + PRIOR_BAD_MS),
    storms,
    intervals,
  };
}

function push(intervals: LedgerInterval[], next: LedgerInterval): void {
  const last = intervals.at(-1);
  if (last !== undefined && last.state === next.state && last.toMs === next.fromMs)
    intervals[intervals.length - 1] = { ...last, toMs: next.toMs };
  else intervals.push(next);
}
