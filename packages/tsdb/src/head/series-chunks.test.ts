import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Columns } from '../codec/columns.ts';
import { WINDOW_MS } from '../contract.ts';
import { bits64, columnsOf, seriesColumns } from '../testing/arbitraries.ts';
import { SeriesChunks } from './series-chunks.ts';

/** Steps of time: mostly regular, sometimes none of it. */
const steps = (): fc.Arbitrary<number[]> =>
  fc.array(
    fc.oneof({ weight: 6, arbitrary: fc.constant(15_000) }, fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 2 ** 40 })),
    {
      minLength: 1,
      maxLength: 500,
    },
  );

function ascending(gaps: readonly number[], values: readonly bigint[]): Columns {
  let time = 1_700_000_000_000;
  return columnsOf(gaps.map((gap, i) => [(time += gap), values[Math.floor(i / 3) % values.length] ?? 0n]));
}

function appendAll(chunks: SeriesChunks, ref: number, columns: Columns): void {
  for (let i = 0; i < columns.length; i++) chunks.append(ref, columns.times[i] ?? 0, columns.bits, i);
}

function sameAs(chunks: SeriesChunks, ref: number, expected: Columns, range = { from: -Infinity, to: Infinity }): void {
  const out = new Columns();
  chunks.read(ref, range.from, range.to, out);
  assert.deepEqual(out.times.slice(0, out.length), expected.times.slice(0, expected.length));
  assert.deepEqual(out.bits.slice(0, 2 * out.length), expected.bits.slice(0, 2 * expected.length));
}

test('what series append in turn each gives back, bit by bit, in any range', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(steps(), fc.array(bits64(), { minLength: 1, maxLength: 40 })), { minLength: 1, maxLength: 3 }),
      (inputs) => {
        const chunks = new SeriesChunks();
        chunks.reserve(inputs.length);
        const all = inputs.map(([gaps, values]) => ascending(gaps, values));
        const longest = Math.max(...all.map((columns) => columns.length));
        for (let i = 0; i < longest; i++)
          all.forEach((columns, ref) => {
            if (i < columns.length) chunks.append(ref, columns.times[i] ?? 0, columns.bits, i);
          });
        all.forEach((columns, ref) => {
          sameAs(chunks, ref, columns);
          const from = columns.times[Math.floor(columns.length / 3)] ?? 0;
          const to = columns.times[Math.floor((columns.length * 2) / 3)] ?? 0;
          const part = new Columns();
          part.append(columns, columns.lowerBound(from), columns.lowerBound(to + 1));
          sameAs(chunks, ref, part, { from, to });
          assert.equal(chunks.lastTime(ref), columns.times[columns.length - 1]);
          assert.equal(chunks.firstTime(ref), columns.times[0]);
        });
        assert.equal(
          chunks.samples,
          all.reduce((sum, columns) => sum + columns.length, 0),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('an instant that is said to be lacking is lacking, whatever the steps', () => {
  fc.assert(
    fc.property(steps(), fc.array(bits64(), { minLength: 1, maxLength: 5 }), (gaps, values) => {
      const chunks = new SeriesChunks();
      chunks.reserve(1);
      const columns = ascending(gaps, values);
      appendAll(chunks, 0, columns);
      for (const time of columns.times.subarray(0, columns.length)) {
        assert.ok(!chunks.lacks(0, time), `${time} is there`);
        if (columns.indexOf(time - 1) < 0 && time === chunks.lastTime(0)) assert.ok(chunks.lacks(0, time - 1));
      }
    }),
  );
});

test('what was overtaken is known to be lacking without decoding: before the newest, between chunks, and off a regular grid', () => {
  const chunks = new SeriesChunks();
  chunks.reserve(1);
  const inOrder = columnsOf(Array.from({ length: 300 }, (_, i) => [i * 15_000, BigInt(i)]));
  appendAll(chunks, 0, inOrder);
  assert.ok(chunks.lacks(0, 7_500));
  assert.ok(chunks.lacks(0, 240 * 15_000 - 1), 'a chunk ends after 240 samples');
  assert.ok(!chunks.lacks(0, 30_000));
  appendAll(chunks, 0, columnsOf([[301 * 15_000, 0n]]));
  assert.ok(chunks.lacks(0, 300 * 15_000));
});

test('decimals of changing precision come back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.integer({ min: 0, max: 8 })), { minLength: 1, maxLength: 400 }),
      (values) => {
        const chunks = new SeriesChunks();
        chunks.reserve(1);
        const bits = values.map(([mantissa, exponent]) => new BigUint64Array(Float64Array.of(mantissa / 10 ** exponent).buffer)[0] ?? 0n);
        const columns = columnsOf(bits.map((value, i) => [i * 1000, value]));
        appendAll(chunks, 0, columns);
        sameAs(chunks, 0, columns);
      },
    ),
    { numRuns: 300 },
  );
});

test('windows are dropped whole and their memory is used again', () => {
  const chunks = new SeriesChunks();
  chunks.reserve(10);
  const columns = columnsOf(Array.from({ length: 1440 }, (_, i) => [i * 15_000, BigInt(i * 2654435761) << 20n]));
  for (let ref = 0; ref < 10; ref++) appendAll(chunks, ref, columns);
  const { bytes } = chunks;
  for (let round = 0; round < 20; round++) {
    for (let ref = 0; ref < 10; ref++) {
      chunks.dropBefore(ref, 2 * WINDOW_MS);
      const rest = new Columns();
      rest.append(columns, columns.lowerBound(2 * WINDOW_MS), columns.length);
      sameAs(chunks, ref, rest);
      chunks.dropBefore(ref, Number.POSITIVE_INFINITY);
      assert.ok(chunks.isEmpty(ref));
      appendAll(chunks, ref, columns);
    }
  }
  assert.equal(chunks.bytes, bytes);
  assert.equal(chunks.samples, 14_400);
});

test('a constant series of two hours at 15 s needs two blocks, a counter below two bytes per sample', () => {
  const chunks = new SeriesChunks();
  chunks.reserve(4000);
  const before = chunks.bytes;
  for (let ref = 0; ref < 4000; ref++) {
    for (let i = 0; i < 480; i++)
      chunks.append(ref, i * 15_000, new Uint32Array(Float64Array.of(ref % 2 === 0 ? 1 : i * 37 + (i % 5)).buffer), 0);
  }
  // Half the series need 128 bytes, half about 960.
  assert.ok(chunks.bytes - before < 4000 * 800, `${(chunks.bytes - before) / 4000} bytes per series`);
});

test('sums, decimals and staleness markers come back', () => {
  fc.assert(
    fc.property(seriesColumns(), (columns) => {
      const chunks = new SeriesChunks();
      chunks.reserve(1);
      appendAll(chunks, 0, columns);
      sameAs(chunks, 0, columns);
    }),
    { numRuns: 300 },
  );
});
