import { QUIET_VALUES } from '@nines/maths/stats/anomaly.ts';
import { DETECTOR_WARM, createDetector, type Detector, type Method } from '@nines/maths/stats/detectors.ts';
import { LARGEST } from '@nines/maths/stats/numbers.ts';
import { medianOf } from '@nines/maths/stats/robust.ts';
import { calendarPeriods } from '@nines/maths/stats/season.ts';

/** A stretch of unusual values of one series, Unix milliseconds. */
export type Episode = {
  readonly fromMs: number;
  /** Of its last unusual value so far. */
  readonly toMs: number;
  readonly peakMs: number;
  /** The highest inside. */
  readonly score: number;
  readonly reason: string;
};
export type EpisodeChange = { readonly kind: 'opened' | 'extended' | 'closed'; readonly episode: Episode };
export type Scored = {
  /** 0..1; null while too little came before to tell. */
  readonly score: number | null;
  readonly changes: readonly EpisodeChange[];
};

export type ScorerOptions = {
  readonly method: Method;
  readonly sensitivity: number;
  /** Values of a counter: scored is its increase per second. */
  readonly counter: boolean;
  /** Distance of the values where it is known; otherwise that of the first few. */
  readonly stepMs?: number | undefined;
  /** Of the values, for the words of reasons. */
  readonly unit?: string;
};

/** Distances that tell how far apart values are. */
const STEP_SAMPLE = 4;
/** A gap of more steps than this is a new beginning for seasons, not so many missing values. */
const MAX_SKIPPED = 1_000_000;
const NOTHING: Scored = { score: null, changes: [] };
const NO_CHANGES: readonly EpisodeChange[] = [];

/**
 * Scores the values of one series as they come, each from those before it, and follows the episodes they make. Constant time and
 * bounded memory for each value. Values that are not newer than the last, and those that are no finite number, are passed over.
 */
export class SeriesScorer {
  readonly #options: ScorerOptions;
  #detector: Detector | undefined;
  #stepMs: number;
  /** Values before the step is known. */
  #early: { readonly atMs: number; readonly value: number }[] = [];
  #lastMs: number | undefined;
  #counted: { readonly atMs: number; readonly value: number } | undefined;
  #seen = 0;
  #quiet = 0;
  #open: Episode | undefined;

  constructor(options: ScorerOptions) {
    this.#options = options;
    this.#stepMs = options.stepMs ?? 0;
  }

  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  get open(): Episode | undefined {
    return this.#open;
  }

  /** Goes on with an episode that was open when the server stopped. */
  resume(episode: Episode): void {
    this.#open = episode;
    this.#quiet = 0;
  }

  /** Judges a value as it arrived: of a counter its count. */
  next(atMs: number, value: number): Scored {
    if (this.#lastMs !== undefined && atMs <= this.#lastMs) return NOTHING;
    return this.#take(atMs, this.#options.counter ? this.#increase(atMs, value) : value, false);
  }

  /** Takes a value of the past, of a counter its increase per second: it tells what is usual and is not judged. */
  learn(atMs: number, value: number): void {
    if (this.#lastMs === undefined || atMs > this.#lastMs) this.#take(atMs, value, true);
  }

  #take(atMs: number, value: number, learning: boolean): Scored {
    const gapMs = this.#lastMs === undefined ? 0 : atMs - this.#lastMs;
    if (!(Math.abs(value) <= LARGEST)) return NOTHING;
    this.#lastMs = atMs;
    const detector = this.#detector ?? this.#begin(atMs, value);
    if (detector === undefined) return NOTHING;
    const missing = this.#stepMs > 0 ? Math.round(gapMs / this.#stepMs) - 1 : 0;
    if (missing > 0 && missing < MAX_SKIPPED) detector.skip(missing);
    return this.#judge(detector, { atMs, value }, learning);
  }

  #increase(atMs: number, value: number): number {
    const before = this.#counted;
    if (!Number.isFinite(value)) return Number.NaN;
    this.#counted = { atMs, value };
    if (before === undefined || atMs <= before.atMs) return Number.NaN;
    // A counter that fell began anew at zero.
    const increase = value >= before.value ? value - before.value : value;
    return (increase * 1000) / (atMs - before.atMs);
  }

  /** The detector, once the distance of the values is known; it is given what came before this one. */
  #begin(atMs: number, value: number): Detector | undefined {
    if (this.#stepMs === 0) {
      this.#early.push({ atMs, value });
      if (this.#early.length <= STEP_SAMPLE) return undefined;
      const times = this.#early.map((one) => one.atMs);
      this.#stepMs = medianOf(times.slice(1).map((time, i) => time - (times[i] ?? 0)));
      this.#early.pop();
    }
    const periods = calendarPeriods(this.#stepMs, Number.MAX_SAFE_INTEGER).map(({ length }) => length);
    const detector = createDetector({ method: this.#options.method, periods, unit: this.#options.unit });
    for (const early of this.#early) detector.next(early.value);
    this.#seen = this.#early.length;
    this.#early = [];
    this.#detector = detector;
    return detector;
  }

  #judge(detector: Detector, { atMs, value }: { readonly atMs: number; readonly value: number }, learning: boolean): Scored {
    const { score, reason } = detector.next(value);
    this.#seen += 1;
    if (learning || this.#seen <= DETECTOR_WARM) return NOTHING;
    if (this.#open === undefined && score < this.#options.sensitivity) return { score, changes: NO_CHANGES };
    const changes: EpisodeChange[] = [];
    this.#quiet += 1;
    if (this.#open !== undefined && this.#quiet > QUIET_VALUES) {
      changes.push({ kind: 'closed', episode: this.#open });
      this.#open = undefined;
    }
    if (score >= this.#options.sensitivity) {
      const before = this.#open;
      const peak = before === undefined || score > before.score ? { peakMs: atMs, score, reason: reason() } : undefined;
      this.#open = { fromMs: atMs, peakMs: atMs, score, reason: '', ...before, toMs: atMs, ...peak };
      this.#quiet = 0;
      changes.push({ kind: before === undefined ? 'opened' : 'extended', episode: this.#open });
    }
    return { score, changes };
  }
}
