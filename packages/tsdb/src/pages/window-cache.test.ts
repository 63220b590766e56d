import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCipher } from '../cipher.ts';
import { type NewPage, type PageHead, type PageQuery, RESOLUTIONS, ROLLUP_WINDOW_MS, WINDOW_MS } from '../contract.ts';
import { openPageFile } from '../page-store.ts';
import { openSealedPages } from './sealed-pages.ts';

const NAMES = ['a', 'b', 'ba', 'c', 'é'];
const pageIn = (windows: number): fc.Arbitrary<NewPage> =>
  fc
    .record({
      resolutionMs: fc.constantFrom(...RESOLUTIONS),
      window: fc.nat(windows - 1),
      ends: fc.tuple(fc.nat(1000), fc.nat(1000)),
      names: fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)),
      refs: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    })
    .map(({ resolutionMs, window, ends, names, refs }) => {
      const lengthMs = resolutionMs === 0 ? WINDOW_MS : ROLLUP_WINDOW_MS;
      const [from, to] = ends.sort((a, b) => a - b);
      const [metricFrom, metricTo] = names.sort();
      const at = (share: number): number => window * lengthMs + Math.floor((lengthMs * share) / 1000);
      // Buckets end with the first instant of the next day; samples do not reach it.
      const toMs = resolutionMs === 0 ? Math.min(at(to), (window + 1) * lengthMs - 1) : at(to);
      return {
        resolutionMs,
        windowMs: window * lengthMs,
        fromMs: Math.min(at(from), toMs),
        toMs,
        metricFrom,
        metricTo,
        segment: 1,
        samples: 1,
        refs,
        data: refs,
      };
    });
const query: fc.Arbitrary<PageQuery> = fc
  .record({
    resolutionMs: fc.constantFrom(...RESOLUTIONS),
    from: fc.oneof(fc.constant(Number.NEGATIVE_INFINITY), fc.integer({ min: -2, max: 30 })),
    length: fc.oneof(fc.nat(10), fc.constant(Number.POSITIVE_INFINITY)),
    names: fc.option(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES))),
  })
  .map(({ resolutionMs, from, length, names }) => {
    const [metricFrom = '', metricTo = ''] = names?.sort() ?? [];
    const range = {
      resolutionMs,
      fromMs: from * WINDOW_MS * 0.7,
      toMs: (from === Number.NEGATIVE_INFINITY ? length : from + length) * WINDOW_MS * 0.7,
    };
    return names === null ? range : { ...range, metricFrom, metricTo };
  });

test('sealed pages are found as plain ones are, whatever was added, removed and asked before', () => {
  const step = fc.oneof(
    fc.array(pageIn(6), { minLength: 1, maxLength: 4 }).map((add) => ({ kind: 'add' as const, add })),
    fc.nat(30).map((remove) => ({ kind: 'remove' as const, remove })),
    fc.nat(5).map((day) => ({ kind: 'day' as const, day: day * ROLLUP_WINDOW_MS })),
    query.map((find) => ({ kind: 'find' as const, find })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const plain = openPageFile(':memory:');
      const sealed = openSealedPages(openPageFile(':memory:'), createCipher(new Uint8Array(32)));
      const both = [plain, sealed];
      for (const one of steps) {
        if (one.kind === 'add') for (const store of both) store.commit({ addPages: one.add });
        else if (one.kind === 'remove') for (const store of both) store.commit({ removePages: [one.remove] });
        else if (one.kind === 'day')
          for (const store of both) for (const change of [{ beginDay: one.day }, { endDay: one.day }]) store.commit(change);
        else assert.deepEqual(sealed.find(one.find).map(withoutLength), plain.find(one.find).map(withoutLength));
      }
      for (const store of both) store.close();
    }),
    { numRuns: process.env['NINES_FULL'] === '1' ? 5000 : 300 },
  );
});

/** Sealed rows are longer than plain ones. */
const withoutLength = (head: PageHead): unknown => ({ ...head, bytes: 0, refs: Buffer.from(head.refs).toString('hex') });
