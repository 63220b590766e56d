import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CorruptData } from '../contract.ts';
import { bits64, columnsOf, seriesColumns } from '../testing/arbitraries.ts';
import { ByteReader, ByteWriter, varintLength, zigzagLength } from './bytes.ts';
import { Columns, mergeInto } from './columns.ts';
import { DecodedPage, PageBuilder } from './page.ts';
import { readTimes, writeTimes } from './time-column.ts';
import { readValues, writeValues } from './value-column.ts';

const EVERYTHING = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

function sameColumns(actual: Columns, expected: Columns): void {
  assert.deepEqual(actual.times.slice(0, actual.length), expected.times.slice(0, expected.length));
  assert.deepEqual(actual.bits.slice(0, 2 * actual.length), expected.bits.slice(0, 2 * expected.length));
}

test('a varint of up to 53 bits and a zigzag of up to 52 come back and have the length foretold', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }), (unsigned, signed) => {
      const writer = new ByteWriter(1);
      writer.varint(unsigned);
      assert.equal(writer.at, varintLength(unsigned));
      const between = writer.at;
      writer.zigzag(signed);
      assert.equal(writer.at - between, zigzagLength(signed));
      const reader = new ByteReader(writer.written());
      assert.equal(reader.varint(), unsigned);
      assert.equal(reader.zigzag(), signed === 0 ? 0 : signed);
      assert.equal(reader.left, 0);
    }),
  );
});

test('values come back with all 64 bits, whatever they are', () => {
  fc.assert(
    fc.property(fc.array(bits64(), { minLength: 1, maxLength: 400 }), (values) => {
      const columns = columnsOf(values.map((bits, i) => [i, bits]));
      const writer = new ByteWriter();
      writeValues(writer, columns);
      const out = new Columns(values.length);
      out.ensure(values.length);
      const reader = new ByteReader(writer.copy());
      readValues(reader, values.length, out);
      assert.equal(reader.left, 0);
      assert.deepEqual(out.bits.slice(0, 2 * values.length), columns.bits.slice(0, 2 * values.length));
    }),
    { numRuns: 500 },
  );
});

test('a counter with staleness markers stays a run of decimals', () => {
  const values = Array.from({ length: 480 }, (_, i): [number, bigint] => [i, i % 100 === 50 ? 0x7ff0000000000002n : doubleBits(i * 0.25)]);
  const writer = new ByteWriter();
  writeValues(writer, columnsOf(values));
  assert.ok(writer.at < 700, `${writer.at} bytes`);
});

const doubleBits = (value: number): bigint => new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;

test('a sum of decimals that began with an odd number takes few bytes', () => {
  let sum = Math.PI;
  const values = Array.from({ length: 480 }, (_, i): [number, bigint] => [i, doubleBits((sum += (i % 13) / 100))]);
  const writer = new ByteWriter();
  writeValues(writer, columnsOf(values));
  assert.ok(writer.at < 520, `${writer.at} bytes`);
});

test('a sum to which many decimals were added between two scrapes takes half of what its bits would', () => {
  let sum = 0;
  const values = Array.from({ length: 480 }, (_, i): [number, bigint] => {
    for (let k = 0; k < 1 + (i % 7); k++) sum += ((i * 7919 + k * 104_729) % 1_000_003) / 1e9;
    return [i, doubleBits(sum)];
  });
  const writer = new ByteWriter();
  writeValues(writer, columnsOf(values));
  assert.ok(writer.at < 480 * 4.8, `${writer.at} bytes`);
  const out = new Columns(480);
  readValues(new ByteReader(writer.copy()), 480, out);
  assert.deepEqual(out.bits.slice(0, 960), columnsOf(values).bits.slice(0, 960));
});

test('a gauge that jumps about one level is kept as distances from its least value', () => {
  const values = Array.from({ length: 480 }, (_, i): [number, bigint] => [i, doubleBits(((i * 7919) % 120) / 100 + 50)]);
  const writer = new ByteWriter();
  writeValues(writer, columnsOf(values));
  assert.ok(writer.at < 500, `${writer.at} bytes: differences would need two bytes for most`);
});

