/** What the figures of the analytics say, as sentences. Pure. */
import type { AnomaliesWire, CorrelationWire, ForecastWire, SeasonalityWire, TrendWire } from '../api/analytics.ts';
import { shortLengthText } from '../figures/length.ts';
import { listText } from '../figures/list.ts';
import { PERCENT, decimalText } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { type UnitText, differenceText } from './units.ts';

/** A share as whole percent; what is nearly all is not called all, and what is nearly nothing not none. */
export function shareText(share: number): string {
  if (share > 0.99 && share < 1) return t('over 99 %');
  if (share > 0 && share < 0.01) return t('under 1 %');
  return `${Math.round(share * 100)}${PERCENT}`;
}

const twoDigits = (value: number): string => decimalText(value.toFixed(2));

export const chanceText = (p: number): string => (p < 0.001 ? t('p below 0.001') : `p ${decimalText(p.toFixed(3))}`);

export type Refused = { readonly reason: string; readonly message: string };
export const isRefused = <Part extends object>(part: Part | Refused): part is Refused => 'message' in part && 'reason' in part;

/** The slope with its interval, or that there is none. */
export function trendSentence(trend: TrendWire, text: UnitText): string {
  const said = {
    lower: differenceText(trend.lower, text),
    upper: differenceText(trend.upper, text),
    level: shareText(trend.level),
    by: text(Math.abs(trend.per_day)),
    chance: chanceText(trend.p),
  };
  if (trend.direction === 'none')
    return t('No trend: the slope may be anything from {lower} to {upper} a day at {level}, zero included.', said);
  return trend.direction === 'rising'
    ? t('Rises by {by} a day ({lower} to {upper} a day at {level}; {chance}).', said)
    : t('Falls by {by} a day ({lower} to {upper} a day at {level}; {chance}).', said);
}

const SEASON_NAMES: Readonly<Record<string, string>> = {
  hourly: t('hourly||rhythm'),
  daily: t('daily||rhythm'),
  weekly: t('weekly||rhythm'),
  yearly: t('yearly||rhythm'),
};
/** What the server calls a season, in the language of the page. */
export const seasonName = (name: string): string => SEASON_NAMES[name] ?? name;

const LAST_SEASONS: Readonly<Record<string, string>> = {
  hourly: t('the last hour||repeated'),
  daily: t('the last day||repeated'),
  weekly: t('the last week||repeated'),
  yearly: t('the last year||repeated'),
};

/** What the naive forecast repeats. */
function repeated({ season, seasons }: ForecastWire): string {
  if (season <= 1) return t('the last value||repeated');
  const named = seasons.find(({ length }) => length === season);
  return (named === undefined ? undefined : LAST_SEASONS[named.name]) ?? t('the last {season} points||repeated', { season });
}

/** How the forecast did on what it had not seen. */
export function backtestSentences(forecast: ForecastWire, stepMs: number): readonly string[] {
  const { backtest, level } = forecast;
  if (backtest.origins === 0) return [t('The values have never changed, so that there was nothing to get wrong.')];
  const { mase, naive_mase: naive, beat_naive: beaten, origins, coverage, horizon } = backtest;
  const what = repeated(forecast);
  const errors = { what, mase: twoDigits(mase), naive: twoDigits(naive) };
  return [
    t('Beat repeating {what} in {beaten} of {tries, plural, one {# try} other {# tries}}, each {ahead} ahead.', {
      what,
      beaten,
      tries: origins,
      ahead: shortLengthText(horizon * stepMs),
    }),
    naive <= 0 || mase >= naive
      ? t('Its errors were no smaller than those of repeating {what} (MASE {mase} against {naive}).', errors)
      : t('Its errors were {share} smaller than those of repeating {what} (MASE {mase} against {naive}).', {
          ...errors,
          share: shareText(1 - mase / naive),
        }),
    t('Its {level} band held {share} of what came.', { level: shareText(level), share: shareText(coverage) }),
  ];
}

/** How far something can be believed: one word and why. */
export type Doubt = { readonly word: string; readonly why: string };
export const doubtText = ({ word, why }: Doubt): string => t('{word}: {why}.', { word, why });

