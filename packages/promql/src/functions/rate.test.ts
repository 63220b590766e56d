import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Windows } from '../windows.ts';
import { extrapolated, stretched } from './rate.ts';

const STEP_MS = 1000;

/** Windows of `width` samples a second apart, one more every `step` samples. */
function windowsOf(samples: number, width: number, step: number): Windows {
  const ends = Float64Array.from({ length: Math.ceil(samples / step) }, (_, i) => i * step * STEP_MS);
  const hi = Int32Array.from(ends, (end) => end / STEP_MS + 1);
  const lo = hi.map((end) => Math.max(0, end - width));
  const times = Float64Array.from({ length: samples }, (_, i) => i * STEP_MS);
  return { count: ends.length, rangeMs: width * STEP_MS, ends, lo, hi, times };
}

/** `increase` as it is defined, one window at a time. */
function increaseOf(values: readonly number[], { rangeMs, ends, lo, hi, times }: Windows, i: number): number | undefined {
  const from = lo[i] ?? 0;
  const last = (hi[i] ?? 0) - 1;
  if (last <= from) return undefined;
  const first = values[from] ?? 0;
  let change = (values[last] ?? 0) - first;
  for (let k = from + 1; k <= last; k++) {
    const before = values[k - 1] ?? 0;
    if ((values[k] ?? 0) < before) change += before;
  }
  const endMs = ends[i] ?? 0;
  const outer = { firstMs: times[from] ?? 0, lastMs: times[last] ?? 0, count: last - from + 1, startMs: endMs - rangeMs, endMs };
  return change * stretched(outer, { change, first });
}

function agrees(values: readonly number[], width: number, step: number): void {
  const windows = windowsOf(values.length, width, step);
  const out = new Float64Array(windows.count);
  const has = new Uint8Array(windows.count);
  const samples = { labels: [], dropName: false, times: windows.times, values: Float64Array.from(values) };
  const present = extrapolated({ counter: true, perSecond: false })(samples, windows, out, has);
  const expected = Array.from(has, (_, i) => increaseOf(values, windows, i));
  assert.equal(present, expected.filter((each) => each !== undefined).length);
  expected.forEach((each, i) => {
    assert.equal(has[i], each === undefined ? 0 : 1, `step ${i}`);
    if (each === undefined) return;
    const found = out[i] ?? 0;
    const greatest = Math.max(...values.slice(windows.lo[i], windows.hi[i]).map((value) => (Number.isFinite(value) ? Math.abs(value) : 0)));
    const close = Object.is(found, each) || found === each || Math.abs(found - each) <= 1e-12 * greatest;
    assert.ok(close, `step ${i}: ${found} instead of ${each}`);
  });
}

describe('a window counts its resets as if it stood alone', () => {
  const width = fc.integer({ min: 2, max: 40 });
  const step = fc.integer({ min: 1, max: 50 });
  const anything = fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 1000 }) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, -5, 1e308) },
  );

  test('gauges that fall at every other sample', () => {
    const gauge = fc.array(
      fc.integer({ min: 0, max: 1e9 }).map((value) => value / 1000),
      { minLength: 2, maxLength: 200 },
    );
    fc.assert(fc.property(gauge, width, step, agrees), { numRuns: 500 });
  });

  test('counters with few resets', () => {
    const counter = fc.array(fc.oneof({ weight: 30, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.constant(undefined) }), {
      minLength: 2,
      maxLength: 200,
    });
    fc.assert(
      fc.property(counter, width, step, (moves, w, s) => {
        let value = 0;
        agrees(
          moves.map((move) => (value = move === undefined ? 0 : value + move)),
          w,
          s,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('values that are not finite, or overflow when added up', () => {
    fc.assert(fc.property(fc.array(anything, { minLength: 2, maxLength: 120 }), width, step, agrees), { numRuns: 1000 });
  });

  test('what has left the window is not missed for rounding', () => {
    agrees([1e18, 3, 2, 3, 1, 2, 1, 3, 2, 1, 4, 2, 1, 3, 2, 1], 4, 1);
  });
});