test('times come back', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: -(2 ** 43), max: 2 ** 43 }), { minLength: 1 }), (unsorted) => {
      const times = Float64Array.from(unsorted).sort();
      const writer = new ByteWriter();
      writeTimes(writer, times, times.length);
      assert.deepEqual(
        readTimes(new ByteReader(writer.copy()), 1000),
        times.map((time) => time + 0),
      );
    }),
  );
});

test('a page gives back every series it was given, and any part of it', () => {
  fc.assert(
    fc.property(fc.array(seriesColumns(), { minLength: 1, maxLength: 12 }), fc.integer({ min: 0, max: 1000 }), (series, from) => {
      const builder = new PageBuilder();
      series.forEach((columns, i) => builder.add(i * 7, columns));
      const { refs, data, samples } = builder.finish();
      assert.equal(
        samples,
        series.reduce((sum, columns) => sum + columns.length, 0),
      );
      const page = new DecodedPage(refs, data);
      assert.deepEqual(
        [...page.refs],
        series.map((_, i) => i * 7),
      );
      const out = new Columns();
      const scratch = new Columns();
      series.forEach((columns, i) => {
        out.clear();
        page.read(i, EVERYTHING, out, scratch);
        sameColumns(out, columns);
        out.clear();
        page.read(i, { fromMs: from, toMs: from + 200 }, out, scratch);
        const part = new Columns();
        part.append(columns, columns.lowerBound(from), columns.lowerBound(from + 201));
        sameColumns(out, part);
      });
    }),
  );
});

test('series of one scrape share their time column', () => {
  const build = (jitter: (i: number) => number): number => {
    const builder = new PageBuilder();
    for (let series = 0; series < 50; series++)
      builder.add(series, columnsOf(Array.from({ length: 240 }, (_, k) => [k * 15_000 + jitter(k * (series % 2)), doubleBits(series)])));
    return builder.finish().data.length;
  };
  assert.ok(build(() => 0) < 600);
});

test('every flipped bit of a page is found out', () => {
  const builder = new PageBuilder();
  for (let series = 0; series < 5; series++)
    builder.add(series, columnsOf(Array.from({ length: 30 }, (_, k) => [k * 15_000, doubleBits(series * k)])));
  const { refs, data } = builder.finish();
  for (let bit = 0; bit < (refs.length + data.length) * 8; bit++) {
    const damagedRefs = refs.slice();
    const damagedData = data.slice();
    const target = bit >>> 3 < refs.length ? damagedRefs : damagedData;
    const at = (bit >>> 3) - (target === damagedRefs ? 0 : refs.length);
    target[at] = (target[at] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => new DecodedPage(damagedRefs, damagedData), CorruptData);
  }
});

test('decoders of pages refuse arbitrary bytes without crashing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 20 }), (data, refs) => {
      assert.throws(() => new DecodedPage(refs, data), CorruptData);
      try {
        readValues(new ByteReader(data), 8, new Columns());
        readTimes(new ByteReader(data), 100);
      } catch (thrown) {
        assert.ok(thrown instanceof CorruptData, String(thrown));
      }
    }),
  );
});

test('merging keeps every instant once and the first source wins', () => {
  fc.assert(
    fc.property(seriesColumns(), seriesColumns(), (a, b) => {
      const expected = new Map<number, string>();
      for (const columns of [b, a])
        for (let i = 0; i < columns.length; i++) expected.set(columns.times[i] ?? 0, `${columns.bits[2 * i]}:${columns.bits[2 * i + 1]}`);
      const merged = new Columns();
      merged.append(a, 0, a.length);
      mergeInto(merged, b, new Columns());
      const actual = Array.from({ length: merged.length }, (_, i) => [merged.times[i], `${merged.bits[2 * i]}:${merged.bits[2 * i + 1]}`]);
      assert.deepEqual(
        actual,
        [...expected].sort(([x], [y]) => x - y),
      );
    }),
  );
});
