import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelsFrom } from './labels.ts';
import { RemoteWriteDecoder } from './remote-write.ts';
import type { DecodedWrite } from './remote-write-walk.ts';
import { bitsOf, isStale } from './stale.ts';
import { type WireSeries, encodeWriteRequest, field, varint } from './testing/remote-write-encoder.ts';
import { decodeLabels } from './write-batch.ts';
import { wireExemplar } from './testing/exemplars.ts';
import { counted } from './testing/histograms.ts';

const STALE = Uint8Array.from([2, 0, 0, 0, 0, 0, 0xf0, 0x7f]);

function readBack({ batch }: DecodedWrite) {
  return Array.from({ length: batch.seriesCount }, (_, i) => {
    const labels = decodeLabels(batch.bytes, batch.labelsFrom[i] ?? 0, batch.labelsTo[i] ?? 0);
    const from = batch.samplesFrom[i] ?? 0;
    const to = batch.samplesFrom[i + 1] ?? 0;
    return {
      labels: labels.ok ? labels.value : labels.error,
      times: [...batch.times.subarray(from, to)],
      bits: [...bitsOf(batch.values).subarray(2 * from, 2 * to)],
    };
  });
}

function expected(series: readonly WireSeries[]) {
  return series.map(({ labels, samples }) => {
    const bytes = Buffer.concat(
      samples.map(([, value]) => (typeof value === 'number' ? Buffer.from(Float64Array.of(value).buffer) : Buffer.from(value))),
    );
    return {
      labels: labelsFrom(labels),
      times: samples.map(([atMs]) => atMs),
      bits: Array.from({ length: samples.length * 2 }, (_, i) => bytes.readUInt32LE(4 * i)),
    };
  });
}

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });
const wireSeries: fc.Arbitrary<WireSeries> = fc.record({
  labels: names.chain((all) => fc.tuple(...all.map((name) => fc.tuple(fc.constant(name), fc.string({ maxLength: 150 }))))),
  samples: fc.array(fc.tuple(fc.maxSafeInteger(), fc.uint8Array({ minLength: 8, maxLength: 8 })), { maxLength: 5 }),
  exemplars: fc.array(wireExemplar, { maxLength: 2 }),
  interleaved: fc.boolean(),
});

test('every request decodes to its series, samples bit for bit, whatever the order of fields', () => {
  const decoder = new RemoteWriteDecoder();
  fc.assert(
    fc.property(fc.array(wireSeries, { maxLength: 12 }), (series) => {
      const decoded = decoder.decode(encodeWriteRequest(series));
      assert.ok(decoded.ok, JSON.stringify(decoded));
      assert.deepEqual(readBack(decoded.value), expected(series));
      assert.equal(
        decoded.value.sampleCount,
        series.reduce((sum, { samples }) => sum + samples.length, 0),
      );
    }),
  );
});

test('arrays grow beyond their first size and are used again', () => {
  const decoder = new RemoteWriteDecoder();
  const series = Array.from({ length: 700 }, (_, i) => ({
    labels: [['__name__', `m${i}`] as const],
    samples: [[i, i] as const, [i + 1, -i] as const],
  }));
  for (const part of [series, series.slice(0, 3), series]) {
    const decoded = decoder.decode(encodeWriteRequest(part));
    assert.ok(decoded.ok);
    assert.deepEqual(readBack(decoded.value), expected(part));
  }
});

test('labels that stand apart are brought together without touching the body', () => {
  const labels = [
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
  ] as const;
  const body = encodeWriteRequest([
    { labels, samples: [[1, 5]], interleaved: true },
    { labels: [['z', '9']], samples: [[2, 6]] },
  ]);
  const before = Buffer.from(body);
  const decoded = new RemoteWriteDecoder().decode(body);
  assert.ok(decoded.ok);
  assert.deepEqual(
    readBack(decoded.value).map((one) => one.labels),
    [
      ['a', '1', 'b', '2', 'c', '3'],
      ['z', '9'],
    ],
  );
  assert.ok(body.equals(before));
});

test('a sample without its fields is value 0 at instant 0, as protobuf leaves zeros out', () => {
  const decoded = new RemoteWriteDecoder().decode(field(0x0a, Buffer.concat([field(0x12, Buffer.alloc(0))])));
  assert.ok(decoded.ok);
  assert.deepEqual(readBack(decoded.value), [{ labels: [], times: [0], bits: [0, 0] }]);
});

