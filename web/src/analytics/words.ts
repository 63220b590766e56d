/** What the figures of the analytics say, as sentences. Pure. */
import type { AnomaliesWire, CorrelationWire, ForecastWire, SeasonalityWire, TrendWire } from '../api/analytics.ts';
import { shortLengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { type UnitText, differenceText } from './units.ts';

/** A share as whole percent; what is nearly all is not called all, and what is nearly nothing not none. */
export function shareText(share: number): string {
  if (share > 0.99 && share < 1) return t('over 99 %');
  if (share > 0 && share < 0.01) return t('under 1 %');
  return `${Math.round(share * 100)} %`;
}

export const chanceText = (p: number): string => (p < 0.001 ? 'p below 0.001' : `p ${p.toFixed(3)}`);

export type Refused = { readonly reason: string; readonly message: string };
export const isRefused = <Part extends object>(part: Part | Refused): part is Refused => 'message' in part && 'reason' in part;

/** The slope with its interval, or that there is none. */
export function trendSentence(trend: TrendWire, text: UnitText): string {
  const level = shareText(trend.level);
  const between = `${differenceText(trend.lower, text)} to ${differenceText(trend.upper, text)} a day at ${level}`;
  if (trend.direction === 'none') return `No trend: the slope may be anything from ${between}, zero included.`;
  const way = trend.direction === 'rising' ? 'Rises' : 'Falls';
  return `${way} by ${text(Math.abs(trend.per_day))} a day (${between}; ${chanceText(trend.p)}).`;
}

const SEASON_WORDS: Readonly<Record<string, string>> = { hourly: 'hour', daily: 'day', weekly: 'week', yearly: 'year' };
const seasonWord = (name: string): string => SEASON_WORDS[name] ?? name;

/** What the naive forecast repeats. */
function repeated({ season, seasons }: ForecastWire): string {
  if (season <= 1) return 'the last value';
  const named = seasons.find(({ length }) => length === season);
  return named === undefined ? `the last ${season} points` : `the last ${seasonWord(named.name)}`;
}

/** How the forecast did on what it had not seen. */
export function backtestSentences(forecast: ForecastWire, stepMs: number): readonly string[] {
  const { backtest, level } = forecast;
  if (backtest.origins === 0) return [t('The values have never changed, so that there was nothing to get wrong.')];
  const { mase, naive_mase: naive, beat_naive: beaten, origins, coverage, horizon } = backtest;
  const tries = `${origins} ${origins === 1 ? 'try' : 'tries'}, each ${shortLengthText(horizon * stepMs)} ahead`;
  const better =
    naive <= 0 || mase >= naive
      ? `no smaller than those of repeating ${repeated(forecast)}`
      : `${shareText(1 - mase / naive)} smaller than those of repeating ${repeated(forecast)}`;
  return [
    `Beat repeating ${repeated(forecast)} in ${beaten} of ${tries}.`,
    `Its errors were ${better} (MASE ${mase.toFixed(2)} against ${naive.toFixed(2)}).`,
    `Its ${shareText(level)} band held ${shareText(coverage)} of what came.`,
  ];
}

/** Trusting a forecast is a matter of its past: one word and why. */
export function forecastDoubt({ backtest, level }: ForecastWire): { readonly word: string; readonly why: string } {
  const { mase, naive_mase: naive, coverage, origins } = backtest;
  if (origins === 0) return { word: t('Nothing to judge by'), why: 'the values have never changed' };
  if (coverage < level - 0.1) return { word: t('Doubtful'), why: `too little of what came was inside the band` };
  if (naive > 0 && mase >= naive) return { word: t('Weak'), why: 'it does no better than repeating what was' };
  if (coverage < level - 0.05) return { word: t('Fair'), why: 'it did better than repeating what was, but its band held too little' };
  if (origins < 12) return { word: t('Fair'), why: 'there were few tries to judge it by' };
  return naive > 0 && mase > 0.9 * naive
    ? { word: t('Fair'), why: 'it does a little better than repeating what was' }
    : { word: t('Good'), why: 'it did better than repeating what was, and its band held' };
}

const METHOD_WORDS: Readonly<Record<string, string>> = {
  seasonal: 'distance from what the same time of the day, week or year foretells',
  robust_zscore: 'distance from the median of the last 400 values, in robust deviations',
  zscore: 'distance from the mean of the last 400 values, in deviations',
  isolation_forest: 'how quickly a forest of random cuts sets a value apart from the last 1 024',
};
export const METHOD_NAMES: Readonly<Record<string, string>> = {
  seasonal: t('Seasonal'),
  robust_zscore: t('Robust z-score'),
  zscore: 'Z-score',
  isolation_forest: t('Isolation forest'),
};

export const anomalyMethod = ({ method, sensitivity }: AnomaliesWire): string =>
  `${METHOD_NAMES[method] ?? method}: ${METHOD_WORDS[method] ?? method}. Reported from a score of ${sensitivity}.`;

export function seasonSentence({ seasons }: SeasonalityWire): string {
  const present = seasons.filter(({ present }) => present);
  if (present.length === 0) return t('No rhythm: nothing that repeats was found beyond chance.');
  const told = present.map(({ name, strength }) => `every ${seasonWord(name)} (strength ${strength.toFixed(2)} of 1)`);
  return `Repeats ${told.join(' and ')}.`;
}

type Pair = CorrelationWire['pairs'][number];

/** How a series moves with another, as seen from `name`. */
export function relationSentence(pair: Pair, name: string): string {
  const other = pair.x === name ? pair.y : pair.x;
  // A positive lag says that y follows x.
  const lagMs = (pair.lag_ms ?? 0) * (pair.x === name ? 1 : -1);
  const way = pair.spearman >= 0 ? 'rises with it' : 'falls when it rises';
  if (lagMs === 0) return `${other} ${way}, at the same time.`;
  return lagMs > 0 ? `${other} ${way}, ${shortLengthText(lagMs)} later.` : `${other} ${way}, ${shortLengthText(-lagMs)} before it.`;
}

export const relationDoubt = ({ spearman, pearson, effective, p }: Pair): string =>
  `rank correlation ${spearman.toFixed(2)}, linear ${pearson.toFixed(2)}, worth ${Math.round(effective)} independent values, ${chanceText(p)} after correction`;
