/**
 * The scoring rules of the Numenta Anomaly Benchmark, standard profile: detections inside a labelled window earn the more the earlier they
 * come, only the first of a window counts, those outside cost, the less the closer behind a window, missed windows cost one.
 * Source: Lavin & Ahmad 2015.
 */
export type Window = { readonly from: number; readonly to: number };

const FALSE_POSITIVE = 0.11;
const FALSE_NEGATIVE = 1;
/** Share at the beginning in which nothing counts. */
export const PROBATION = 0.15;

const sigmoid = (position: number): number => (position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1);

/** Raw score of detections (indexes, ascending) on one stream. */
export function numentaScore(detections: readonly number[], windows: readonly Window[], length: number): number {
  const probation = Math.min(Math.floor(PROBATION * length), 750);
  const counted = detections.filter((index) => index >= probation);
  let score = 0;
  for (const { from, to } of windows) {
    const first = counted.find((index) => index >= from && index <= to);
    if (first === undefined) score -= FALSE_NEGATIVE;
    else score += sigmoid(-(to - first + 1) / (to - from + 1)) / sigmoid(-1);
  }
  for (const index of counted) {
    if (windows.some(({ from, to }) => index >= from && index <= to)) continue;
    const before = windows.filter(({ to }) => to < index).at(-1);
    const position = before === undefined ? Number.POSITIVE_INFINITY : (index - before.to) / (before.to - before.from + 1);
    score += FALSE_POSITIVE * sigmoid(position);
  }
  return score;
}

/** 100 when every window is found at once and nothing else, 0 when nothing is ever said. */
export const normalised = (raw: number, windows: number): number => (100 * (raw + FALSE_NEGATIVE * windows)) / (2 * windows);
