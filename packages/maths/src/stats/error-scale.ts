import { type Numbers, at } from './numbers.ts';

/** In which terms errors are of one size: as they are, or as a part of what was forecast. */
export type ErrorScale = {
  readonly name: 'absolute' | 'relative';
  readonly errorOf: (actual: number, predicted: number) => number;
  /** The value that lies `distance` from a forecast, in these terms. */
  readonly away: (predicted: number, distance: number) => number;
};

const ABSOLUTE: ErrorScale = {
  name: 'absolute',
  errorOf: (actual, predicted) => actual - predicted,
  away: (predicted, distance) => predicted + distance,
};

/** Logarithms of quotients; values and forecasts above zero. */
const RELATIVE: ErrorScale = {
  name: 'relative',
  errorOf: (actual, predicted) => Math.log(actual / predicted),
  away: (predicted, distance) => predicted * Math.exp(distance),
};

/** By how much relative errors must be the likelier, per value: what nearly ties stays as it is. */
const MUST_GAIN = 0.01;
/** Relative errors beyond this factor say that nothing is known of the size; an interval of them would reach into the absurd. */
const MOST_LOG = Math.log(30);

/**
 * The terms in which past errors look most like those of one normal law per step ahead: seasons and noise of many series grow with
 * their level, and an interval made of what was would then be too narrow for what comes. Rows are origins. Relative only where all
 * values and forecasts are above zero. Source: Box & Cox 1964, the likelihood of a transformation with its Jacobian.
 */
export function errorScaleOf(actual: readonly Numbers[], predicted: readonly Numbers[], coming: Numbers): ErrorScale {
  if (![...actual, ...predicted, coming].every(isPositive)) return ABSOLUTE;
  const steps = actual[0]?.length ?? 0;
  let [gain, count] = [0, 0];
  for (let j = 0; j < steps; j++) {
    let [absolute, relative, logs] = [0, 0, 0];
    actual.forEach((row, o) => {
      const [value, guess] = [at(row, j), at(predicted[o] ?? row, j)];
      absolute += (value - guess) ** 2;
      const log = Math.log(value / guess);
      if (Math.abs(log) > MOST_LOG) relative = Number.POSITIVE_INFINITY;
      relative += log * log;
      logs += Math.log(value);
    });
    if (!(absolute > 0)) continue;
    gain += (actual.length / 2) * Math.log(absolute / relative) - logs;
    count += actual.length;
  }
  return count > 0 && gain / count > MUST_GAIN ? RELATIVE : ABSOLUTE;
}

const isPositive = (values: Numbers): boolean => {
  for (let i = 0; i < values.length; i++) if (!(at(values, i) > 0)) return false;
  return true;
};