/** Trusting a forecast is a matter of its past. */
export function forecastDoubt({ backtest, level }: ForecastWire): Doubt {
  const { mase, naive_mase: naive, coverage, origins } = backtest;
  if (origins === 0) return { word: t('Nothing to judge by'), why: t('the values have never changed') };
  if (coverage < level - 0.1) return { word: t('Doubtful'), why: t('too little of what came was inside the band') };
  if (naive > 0 && mase >= naive) return { word: t('Weak'), why: t('it does no better than repeating what was') };
  if (coverage < level - 0.05) return { word: t('Fair'), why: t('it did better than repeating what was, but its band held too little') };
  if (origins < 12) return { word: t('Fair'), why: t('there were few tries to judge it by') };
  return naive > 0 && mase > 0.9 * naive
    ? { word: t('Fair'), why: t('it does a little better than repeating what was') }
    : { word: t('Good'), why: t('it did better than repeating what was, and its band held') };
}

const METHOD_WORDS: Readonly<Record<string, string>> = {
  seasonal: t('distance from what the same time of the day, week or year foretells'),
  robust_zscore: t('distance from the median of the last 400 values, in robust deviations'),
  zscore: t('distance from the mean of the last 400 values, in deviations'),
  isolation_forest: t('how quickly a forest of random cuts sets a value apart from the last 1 024'),
};
export const METHOD_NAMES: Readonly<Record<string, string>> = {
  seasonal: t('Seasonal'),
  robust_zscore: t('Robust z-score'),
  zscore: t('Z-score'),
  isolation_forest: t('Isolation forest'),
};

export const anomalyMethod = ({ method, sensitivity }: AnomaliesWire): string =>
  t('{name}: {how}. Reported from a score of {score}.', {
    name: METHOD_NAMES[method] ?? method,
    how: METHOD_WORDS[method] ?? method,
    score: decimalText(String(sensitivity)),
  });

/** `every day (strength 0.92 of 1)`. */
function rhythmText({ name, strength: figure }: SeasonalityWire['seasons'][number]): string {
  const strength = twoDigits(figure);
  switch (name) {
    case 'hourly':
      return t('every hour (strength {strength} of 1)', { strength });
    case 'daily':
      return t('every day (strength {strength} of 1)', { strength });
    case 'weekly':
      return t('every week (strength {strength} of 1)', { strength });
    case 'yearly':
      return t('every year (strength {strength} of 1)', { strength });
    default:
      return t('{name} (strength {strength} of 1)', { name, strength });
  }
}

export function seasonSentence({ seasons }: SeasonalityWire): string {
  const present = seasons.filter(({ present }) => present);
  if (present.length === 0) return t('No rhythm: nothing that repeats was found beyond chance.');
  return t('Repeats {rhythms}.', { rhythms: listText(present.map(rhythmText)) });
}

type Pair = CorrelationWire['pairs'][number];

/** How a series moves with another, as seen from `name`. */
export function relationSentence(pair: Pair, name: string): string {
  const other = pair.x === name ? pair.y : pair.x;
  // A positive lag says that y follows x.
  const lagMs = (pair.lag_ms ?? 0) * (pair.x === name ? 1 : -1);
  const said = { other, lag: shortLengthText(Math.abs(lagMs)) };
  if (pair.spearman >= 0) {
    if (lagMs === 0) return t('{other} rises with it, at the same time.', said);
    return lagMs > 0 ? t('{other} rises with it, {lag} later.', said) : t('{other} rises with it, {lag} before it.', said);
  }
  if (lagMs === 0) return t('{other} falls when it rises, at the same time.', said);
  return lagMs > 0 ? t('{other} falls when it rises, {lag} later.', said) : t('{other} falls when it rises, {lag} before it.', said);
}

export const relationDoubt = ({ spearman, pearson, effective, p }: Pair): string =>
  t('rank correlation {rank}, linear {linear}, worth {values} independent values, {chance} after correction', {
    rank: twoDigits(spearman),
    linear: twoDigits(pearson),
    values: String(Math.round(effective)),
    chance: chanceText(p),
  });
