import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelsOf } from '../labels.ts';
import { RemoteWriteDecoder } from '../remote-write.ts';
import { SampleColumns } from '../sample-columns.ts';
import { bitsOf } from '../stale.ts';
import { encodeLabels } from '../write-batch.ts';
import { encodeReadRequest, readResults, readStreamedSeries, takeFrame } from './remote-read.ts';
import { StreamedSeriesEncoder, decodeReadRequest, encodeReadResponse, encodeSampleSeries } from './remote-read-server.ts';
import { decodeXorChunk } from './xor-chunk.ts';
import { XorEncoder } from './xor-encode.ts';

const RUNS = process.env['NINES_FULL'] === undefined ? 500 : 50_000;

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const step = fc.oneof(
  fc.constant(15_000),
  fc.integer({ min: 1, max: 70_000 }),
  fc.integer({ min: 1, max: 2_000_000 }),
  fc.integer({ min: 1, max: 2 ** 40 }),
);
const anyBits = fc.oneof(
  fc.tuple(word, word),
  fc.double().map((value) => [...bitsOf(Float64Array.of(value))] as [number, number]),
  fc.constantFrom<[number, number]>([2, 0x7ff00000], [0, 0], [0, 0x80000000], [1, 0], [0, 1]),
);
const samples = (maxLength: number) =>
  fc
    .tuple(fc.integer({ min: -1000, max: 2 ** 41 }), fc.array(fc.tuple(step, anyBits), { minLength: 1, maxLength }))
    .map(([start, list]) => {
      let time = start;
      return {
        times: Float64Array.from(list, ([by]) => (time += by)),
        bits: Uint32Array.from(list.flatMap(([, bits]) => bits)),
      };
    });

const read = (columns: SampleColumns) => ({
  times: columns.times.slice(0, columns.length),
  bits: columns.bits.slice(0, 2 * columns.length),
});

test('an encoded chunk of floats gives back every time and every bit', () => {
  const encoder = new XorEncoder();
  fc.assert(
    fc.property(samples(150), ({ times, bits }) => {
      const columns = new SampleColumns();
      decodeXorChunk(encoder.encode({ times, bits }, 0, times.length), columns);
      assert.deepEqual(read(columns), { times, bits });
    }),
    { numRuns: RUNS },
  );
});

test('a chunk of a constant at a steady interval takes two bits a sample', () => {
  const times = Float64Array.from({ length: 120 }, (_, i) => 1_700_000_000_000 + i * 15_000);
  const chunk = new XorEncoder().encode({ times, bits: bitsOf(new Float64Array(120).fill(42)) }, 0, 120);
  // Count, first time, first value, first step; then one bit, and two for each of the 118 others.
  assert.equal(chunk.length, 2 + 6 + 8 + 2 + Math.ceil((1 + 118 * 2) / 8));
});

test('both forms of an answer are read back by the client of remote read', () => {
  const labels = encodeLabels(labelsOf({ __name__: 'up', job: 'ü' }));
  fc.assert(
    fc.property(samples(400), fc.nat(5), (one, index) => {
      let stream = new StreamedSeriesEncoder().encode(labels, one, index);
      const columns = new SampleColumns();
      while (stream.length > 0) {
        const taken = takeFrame(stream, 2 ** 21);
        assert.ok(taken.ok && taken.value !== undefined);
        for (const series of readStreamedSeries(taken.value.frame)) {
          assert.deepEqual(series.labels, labels);
          for (const { bytes } of series.chunks) decodeXorChunk(bytes, columns);
        }
        stream = stream.subarray(taken.value.used);
      }
      assert.deepEqual(read(columns), one);
      const results = readResults(encodeReadResponse([[], [encodeSampleSeries(labels, one)]]));
      assert.equal(results[0]?.length, 0);
      const decoded = new RemoteWriteDecoder().decode(results[1] ?? new Uint8Array(0));
      assert.ok(decoded.ok);
      const { batch } = decoded.value;
      assert.deepEqual(batch.times.subarray(0, one.times.length), one.times);
      assert.deepEqual(bitsOf(batch.values).subarray(0, one.bits.length), one.bits);
    }),
    { numRuns: RUNS / 5 },
  );
});

test('a request is read as its client wrote it', () => {
  const request = encodeReadRequest({
    fromMs: -5,
    toMs: 1_795_226_400_000,
    matchers: [
      { name: 'job', op: '=~', value: 'a|b' },
      { name: 'x', op: '!=', value: '' },
    ],
  });
  const asked = decodeReadRequest(request);
  assert.ok(asked.ok);
  const [query] = asked.value.queries;
  assert.deepEqual([asked.value.form, query?.fromMs, query?.toMs], ['streamed', -5, 1_795_226_400_000]);
  assert.deepEqual(
    query?.matchers.map(({ name, op, value }) => [name, op, value]),
    [
      ['job', '=~', 'a|b'],
      ['x', '!=', ''],
    ],
  );
  assert.equal(query?.matchers[0]?.matches('b'), true);
  // The list of accepted types packed, as Go writes it; unknown ones are passed over.
  const packed = decodeReadRequest(Uint8Array.of(0x12, 3, 9, 0, 1));
  assert.equal(packed.ok && packed.value.form, 'samples');
  const none = decodeReadRequest(Uint8Array.of(0x12, 1, 9));
  assert.match(none.ok ? '' : none.error, /accepted response types 9/);
});

test('arbitrary bytes are refused in words or read as a request', () => {
  const whole = encodeReadRequest({ fromMs: 0, toMs: 9, matchers: [{ name: 'job', op: '=~', value: 'a|b' }] });
  const damaged = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => whole.with(at, byte));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), damaged), (bytes) => {
      const asked = decodeReadRequest(bytes);
      if (!asked.ok) assert.ok(asked.error.length > 10, asked.error);
    }),
    { numRuns: RUNS },
  );
});
