import { type Numbers, meanOf, ranksOf } from './numbers.ts';

/** What one change of level must leave less than a line does, as a share; of few values more, as the best place for it is searched. */
const STEP_LEAVES = 0.9;
const STEP_SEARCH = 5;

/**
 * Where one change of level explains values better than a line: the index of the first value of the new level; -1 where a line does as
 * well. Compares squares of ranks, to which outliers and curves do not matter.
 */
export function stepOf(values: Numbers): number {
  const ranks = ranksOf(values);
  const n = ranks.length;
  const middle = (n + 1) / 2;
  let [total, along, sum, best, place] = [0, 0, 0, 0, -1];
  ranks.forEach((rank, i) => {
    const explained = i > 0 ? (sum * sum * n) / (i * (n - i)) : 0;
    if (explained > best) [best, place] = [explained, i];
    total += (rank - middle) ** 2;
    along += (rank - middle) * (i + 1 - middle);
    sum += rank - middle;
  });
  const line = (12 * along * along) / (n * (n * n - 1));
  return total - best < Math.min(STEP_LEAVES, 1 - STEP_SEARCH / n) * (total - line) ? place : -1;
}

/** Values around the means before and after their one change of level; undefined where there is none. */
export function withoutStep(values: Numbers): Float64Array | undefined {
  const place = stepOf(values);
  if (place < 0) return undefined;
  const own = Float64Array.from(values);
  const [before, after] = [meanOf(own.subarray(0, place)), meanOf(own.subarray(place))];
  return own.map((value, i) => value - (i < place ? before : after));
}
