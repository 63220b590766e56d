import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { uptimeBounds } from './uptime-bounds.ts';

const window = (downMs: number) => ({
  from_at_ms: 0,
  to_at_ms: 100_000,
  ratio: (100_000 - downMs) / 100_000,
  buckets: { up_ms: 100_000 - downMs, degraded_ms: 0, down_ms: downMs },
});

test('an outage known to a second leaves the uptime open by a second on each side', () => {
  const outage = { from_at_ms: 10_000, to_at_ms: 20_000, from_bounds_at_ms: [9_000, 10_000], to_bounds_at_ms: [19_000, 20_000] } as const;
  assert.deepEqual(uptimeBounds(window(10_000), [outage]), [0.89, 0.91]);
});

test('without outages the uptime is exact, and without knowledge there is none', () => {
  assert.deepEqual(uptimeBounds(window(0), []), [1, 1]);
  assert.equal(uptimeBounds({ ...window(0), ratio: null, buckets: { up_ms: 0, degraded_ms: 0, down_ms: 0 } }, []), null);
});

test('bounds outside of the window do not count', () => {
  const outage = { from_at_ms: -5_000, to_at_ms: 10_000, from_bounds_at_ms: [-6_000, -5_000], to_bounds_at_ms: [10_000, 10_000] } as const;
  assert.deepEqual(uptimeBounds(window(10_000), [outage]), [0.9, 0.9]);
});

test('the bounds always hold the ratio and stay between 0 and 1', () => {
  const outages = fc.array(
    fc.record({
      from_at_ms: fc.integer({ min: -1_000, max: 99_000 }),
      length: fc.integer({ min: 1, max: 50_000 }),
      before: fc.nat(5_000),
      after: fc.nat(5_000),
    }),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), outages, (downMs, drawn) => {
      const found = uptimeBounds(
        window(downMs),
        drawn.map(({ from_at_ms: from, length, before, after }) => ({
          from_at_ms: from,
          to_at_ms: from + length,
          from_bounds_at_ms: [from - before, from] as const,
          to_bounds_at_ms: [from + length, from + length + after] as const,
        })),
      );
      assert.ok(found !== null);
      const [low, high] = found;
      const { ratio } = window(downMs);
      assert.ok(low >= 0 && low <= ratio && ratio <= high && high <= 1);
    }),
  );
});
