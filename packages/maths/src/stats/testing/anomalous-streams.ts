import { type Random, randomFrom } from '../random.ts';
import { hourlySeries } from './generated-series.ts';
import type { Window } from './numenta.ts';

/** A stream of five-minute values with what goes wrong in reality, and where. */
export type Stream = { readonly values: Float64Array; readonly windows: readonly Window[]; readonly period: number };

const LENGTH = 4_032;
const DAY = 288;

/** Daily season or none, correlated noise, harmless spikes; then spikes, jumps, a flat line, a lost season, more noise. */
export function anomalousStream(seed: number): Stream {
  const random = randomFrom(seed);
  const values = base(random, seed);
  const sd = Math.sqrt(
    values.reduce((sum, value) => sum + value * value, 0) / LENGTH - (values.reduce((sum, value) => sum + value, 0) / LENGTH) ** 2,
  );
  const count = 1 + random.below(3);
  const width = Math.floor((0.1 * LENGTH) / count);
  const windows: Window[] = [];
  for (let k = 0; k < count; k++) {
    const start = Math.floor(LENGTH * (0.25 + (0.7 * (k + random.next() * 0.6)) / count));
    harm(values, start, sd, random);
    windows.push({ from: start - Math.floor(width / 2), to: Math.min(LENGTH - 1, start + Math.ceil(width / 2)) });
  }
  return { values, windows, period: DAY };
}

function base(random: Random, seed: number): Float64Array {
  const kind = random.below(3);
  const hourly = hourlySeries(seed + 7_000, LENGTH / 12 + 2).values;
  const rho = 0.9 * random.next();
  const size = 0.1 + 0.5 * random.next();
  const spiky = random.next() < 0.4 ? 0.02 * random.next() : 0;
  let own = 0;
  return Float64Array.from({ length: LENGTH }, (_, i) => {
    own = rho * own + Math.sqrt(1 - rho * rho) * size * random.normal();
    const place = i / 12;
    const [low, high] = [hourly[Math.floor(place)] ?? 0, hourly[Math.floor(place) + 1] ?? 0];
    const spike = random.next() < spiky ? 3 * random.next() : 0;
    return 50 + (kind === 0 ? 0 : low + (high - low) * (place % 1)) + own + spike;
  });
}

function harm(values: Float64Array, start: number, sd: number, random: Random): void {
  const size = sd * (4 + 6 * random.next()) * (random.next() < 0.7 ? 1 : -1);
  const kind = random.below(4);
  const length = [1 + random.below(4), 60 + random.below(300), 100 + random.below(200), values.length][kind] ?? 1;
  for (let i = start; i < Math.min(values.length, start + length); i++) {
    const value = values[i] ?? 0;
    if (kind === 2) values[i] = value + (random.normal() * Math.abs(size)) / 2;
    else values[i] = value + size;
  }
}
