import { type Numbers, at, meanOf } from './numbers.ts';
import { autocorrelations, centredMean, deseasoned } from './season.ts';
import { smoothingForecast, thetaForecast } from './smoothing.ts';

/** Makes `horizon` values that follow `history`, from nothing but it. */
export type Forecaster = { readonly name: string; readonly forecast: (history: Float64Array, horizon: number) => Float64Array };

const ahead = (horizon: number, value: (j: number) => number): Float64Array => Float64Array.from({ length: horizon }, (_, j) => value(j));

const last = (history: Numbers): number => at(history, history.length - 1);

/** The last cycle again; of period 1 the last value. */
export function seasonalNaive(period: number): Forecaster {
  return {
    name: period === 1 ? 'naive' : `seasonal_naive(${period})`,
    forecast: (history, horizon) => ahead(horizon, (j) => at(history, history.length - period + (j % period))),
  };
}

/** The last cycle again, with how far the last value was from the cycle before, fading as such distances did. */
function fadingNaive(period: number): Forecaster {
  return {
    name: `seasonal_naive_ar(${period})`,
    forecast: (history, horizon) => {
      const change = Float64Array.from({ length: history.length - period }, (_, i) => at(history, i + period) - at(history, i));
      const kept = fading(change);
      return ahead(horizon, (j) => at(history, history.length - period + (j % period)) + last(change) * kept ** (j + 1));
    },
  };
}

/** The autocorrelation of neighbours as what is left of a deviation after one step. */
const fading = (values: Float64Array): number => Math.min(0.99, Math.max(0, at(autocorrelations(values, 2), 1)));

/** What is forecast when there is no season, or once it is taken out. */
const PLAIN: readonly Forecaster[] = [
  { name: 'level', forecast: (history, horizon) => smoothingForecast(history, { trend: false, period: 1 }, horizon) },
  { name: 'holt', forecast: (history, horizon) => smoothingForecast(history, { trend: true, period: 1 }, horizon) },
  { name: 'theta', forecast: thetaForecast },
  { name: 'ar', forecast: autoregression },
];
const PROPORTIONAL = PLAIN.filter(({ name }) => name === 'level' || name === 'ar');
const UNSEASONAL: readonly Forecaster[] = [
  { name: 'linear', forecast: linear },
  { name: 'quadratic', forecast: quadratic },
  { name: 'moving_average', forecast: (history, horizon) => ahead(horizon, () => meanOf(history.subarray(-MOVING_AVERAGE))) },
  {
    name: 'drift',
    forecast: (history, horizon) => {
      const slope = (last(history) - at(history, 0)) / (history.length - 1);
      return ahead(horizon, (j) => last(history) + slope * (j + 1));
    },
  },
];
const MOVING_AVERAGE = 12;
/** Values that the mean of an autoregression looks back on, at least. */
const MEAN_WINDOW = 60;

/** Back to the recent mean, as fast as deviations from it used to fade. */
function autoregression(history: Float64Array, horizon: number): Float64Array {
  const recent = history.subarray(-Math.max(MEAN_WINDOW, Math.ceil(history.length / 3)));
  const mean = meanOf(recent);
  const smooth = centredMean(recent, recent.length);
  const kept = fading(recent.map((value, i) => value - (at(smooth, i) + mean) / 2));
  return ahead(horizon, (j) => mean + (last(history) - mean) * kept ** (j + 1));
}

function linear(history: Float64Array, horizon: number): Float64Array {
  const middle = (history.length - 1) / 2;
  const mean = meanOf(history);
  let [above, below] = [0, 0];
  history.forEach((value, i) => {
    above += (i - middle) * (value - mean);
    below += (i - middle) ** 2;
  });
  return ahead(horizon, (j) => mean + (above / below) * (history.length + j - middle));
}

/** On Legendre polynomials over the history, which are nearly independent of each other. */
function quadratic(history: Float64Array, horizon: number): Float64Array {
  const n = history.length;
  const half = (n - 1) / 2;
  const second = (i: number): number => 1.5 * ((i - half) / half) ** 2 - 0.5;
  const base = meanOf(Float64Array.from(history, (_, i) => second(i)));
  let [above, below] = [0, 0];
  history.forEach((value, i) => {
    above += (second(i) - base) * value;
    below += (second(i) - base) ** 2;
  });
  const bend = above / below;
  const flat = history.map((value, i) => value - bend * (second(i) - base));
  return linear(flat, horizon).map((value, j) => value + bend * (second(n + j) - base));
}

/** The same forecasters on what is left when the seasons are taken out; the seasons are added again. */
function seasonal(periods: readonly number[], inner: Forecaster): Forecaster {
  return {
    name: `profile(${periods.join(',')})+${inner.name}`,
    forecast: (history, horizon) => {
      const { rest, next } = deseasoned(history, periods);
      return inner.forecast(rest, horizon).map((value, j) => value + next(j));
    },
  };
}

/** The same on logarithms, for seasons that grow with the level. Of series that are not above zero everywhere nothing is made of it. */
function proportional(inner: Forecaster): Forecaster {
  return {
    name: `log ${inner.name}`,
    forecast: (history, horizon) => {
      if (!history.every((value) => value > 0)) return new Float64Array(horizon).fill(Number.NaN);
      return inner.forecast(history.map(Math.log), horizon).map(Math.exp);
    },
  };
}

/** All that are tried on a series with these seasons (in steps, ascending; none for no season). The first is the seasonal naive. */
export function forecastersFor(periods: readonly number[]): readonly Forecaster[] {
  const [main] = periods;
  if (main === undefined) return [seasonalNaive(1), ...PLAIN, ...UNSEASONAL];
  const sets = periods.map((_, i) => periods.slice(0, i + 1));
  return [
    ...periods.map(seasonalNaive),
    ...periods.map(fadingNaive),
    {
      name: `holt_winters(${main})`,
      forecast: (history, horizon) => smoothingForecast(history, { trend: true, period: main }, horizon),
    },
    {
      name: `seasonal_smoothing(${main})`,
      forecast: (history, horizon) => smoothingForecast(history, { trend: false, period: main }, horizon),
    },
    ...sets.flatMap((set) => PLAIN.map((inner) => seasonal(set, inner))),
    ...sets.flatMap((set) => PROPORTIONAL.map((inner) => proportional(seasonal(set, inner)))),
    seasonalNaive(1),
  ];
}
