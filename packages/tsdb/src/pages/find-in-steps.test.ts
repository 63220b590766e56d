import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '@nines/base/units.ts';
import { type PageQuery, ROLLUP_WINDOW_MS, WINDOW_MS } from '../contract.ts';
import { openPageFile } from '../page-store.ts';
import { finish } from '../steps.ts';
import { findInSteps } from './find-in-steps.ts';

/** A Monday, 00:00 UTC. */
const MONDAY = 1_750_032_000_000;
const DAYS = 30;
/** On and beside the seams of windows and days. */
const instant = fc
  .tuple(fc.integer({ min: -2, max: 12 * (DAYS + 2) }), fc.constantFrom(-1, 0, 1, HOUR_MS))
  .map(([window, off]) => MONDAY + window * WINDOW_MS + off);
const end = fc.oneof({ weight: 4, arbitrary: instant }, { weight: 1, arbitrary: fc.constantFrom(-Infinity, Infinity) });
const resolution = fc.constantFrom(0 as const, 300_000 as const, 3_600_000 as const);
const page = fc.record({ resolutionMs: resolution, at: fc.integer({ min: 0, max: 12 * DAYS - 1 }), from: fc.nat(), length: fc.nat() });

test('a range looked up day by day gives the pages that one look gives', () => {
  fc.assert(
    fc.property(
      fc.array(page, { maxLength: 40 }),
      fc.array(fc.tuple(resolution, end, end), { minLength: 1, maxLength: 10 }),
      (written, asked) => {
        const store = openPageFile(':memory:');
        for (const { resolutionMs, at, from, length } of written) {
          const lengthMs = resolutionMs === 0 ? WINDOW_MS : ROLLUP_WINDOW_MS;
          const windowMs = Math.floor((MONDAY + at * WINDOW_MS) / lengthMs) * lengthMs;
          // Windows of samples are closed on the left, those of rollups on the right.
          const low = windowMs + (resolutionMs === 0 ? 0 : 1);
          const fromMs = low + (from % lengthMs);
          const toMs = fromMs + (length % (low + lengthMs - fromMs));
          const refs = Uint8Array.of(2);
          const data = Uint8Array.of(1);
          store.commit({
            addPages: [{ resolutionMs, windowMs, fromMs, toMs, metricFrom: 'm', metricTo: 'm', segment: 0, samples: 1, refs, data }],
          });
          if (resolutionMs > 0) store.commit({ allDaysDue: true });
        }
        // Rollups are never without a day that has samples.
        const known = store.days();
        for (const [resolutionMs, a, b] of asked) {
          const query: PageQuery = { resolutionMs, fromMs: Math.min(a, b), toMs: Math.max(a, b) };
          const isOfDay = (windowMs: number): boolean => resolutionMs === 0 || known.some(({ dayMs }) => dayMs === windowMs);
          const ids = (heads: readonly { readonly id: number; readonly windowMs: number }[]): readonly number[] =>
            heads.filter(({ windowMs }) => isOfDay(windowMs)).map(({ id }) => id);
          assert.deepEqual(ids(finish(findInSteps(store, query))), ids(store.find(query)));
        }
        store.close();
      },
    ),
  );
});
