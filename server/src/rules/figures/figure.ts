/**
 * What a rule compares with its limits, for each series: the value itself, its change, its forecast, how unusual it is, how long
 * it is silent, or whether several conditions hold. A figure is told instant vectors in the order of time and answers readings;
 * what it remembers is bounded and comes from the store again after a restart. So operation and back-test run the same code.
 */
import { formatDuration } from '@nines/base/duration.ts';
import { ms } from '@nines/base/units.ts';
import type { Labels } from '@nines/model/labels.ts';
import { formatValue } from '@nines/promql/value.ts';
import type { Source } from '../metric.ts';
import type { Limit, Reading } from '../threshold.ts';

/** One instant vector that a figure needs: `sources` asked `offsetMs` before the instant. */
export type Input = {
  /** As written, for labels and texts. */
  readonly metric: string;
  readonly sources: readonly Source[];
  readonly offsetMs: number;
};

export type Situation = {
  readonly atMs: number;
  /** False when a timer asks: there is no new sample. */
  readonly woken: boolean;
  /** When this process began to evaluate. */
  readonly startedAtMs: number;
  /** Whether an alert of the rule about these labels (of a reading) is open and fires. */
  readonly isFiring: (labels: Labels) => boolean;
};

export type FigureReading = Reading & {
  /** The summary when the reading is beyond `limit`; a sentence about the metric and its value without. */
  readonly words?: (limit: Limit) => string;
  /** Of what is undecided: why, in words. */
  readonly why?: string;
};

export interface Figure {
  readonly inputs: readonly Input[];
  /** How much of the past it wants to be told before the first instant. */
  readonly warmUp?: { readonly lengthMs: number; readonly stepMs: number };
  /** `vectors` are those of `inputs`, in their order; labels are without the metric's name and with `metric`. */
  read(vectors: readonly (readonly Reading[])[], situation: Situation): readonly FigureReading[];
  /** When it wants to be asked again without a sample. */
  nextAtMs?(afterMs: number): number | null;
}

/** Most series of a figure that remembers their past. */
export const MAX_REMEMBERED_SERIES = 2_000;

/** Four significant digits, for a sentence; the value itself stays exact. */
export const inWords = (value: number): string => formatValue(Number(value.toPrecision(4)));

export const lengthInWords = (lengthMs: number): string => formatDuration(ms(Math.round(lengthMs / 1000) * 1000));

/** The value as it is. */
export const valueFigure = (input: Input): Figure => ({ inputs: [input], read: ([vector = []]) => vector });
