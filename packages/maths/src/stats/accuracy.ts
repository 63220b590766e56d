import { type Numbers, at } from './numbers.ts';

/** Mean absolute error of the seasonal naive forecast inside `history`: the unit of MASE. NaN with fewer than `period` + 1 values. */
export function naiveScale(history: Numbers, period: number): number {
  let sum = 0;
  for (let i = period; i < history.length; i++) sum += Math.abs(at(history, i) - at(history, i - period));
  return sum / (history.length - period);
}

export function meanAbsoluteError(actual: Numbers, predicted: Numbers): number {
  let sum = 0;
  for (let i = 0; i < actual.length; i++) sum += Math.abs(at(actual, i) - at(predicted, i));
  return sum / actual.length;
}

/** Symmetric mean absolute percentage error as M4 has it, 0..2; a pair of zeros counts as no error. */
export function symmetricError(actual: Numbers, predicted: Numbers): number {
  let sum = 0;
  for (let i = 0; i < actual.length; i++) {
    const size = Math.abs(at(actual, i)) + Math.abs(at(predicted, i));
    if (size > 0) sum += (2 * Math.abs(at(actual, i) - at(predicted, i))) / size;
  }
  return sum / actual.length;
}

/** Mean absolute percentage error, as a share; NaN when an actual is zero. */
export function percentageError(actual: Numbers, predicted: Numbers): number {
  let sum = 0;
  for (let i = 0; i < actual.length; i++) sum += Math.abs((at(actual, i) - at(predicted, i)) / at(actual, i));
  return sum / actual.length;
}

/** Σ|error| / Σ|actual|; NaN when nothing was there. Unlike MAPE it has a value when some actuals are zero. */
export function weightedPercentageError(actual: Numbers, predicted: Numbers): number {
  let [errors, size] = [0, 0];
  for (let i = 0; i < actual.length; i++) {
    errors += Math.abs(at(actual, i) - at(predicted, i));
    size += Math.abs(at(actual, i));
  }
  return size > 0 ? errors / size : Number.NaN;
}
