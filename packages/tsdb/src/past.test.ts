import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PRESENT_MS, PastChanges } from './past.ts';

const NOW_MS = 1_795_226_400_000;

test('samples of the present change nothing, older ones everything from there on', () => {
  const past = new PastChanges();
  const before = past.version;
  past.stored(Float64Array.of(NOW_MS, NOW_MS - PRESENT_MS), 2, NOW_MS);
  assert.equal(past.earliestSince(before), Number.POSITIVE_INFINITY);
  past.stored(Float64Array.of(NOW_MS, NOW_MS - 200_000, 5), 2, NOW_MS);
  assert.equal(past.earliestSince(before), NOW_MS - 200_000);
  assert.equal(past.earliestSince(past.version), Number.POSITIVE_INFINITY);
});

test('whoever asks learns the earliest change since, or that it is forgotten', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(1_000), fc.constant('ask' as const)), { maxLength: 2_000 }), (acts) => {
      const past = new PastChanges();
      const asked: { readonly version: number; earliest: number }[] = [];
      for (const one of acts) {
        if (one === 'ask') asked.push({ version: past.version, earliest: Number.POSITIVE_INFINITY });
        else {
          past.changed(one);
          for (const each of asked) each.earliest = Math.min(each.earliest, one);
        }
      }
      for (const { version, earliest } of asked) {
        const told = past.earliestSince(version);
        assert.ok(told === earliest || told === Number.NEGATIVE_INFINITY, `expected ${earliest}, found ${told}`);
      }
      const last = asked.at(-1);
      if (last !== undefined) assert.equal(past.earliestSince(last.version), last.earliest);
    }),
  );
});
