import fc from 'fast-check';
import { Columns } from '../codec/columns.ts';
import { STALE_BITS, bitsOfNumber } from './samples.ts';

/** Values as 64 bits: any at all, and those that monitoring knows. */
export const bits64 = (): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.double().map(bitsOfNumber),
    fc.integer().map(bitsOfNumber),
    fc.integer({ min: -100_000, max: 100_000 }).map((value) => bitsOfNumber(value / 100)),
    fc.constantFrom(...[0, -0, 1, Infinity, -Infinity, Number.NaN, 5e-324, 2 ** 53, -(2 ** 50), 0.1 + 0.2].map(bitsOfNumber), STALE_BITS),
  );

export function columnsOf(samples: readonly (readonly [time: number, bits: bigint])[]): Columns {
  const columns = new Columns();
  for (const [time, bits] of samples) columns.push(time, Number(bits & 0xffffffffn), Number(bits >> 32n));
  return columns;
}

/** Distances between the values of noise: what a kernel, a heap or a clock rounds to. */
const GRAINS = [1, 8, 4096, 2 ** 40] as const;

/** Ascending times in 0 to 1 000 000 and values that often repeat or differ little. */
export const seriesColumns = (): fc.Arbitrary<Columns> =>
  fc
    .record({
      times: fc.oneof(
        fc.uniqueArray(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 300 }).map((count) => Array.from({ length: count }, (_, i) => i * 15)),
      ),
      values: fc.array(bits64(), { minLength: 1, maxLength: 8 }),
      shape: fc.constantFrom('any', 'decimal', 'sum', 'rounded sum', 'level', 'noise', 'noisy counter', 'noisy sum'),
      seed: fc.nat({ max: 2 ** 31 }),
      spread: fc.integer({ min: 1, max: 30 }),
      base: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
    })
    .map(({ times, values, shape, base, seed, spread }) => {
      let sum = base;
      let count = Math.round(base);
      const noise = noiseOf(seed);
      const grain = GRAINS[seed % GRAINS.length] ?? 1;
      return columnsOf(
        times
          .sort((a, b) => a - b)
          .map((time, i) => {
            if (shape === 'any') return [time, values[i % values.length] ?? 0n];
            if (i % 50 === 20) return [time, STALE_BITS];
            if (shape === 'decimal') return [time, bitsOfNumber(time / 10)];
            const jump = Math.floor(noise() * 2 ** spread);
            if (shape === 'noise') return [time, bitsOfNumber(spread > 10 ? jump * 8 : jump * grain)];
            if (shape === 'noisy counter') return [time, bitsOfNumber((count += grain * (jump % 100_000)))];
            if (shape === 'noisy sum') return [time, bitsOfNumber((sum += jump / 1e9))];
            if (shape === 'level') return [time, bitsOfNumber(Math.round(base) + ((time * 7919) % 1000) / 1000)];
            for (let k = 0; k < (shape === 'sum' ? 1 : 4); k++) sum += ((i + k) % 7) / 100;
            return [time, bitsOfNumber(sum)];
          }),
      );
    });

/** Numbers in [0, 1) that look random (mulberry32). */
function noiseOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
