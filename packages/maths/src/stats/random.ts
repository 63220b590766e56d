/** A stream of random numbers that is the same wherever it starts from the same seed. */
export type Random = {
  /** In [0, 1), 32 bits. */
  readonly next: () => number;
  /** An integer in [0, bound). */
  readonly below: (bound: number) => number;
  /** Standard normal (Marsaglia's polar method). */
  readonly normal: () => number;
};

/** A seeded source: xoshiro128** seeded by SplitMix32. Source: Blackman & Vigna 2018. Not for secrets. */
export function randomFrom(seed: number): Random {
  const s = splitMix(seed);
  let [a, b, c, d] = [s(), s(), s(), s() | 1];
  const next32 = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  const next = (): number => next32() / 2 ** 32;
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    for (;;) {
      const [u, v] = [2 * next() - 1, 2 * next() - 1];
      const square = u * u + v * v;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      spare = v * scale;
      return u * scale;
    }
  };
  return { next, below: (bound) => Math.floor(next() * bound), normal };
}

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

function splitMix(seed: number): () => number {
  let state = (seed ^ Math.floor(seed / 2 ** 32)) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return z ^ (z >>> 16);
  };
}
