/**
 * A straight line through the recent past, and how far a value to come may lie from it. The doubt is the prediction interval of
 * ordinary least squares, with as many independent points as the residuals' lag-one correlation leaves: a curve that is no line
 * has residuals that follow each other, and so a wide doubt. Source: Draper and Smith, Applied Regression Analysis, 1.4; Bayley
 * and Hammersley 1946 for the points.
 *
 * Rules ask this and not `forecast` of the statistics, for each of their series at each reading: one pass over a bounded past, some
 * microseconds, and the same line that people draw; that one tries many methods on the whole history and takes a fraction of a second.
 */
import { tHalfWidth } from '../stats/distributions.ts';

export type Point = { readonly atMs: number; readonly value: number };
/** `value` is the best guess; with the asked confidence the value lies within `doubt` of it. */
export type Expected = { readonly value: number; readonly doubt: number };

type Line = {
  readonly originMs: number;
  readonly meanSeconds: number;
  readonly meanValue: number;
  readonly slope: number;
  readonly spreadSeconds: number;
};

const SECOND_MS = 1000;

/**
 * What is expected at an instant. Undefined when too little is known: fewer than three points, or all at one instant. `confidence` is between 0 and 1.
 */
export function expectedAt(points: readonly Point[], atMs: number, confidence: number): Expected | undefined {
  const line = lineThrough(points);
  if (line === undefined) return undefined;
  const residuals = points.map(({ atMs: at, value }) => value - valueAt(line, at));
  const squares = residuals.reduce((sum, residual) => sum + residual * residual, 0);
  const largest = points.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const count = independent(residuals, squares, largest);
  const fraction = count / points.length;
  const deviation = Math.sqrt((squares * fraction) / (count - 2));
  const away = (atMs - line.originMs) / SECOND_MS - line.meanSeconds;
  const widening = Math.sqrt(1 + 1 / count + (away * away) / (line.spreadSeconds * fraction));
  return { value: valueAt(line, atMs), doubt: tHalfWidth(1 - confidence, count - 2) * deviation * widening };
}

const valueAt = ({ originMs, meanSeconds, meanValue, slope }: Line, atMs: number): number =>
  meanValue + slope * ((atMs - originMs) / SECOND_MS - meanSeconds);

/** From the first point on and around the means, so that instants of the epoch lose no digits. */
function lineThrough(points: readonly Point[]): Line | undefined {
  const originMs = points[0]?.atMs;
  if (points.length < 3 || originMs === undefined) return undefined;
  const meanSeconds = points.reduce((sum, { atMs }) => sum + (atMs - originMs) / SECOND_MS, 0) / points.length;
  const meanValue = points.reduce((sum, { value }) => sum + value, 0) / points.length;
  let spreadSeconds = 0;
  let together = 0;
  for (const { atMs, value } of points) {
    const away = (atMs - originMs) / SECOND_MS - meanSeconds;
    spreadSeconds += away * away;
    together += away * (value - meanValue);
  }
  return spreadSeconds > 0 ? { originMs, meanSeconds, meanValue, slope: together / spreadSeconds, spreadSeconds } : undefined;
}

/** What rounding leaves of a perfect line, as a part of its values. */
const ROUNDING = 1e-9;
/** Something that wanders rather than scatters (a disk that fills) has almost no independent points; its doubt is that of this many. */
const LEAST_INDEPENDENT = 4;

/** How many points that follow each other are worth when each tells something of the next. */
function independent(residuals: readonly number[], squares: number, largest: number): number {
  if (squares <= residuals.length * (ROUNDING * largest) ** 2) return residuals.length;
  let together = 0;
  for (let i = 1; i < residuals.length; i++) together += (residuals[i] ?? 0) * (residuals[i - 1] ?? 0);
  const correlation = Math.min(Math.max(together / squares, 0), 0.999);
  const worth = (residuals.length * (1 - correlation)) / (1 + correlation);
  return Math.min(residuals.length, Math.max(worth, LEAST_INDEPENDENT));
}
