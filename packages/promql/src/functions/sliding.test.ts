import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Windows } from '../windows.ts';
import { type Kernel, perWindow } from './kernel.ts';
import { slidingExtreme, slidingSum, slidingVariance } from './sliding.ts';

/** Samples one second apart, windows that move right by any amounts. */
const scene = fc
  .record({
    values: fc.array(fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.constant(Number.NaN)), { minLength: 1, maxLength: 60 }),
    moves: fc.array(fc.tuple(fc.nat(3), fc.nat(4)), { minLength: 1, maxLength: 60 }),
  })
  .map(({ values, moves }) => {
    const count = moves.length;
    const lo = new Int32Array(count);
    const hi = new Int32Array(count);
    let from = 0;
    let to = 0;
    moves.forEach(([left, right], i) => {
      to = Math.min(values.length, to + right);
      from = Math.min(to, from + left);
      lo[i] = from;
      hi[i] = to;
    });
    const windows: Windows = { count, rangeMs: 1000, ends: new Float64Array(count), lo, hi, times: Float64Array.from(values, (_, i) => i) };
    return {
      samples: { labels: [], dropName: false, times: Float64Array.from(values, (_, i) => i), values: Float64Array.from(values) },
      windows,
    };
  });

type Plain = (window: Float64Array) => number;

function agrees(sliding: Kernel, plain: Plain): void {
  const reference = perWindow(1, ({ values }, lo, hi) => plain(values.slice(lo, hi)));
  fc.assert(
    fc.property(scene, ({ samples, windows }) => {
      const [a, b] = [sliding, reference].map((kernel) => {
        const out = new Float64Array(windows.count);
        const has = new Uint8Array(windows.count);
        const present = kernel(samples, windows, out, has);
        return { present, has: [...has], out: [...out].map((value, i) => (has[i] === 1 ? Math.round(value * 1e6) / 1e6 + 0 : 0)) };
      });
      assert.deepEqual(a, b);
    }),
    { numRuns: 1000 },
  );
}

const sum: Plain = (window) => window.reduce((a, b) => a + b, 0);
const present = (window: Float64Array): Float64Array => window.filter((value) => value === value);
const none = (): number => Number.NaN;

describe('sliding windows give what each window gives by itself', () => {
  test('sums', () => agrees(slidingSum(false, none), sum));
  test('averages', () => agrees(slidingSum(true, none), (window) => sum(window) / window.length));
  test('maxima, NaN only when alone', () =>
    agrees(slidingExtreme(true), (window) => (present(window).length === 0 ? Number.NaN : Math.max(...present(window)))));
  test('minima', () =>
    agrees(slidingExtreme(false), (window) => (present(window).length === 0 ? Number.NaN : Math.min(...present(window)))));
  test('variances', () =>
    agrees(slidingVariance(false), (window) => {
      const mean = sum(window) / window.length;
      return sum(window.map((value) => (value - mean) ** 2)) / window.length;
    }));
});

describe('what sliding must not lose', () => {
  const run = (kernel: Kernel, values: readonly number[], width: number): readonly number[] => {
    const count = values.length;
    const hi = Int32Array.from(values, (_, i) => i + 1);
    const lo = hi.map((end) => Math.max(0, end - width));
    const out = new Float64Array(count);
    const samples = { labels: [], dropName: false, times: new Float64Array(count), values: Float64Array.from(values) };
    kernel(samples, { count, rangeMs: 1, ends: new Float64Array(count), lo, hi, times: samples.times }, out, new Uint8Array(count));
    return [...out];
  };

  test('small terms beside a huge one that has left the window', () => {
    assert.deepEqual(run(slidingSum(false, none), [1e100, 1, 2, 3, 4], 2), [1e100, 1e100, 3, 5, 7]);
  });

  test('windows whose sum overflows are done exactly', () => {
    assert.deepEqual(
      run(
        slidingSum(true, () => 42),
        [1e308, 1e308, 1, 1],
        2,
      ),
      [1e308, 42, 5e307, 1],
    );
  });

  test('equal values vary by exactly nothing', () => {
    const values = Array.from({ length: 9 }, () => 1.5990505637277868);
    assert.deepEqual(
      run(slidingVariance(true), values, 4),
      values.map(() => 0),
    );
  });
});