test('staleness markers keep their bits and negative instants their sign', () => {
  const decoded = new RemoteWriteDecoder().decode(
    encodeWriteRequest([
      {
        labels: [['__name__', 'm']],
        samples: [
          [-62_135_596_800_000, STALE],
          [-1, 1],
        ],
      },
    ]),
  );
  assert.ok(decoded.ok);
  assert.ok(isStale(bitsOf(decoded.value.batch.values), 0));
  assert.deepEqual(readBack(decoded.value)[0]?.times, [-62_135_596_800_000, -1]);
});

test('metadata and exemplars are kept, unknown fields are passed over', () => {
  const body = Buffer.concat([
    encodeWriteRequest(
      [
        {
          labels: [['__name__', 'h']],
          samples: [[1, 1]],
          exemplars: [
            {
              labels: [
                ['b', '2'],
                ['a', '1'],
              ],
              value: 0.25,
              atMs: -7,
            },
          ],
        },
      ],
      [{ name: 'h', type: 'histogram', help: 'How long.', unit: 'seconds' }],
    ),
    Buffer.from([0x78, 1]),
    field(0x7a, Buffer.from('later')),
  ]);
  const decoded = new RemoteWriteDecoder().decode(body);
  assert.ok(decoded.ok);
  assert.equal(decoded.value.sampleCount, 1);
  assert.deepEqual(decoded.value.batch.exemplars, [{ series: 0, labels: ['a', '1', 'b', '2'], value: 0.25, atMs: -7 }]);
  assert.deepEqual([...decoded.value.metadata], [['h', { type: 'histogram', help: 'How long.', unit: 'seconds' }]]);
});

test('an exemplar that is too long to be one is left out and counted', () => {
  const exemplar = (length: number) => ({ labels: [['trace_id', 'x'.repeat(length)] as const], value: 1, atMs: 1 });
  const body = encodeWriteRequest([{ labels: [['__name__', 'h']], samples: [[1, 1]], exemplars: [exemplar(5_000), exemplar(100)] }]);
  const decoded = new RemoteWriteDecoder().decode(body);
  assert.ok(decoded.ok);
  assert.deepEqual([decoded.value.leftOutExemplars, decoded.value.batch.exemplars?.length], [1, 1]);
});

test('malformed bodies are refused with the place', () => {
  const refused = (bytes: Uint8Array, message: RegExp) => {
    const result = new RemoteWriteDecoder().decode(bytes);
    assert.ok(!result.ok);
    assert.match(result.error.message, message);
    assert.ok(result.error.atByte <= bytes.length + 8);
  };
  refused(Buffer.from([0x0a, 9, 1]), /reaches over the end/);
  refused(Buffer.from([0x0a]), /number cut/);
  refused(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), /number too large/);
  refused(field(0x0a, field(0x12, Buffer.from([0x09, 1, 2]))), /value cut/);
  refused(field(0x0a, field(0x12, Buffer.concat([Buffer.from([0x10]), Buffer.alloc(10, 255), varint(1)]))), /number too large/);
  refused(Buffer.from([0x0b]), /wire type 3/);
  refused(Buffer.from([0x02, 0]), /field number 0/);
  refused(Buffer.from([0x0d, 1]), /field cut/);
  refused(field(0x0a, field(0x0a, Buffer.from([0x0a, 9]))), /reaches over the end/);
});

test('random and damaged bodies never crash the decoder', () => {
  const decoder = new RemoteWriteDecoder();
  const whole = encodeWriteRequest([
    {
      labels: [
        ['__name__', 'm'],
        ['a', 'b'],
      ],
      samples: [
        [1, 2],
        [3, 4],
      ],
      exemplars: [{ labels: [['trace_id', 'x']], value: 0.5, atMs: 3 }],
      histograms: [{ atMs: 5, histogram: counted(3) }],
    },
  ]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void decoder.decode(bytes)),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, cut) => {
      const damaged = Buffer.from(whole.subarray(0, cut));
      if (at < cut) damaged[at] = byte;
      const decoded = decoder.decode(damaged);
      if (decoded.ok) readBack(decoded.value);
    }),
    { numRuns: 3000 },
  );
});
