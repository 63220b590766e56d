import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matcher, mustMatcher } from '@nines/base/matcher.ts';
import { type Labels, labelsKey, labelsOf } from '@nines/model/labels.ts';
import fc from 'fast-check';
import { NONE, SeriesIndex } from './series-index.ts';

const METRICS = ['a', 'b', 'c'];
const series = fc
  .record({ __name__: fc.constantFrom(...METRICS), host: fc.integer({ min: 0, max: 60 }).map(String), only: fc.constantFrom('', 'x', 'y') })
  .map(({ only, ...labels }) => labelsOf(only === '' ? labels : { ...labels, only }));
type Step = { readonly add: readonly Labels[] } | { readonly keepEvery: number };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.array(series, { maxLength: 80 }).map((add) => ({ add })),
    fc.integer({ min: 1, max: 5 }).map((keepEvery) => ({ keepEvery })),
  ),
  { maxLength: 12 },
);

function check(index: SeriesIndex, model: ReadonlyMap<string, { readonly ref: number; readonly labels: Labels }>): void {
  const all = [...model.values()];
  assert.equal(index.size, all.length);
  for (const { ref, labels } of all) {
    assert.deepEqual(index.labelsOf(ref), labels);
    assert.equal(index.find(labels), ref);
  }
  const expected = (wanted: (labels: Labels) => boolean): number[] =>
    all
      .filter(({ labels }) => wanted(labels))
      .map(({ ref }) => ref)
      .sort((a, b) => a - b);
  const value = (labels: Labels, name: string): string => labels[labels.indexOf(name) + 1] ?? '';
  assert.deepEqual(
    [...index.refs()],
    expected(() => true),
  );
  for (const name of METRICS) {
    const found = expected((labels) => value(labels, '__name__') === name);
    assert.deepEqual([...index.select([mustMatcher('__name__', '=', name)])], found);
    assert.equal(index.count('__name__', name), found.length);
  }
  const regex = matcher('host', '=~', '1.|2');
  assert.ok(regex.ok);
  assert.deepEqual(
    [...index.select([regex.value])],
    expected((labels) => /^(1.|2)$/.test(value(labels, 'host'))),
  );
  assert.deepEqual([...index.names()].sort(), [...new Set(all.flatMap(({ labels }) => labels.filter((_, i) => i % 2 === 0)))].sort());
}

test('after any additions and removals the index answers as a map would, under references that never come again', () => {
  fc.assert(
    fc.property(steps, fc.integer(), (list, seed) => {
      const index = new SeriesIndex(seed);
      const model = new Map<string, { ref: number; labels: Labels }>();
      const given = new Set<number>();
      for (const step of list) {
        if ('add' in step) {
          for (const labels of step.add) {
            if (model.has(labelsKey(labels))) continue;
            assert.equal(index.find(labels), NONE);
            const ref = index.add(labels);
            assert.ok(!given.has(ref));
            given.add(ref);
            model.set(labelsKey(labels), { ref, labels });
          }
        } else {
          const gone = [...model].filter((_, i) => i % step.keepEvery !== 0);
          index.remove(gone.map(([, { ref }]) => ref));
          for (const [key, { ref }] of gone) {
            model.delete(key);
            assert.deepEqual([index.isLive(ref), index.labelsOf(ref), index.metricOf(ref)], [false, [], '']);
          }
        }
        check(index, model);
      }
    }),
    { numRuns: process.env['NINES_FULL'] === '1' ? 2_000 : 150 },
  );
});

test('series that come and go leave nothing in memory', () => {
  const index = new SeriesIndex();
  const day = (number: number): number[] =>
    Array.from({ length: 1_000 }, (_, i) => index.add(labelsOf({ __name__: 'http', pod: `pod-${number}-${i}`, job: 'web' })));
  let before = day(0);
  let settled = 0;
  for (let number = 1; number <= 200; number++) {
    const today = day(number);
    index.remove(before);
    before = today;
    if (number === 20) settled = index.bytes;
  }
  assert.equal(index.size, 1_000);
  assert.equal(index.textCount, 1_000 + 5);
  assert.ok(index.slotCount <= 2_000);
  // Of 180,000 further references a block number each 256 is all that is left.
  assert.ok(index.bytes - settled < 16_384, `${settled} bytes became ${index.bytes}`);
});
