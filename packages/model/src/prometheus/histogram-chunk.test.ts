import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Histogram } from '../histogram.ts';
import { SampleColumns } from '../sample-columns.ts';
import { anyHistogram, counted } from '../testing/histograms.ts';
import { readWireHistogram } from '../wire-histogram.ts';
import { encodeWireHistogram } from '../wire-histogram-encode.ts';
import { FLOAT_HISTOGRAM_ENCODING, HISTOGRAM_ENCODING, type HistogramSample, decodeHistogramChunk } from './histogram-chunk.ts';
import { BadPrometheusData } from './reader.ts';

const RUNS = process.env['NINES_FULL'] === undefined ? 300 : 20_000;
type Sample = { readonly atMs: number; readonly histogram: Histogram | 'stale' };

/** Writes chunks as Prometheus' layout has them, XORed values without its short forms. */
class ChunkWriter {
  #bits = '';
  bits(value: bigint, size: number): void {
    this.#bits += BigInt.asUintN(size, value).toString(2).padStart(size, '0');
  }
  signed(value: number): void {
    const whole = BigInt(value);
    const size = [3, 6, 9, 12, 18, 25, 56].find((each) => whole >= 1n - (1n << BigInt(each - 1)) && whole <= 1n << BigInt(each - 1));
    this.#prefixed(whole, size);
  }
  unsigned(value: number): void {
    const size = [3, 6, 9, 12, 18, 25, 56].find((each) => BigInt(value) < 1n << BigInt(each));
    this.#prefixed(BigInt(value), size);
  }
  #prefixed(value: bigint, size = 64): void {
    if (value === 0n) return this.bits(0n, 1);
    const ones = [0, 3, 6, 9, 12, 18, 25, 56, 64].indexOf(size);
    this.bits((1n << BigInt(ones)) - 1n, ones);
    if (ones < 8) this.bits(0n, 1);
    this.bits(value, size);
  }
  double(value: number): void {
    this.bits(bitsOf(value), 64);
  }
  xored(value: bigint, before: bigint): void {
    if (value === before) return this.bits(0n, 1);
    this.bits(0b11n, 2);
    // No leading zeros, and 0 for 64 bits that count.
    this.bits(0n, 11);
    this.bits(value ^ before, 64);
  }
  done(count: number, header: number): Uint8Array {
    const padded = this.#bits.padEnd(Math.ceil(this.#bits.length / 8) * 8, '0');
    const body = padded.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
    return Uint8Array.from([count >>> 8, count & 255, header << 6, ...body]);
  }
}

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
}
const STALE = 0x7ff0000000000002n;
const bitsOfSum = ({ histogram }: Sample): bigint => (histogram === 'stale' ? STALE : bitsOf(histogram.sum));

/** All samples have the buckets of the first histogram. */
function encode(samples: readonly Sample[], { doubles, header = 0 }: { readonly doubles: boolean; readonly header?: number }): Uint8Array {
  const first = samples[0]?.histogram;
  assert.ok(first !== undefined && first !== 'stale');
  const out = new ChunkWriter();
  out.bits(255n, 8);
  out.double(first.zeroThreshold);
  out.signed(first.schema);
  for (const { indexes } of [first.positive, first.negative]) {
    out.unsigned(indexes.length);
    indexes.forEach((index, i) => {
      out.unsigned(1);
      out.signed(i === 0 ? index : index - (indexes[i - 1] ?? 0) - 1);
    });
  }
  if (first.schema === -53) {
    out.unsigned(first.bounds.length);
    for (const bound of first.bounds) {
      out.unsigned(0);
      out.double(bound);
    }
  }
  /** What is told of a sample beside its sum: integers as differences, or doubles. */
  const numbers = (h: Histogram): readonly number[] => {
    const deltas = (counts: readonly number[]): readonly number[] =>
      counts.map((each, i) => (doubles ? each : each - (counts[i - 1] ?? 0)));
    return [h.count, h.zeroCount, ...deltas(h.positive.counts), ...deltas(h.negative.counts)];
  };
  let before = { numbers: numbers(first), steps: numbers(first).map(() => 0), sum: 0n, atMs: 0, step: 0 };
  samples.forEach((sample, i) => {
    const isStale = sample.histogram === 'stale';
    const now = sample.histogram === 'stale' ? before.numbers : numbers(sample.histogram);
    const step = i === 0 ? 0 : sample.atMs - before.atMs;
    out.signed(i === 0 ? sample.atMs : step - before.step);
    const steps = now.map((each, k) => (i === 0 ? 0 : each - (before.numbers[k] ?? 0)));
    const write = (k: number): void => {
      const value = now[k] ?? 0;
      if (i === 0 && doubles) out.double(value);
      else if (i === 0 && k < 2) out.unsigned(value);
      else if (i === 0) out.signed(value);
      else if (doubles) out.xored(bitsOf(value), bitsOf(before.numbers[k] ?? 0));
      else out.signed((steps[k] ?? 0) - (before.steps[k] ?? 0));
    };
    write(0);
    write(1);
    const sum = bitsOfSum(sample);
    if (i === 0) out.bits(sum, 64);
    else out.xored(sum, before.sum);
    if (!isStale) for (let k = 2; k < now.length; k++) write(k);
    before = { numbers: now, steps, sum, atMs: sample.atMs, step };
  });
  return out.done(samples.length, header);
}

