import { type Random, randomFrom } from '../random.ts';
import type { Generated } from './generated-series.ts';

/**
 * Families of series as monitoring and business have them, each with one property that forecasts stumble over. Nothing in the package
 * was chosen by them: they are what another examiner would bring.
 */
export type Family = {
  readonly name: string;
  /** Steps of the season that the seasonal naive forecast repeats; 1 where there is none. */
  readonly period: number;
  readonly length: number;
  readonly horizon: number;
  readonly make: (random: Random, length: number) => Float64Array;
  readonly stepMs: number;
  /** Share of the values that are missing. */
  readonly missing?: number;
};

const HOUR_MS = 3_600_000;
const TAU = 2 * Math.PI;

const filledBy = (length: number, value: (i: number) => number): Float64Array => Float64Array.from({ length }, (_, i) => value(i));
const between = (random: Random, low: number, high: number): number => low + (high - low) * random.next();

/** A day with a busy and a quiet part: two waves with random turns, of deviation one. */
function wave(random: Random, period: number): (i: number) => number {
  const [turn, second, share] = [random.next() * TAU, random.next() * TAU, between(random, 0, 0.7)];
  const norm = Math.sqrt((1 + share * share) / 2);
  return (i) => (Math.cos((TAU * i) / period + turn) + share * Math.cos((2 * TAU * i) / period + second)) / norm;
}

/** Noise in which each value keeps `rho` of the one before, of deviation one. */
function noise(random: Random, rho = 0): () => number {
  let own = random.normal();
  return () => (own = rho * own + Math.sqrt(1 - rho * rho) * random.normal());
}

function poisson(random: Random, mean: number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  const limit = Math.exp(-mean);
  let [count, product] = [0, random.next()];
  while (product > limit) {
    product *= random.next();
    count += 1;
  }
  return count;
}

type Make = Family['make'];

const trendAndDay: Make = (random, length) => {
  const [day, rest] = [wave(random, 24), noise(random, between(random, 0, 0.8))];
  const [slope, size] = [between(random, -0.02, 0.03), between(random, 0.2, 1)];
  return filledBy(length, (i) => 50 + slope * i + 2 * day(i) + size * rest());
};

const twoSeasons: Make = (random, length) => {
  const [day, rest] = [wave(random, 24), noise(random, between(random, 0, 0.8))];
  const [weekend, size] = [between(random, 0.3, 0.9), between(random, 0.15, 0.5)];
  return filledBy(length, (i) => {
    const share = Math.floor(i / 24) % 7 >= 5 ? weekend : 1;
    return 40 + share * (10 + 4 * day(i)) + size * 3 * rest();
  });
};

const levelShifts: Make = (random, length) => {
  const [day, rest] = [wave(random, 24), noise(random, 0.3)];
  let level = 100;
  return filledBy(length, (i) => {
    if (random.next() < 1 / 150) level += between(random, 4, 12) * (random.next() < 0.5 ? 1 : -1);
    return level + 3 * day(i) + rest();
  });
};

const white: Make = (random, length) => filledBy(length, () => 10 + random.normal());

const keeping: Make = (random, length) => {
  const rest = noise(random, between(random, 0.7, 0.97));
  return filledBy(length, () => 10 + rest());
};

const walk: Make = (random, length) => {
  const [day, size] = [wave(random, 24), random.next() < 0.5 ? 0 : 4];
  let level = 200;
  return filledBy(length, (i) => (level += random.normal()) + size * day(i));
};

const multiplicative: Make = (random, length) => {
  const [day, rest] = [wave(random, 24), noise(random, 0.4)];
  const [growth, height] = [between(random, 0.5, 1.8), between(random, 0.15, 0.45)];
  return filledBy(length, (i) => 20 * Math.exp((growth * i) / length) * (1 + height * day(i)) * (1 + 0.05 * rest()));
};

/** Latencies: above zero, with a long tail. */
const positive: Make = (random, length) => {
  const [day, rest] = [wave(random, 24), noise(random, between(random, 0, 0.6))];
  const size = between(random, 0.2, 0.5);
  return filledBy(length, (i) => 80 * Math.exp(0.4 * day(i) + size * rest()));
};

