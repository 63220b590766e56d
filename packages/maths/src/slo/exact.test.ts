import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { portionMs } from './exact.ts';
import { exact } from './testing/exact.ts';

test('a portion is exact for any decimal and any length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99_999 }), fc.integer({ min: 1, max: 10_000_000 }), (part, length) => {
      const ratio = exact(`0.${String(part).padStart(5, '0')}`);
      assert.equal(portionMs(ratio, length), Number((BigInt(part) * BigInt(length)) / 100_000n));
    }),
  );
});
