import { normalQuantile, tHalfWidth } from './distributions.ts';
import { at } from './numbers.ts';
import { quantileOf } from './robust.ts';

/** Errors of forecasts made at earlier instants: one row per origin, one entry per step ahead. */
export type Errors = readonly Float64Array[];

/** Horizons this close are taken together. */
const POOL = 6;

/**
 * Half-widths of intervals that hold `level` of the errors: split-conformal by rolling origin. The size of errors is taken per step
 * ahead (pooled over ± 6 steps), the quantile over all of them in that unit. Origins closer to each other than the horizon see the same
 * values; the quantile is widened as Student's t is against the normal for as many independent errors as the `windows` that lie one
 * after the other are worth.
 * Steps beyond those that were tried grow by the power law of the ones that were.
 */
export function conformalHalfWidths(
  errors: Errors,
  horizon: number,
  { level, windows }: { readonly level: number; readonly windows: number },
): Float64Array {
  const sizes = sizesOf(errors);
  const scaled: number[] = [];
  for (const row of errors)
    row.forEach((error, j) => {
      const size = at(sizes, j);
      if (size > 0) scaled.push(Math.abs(error) / size);
    });
  const share = Math.min(1, (level * (scaled.length + 1)) / scaled.length);
  const quantile = scaled.length === 0 ? 0 : quantileOf(Float64Array.from(scaled).sort(), share);
  const factor = quantile * widening(level, windows * worthOf(errors, sizes)) * unrest(errors);
  const growth = growthOf(sizes);
  return Float64Array.from({ length: horizon }, (_, j) => {
    const known = Math.min(j, sizes.length - 1);
    return factor * at(sizes, known) * ((j + 1) / (known + 1)) ** growth;
  });
}

/** What overlapping windows tell beside those that lie one after the other. Source: Lo & MacKinlay 1988, of errors that add up. */
const OVERLAP_WORTH = 1.5;

/**
 * Independent errors that one window is worth: as many as it has steps when they do not follow each other, `OVERLAP_WORTH` when a forecast
 * that is wrong stays wrong. Source: Bayley & Hammersley 1946, the effective number of a first-order autoregression.
 */
function worthOf(errors: Errors, sizes: Float64Array): number {
  const steps = sizes.length;
  let [together, squares] = [0, 0];
  for (const row of errors)
    for (let j = 0; j < steps; j++) {
      const size = at(sizes, j);
      if (!(size > 0)) continue;
      squares += (at(row, j) / size) ** 2;
      if (j > 0 && at(sizes, j - 1) > 0) together += (at(row, j) / size) * (at(row, j - 1) / at(sizes, j - 1));
    }
  if (steps < 2 || !(squares > 0)) return 1;
  const kept = Math.min(1, Math.max(0, (together * steps) / (squares * (steps - 1))));
  return Math.max(OVERLAP_WORTH, (steps * (1 - kept)) / (1 + kept));
}

/** How much wider an interval must be that knows its scale from `count` independent errors. */
export function widening(level: number, count: number): number {
  const dof = Math.max(2, count);
  return (tHalfWidth(1 - level, dof) / normalQuantile(0.5 + level / 2)) * Math.sqrt(1 + 1 / dof);
}

/** Share of the origins after which their weight has fallen to 1/e, newest first. */
const RECENT_SHARE = 1 / 3;
/** The recent size of errors widens the intervals by no more than this, and never makes them narrower. */
const UNREST = { least: 1, most: 2 };

/** The size of the recent errors to that of all: volatile times follow volatile times. */
function unrest(errors: Errors): number {
  let [recent, weights, all] = [0, 0, 0];
  errors.forEach((row, o) => {
    const weight = Math.exp(-o / (RECENT_SHARE * errors.length));
    const mean = row.reduce((sum, error) => sum + error * error, 0) / row.length;
    recent += weight * mean;
    weights += weight;
    all += mean / errors.length;
  });
  return all > 0 ? Math.min(UNREST.most, Math.max(UNREST.least, Math.sqrt(recent / weights / all))) : 1;
}

/** Root mean square of the errors per step ahead, pooled over neighbouring steps. */
function sizesOf(errors: Errors): Float64Array {
  const length = errors[0]?.length ?? 0;
  const squares = Float64Array.from({ length }, (_, j) => errors.reduce((sum, row) => sum + at(row, j) ** 2, 0) / errors.length);
  return squares.map((_, j) => {
    const reach = Math.min(POOL, j, length - 1 - j);
    let sum = 0;
    for (let i = j - reach; i <= j + reach; i++) sum += at(squares, i);
    return Math.sqrt(sum / (2 * reach + 1));
  });
}

/** The exponent by which errors grow with the distance, held between standing still and a straight line. */
function growthOf(sizes: Float64Array): number {
  const [first, last] = [sizes[Math.floor(sizes.length / 4)] ?? 0, sizes.at(-1) ?? 0];
  const steps = sizes.length / (Math.floor(sizes.length / 4) + 1);
  if (!(first > 0 && last > 0) || steps <= 1) return 0.5;
  return Math.min(1, Math.max(0.1, Math.log(last / first) / Math.log(steps)));
}
