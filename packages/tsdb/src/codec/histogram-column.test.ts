import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Histogram, sameHistogram } from '@nines/model/histogram.ts';
import { anyHistogram, counted } from '@nines/model/testing/histograms.ts';
import { CorruptData } from '../contract.ts';
import { bits64 } from '../testing/arbitraries.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { Columns, mergeInto } from './columns.ts';
import { HistogramReader, HistogramWriter, writeMarker } from './histogram-code.ts';
import { readHistogramColumn, writeHistogramColumn } from './histogram-column.ts';
import { DecodedPage, PageBuilder } from './page.ts';

const RUNS = process.env['NINES_FULL'] === '1' ? 5000 : 300;
const EVERYTHING = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

function written(histograms: readonly Histogram[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  const coder = new HistogramWriter();
  for (const histogram of histograms) coder.write(writer, histogram);
  return writer.copy();
}

/** Histograms that follow each other as they do in life: the same one, one with other counts, any. */
const succession = (): fc.Arbitrary<readonly Histogram[]> =>
  fc.array(fc.tuple(anyHistogram(), fc.constantFrom('same', 'grown', 'other')), { minLength: 1, maxLength: 20 }).map((steps) => {
    const all: Histogram[] = [];
    for (const [histogram, how] of steps) {
      const last = all.at(-1);
      if (last === undefined || how === 'other') all.push(histogram);
      else if (how === 'same') all.push({ ...last, hint: histogram.hint });
      else all.push({ ...last, count: histogram.count, sum: histogram.sum, hint: histogram.hint });
    }
    return all;
  });

test('histograms come back figure by figure, whatever came before them', () => {
  fc.assert(
    fc.property(succession(), (histograms) => {
      const reader = new ByteReader(written(histograms));
      const coder = new HistogramReader();
      for (const histogram of histograms) assert.deepEqual(coder.read(reader), histogram);
      assert.equal(reader.left, 0);
    }),
    { numRuns: RUNS },
  );
});

test('a counter that is scraped again and again costs a few bytes, an idle one costs one', () => {
  const busy = Array.from({ length: 101 }, (_, i) => counted(100 + i));
  assert.ok(written(busy).length - written(busy.slice(0, 1)).length <= 100 * 14);
  const idle = Array.from({ length: 101 }, () => counted(100));
  assert.equal(written(idle).length - written(idle.slice(0, 1)).length, 100);
});

test('equal histograms have equal markers, and a change of any figure changes it', () => {
  const markerOf = (h: Histogram): string => {
    const bits = new Uint32Array(2);
    writeMarker(h, bits, 0);
    assert.ok(Number.isNaN(new Float64Array(bits.buffer)[0]));
    return bits.join(' ');
  };
  fc.assert(
    fc.property(anyHistogram(), anyHistogram(), (a, b) => {
      assert.equal(markerOf(a), markerOf(structuredClone(a)));
      assert.equal(markerOf(a) === markerOf(b), a.hint === b.hint && sameHistogram(a, b));
      assert.notEqual(markerOf(a), markerOf({ ...a, count: a.count === 7 ? 8 : 7 }));
    }),
    { numRuns: RUNS },
  );
});

const mixed = (): fc.Arbitrary<Columns> =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.oneof(anyHistogram(), bits64())), { minLength: 1, maxLength: 40 })
    .map((steps) => {
      const columns = new Columns(1);
      let time = 0;
      for (const [delta, sample] of steps) {
        time += delta;
        if (typeof sample === 'bigint') columns.push(time, Number(sample & 0xffffffffn), Number(sample >> 32n));
        else columns.pushHistogram(time, sample);
      }
      return columns;
    });

const contentOf = ({ times, bits, length, histograms }: Columns): unknown =>
  Array.from({ length }, (_, i) => [times[i], bits[2 * i], bits[2 * i + 1], histograms?.get(times[i] ?? 0)]);

test('numbers and histograms of one series come back from a page, in any part of its time', () => {
  fc.assert(
    fc.property(fc.array(mixed(), { minLength: 1, maxLength: 5 }), fc.nat(1_000_000), fc.nat(1_000_000), (all, a, b) => {
      const builder = new PageBuilder();
      all.forEach((columns, ref) => builder.add(ref, columns));
      const { refs, data } = builder.finish();
      const page = new DecodedPage(refs, data);
      const range = { fromMs: Math.min(a, b), toMs: Math.max(a, b) };
      all.forEach((columns, i) => {
        const whole = new Columns(1);
        page.read(i, EVERYTHING, whole, new Columns());
        assert.deepEqual(contentOf(whole), contentOf(columns));
        const part = new Columns(1);
        page.read(i, range, part, new Columns());
        const [from, to] = [columns.lowerBound(range.fromMs), columns.lowerBound(range.toMs + 1)];
        assert.deepEqual(contentOf(part), (contentOf(columns) as unknown[]).slice(from, to));
      });
    }),
    { numRuns: RUNS },
  );
});

test('columns that are merged or cut keep the histograms of the samples that stay', () => {
  fc.assert(
    fc.property(mixed(), mixed(), fc.nat(40), fc.nat(40), (a, b, from, to) => {
      const expected = new Map<number, unknown>();
      for (const columns of [b, a]) for (const sample of contentOf(columns) as unknown[][]) expected.set(Number(sample[0]), sample);
      const merged = new Columns();
      mergeInto(merged, a, new Columns());
      mergeInto(merged, b, new Columns());
      const ordered = [...expected].sort(([x], [y]) => x - y).map(([, sample]) => sample);
      assert.deepEqual(contentOf(merged), ordered);
      const [first, last] = [Math.min(from, merged.length), Math.min(Math.max(from, to), merged.length)];
      merged.cut(first, last);
      ordered.splice(first, last - first);
      assert.deepEqual(contentOf(merged), ordered);
      merged.leaveOutHistograms();
      assert.deepEqual(
        contentOf(merged),
        ordered.filter((sample) => (sample as unknown[])[3] === undefined),
      );
    }),
    { numRuns: RUNS },
  );
});

test('a damaged column is read as something or reported, never worse', () => {
  fc.assert(
    fc.property(mixed(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), (columns, damage) => {
      const writer = new ByteWriter();
      writeHistogramColumn(writer, columns);
      const bytes = writer.copy();
      for (const [at, value] of damage) bytes[at % bytes.length] = value;
      try {
        readHistogramColumn(new ByteReader(bytes), columns.times.slice(0, columns.length), new Columns());
      } catch (thrown) {
        assert.ok(thrown instanceof CorruptData, String(thrown));
      }
    }),
    { numRuns: 4 * RUNS },
  );
});
