import { fUpper } from '../stats/distributions.ts';
import { at, meanOf, varianceOf } from '../stats/numbers.ts';
import { autocorrelations, decompose, seasonStrength, seasonsOf } from '../stats/season.ts';
import { type Examined, HOUR_MS, hourAt, nothing, type Outcome, unasked } from './examined.ts';

export type RhythmFinding = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly name: string;
  readonly lengthMs: number;
  /** 0..1: the share of the ups and downs that it explains. */
  readonly strength: number;
  readonly mean: number;
  readonly high: number;
  readonly low: number;
  /** Instants of one high and one low, for their place in the day or week. */
  readonly highAtMs: number;
  readonly lowAtMs: number;
  /** Level and season of the last cycles. */
  readonly line: readonly (readonly [number, number])[];
};

const NEEDED = 14 * 24;
const LEAST_STRENGTH = 0.6;
const LEAST_FORETOLD = 0.4;
/** From low to high, as a share of the mean. */
const LEAST_SWING = 0.3;
const SHOWN = 7 * 24;

/** Whether it has an hourly, daily or weekly rhythm that is strong, large, and foretold by the other cycles. */
export function findRhythm(series: Examined): Outcome<RhythmFinding> {
  const { values } = series;
  if (series.role === 'budget') return unasked('not_asked');
  if (values.length < NEEDED) return unasked('short_history');
  const seasons = seasonsOf(values, HOUR_MS).filter(({ period }) => period.name !== 'detected');
  const best = seasons.toSorted((one, other) => other.strength.strength - one.strength.strength)[0];
  if (best === undefined) return nothing('no_season');
  const { period, strength } = best;
  if (strength.strength < LEAST_STRENGTH || strength.foretold < LEAST_FORETOLD) return nothing('weak_season');
  const mean = meanOf(values.subarray(-4 * SHOWN));
  // A week is looked at once its days are taken out; people live through both.
  const within = seasons.filter((one) => one.period.length <= period.length);
  const whole = within.length > 1 ? seasonStrength(values, period.length).strength : strength.strength;
  const profile = Float64Array.from({ length: period.length }, (_, k) =>
    within.reduce((sum, one) => sum + at(one.strength.profile, k % one.period.length), 0),
  );
  const [top, bottom] = [extremeOf(profile, 1), extremeOf(profile, -1)];
  const swing = at(profile, top) - at(profile, bottom);
  if (swing < Math.max(series.leastChange, LEAST_SWING * Math.abs(mean))) return nothing('too_small');
  const n = values.length;
  const line = Array.from({ length: Math.min(n, SHOWN) }, (_, k): [number, number] => {
    const index = n - Math.min(n, SHOWN) + k;
    const place = (((index - n) % profile.length) + profile.length) % profile.length;
    return [hourAt(series, index), mean + at(profile, place)];
  });
  return {
    p: testOf(values, period.length),
    found: {
      fromMs: series.startMs,
      toMs: hourAt(series, n - 1),
      name: period.name,
      lengthMs: period.length * HOUR_MS,
      strength: whole,
      mean,
      high: mean + at(profile, top),
      low: mean + at(profile, bottom),
      highAtMs: hourAt(series, n + top),
      lowAtMs: hourAt(series, n + bottom),
      line,
    },
  };
}

function extremeOf(profile: Float64Array, sign: 1 | -1): number {
  let best = 0;
  profile.forEach((value, k) => {
    if (sign * value > sign * at(profile, best)) best = k;
  });
  return best;
}

/** The F-test of one mean per place in the cycle against one for all, with as many values as the remainder's autocorrelation leaves. */
function testOf(values: Float64Array, period: number): number {
  const { seasons, remainder } = decompose(values, [period]);
  const kept = Math.min(0.95, Math.max(0, at(autocorrelations(remainder, 2), 1)));
  const effective = (values.length * (1 - kept)) / (1 + kept);
  const groups = Math.min(period, Math.floor(effective / 3));
  if (groups < 2) return 1;
  const within = varianceOf(remainder);
  if (!(within > 0)) return 0;
  const between = varianceOf(seasons[0] ?? remainder);
  return fUpper((between * effective) / (groups - 1) / ((within * effective) / (effective - groups)), groups - 1, effective - groups);
}
