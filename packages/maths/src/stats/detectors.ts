import { type UnitText, plainText, textIn } from '@nines/base/quantity.ts';
import { at } from './numbers.ts';
import { isolationForest, type IsolationForest } from './isolation-forest.ts';
import { RollingMoments, RollingSorted } from './rolling.ts';

export const METHODS = ['zscore', 'robust_zscore', 'isolation_forest', 'seasonal'] as const;
export type Method = (typeof METHODS)[number];

export type DetectorOptions = {
  readonly method: Method;
  /** Of the isolation forest. */
  readonly seed?: number;
  /** Lengths of seasons in steps, shortest first; `seasonal` compares with them. */
  readonly periods?: readonly number[];
  /** Of the values, for the words of reasons. */
  readonly unit?: string | undefined;
};

export type Finding = { /** 0..1. */ readonly score: number /** In words, made when asked for. */; readonly reason: () => string };

/** Takes values one after the other and says how unlike the ones before each is. Bounded memory, whatever comes. */
export interface Detector {
  next(value: number): Finding;
  /** That many values are missing here: the season goes on without them. */
  skip(count: number): void;
}

/** Values before anything is said. */
export const DETECTOR_WARM = 20;
/** Values that count as recent. */
const WINDOW = 400;
/** The distance, in usual deviations, whose score is 0.95. */
const NOTABLE = 4.5;
const STEEPNESS = 4;
/** Distances beyond this tell no more. */
const MAX_DISTANCE = 2e4;
/** A scale is at least this share of the usual scale: a quiet hour makes no alarm of the next ordinary one. */
const SCALE_FLOOR = 0.25;
/** Slots that a season is divided into at most. */
const MAX_SLOTS = 300;

/** Score of a distance in usual deviations: 0.5 at about 2.2, 0.95 at 4.5, 0.998 at 10. */
export function scoreOf(distance: number): number {
  return 1 - 1 / (1 + 19 * (Math.min(distance, MAX_DISTANCE) / NOTABLE) ** STEEPNESS);
}

export function createDetector({ method, seed = 1, periods = [], unit }: DetectorOptions): Detector {
  const text = textIn(unit);
  switch (method) {
    case 'zscore':
      return new PlainDetector(text);
    case 'robust_zscore':
      return new ResidualDetector(new RecentLevel(), text);
    case 'isolation_forest':
      return new ForestDetector(seed, expectationOf(periods), text);
    case 'seasonal':
      return new ResidualDetector(expectationOf(periods), text);
  }
}

const expectationOf = (periods: readonly number[]): Expectation =>
  periods.length === 0 ? new RecentLevel() : new BestOf([new RecentLevel(), ...periods.map((period) => new SeasonLevel(period))]);

/** Distance from the mean of the last values in their standard deviations. */
class PlainDetector implements Detector {
  readonly #moments = new RollingMoments(WINDOW);
  readonly #text: UnitText;

  constructor(text: UnitText) {
    this.#text = text;
  }

  skip(): void {}

  next(value: number): Finding {
    const { count } = this.#moments;
    const [mean, sd] = [this.#moments.mean(), this.#moments.sd()];
    this.#moments.push(value);
    if (count < DETECTOR_WARM) return QUIET;
    const distance = Math.abs(value - mean) / Math.max(sd, leastScale(mean));
    return {
      score: scoreOf(distance),
      reason: () => `${this.#text(value)} is ${plainText(distance)} standard deviations from the recent mean ${this.#text(mean)}`,
    };
  }
}

const QUIET: Finding = { score: 0, reason: () => 'too few values before it' };
/** Rounding of values of this size is no deviation. */
const leastScale = (value: number): number => 1e-9 * Math.max(1, Math.abs(value));

/** What is expected next, from the values so far. */
interface Expectation {
  /** Undefined while there is too little to go by. */
  expected(): number | undefined;
  readonly words: string;
  learn(value: number): void;
  /** Absent where the place in a season does not matter. */
  skip?(count: number): void;
}

class RecentLevel implements Expectation {
  readonly words = 'the recent median';
  readonly #window = new RollingSorted(WINDOW);

  expected(): number | undefined {
    return this.#window.count < DETECTOR_WARM ? undefined : this.#window.quantile(0.5);
  }

  learn(value: number): void {
    this.#window.push(value);
  }
}

/** The usual value of this place in the season, moved by how far the last values were from theirs. */
class SeasonLevel implements Expectation {
  readonly words: string;
  readonly #period: number;
  readonly #slots: Float64Array;
  readonly #seen: Float64Array;
  #index = 0;
  #offset = 0;

