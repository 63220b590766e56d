import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isoText } from './iso-text.ts';

test('instants are written as a date writes them, one after the other and far apart, before 1970 and beyond the year 9999', () => {
  const far = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
  const near = fc.integer({ min: 1_760_000_000_000, max: 1_760_200_000_000 });
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          far,
          near,
          near.map((atMs) => atMs + 0.75),
          far.map((atMs) => atMs / 7),
        ),
      ),
      (instants) => {
        for (const atMs of instants) assert.equal(isoText(atMs), new Date(atMs).toISOString());
      },
    ),
  );
  assert.throws(() => isoText(Number.NaN), RangeError);
});
