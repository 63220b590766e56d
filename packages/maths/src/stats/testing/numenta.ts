/**
 * The scoring rules of the Numenta Anomaly Benchmark: detections inside a labelled window earn the more the earlier they come, only the
 * first of a window counts, those outside cost, the less the closer behind a window, missed windows cost. Source: Lavin & Ahmad 2015.
 */
export type Window = { readonly from: number; readonly to: number };

/** What a false detection and a missed window cost; a window found at once earns 1. */
export type Profile = { readonly falsePositive: number; readonly falseNegative: number };

export const PROFILES = {
  standard: { falsePositive: 0.11, falseNegative: 1 },
  rewardLowFalsePositives: { falsePositive: 0.22, falseNegative: 1 },
  rewardLowFalseNegatives: { falsePositive: 0.11, falseNegative: 2 },
} as const satisfies Record<string, Profile>;

/** Share at the beginning in which nothing counts, of at most so many values. */
const PROBATION = { share: 0.15, values: 5_000 };

export const probationOf = (length: number): number => Math.min(Math.floor(PROBATION.share * length), PROBATION.share * PROBATION.values);

/** -1 is the left edge of a window, 0 just behind its right one; from 3 on it is worth nothing more than any other place. */
export const scaledSigmoid = (position: number): number => (position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1);

/** Raw score of detections (indexes, ascending) on one stream; `probation` is the number of first values that do not count. */
export function numentaScore(
  detections: readonly number[],
  windows: readonly Window[],
  { profile, probation }: { readonly profile: Profile; readonly probation: number },
): number {
  const counted = detections.filter((index) => index >= probation);
  let score = 0;
  for (const { from, to } of windows.filter((window) => window.to >= probation)) {
    const first = counted.find((index) => index >= from && index <= to);
    if (first === undefined) score -= profile.falseNegative;
    else score += scaledSigmoid(-(to - first + 1) / (to - from + 1)) / scaledSigmoid(-1);
  }
  for (const index of counted) {
    if (windows.some(({ from, to }) => index >= from && index <= to)) continue;
    const before = windows.filter(({ to }) => to < index).at(-1);
    score += profile.falsePositive * scaledSigmoid(before === undefined ? 3 : (index - before.to) / (before.to - before.from));
  }
  return score;
}

/** 100 when every window is found at once and nothing else, 0 when nothing is ever said. */
export const normalised = (raw: number, windows: number, { falseNegative }: Profile): number =>
  (100 * (raw + falseNegative * windows)) / ((1 + falseNegative) * windows);
