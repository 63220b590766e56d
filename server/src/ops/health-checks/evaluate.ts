import type { Thresholds } from './measures.ts';

/** In the order of Nagios' codes, under which they are stored: 0, 1, 2, 3. */
export const LEVELS = ['ok', 'warning', 'critical', 'unknown'] as const;
export type Level = (typeof LEVELS)[number];

/** What the level of a whole is made of, worst first: what is not known hides nothing that is known to be bad. */
const WORST: readonly Level[] = ['critical', 'warning', 'unknown', 'ok'];

export function levelOf(value: number | undefined, { warning, critical }: Thresholds): Level {
  if (value === undefined || Number.isNaN(value)) return 'unknown';
  if (value >= critical) return 'critical';
  return value >= warning ? 'warning' : 'ok';
}

/** Nothing to look at is unknown, never ok. */
export const worstOf = (levels: readonly Level[]): Level => WORST.find((level) => levels.includes(level)) ?? 'unknown';

export type Stretch = { readonly fromMs: number; readonly toMs: number; readonly level: Level };

/** Stored levels as stretches; a hole longer than two steps is unknown. `times` ascend. */
export function stretchesOf(
  points: { readonly times: ArrayLike<number>; readonly values: ArrayLike<number> },
  { fromMs, toMs, stepMs }: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
): readonly Stretch[] {
  const stretches: Stretch[] = [];
  const add = (from: number, to: number, level: Level): void => {
    const last = stretches.at(-1);
    if (to <= from) return;
    if (last?.level === level && last.toMs === from) stretches[stretches.length - 1] = { ...last, toMs: to };
    else stretches.push({ fromMs: from, toMs: to, level });
  };
  let knownMs = fromMs;
  for (let i = 0; i < points.times.length; i++) {
    const atMs = points.times[i] ?? toMs;
    const nextMs = points.times[i + 1] ?? toMs;
    add(knownMs, Math.max(knownMs, atMs), 'unknown');
    knownMs = nextMs - atMs > 2 * stepMs ? atMs + stepMs : nextMs;
    add(Math.max(atMs, fromMs), Math.min(knownMs, toMs), LEVELS[points.values[i] ?? 3] ?? 'unknown');
  }
  add(knownMs, toMs, 'unknown');
  return stretches;
}

export type Trend = {
  /** By how much the figure changes in an hour; the slope of the last hours. */
  readonly perHour: number;
  /** When it is critical if it goes on so, in milliseconds from now; null when it never is, is already, or not within a month. */
  readonly criticalInMs: number | null;
};

const HOUR_MS = 3_600_000;
/** A slope says nothing about a time further ahead than this. */
const FURTHEST_MS = 30 * 24 * HOUR_MS;

export function trendOf(value: number, perHour: number, { critical }: Thresholds): Trend {
  const aheadMs = perHour > 0 && value < critical ? ((critical - value) / perHour) * HOUR_MS : Infinity;
  return { perHour, criticalInMs: aheadMs <= FURTHEST_MS ? Math.round(aheadMs) : null };
}
