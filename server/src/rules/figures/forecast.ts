import { expectedAt } from '@nines/maths/signals/trend.ts';
import type { Condition } from '../rule-fields.ts';
import { type Figure, type FigureReading, type Input, inWords, lengthInWords } from './figure.ts';
import { Past } from './remembered.ts';

export type ForecastSpec = {
  readonly condition: Condition;
  readonly aheadMs: number;
  /** The straight line goes through this much of the past. */
  readonly overMs: number;
  /** That the value to come lies within the stated doubt, 0 to 1. */
  readonly confidence: number;
};

/** Points of the line, one per slot of the past. */
const POINTS = 120;
/** With less of the past than this part of it there is no forecast. */
const LEAST_COVERED = 0.5;
const LEAST_POINTS = 10;

/**
 * The near edge of what a value will be: for a limit that must not be exceeded the least that is to be expected, for one that must
 * not be fallen below the most. So an alert means that even the mild end of the doubt is beyond the limit.
 */
export function forecastFigure(input: Input, { condition, aheadMs, overMs, confidence }: ForecastSpec): Figure {
  const slotMs = Math.ceil(overMs / POINTS);
  const past = new Past({ slotMs, capacity: POINTS }, () => null);
  const nearEdge = condition === '<' || condition === '<=' ? 1 : -1;
  return {
    inputs: [input],
    warmUp: { lengthMs: overMs, stepMs: slotMs },
    read([vector = []], situation) {
      const { atMs } = situation;
      return past.note(vector, situation).map(({ labels, past: { slots } }): FigureReading => {
        const oldest = slots.slotAt(atMs) - POINTS + 1;
        const points = slots.points(oldest);
        const [first] = points;
        const covered = first === undefined ? 0 : atMs - first.atMs;
        const enough = points.length >= LEAST_POINTS && covered >= LEAST_COVERED * overMs;
        const expected = enough ? expectedAt(points, atMs + aheadMs, confidence) : undefined;
        if (expected === undefined) {
          const why = enough ? 'its past is no line' : shortWhy(points.length, covered, overMs);
          return { labels, value: Number.NaN, undecided: true, why };
        }
        const { value, doubt } = expected;
        return {
          labels,
          value: value + nearEdge * doubt,
          words: (limit) =>
            `${input.metric} is expected at ${inWords(value)} ± ${inWords(doubt)} in ${lengthInWords(aheadMs)}, limit ${limit.condition} ${limit.threshold}`,
        };
      });
    },
  };
}

const shortWhy = (count: number, coveredMs: number, overMs: number): string =>
  `${count} values over ${lengthInWords(coveredMs)} are too few: a line takes ${LEAST_POINTS} over ${lengthInWords(LEAST_COVERED * overMs)}`;
