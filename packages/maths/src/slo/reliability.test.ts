import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { buckets, mergeIntervals } from './ledger.ts';
import { reliabilityOf } from './reliability.ts';
import { type LedgerInterval, STATES } from './types.ts';

function timeline(parts: readonly (readonly [(typeof STATES)[number], number])[]) {
  let at = 0;
  const intervals = parts.map(([state, length]): LedgerInterval => {
    const fromMs = epochMs(at);
    at += length;
    return { fromMs, toMs: epochMs(at), state, ...(state === 'unknown' ? { unknownReason: 'no_data' as const } : {}) };
  });
  return { fromMs: epochMs(0), toMs: epochMs(at), intervals: mergeIntervals(intervals) };
}

test('repairs are the outages that were seen to begin and to end; all of them make the down time', () => {
  const seen = timeline([
    ['down', 10],
    ['up', 100],
    ['down', 20],
    ['degraded', 100],
    ['down', 5],
    ['unknown', 7],
    ['up', 100],
    ['down', 40],
    ['up', 1],
    ['down', 3],
  ]);
  assert.deepEqual(reliabilityOf(seen.intervals, seen), {
    outages: 5,
    downMs: 78,
    goodMs: 301,
    unknownMs: 7,
    longestMs: 40,
    meanDownMs: 15.6,
    mtbfMs: 60.2,
    recovered: 2,
    mttrMs: 30,
    mttrMedianMs: 30,
  });
});

test('the figures reconcile with the buckets of the ledger, whatever happened', () => {
  const parts = fc.array(fc.tuple(fc.constantFrom(...STATES), fc.integer({ min: 1, max: 1e7 })), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(parts, (written) => {
      const seen = timeline(written);
      const figures = reliabilityOf(seen.intervals, seen);
      const { upMs, degradedMs, downMs, unknownMs } = buckets(seen);
      assert.deepEqual([figures.goodMs, figures.downMs, figures.unknownMs], [upMs + degradedMs, downMs, unknownMs]);
      if (figures.mtbfMs === null || figures.meanDownMs === null) return assert.equal(downMs, 0);
      const availability = (upMs + degradedMs) / (upMs + degradedMs + downMs);
      assert.ok(Math.abs(figures.mtbfMs / (figures.mtbfMs + figures.meanDownMs) - availability) < 1e-12);
      assert.ok(figures.recovered <= figures.outages && (figures.longestMs ?? 0) >= figures.meanDownMs);
    }),
    { numRuns: 500 },
  );
});

test('however people split and merge outages, the figures reconcile with the ledger', () => {
  const parts = fc.array(fc.tuple(fc.constantFrom(...STATES), fc.integer({ min: 2, max: 50 })), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      parts,
      fc.array(fc.nat(1_500), { maxLength: 8 }),
      fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
      (said, at, merge) => {
        const seen = timeline(said);
        const down = seen.intervals.filter(({ state }) => state === 'down');
        const cuts = [...new Set(at)].map(epochMs).filter((cut) => down.some(({ fromMs, toMs }) => cut > fromMs && cut < toMs));
        const starts = [...down.map(({ fromMs }) => fromMs), ...cuts].sort((a, b) => a - b);
        const joined = starts.filter((_start, i) => i > 0 && merge[i] === true);
        const [plain, figures] = [reliabilityOf(seen.intervals, seen), reliabilityOf(seen.intervals, seen, { cuts, joined })];
        assert.equal(
          figures.outages,
          plain.outages + cuts.length - joined.length,
          'outages: the ledger’s, more by splits, fewer by merges',
        );
        assert.deepEqual([figures.downMs, figures.goodMs, figures.unknownMs], [plain.downMs, plain.goodMs, plain.unknownMs]);
        if (figures.mtbfMs === null || figures.meanDownMs === null) return;
        const known = figures.goodMs + figures.downMs;
        assert.ok(Math.abs(figures.mtbfMs / (figures.mtbfMs + figures.meanDownMs) - figures.goodMs / known) < 1e-12);
        assert.ok(figures.recovered <= figures.outages && (figures.longestMs ?? 0) <= figures.downMs);
        const undone = reliabilityOf(seen.intervals, seen, { cuts: [], joined: [] });
        assert.deepEqual(undone, plain);
      },
    ),
  );
});
