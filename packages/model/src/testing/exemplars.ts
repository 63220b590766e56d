import fc from 'fast-check';
import type { WireExemplar } from './remote-write-encoder.ts';

const text = fc.string({ maxLength: 20 });

/** As a sender writes one; some have too many characters to be kept. */
export const wireExemplar: fc.Arbitrary<WireExemplar> = fc.record({
  labels: fc.array(fc.tuple(text, text), { maxLength: 4 }),
  value: fc.double({ noNaN: true }),
  atMs: fc.maxSafeInteger(),
});
