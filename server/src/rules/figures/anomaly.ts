import type { Slots } from '@nines/maths/signals/slots.ts';
import { madOf, medianOf } from '@nines/maths/stats/robust.ts';
import { type Figure, type FigureReading, type Input, inWords } from './figure.ts';
import { Past } from './remembered.ts';

export type AnomalySpec = {
  /** What is usual is what was in this much of the past … */
  readonly overMs: number;
  /** … or, when given, at the same time of the last seasons (a day, a week). */
  readonly seasonMs: number | undefined;
  readonly direction: 'both' | 'above' | 'below';
  /** A distance from what is usual up to this is never unusual. */
  readonly minChange: number;
  /** Consecutive readings that must be unusual: one outlier is none. */
  readonly readings: number;
};

type Usual = { readonly slot: number; readonly middle: number; readonly spread: number };
/** `scores` are the last few, oldest first; `usual` is that of the slot it was made for. */
type Extra = { scores: number[]; usual: Usual | undefined };

/** Slots of the past without seasons, and of one season. */
const SLOTS = 240;
const SLOTS_OF_SEASON = 96;
const SEASONS = 7;
/** With fewer values nothing is usual yet. */
const LEAST_VALUES = 30;
/** Of a season: this time of at least two of them, with their neighbours. */
const LEAST_OF_SEASON = 4;
/** A series that hardly moves may move by this part of its middle before that is unusual. */
const LEAST_SPREAD = 0.01;
/** Beyond this all is equally unusual; a series that never moved has no spread to divide by. */
const HIGHEST_SCORE = 1_000;

/**
 * How many spreads a value is away from what is usual: median and median distance, so that outliers of the past shift neither. The
 * figure is the least of the last few readings, so that it says nothing of a single one.
 */
export function anomalyFigure(input: Input, spec: AnomalySpec): Figure {
  const { overMs, seasonMs } = spec;
  const slotMs = Math.ceil(seasonMs === undefined ? overMs / SLOTS : seasonMs / SLOTS_OF_SEASON);
  const capacity = seasonMs === undefined ? SLOTS : SLOTS_OF_SEASON * SEASONS + 1;
  const past = new Past<Extra>({ slotMs, capacity }, () => ({ scores: [], usual: undefined }));
  const usualIn = seasonMs === undefined ? usualOfPast : usualOfSeason;
  return {
    inputs: [input],
    warmUp: { lengthMs: capacity * slotMs, stepMs: slotMs },
    read([vector = []], situation) {
      return past.note(vector, situation).map(({ labels, value, past: { slots, extra } }): FigureReading => {
        const slot = slots.slotAt(situation.atMs);
        if (extra.usual?.slot !== slot) extra.usual = usualIn(slots, slot);
        const { usual } = extra;
        if (usual === undefined || Number.isNaN(value))
          return { labels, value: Number.NaN, undecided: true, why: unknownWhy(value, seasonMs) };
        if (situation.woken) extra.scores = [...extra.scores, scoreOf(value, usual, spec)].slice(-spec.readings);
        const score = extra.scores.length < spec.readings ? 0 : Math.min(...extra.scores);
        return { labels, value: score, words: () => sentence(input.metric, { value, score, usual, isSeasonal: seasonMs !== undefined }) };
      });
    },
  };
}

function scoreOf(value: number, { middle, spread }: Usual, { direction, minChange }: AnomalySpec): number {
  const away = value - middle;
  if (Math.abs(away) <= minChange) return 0;
  if ((direction === 'above' && away < 0) || (direction === 'below' && away > 0)) return 0;
  return away === 0 ? 0 : Math.min(Math.abs(away) / spread, HIGHEST_SCORE);
}

const unknownWhy = (value: number, seasonMs: number | undefined): string => {
  if (Number.isNaN(value)) return 'its value is no number';
  return seasonMs === undefined
    ? `what is usual is not known before ${LEAST_VALUES} values of the past are`
    : 'what is usual at this time is not known before two of its seasons are';
};

/** Of all but the newest slot. */
function usualOfPast(slots: Slots, slot: number): Usual | undefined {
  const values = slots.points(slot - SLOTS + 1, slot).map(({ value }) => value);
  return values.length < LEAST_VALUES ? undefined : usualOf(values, slot);
}

/** Of the same time of the last seasons and a slot to either side, and never narrower than the seasons differ as a whole. */
function usualOfSeason(slots: Slots, slot: number): Usual | undefined {
  const values: number[] = [];
  for (let season = 1; season <= SEASONS; season++) {
    for (const beside of [-1, 0, 1]) values.push(slots.valueOf(slot - season * SLOTS_OF_SEASON + beside));
  }
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length < LEAST_OF_SEASON ? undefined : usualOf(known, slot);
}

function usualOf(values: readonly number[], slot: number): Usual {
  const middle = medianOf(values);
  return { slot, middle, spread: Math.max(madOf(values, middle), LEAST_SPREAD * Math.abs(middle)) };
}

type Found = { readonly value: number; readonly score: number; readonly usual: Usual; readonly isSeasonal: boolean };

const sentence = (metric: string, { value, score, usual, isSeasonal }: Found): string =>
  `${metric} is ${inWords(value)}, ${inWords(score)} times its spread from the usual ${inWords(usual.middle)}${isSeasonal ? ' of this time' : ''}`;
