import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import fc from 'fast-check';
import { type Exemplar, compareExemplars } from './exemplar.ts';
import { ExemplarRing } from './exemplar-ring.ts';
import { type Labels, compareLabels, labelsKey, labelsOf } from './labels.ts';

const series = (n: number): Labels => labelsOf({ __name__: 'h', n: String(n) });
const exemplar = (atMs: number, value = 1, trace = 'a'): Exemplar => ({ labels: ['trace_id', trace], value, atMs });
const EVERYTHING = [[mustMatcher('__name__', '=', 'h')]];
const ALWAYS = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

test('a series takes its exemplars in order: repetitions are passed over, older ones refused', () => {
  const ring = new ExemplarRing(10);
  const added = (one: Exemplar) => ring.add(series(1), one);
  assert.equal(added(exemplar(5, 2)), 'stored');
  assert.equal(added(exemplar(5, 2)), 'duplicate');
  assert.equal(added(exemplar(4, 9)), 'out_of_order');
  assert.equal(added(exemplar(5, 1)), 'out_of_order');
  assert.equal(added(exemplar(5, 2, 'b')), 'stored');
  assert.equal(added(exemplar(5, 3)), 'stored');
  assert.equal(ring.add(series(2), exemplar(4)), 'stored');
  assert.equal(added(exemplar(6, 1, 'x'.repeat(120))), 'stored');
  assert.equal(added(exemplar(7, 1, 'x'.repeat(121))), 'label_limit');
  assert.equal(added(exemplar(7, 1, 'x'.repeat(200))), 'label_limit');
  assert.equal(added(exemplar(7, 1, 'x'.repeat(300))), 'label_limit');
  assert.equal(added(exemplar(7, 1, '😀'.repeat(120))), 'stored');
  assert.equal(new ExemplarRing(0).add(series(1), exemplar(1)), 'disabled');
});

test('both ends of the range belong to it, and any selector is enough', () => {
  const ring = new ExemplarRing(10);
  for (let i = 1; i <= 4; i++) for (let n = 1; n <= 2; n++) ring.add(series(n), exemplar(i));
  const only = (n: string) => [mustMatcher('n', '=', n)];
  assert.deepEqual(
    ring.select([only('2'), only('7')], { fromMs: 2, toMs: 3 }).map(({ labels, exemplars }) => [labels, exemplars.map(({ atMs }) => atMs)]),
    [[series(2), [2, 3]]],
  );
  assert.deepEqual(ring.select([only('1')], { fromMs: 5, toMs: 9 }), []);
  assert.deepEqual(ring.select([], ALWAYS), []);
});

test('the ring holds the newest exemplars of all series, whatever their order', () => {
  const adding = fc.array(fc.tuple(fc.nat(4), fc.nat(6), fc.nat(3)), { maxLength: 200 });
  fc.assert(
    fc.property(adding, fc.integer({ min: 1, max: 12 }), (list, capacity) => {
      const ring = new ExemplarRing(capacity);
      const kept: { readonly labels: Labels; readonly one: Exemplar }[] = [];
      for (const [n, atMs, value] of list) {
        const one = exemplar(atMs, value);
        const newest = kept.findLast(({ labels }) => labelsKey(labels) === labelsKey(series(n)));
        const order = newest === undefined ? 1 : compareExemplars(one, newest.one);
        assert.equal(ring.add(series(n), one), order > 0 ? 'stored' : order === 0 ? 'duplicate' : 'out_of_order');
        if (order > 0) kept.push({ labels: series(n), one });
        if (kept.length > capacity) kept.shift();
      }
      const found = ring.select(EVERYTHING, ALWAYS).flatMap(({ labels, exemplars }) => exemplars.map((one) => ({ labels, one })));
      assert.deepEqual(
        found,
        kept.sort((a, b) => compareLabels(a.labels, b.labels)),
      );
      assert.equal(ring.size, kept.length);
      assert.equal(ring.seriesCount, new Set(kept.map(({ labels }) => labelsKey(labels))).size);
    }),
  );
});
