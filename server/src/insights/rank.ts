import { adjustedForDiscovery } from '@nines/maths/stats/multiple-tests.ts';
import type { InsightKind } from './contract.ts';
import type { Said } from './words.ts';

/** Share of false findings that is borne among what one run tells (Benjamini–Hochberg). */
export const DISCOVERY_RATE = 0.01;
/** Forecasts are held to their own 95 % interval, among themselves: no forecast of a week is as sure as a test of what was. */
export const FORECAST_RATE = 0.05;
/** New ones within a day at most: those that are only good to know, and all together. What waits is found again by the next run. */
export const MAX_NEW_A_DAY = { informative: 3, all: 20 };
export const INFORMATIVE: ReadonlySet<InsightKind> = new Set(['seasonality', 'correlation']);
/** Each time that people called findings of this kind about this subject wrong. */
const WRONG_FACTOR = 0.5;
const MOST_CONFIDENT = 0.99;

export type Found = {
  readonly said: Said;
  readonly p: number;
  readonly fingerprint: string;
  readonly subjectKey: string;
  /** Of those that tell the same movement of a series only the one that leaves the least time is told. */
  readonly movement?: { readonly key: string; readonly dueMs: number };
};
export type Ranked = Found & {
  readonly score: number;
  readonly confidence: { readonly value: number; readonly words: string; readonly method: string };
};

/** How many were made in one run. */
export type Tests = { readonly forecasts: number; readonly others: number };

/**
 * Those that are significant among `tests` that were made together, with their rank: how much it matters, how sure it is, and how often
 * people said that the like was wrong. Tests that found nothing count as if they had a p of 1.
 */
export function ranked<T extends Found>(
  found: readonly T[],
  tests: Tests,
  wrong: (kind: InsightKind, subjectKey: string) => number,
): readonly (T & Ranked)[] {
  const isForecast = ({ said: { method } }: Found): boolean => method.includes('back-test');
  const families = [
    { own: found.filter((one) => !isForecast(one)), count: tests.others, rate: DISCOVERY_RATE, noun: 'tests' },
    { own: found.filter(isForecast), count: tests.forecasts, rate: FORECAST_RATE, noun: 'forecasts' },
  ];
  const significant = families.flatMap(({ own, count, rate, noun }) => {
    const p = [...own.map((one) => one.p), ...Array.from({ length: Math.max(0, count - own.length) }, () => 1)];
    const adjusted = adjustedForDiscovery(p);
    return own.flatMap((one, i): (T & Ranked)[] => {
      const q = adjusted[i] ?? 1;
      if (q > rate) return [];
      const value = Math.min(MOST_CONFIDENT, 1 - q, coverageOf(one.said) ?? 1);
      const score = one.said.weight * value * WRONG_FACTOR ** wrong(one.said.kind, one.subjectKey);
      const method = `${one.said.method}; Benjamini–Hochberg at ${rate} over ${count} ${noun}`;
      return [{ ...one, score: Math.round(score * 1e6) / 1e6, confidence: { value, words: wordsOf(value), method } }];
    });
  });
  const isFirst = ({ movement }: Found): boolean =>
    movement === undefined || significant.every((other) => other.movement?.key !== movement.key || other.movement.dueMs >= movement.dueMs);
  return significant.filter(isFirst).toSorted((one, other) => other.score - one.score || (one.fingerprint < other.fingerprint ? -1 : 1));
}

/** A forecast is as sure as its interval has held. */
const coverageOf = ({ figures }: Said): number | undefined => figures.find(({ label }) => label === 'share inside the interval')?.value;

const wordsOf = (value: number): string => (value >= 0.99 ? 'very sure' : value >= 0.95 ? 'sure' : 'fairly sure');

/** Which of the new ones are told now, best first. `lately`: how many were told within the last day. */
export function admitted<T extends { readonly said: { readonly kind: InsightKind } }>(
  fresh: readonly T[],
  lately: { readonly informative: number; readonly all: number },
): { readonly now: readonly T[]; readonly later: number } {
  let { informative, all } = lately;
  const now = fresh.filter(({ said }) => {
    const isInformative = INFORMATIVE.has(said.kind);
    if (all >= MAX_NEW_A_DAY.all || (isInformative && informative >= MAX_NEW_A_DAY.informative)) return false;
    all++;
    if (isInformative) informative++;
    return true;
  });
  return { now, later: fresh.length - now.length };
}