const counts: Make = (random, length) => {
  const day = wave(random, 24);
  const mean = random.next() < 0.5 ? between(random, 2, 5) : between(random, 20, 200);
  return filledBy(length, (i) => poisson(random, mean * Math.exp(0.5 * day(i))));
};

/** What a counter shows when nobody takes its rate. */
const counter: Make = (random, length) => {
  const each = counts(random, length);
  let sum = 1e6;
  return each.map((value) => (sum += value));
};

const bursts: Make = (random, length) => {
  const [day, rest] = [wave(random, 24), noise(random, 0.3)];
  const chance = between(random, 0.005, 0.03);
  let burst = 0;
  return filledBy(length, (i) => {
    burst = random.next() < chance ? between(random, 5, 25) : burst * 0.4;
    return 30 + 3 * day(i) + rest() + burst;
  });
};

const businessWeek: Make = (random, length) => {
  const [year, rest] = [wave(random, 52), noise(random, 0.2)];
  const growth = between(random, -0.001, 0.004);
  return filledBy(length, (i) => 1000 * Math.exp(growth * i) * (1 + 0.2 * year(i)) * (1 + 0.06 * rest()));
};

const drifting: Make = (random, length) => {
  const drift = between(random, -0.3, 0.6);
  let level = 100;
  return filledBy(length, () => (level += drift + random.normal()));
};

const sparse: Make = (random, length) => {
  const chance = between(random, 0.2, 0.5);
  return filledBy(length, () => (random.next() < chance ? 1 + poisson(random, 3) : 0));
};

const weekOfDays: Make = (random, length) => {
  const rest = noise(random, between(random, 0, 0.7));
  const shares = Array.from({ length: 7 }, () => between(random, 0.5, 1.5));
  const growth = between(random, -0.001, 0.002);
  return filledBy(length, (i) => 500 * Math.exp(growth * i) * (shares[i % 7] ?? 1) * (1 + 0.08 * rest()));
};

const hourly = { stepMs: HOUR_MS, period: 24, length: 700, horizon: 48 } as const;
const weekly = { stepMs: 168 * HOUR_MS, period: 1, length: 156, horizon: 13 } as const;

export const FAMILIES: readonly Family[] = [
  { ...hourly, name: 'trend and day', make: trendAndDay },
  { ...hourly, name: 'day and week', make: twoSeasons, length: 1100, period: 168 },
  { ...hourly, name: 'level shifts', make: levelShifts },
  { ...hourly, name: 'white noise', make: white },
  { ...hourly, name: 'noise that keeps', make: keeping },
  { ...hourly, name: 'random walk', make: walk },
  { ...hourly, name: 'growing season', make: multiplicative },
  { ...hourly, name: 'long tails above zero', make: positive },
  { ...hourly, name: 'counts', make: counts },
  { ...hourly, name: 'a counter as it is', make: counter },
  { ...hourly, name: 'bursts', make: bursts },
  { ...hourly, name: 'a tenth missing', make: trendAndDay, missing: 0.1 },
  { ...hourly, name: 'four days only', make: trendAndDay, length: 96, horizon: 24 },
  { ...weekly, name: 'weeks of a year', make: businessWeek, period: 52 },
  { ...weekly, name: 'weeks that drift', make: drifting },
  { ...weekly, name: 'weeks with gaps', make: sparse },
  { ...weekly, name: 'thirty weeks', make: drifting, length: 30, horizon: 6 },
  { ...weekly, name: 'days of a week', make: weekOfDays, stepMs: 24 * HOUR_MS, period: 7, length: 200, horizon: 14 },
];

/** A series of the family with `length` + `horizon` values, and where values are missing in its history. */
export function seriesOf(family: Family, seed: number): Generated & { readonly missing: ReadonlySet<number> } {
  const random = randomFrom(seed);
  const values = family.make(random, family.length + family.horizon);
  const missing = new Set<number>();
  for (let i = 1; i < family.length - 1; i++) if (random.next() < (family.missing ?? 0)) missing.add(i);
  return { values, stepMs: family.stepMs, missing };
}