function decode(bytes: Uint8Array, doubles: boolean): { readonly found: readonly HistogramSample[]; readonly ends: readonly number[] } {
  const found: HistogramSample[] = [];
  const ends = new SampleColumns();
  decodeHistogramChunk(bytes, doubles ? FLOAT_HISTOGRAM_ENCODING : HISTOGRAM_ENCODING, found, ends);
  return { found, ends: [...ends.times.subarray(0, ends.length)] };
}

const whole = (times: number): Histogram => counted(times, { sum: times * 1.7 });
const growing = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 2 ** 33 })), { minLength: 1, maxLength: 20 })
  .map((steps) => {
    let atMs = 1_700_000_000_000;
    let times = 1;
    return steps.map(([more, by]): Sample => ({ atMs: (atMs += by), histogram: whole((times += more)) }));
  });

test('chunks of integers and of floats are read, whatever their steps', () => {
  fc.assert(
    fc.property(growing, fc.boolean(), (samples, doubles) => {
      const { found, ends } = decode(encode(samples, { doubles }), doubles);
      assert.deepEqual(found, samples);
      assert.deepEqual(ends, []);
    }),
    { numRuns: RUNS },
  );
});

test('any float histogram with its own layout is read, custom buckets and gauges among them', () => {
  fc.assert(
    fc.property(anyHistogram(), (any) => {
      const samples = [{ atMs: -5, histogram: any }];
      let read;
      try {
        read = decode(encode(samples, { doubles: true, header: any.hint === 'gauge' ? 3 : 0 }), true);
      } catch (thrown) {
        // One that Prometheus refuses too: negative counts, or bounds that make no sense.
        assert.ok(thrown instanceof BadPrometheusData);
        return;
      }
      assert.deepEqual(read.found, [{ atMs: -5, histogram: { ...any, hint: any.hint === 'gauge' ? 'gauge' : 'unknown' } }]);
    }),
    { numRuns: RUNS },
  );
});

test('the end of a series and a reset at the start of a chunk are read', () => {
  for (const doubles of [false, true]) {
    const samples: Sample[] = [
      { atMs: 1000, histogram: whole(1) },
      { atMs: 2000, histogram: whole(2) },
      { atMs: 2500, histogram: 'stale' },
    ];
    const { found, ends } = decode(encode(samples, { doubles, header: 2 }), doubles);
    assert.deepEqual(
      found.map(({ atMs, histogram }) => [atMs, histogram.hint, histogram.count]),
      [
        [1000, 'reset', 5],
        [2000, 'unknown', 10],
      ],
    );
    assert.deepEqual(ends, [2500]);
  }
});

test('damaged chunks are refused or read, never anything else', () => {
  const good = encode(
    [1, 2, 3].map((i) => ({ atMs: i * 1000, histogram: whole(i) })),
    { doubles: false },
  );
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), fc.nat(good.length), (at, byte, doubles, length) => {
      const damaged = good.slice(0, length);
      if (at < length) damaged[at] = byte;
      try {
        decode(damaged, doubles);
      } catch (thrown) {
        assert.ok(thrown instanceof BadPrometheusData, String(thrown));
      }
    }),
    { numRuns: RUNS },
  );
});

test('a histogram that is written for remote write reads back the same', () => {
  fc.assert(
    fc.property(anyHistogram(), fc.integer({ min: 0, max: 2 ** 42 }), (any, atMs) => {
      const bytes = encodeWireHistogram(atMs, any);
      const read = readWireHistogram(bytes, 0, bytes.length);
      if (read.problem === undefined) assert.deepEqual(read, { atMs, histogram: any, problem: undefined });
    }),
    { numRuns: RUNS },
  );
});
