import { type AheadFinding, findAhead } from './ahead.ts';
import type { Examined, Outcome } from './examined.ts';
import { type ExhaustionFinding, findExhaustion } from './exhaustion.ts';
import { findRhythm, type RhythmFinding } from './rhythm.ts';
import { findTogether, type TogetherFinding } from './together.ts';
import { findTrend, type TrendFinding } from './trend.ts';
import { findUnusual, type UnusualFinding } from './unusual.ts';

/** What each finder says of one series. */
export type Examination = {
  readonly trend: Outcome<TrendFinding>;
  readonly exhaustion: Outcome<ExhaustionFinding>;
  readonly unusual: Outcome<UnusualFinding>;
  readonly rhythm: Outcome<RhythmFinding>;
  readonly ahead: Outcome<AheadFinding>;
};

/** Hourly values; all of them are finite. */
export const examine = (series: Examined): Examination => ({
  trend: findTrend(series),
  exhaustion: findExhaustion(series),
  unusual: findUnusual(series),
  rhythm: findRhythm(series),
  ahead: findAhead(series),
});

/** Pairs of indexes into `series`. */
export type PairQuestion = { readonly series: readonly Examined[]; readonly pairs: readonly (readonly [number, number])[] };

/** In the order asked. */
export const examinePairs = (question: PairQuestion): readonly Outcome<TogetherFinding>[] =>
  question.pairs.map(([i, j]) => {
    const [x, y] = [question.series[i], question.series[j]];
    return x === undefined || y === undefined ? { found: undefined, reason: 'no_series', tested: false } : findTogether(x, y);
  });
