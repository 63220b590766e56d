import { anomaliesOf } from '../stats/anomaly.ts';
import { tTwoSided } from '../stats/distributions.ts';
import { ascending, at } from '../stats/numbers.ts';
import { madOf, medianOf, quantileOf } from '../stats/robust.ts';
import { calendarPeriods, deseasoned } from '../stats/season.ts';
import { type Examined, HOUR_MS, hourAt, nothing, type Outcome, unasked } from './examined.ts';

export type UnusualFinding = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly score: number;
  readonly reason: string;
  readonly peak: number;
  readonly peakAtMs: number;
  /** What was to be expected at the peak. */
  readonly usual: number;
  /** [at_ms, lower, upper] of the last days: what is usual. */
  readonly band: readonly (readonly [number, number, number])[];
};

const NEEDED = 7 * 24;
/** What ended earlier than this is no news. */
const RECENT = 24;
/** What lasts longer than this is not unusual any more, but how it is. */
const LONGEST = 72;
const SENSITIVITY = 0.95;
/** An episode of a single hour must be this far out. */
const SINGLE_SCORE = 0.99;
/** Tails of what is usual: heavier than normal ones. */
const TAIL_DOF = 10;
const LEAST_SHARE = 0.2;
/** A distance must be this many times what the past two weeks saw, one hour in a hundred left aside. */
const FARTHER = 1.5;
const OFTEN = 0.99;
const USUAL_HOURS = 14 * 24;
/** Half of the band, in usual deviations: as far as the detector's 0.95. */
const BAND = 4.5;

/** Whether the last day was unlike what the hours, days and weeks before foretell. Two methods must agree: the detector, and the distance from the seasonal level. */
export function findUnusual(series: Examined): Outcome<UnusualFinding> {
  const { values } = series;
  const n = values.length;
  if (n < NEEDED) return unasked('short_history');
  const periods = calendarPeriods(HOUR_MS, n).map(({ length }) => length);
  const found = anomaliesOf(values, { method: 'seasonal', sensitivity: SENSITIVITY, periods });
  if (!found.ok) return unasked(found.error.reason);
  const { scores } = found.value;
  const recent = found.value.episodes.filter(({ to }) => to >= n - RECENT).toSorted((one, other) => other.score - one.score)[0];
  if (recent === undefined) return nothing('nothing_unusual');
  const first = firstOf(scores, recent.to);
  if (first < n - LONGEST) return nothing('lasts');
  const unusual = Array.from(scores.slice(first, recent.to + 1)).filter((score) => score >= SENSITIVITY).length;
  if (unusual < 2 && recent.score < SINGLE_SCORE) return nothing('a_single_hour');
  const past = values.slice(0, first);
  const { rest, next } = deseasoned(
    past,
    calendarPeriods(HOUR_MS, past.length).map(({ length }) => length),
  );
  const usualRest = rest.slice(-USUAL_HOURS);
  const level = medianOf(usualRest);
  const scale = madOf(usualRest);
  const peak = farthest(values, { from: first, to: recent.to }, (i) => level + next(i - first));
  // What was never below zero is not expected there.
  const floor = past.every((value) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY;
  const usual = Math.max(floor, level + next(peak - first));
  const distance = Math.abs(at(values, peak) - usual);
  if (distance < Math.max(series.leastChange, LEAST_SHARE * Math.abs(usual))) return nothing('too_small');
  if (!(scale > 0)) return nothing('does_not_vary');
  if (distance < BAND * scale) return nothing('methods_disagree');
  if (distance < FARTHER * lately(usualRest, level)) return nothing('has_happened_before');
  const band = Array.from({ length: n - first }, (_, k): [number, number, number] => {
    const middle = level + next(k);
    return [hourAt(series, first + k), Math.max(floor, middle - BAND * scale), middle + BAND * scale];
  });
  return {
    p: Math.min(1, RECENT * tTwoSided(distance / scale, TAIL_DOF)),
    found: {
      fromMs: hourAt(series, first),
      toMs: hourAt(series, recent.to),
      score: recent.score,
      reason: recent.reason,
      peak: at(values, peak),
      peakAtMs: hourAt(series, peak),
      usual,
      band,
    },
  };
}

/** How far out the past two weeks were, but for one hour in a hundred. */
function lately(rest: Float64Array, level: number): number {
  return quantileOf(ascending(rest.map((value) => Math.abs(value - level))), OFTEN);
}

/** Unusual hours with at most a few usual ones between them are one stretch; an older one before it is another finding. */
const APART = 6;
function firstOf(scores: Float64Array, to: number): number {
  let first = to;
  for (let i = to; i >= 0 && first - i <= APART; i--) if (at(scores, i) >= SENSITIVITY) first = i;
  return first;
}

function farthest(
  values: Float64Array,
  { from, to }: { readonly from: number; readonly to: number },
  usual: (index: number) => number,
): number {
  let best = from;
  for (let i = from; i <= to; i++) if (Math.abs(at(values, i) - usual(i)) > Math.abs(at(values, best) - usual(best))) best = i;
  return best;
}