  constructor(period: number) {
    this.#period = period;
    const slots = Math.min(period, MAX_SLOTS);
    this.#slots = new Float64Array(slots);
    this.#seen = new Float64Array(slots);
    this.words = `what is usual at this point of its season of ${period} values`;
  }

  skip(count: number): void {
    this.#index += count;
  }

  #slot(): number {
    return Math.floor(((this.#index % this.#period) * this.#slots.length) / this.#period);
  }

  expected(): number | undefined {
    if (this.#index < this.#period || at(this.#seen, this.#slot()) === 0) return undefined;
    return at(this.#slots, this.#slot()) + this.#offset;
  }

  learn(value: number): void {
    const slot = this.#slot();
    const seen = at(this.#seen, slot) + 1;
    this.#seen[slot] = seen;
    const known = at(this.#slots, slot);
    // The first values of a slot make it, later ones move it: a season changes slowly, and one odd day not at all.
    const cycles = this.#period / this.#slots.length;
    const weight = Math.max(1 / seen, 0.15 / cycles);
    if (this.#index >= this.#period) this.#offset += OFFSET_WEIGHT * (value - known - this.#offset);
    this.#slots[slot] = known + weight * (value - (seen === 1 ? 0 : this.#offset) - known);
    this.#index += 1;
  }
}

/** How much one value moves the level that a season rides on. */
const OFFSET_WEIGHT = 0.05;
/** Weight of the newest error in the comparison of expectations, and how much better another must be to be believed. */
const ERROR_WEIGHT = 0.01;
const MUST_BEAT = 0.9;

/** The one of several expectations whose errors were smallest so far. */
class BestOf implements Expectation {
  readonly #all: readonly Expectation[];
  readonly #errors: Float64Array;
  readonly #judged: Float64Array;

  constructor(all: readonly Expectation[]) {
    this.#all = all;
    this.#errors = new Float64Array(all.length);
    this.#judged = new Float64Array(all.length);
  }

  #best(): Expectation | undefined {
    let best = 0;
    this.#all.forEach((one, i) => {
      if (at(this.#judged, i) >= DETECTOR_WARM && one.expected() !== undefined && at(this.#errors, i) < MUST_BEAT * at(this.#errors, best))
        best = i;
    });
    return this.#all[best];
  }

  get words(): string {
    return this.#best()?.words ?? '';
  }

  expected(): number | undefined {
    return this.#best()?.expected();
  }

  skip(count: number): void {
    for (const one of this.#all) one.skip?.(count);
  }

  learn(value: number): void {
    this.#all.forEach((one, i) => {
      const expected = one.expected();
      if (expected !== undefined) {
        const judged = at(this.#judged, i) + 1;
        this.#judged[i] = judged;
        const weight = Math.max(1 / judged, ERROR_WEIGHT);
        this.#errors[i] = at(this.#errors, i) + weight * (Math.abs(value - expected) - at(this.#errors, i));
      }
      one.learn(value);
    });
  }
}

/**
 * Distance from what is expected, in units of how far values usually were from it. The unit is robust, has a floor, and grows for
 * series whose distances have heavy tails: what happens a few times in a hundred values is nothing to report.
 */
class ResidualDetector implements Detector {
  readonly #expectation: Expectation;
  readonly #residuals = new RollingSorted(WINDOW);
  readonly #distances = new RollingSorted(LONG_WINDOW);
  #usualScale = 0;
  #burst = 0;

  readonly #text: UnitText;

  constructor(expectation: Expectation, text: UnitText) {
    this.#expectation = expectation;
    this.#text = text;
  }

  skip(count: number): void {
    this.#expectation.skip?.(count);
  }

  next(value: number): Finding {
    const expected = this.#expectation.expected();
    const { words } = this.#expectation;
    this.#expectation.learn(value);
    if (expected === undefined) return QUIET;
    const residual = value - expected;
    const warm = this.#residuals.count >= DETECTOR_WARM;
    const scale = this.#scale(expected);
    this.#residuals.push(residual);
    if (!warm) return QUIET;
    const raw = Math.min(MAX_DISTANCE, Math.abs(residual) / scale);
    const distance = raw / this.#tail();
    this.#burst = distance >= NOTABLE ? this.#burst + 1 : 0;
    if (this.#burst <= BURST_LEARNED) this.#distances.push(raw);
    return {
      score: scoreOf(distance),
      reason: () =>
        `${this.#text(value)} is ${plainText(distance)} usual deviations ${residual > 0 ? 'above' : 'below'} ${words}, ${this.#text(expected)}`,
    };
  }

  #scale(expected: number): number {
    if (this.#residuals.count === 0) return leastScale(expected);
    const own = Math.max(this.#residuals.deviation(), (this.#residuals.quantile(0.9) - this.#residuals.quantile(0.1)) / 2.5631);
    this.#usualScale += (own - this.#usualScale) * Math.max(0.002, 1 / this.#residuals.count);
    return Math.max(own, SCALE_FLOOR * this.#usualScale, leastScale(expected));
  }

  /** How much further the furthest 3 % of the distances lie than a normal's would; at least 1. */
  #tail(): number {
    if (this.#distances.count < 4 * DETECTOR_WARM) return 1;
    return Math.max(1, this.#distances.quantile(TAIL_SHARE) / TAIL_NORMAL);
  }
}

/** Of a row of notable values only the first ones tell how common notable values are: the rest is the same event. */
const BURST_LEARNED = 3;
/** Values whose distances make the tail. */
const LONG_WINDOW = 2_000;
const TAIL_SHARE = 0.97;
/** The 97 % quantile of the absolute value of a standard normal. */
const TAIL_NORMAL = 2.1701;

/** How often the forest is grown anew, on the recent values: a longer memory would hold the last event, beside which the next is nothing. */
const FOREST_EVERY = 200;
/** Isolations that make the tail. */
const ISOLATIONS = 1_024;
/** Share of the cuts beyond what was seen: new values may lie there. */
const BEYOND = 0.9;
/** Values over which a lasting distance from what is expected is felt. */
const SHORT = 6;

/**
 * Isolation in the space of distance from what is expected, its short mean, and step; none of these wanders with the level, or else
 * whatever is new would be isolated. The forest is grown on values before the one judged. Isolation itself says little (its scale
 * depends on the values): judged is how far it lies in the tail of the isolations of the values before.
 */
class ForestDetector implements Detector {
  readonly #seed: number;
  readonly #rows: Float64Array[] = [];
  readonly #expectation: Expectation;
  readonly #usual = new RollingSorted(ISOLATIONS);
  #forest: IsolationForest | undefined;
  #last: number | undefined;
  #mean = 0;
  #sinceGrown = 0;
  #grown = 0;
  #burst = 0;

  readonly #text: UnitText;

  constructor(seed: number, expectation: Expectation, text: UnitText) {
    this.#text = text;
    this.#seed = seed;
    this.#expectation = expectation;
  }

  skip(count: number): void {
    this.#expectation.skip?.(count);
  }

  next(value: number): Finding {
    const expected = this.#expectation.expected() ?? value;
    const residual = value - expected;
    this.#mean += (residual - this.#mean) / SHORT;
    const row = Float64Array.of(residual, this.#mean, value - (this.#last ?? value));
    const isolation = this.#forest?.score(row);
    const finding = isolation === undefined ? QUIET : this.#judge(value, isolation);
    this.#last = value;
    this.#expectation.learn(value);
    this.#rows.push(row);
    if (this.#rows.length > WINDOW) this.#rows.shift();
    this.#sinceGrown += 1;
    const young = this.#grown < 3 && this.#sinceGrown >= 3 * DETECTOR_WARM;
    if (young || this.#sinceGrown >= FOREST_EVERY) this.#grow();
    return finding;
  }

  #judge(value: number, isolation: number): Finding {
    const middle = this.#usual.quantile(0.5);
    const edge = this.#usual.quantile(1 - TAIL_FROM);
    const fold = Math.max(this.#usual.quantile(1 - TAIL_FROM / TAIL_FOLDS) - edge, LEAST_REACH) / Math.log(TAIL_FOLDS);
    const distance = (NOTABLE * Math.max(0, isolation - edge)) / (fold * Math.log(TAIL_FROM / RARE));
    this.#burst = distance >= NOTABLE ? this.#burst + 1 : 0;
    if (this.#burst <= BURST_LEARNED) this.#usual.push(isolation);
    return {
      score: scoreOf(distance),
      reason: () =>
        `${this.#text(value)} with its step is set apart by few cuts: isolation ${plainText(isolation)}, usually ${plainText(middle)}`,
    };
  }

  #grow(): void {
    const grown = isolationForest(this.#rows, { seed: this.#seed + this.#grown, beyond: BEYOND });
    this.#sinceGrown = 0;
    this.#grown += 1;
    if (!grown.ok) return;
    const first = this.#forest === undefined;
    this.#forest = grown.value;
    if (first) for (const row of this.#rows) this.#usual.push(grown.value.score(row));
  }
}

/**
 * The tail of the isolations is taken as exponential: from the share `TAIL_FROM` on it falls to 1 / `TAIL_FOLDS` within what the
 * values show, and goes on so. Beyond the share `RARE` a value is notable. Source: the peaks over threshold of Pickands 1975.
 */
const TAIL_FROM = 0.1;
const TAIL_FOLDS = 10;
const RARE = 0.001;
/** Isolation scores closer than this differ by chance. */
const LEAST_REACH = 0.04;
