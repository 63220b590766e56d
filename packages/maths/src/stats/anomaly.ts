import { type Numbers, at, notFinite } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';
import { ok } from '@nines/base/result.ts';
import { DETECTOR_WARM, createDetector, type Detector, type DetectorOptions } from './detectors.ts';

/** A stretch of time in which values were unlike the ones before: one finding, however many values it spans. */
export type Episode = {
  /** Indexes of its first and last unusual value. */
  readonly from: number;
  readonly to: number;
  /** The highest score inside. */
  readonly score: number;
  /** Index of the value with that score. */
  readonly peak: number;
  readonly reason: string;
};

export type Anomalies = { readonly scores: Float64Array; readonly episodes: readonly Episode[] };

export const DEFAULT_SENSITIVITY = 0.95;
/** Unusual values this close, as a share of the recent window, belong to one episode; no other begins before that has passed. */
export const QUIET_VALUES = 60;

export type AnomalyOptions = DetectorOptions & {
  readonly sensitivity?: number;
  /** How many values are missing before each, as long as the values; none without it. */
  readonly missing?: Numbers;
};

/**
 * Scores of values one step apart, each from the values up to its own, and the episodes they make: those with a score of at least
 * `sensitivity`. Finite values; the first `DETECTOR_WARM` have score 0, as there is nothing to compare them with.
 */
export function anomaliesOf(values: Numbers, options: AnomalyOptions): Answer<Anomalies> {
  const sensitivity = options.sensitivity ?? DEFAULT_SENSITIVITY;
  if (!(sensitivity > 0 && sensitivity < 1)) return refuse('bad_sensitivity', 'sensitivity must be above 0 and below 1');
  if (values.length <= DETECTOR_WARM)
    return refuse('too_few_points', `more than ${DETECTOR_WARM} values are needed to know what is usual, there are ${values.length}`);
  if (notFinite(values) >= 0) return refuse('not_finite', 'a value is not a finite number of at most 1e100 in size');
  const detector: Detector = createDetector(options);
  const grouping = new EpisodeGrouping(sensitivity);
  const scores = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const missing = options.missing === undefined ? 0 : at(options.missing, i);
    if (missing > 0) detector.skip(missing);
    const finding = detector.next(at(values, i));
    scores[i] = finding.score;
    grouping.next(i, finding.score, finding.reason);
  }
  return ok({ scores, episodes: grouping.episodes() });
}

/** Makes episodes of scores as they come. Keeps the open episode and those that are done. */
export class EpisodeGrouping {
  readonly #sensitivity: number;
  readonly #done: Episode[] = [];
  #open: Episode | undefined;

  constructor(sensitivity: number) {
    this.#sensitivity = sensitivity;
  }

  /** Returns the episode that begins with this value, if one does. */
  next(index: number, score: number, reason: () => string): Episode | undefined {
    const open = this.#open;
    if (open !== undefined && index - open.to > QUIET_VALUES) {
      this.#done.push(open);
      this.#open = undefined;
    }
    if (score < this.#sensitivity) return undefined;
    if (this.#open === undefined) {
      this.#open = { from: index, to: index, score, peak: index, reason: reason() };
      return this.#open;
    }
    const higher = score > this.#open.score;
    this.#open = { ...this.#open, to: index, ...(higher ? { score, peak: index, reason: reason() } : {}) };
    return undefined;
  }

  episodes(): readonly Episode[] {
    return this.#open === undefined ? this.#done : [...this.#done, this.#open];
  }
}
