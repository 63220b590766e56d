import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CorruptData } from '../contract.ts';
import { bits64, columnsOf, seriesColumns } from '../testing/arbitraries.ts';
import { STALE_BITS, bitsOfNumber } from '../testing/samples.ts';
import { readCode, readNumbers, writeNumbers } from './bit-code.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { Columns } from './columns.ts';
import { DenseBits } from './dense-column.ts';
import { readValues, writeValues } from './value-column.ts';

const DENSE = 8;

test('numbers of any size up to 53 bits come back from their bits, at every fineness', () => {
  const number = fc.oneof(
    fc.nat({ max: 20 }),
    fc.nat(),
    fc.maxSafeNat(),
    fc.nat({ max: 53 }).map((bits) => 2 ** bits - 1),
  );
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 300 }), fc.nat({ max: 3 }), fc.nat({ max: 9 }), (list, fineness, start) => {
      const header = new ByteWriter();
      const out = new ByteWriter();
      out.raw(new Uint8Array(start).fill(0xff));
      writeNumbers(header, out, Float64Array.from(list), fineness);
      const reader = new ByteReader(header.copy());
      const back = new Float64Array(list.length);
      readNumbers(readCode(reader), { bits: new DataView(out.copy().buffer), start }, back, { from: 0, to: list.length });
      assert.deepEqual([...back], list);
      assert.equal(reader.left, 0);
    }),
    { numRuns: 500 },
  );
});

test('a code of very unequal numbers stays within its longest length', () => {
  const list = Float64Array.from(Array.from({ length: 24 }, (_, i) => Array.from({ length: Math.ceil(1.7 ** i) }, () => i)).flat());
  const header = new ByteWriter();
  const out = new ByteWriter();
  writeNumbers(header, out, list, 3);
  const back = new Float64Array(list.length);
  readNumbers(readCode(new ByteReader(header.copy())), { bits: new DataView(out.copy().buffer), start: 0 }, back, {
    from: 0,
    to: list.length,
  });
  assert.deepEqual(back, list);
});

/** The column written with bits beside it and read again. */
function roundTrip(columns: Columns): { readonly form: number; readonly bytes: number } {
  const bits = new DenseBits();
  const writer = new ByteWriter();
  writeValues(writer, columns, bits);
  const out = new Columns(columns.length);
  const reader = new ByteReader(writer.copy());
  readValues(reader, columns.length, out, new DataView(bits.written().slice().buffer));
  assert.equal(reader.left, 0);
  assert.deepEqual(out.bits.slice(0, 2 * columns.length), columns.bits.slice(0, 2 * columns.length));
  return { form: writer.bytes[0] ?? 0, bytes: writer.at + bits.size };
}

test('values come back with all 64 bits, whatever stands among the noise', () => {
  fc.assert(
    fc.property(seriesColumns(), fc.array(fc.tuple(fc.nat(), bits64()), { maxLength: 5 }), (columns, others) => {
      for (const [at, bits] of others) {
        columns.bits[2 * (at % columns.length)] = Number(bits & 0xffffffffn);
        columns.bits[2 * (at % columns.length) + 1] = Number(bits >> 32n);
      }
      roundTrip(columns);
    }),
    { numRuns: 1000 },
  );
});

const series = (count: number, value: (i: number) => number): Columns =>
  columnsOf(Array.from({ length: count }, (_, i) => [i, i === 100 ? STALE_BITS : bitsOfNumber(value(i))]));

/** Below `limit`, the same each time. */
const random = (i: number, limit: number): number => Math.floor(Math.abs(Math.sin(i * 12.9898) * 43758.5453) * limit) % limit;

test('a gauge in units of 4096 takes the bits that are above them', () => {
  const { form, bytes } = roundTrip(series(1800, (i) => 2 ** 33 + 4096 * random(i, 256)));
  assert.equal(form, DENSE);
  assert.ok(bytes < 1800 * 1.1, `${bytes} bytes for 8 bits each`);
});

test('durations with rare long ones take the bits of the usual ones', () => {
  const { form, bytes } = roundTrip(series(1800, (i) => (i % 50 === 0 ? 10_000_000 + random(i, 1e6) : 5000 + random(i, 4096)) / 1e9));
  assert.equal(form, DENSE);
  assert.ok(bytes < 1800 * 1.75, `${bytes} bytes for 12 bits each`);
});

test('a counter whose rate is noisy, and a sum in floating point of noise, are dense', () => {
  let count = 2 ** 40;
  let sum = Math.PI;
  assert.equal(roundTrip(series(1800, (i) => (count += 20_000 + random(i, 256)))).form, DENSE);
  const { form, bytes } = roundTrip(series(1800, (i) => (sum += random(i, 2 ** 20) / 1e9)));
  assert.equal(form, DENSE);
  assert.ok(bytes < 1800 * 2.7, `${bytes} bytes for 20 bits each`);
});

test('two columns with the same noise keep it once', () => {
  const bits = new DenseBits();
  const sizes = [0, 1].map((level) => {
    writeValues(
      new ByteWriter(),
      series(1800, (i) => level + random(i, 256)),
      bits,
    );
    return bits.size;
  });
  assert.ok((sizes[0] ?? 0) > 1000);
  assert.equal(sizes[1], sizes[0]);
});

test('a quiet column is left to zstd', () => {
  assert.notEqual(roundTrip(series(1800, (i) => Math.floor(i / 40))).form, DENSE);
});

test('a code or a place that cannot be is reported', () => {
  const column = (...code: number[]): (() => void) => {
    // Form 8 of decimals: exponent 0, no exceptions, first 0, kind 2, divisor 1, base 0.
    const reader = new ByteReader(Uint8Array.of(8, 1, 0, 0, 0, 2, 1, 0, ...code));
    return () => readValues(reader, 3, new Columns(), new DataView(new ArrayBuffer(8)));
  };
  assert.throws(column(4, 0, 1, 1, 0), /a fineness of 4/);
  assert.throws(column(0, 0, 0, 0), /a code for buckets/);
  assert.throws(column(0, 0, 1, 0, 0), /lengths that no code has/);
  assert.throws(column(0, 0, 3, 1, 1, 1, 0), /lengths that no code has/);
  assert.throws(column(0, 0, 1, 11, 0), /a code of 11 bits/);
  assert.throws(column(0, 0, 1, 1, 9), /bits that end early/);
  assert.throws(() => readValues(new ByteReader(Uint8Array.of(8, 3, 0, 0)), 3, new Columns()), CorruptData);
});
