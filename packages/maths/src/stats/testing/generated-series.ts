import { type Random, randomFrom } from '../random.ts';

/** Series with what real ones have: seasons of odd shapes, noise that follows itself, drifting levels, changes of volume. */
export type Generated = { readonly values: Float64Array; readonly stepMs: number };

const HOUR_MS = 3_600_000;
const between = (random: Random, low: number, high: number): number => low + (high - low) * random.next();

function shape(random: Random, period: number, harmonics: number): (i: number) => number {
  const waves = Array.from({ length: harmonics }, (_, k) => ({ size: random.normal() / (k + 1), turn: random.next() * 2 * Math.PI }));
  const norm = Math.sqrt(waves.reduce((sum, { size }) => sum + size ** 2 / 2, 0)) || 1;
  return (i) => waves.reduce((sum, { size, turn }, k) => sum + size * Math.cos((2 * Math.PI * (k + 1) * i) / period + turn), 0) / norm;
}

/** Load, traffic, temperature: a daily season, often a weekly one, correlated noise of changing size, a level that may wander or jump. */
export function hourlySeries(seed: number, length: number): Generated {
  const random = randomFrom(seed);
  const [daily, weekly] = [shape(random, 24, 4), shape(random, 168, 7)];
  const weekend = between(random, 0, 1.2);
  const strength = between(random, 0.5, 3);
  const weeklyStrength = random.next() < 0.6 ? between(random, 0.1, 1) : 0;
  const rho = between(random, 0, 0.95);
  const noise = between(random, 0.15, 0.8);
  const wander = random.next() < 0.5 ? 0 : between(random, 0, 0.06);
  const slope = random.next() < 0.3 ? between(random, -0.003, 0.003) : 0;
  const heavy = random.next() < 0.25;
  const grows = random.next() < 0.4;
  const unrest = random.next() < 0.4 ? between(random, 0, 0.05) : 0;
  const shifts = random.next() < 0.3 ? between(random, 0, 0.004) : 0;
  let [own, level, volume] = [0, 0, 1];
  const values = Float64Array.from({ length }, (_, i) => {
    const shock = random.normal() * (heavy && random.next() < 0.05 ? 4 : 1);
    volume *= Math.exp(unrest * random.normal());
    own = rho * own + Math.sqrt(1 - rho * rho) * noise * volume * shock;
    if (random.next() < shifts) level += random.normal();
    level += wander * random.normal() + slope;
    const isWeekend = Math.floor(i / 24) % 7 >= 5;
    const season = strength * daily(i) * (isWeekend ? 1 - weeklyStrength * weekend * 0.5 : 1) + weeklyStrength * weekly(i);
    return 20 + level + (grows ? season * (1 + 0.1 * level) : season) + own;
  });
  return { values, stepMs: HOUR_MS };
}

/** Weekly figures of a business: levels that wander, damped growth, sometimes a yearly season. */
export function weeklySeries(seed: number, length: number): Generated {
  const random = randomFrom(seed);
  const yearly = shape(random, 52, 3);
  const strength = random.next() < 0.4 ? between(random, 0.3, 3) : 0;
  const wander = between(random, 0.05, 1);
  const noise = between(random, 0, 1.5);
  const drift = random.next() < 0.5 ? between(random, -0.05, 0.15) : 0;
  const rho = random.next() < 0.3 ? between(random, 0, 0.8) : 0;
  let [level, momentum] = [50, 0];
  const values = Float64Array.from({ length }, (_, i) => {
    momentum = rho * momentum + wander * random.normal();
    level += drift + momentum;
    return level + strength * yearly(i) + noise * random.normal();
  });
  return { values, stepMs: 168 * HOUR_MS };
}
