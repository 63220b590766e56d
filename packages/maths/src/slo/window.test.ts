import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import type { Span } from './types.ts';
import { coverageOf, rollingWindow, unionSpans } from './window.ts';

test('a rolling window keeps its length when it is young, and says how much of it was observed', () => {
  const window = rollingWindow(epochMs(10_000), 8_000);
  assert.deepEqual(window, { fromMs: 2_000, toMs: 10_000 });
  assert.deepEqual(coverageOf(window, epochMs(7_000)), { young: true, observedMs: 3_000 });
  assert.deepEqual(coverageOf(window, epochMs(2_000)), { young: false, observedMs: 8_000 });
  assert.deepEqual(coverageOf(window, null), { young: true, observedMs: 0 });
});

test('spans unite when they overlap or touch', () => {
  const span = (fromMs: number, toMs: number): Span => ({ fromMs: epochMs(fromMs), toMs: epochMs(toMs) });
  assert.deepEqual(unionSpans([span(5, 7), span(1, 2), span(2, 3), span(6, 10), span(9, 9)]), [span(1, 3), span(5, 10)]);
});

test('a union of spans covers each instant once', () => {
  const spans = fc.array(fc.tuple(fc.nat(30), fc.nat(8)), { maxLength: 8 });
  fc.assert(
    fc.property(spans, (raw) => {
      const parts = raw.map(([from, length]) => ({ fromMs: epochMs(from), toMs: epochMs(from + length) }));
      const joined = unionSpans(parts);
      for (let at = 0; at < 40; at++) {
        const before = parts.some((part) => part.fromMs <= at && at < part.toMs);
        assert.equal(joined.filter((part) => part.fromMs <= at && at < part.toMs).length, before ? 1 : 0);
      }
    }),
  );
});
