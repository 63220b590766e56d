import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelsFrom } from './labels.ts';
import { MAX_LABEL_BYTES, RemoteWrite2Decoder } from './remote-write-2.ts';
import type { DecodedWrite } from './remote-write-walk.ts';
import { RemoteWriteDecoder } from './remote-write.ts';
import { bitsOf } from './stale.ts';
import { type WireSeries2, encodeWriteRequest, encodeWriteRequest2, field, varint } from './testing/remote-write-encoder.ts';
import { decodeLabels, labelBytesOf } from './write-batch.ts';
import { wireExemplar } from './testing/exemplars.ts';
import { counted } from './testing/histograms.ts';

function readBack({ batch }: DecodedWrite) {
  return Array.from({ length: batch.seriesCount }, (_, i) => {
    const { bytes, from: labelsAt, to: labelsEnd } = labelBytesOf(batch, i);
    const labels = decodeLabels(bytes, labelsAt, labelsEnd);
    const from = batch.samplesFrom[i] ?? 0;
    const to = batch.samplesFrom[i + 1] ?? 0;
    return {
      labels: labels.ok ? labels.value : labels.error,
      raw: Buffer.from(bytes.subarray(labelsAt, labelsEnd)).toString('hex'),
      times: [...batch.times.subarray(from, to)],
      bits: [...bitsOf(batch.values).subarray(2 * from, 2 * to)],
    };
  });
}

function decoded(body: Uint8Array): DecodedWrite {
  const result = new RemoteWrite2Decoder().decode(body);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });
const wireSeries: fc.Arbitrary<WireSeries2> = fc.record({
  labels: names.chain((all) => fc.tuple(...all.map((name) => fc.tuple(fc.constant(name), fc.string({ maxLength: 300 }))))),
  samples: fc.array(fc.tuple(fc.maxSafeInteger(), fc.uint8Array({ minLength: 8, maxLength: 8 })), { maxLength: 5 }),
  exemplars: fc.array(wireExemplar, { maxLength: 2 }),
  unpacked: fc.boolean(),
});

test('a request of version 2.0 becomes, byte for byte, the batch of the same request of version 1.0', () => {
  const decoder = new RemoteWrite2Decoder();
  const first = new RemoteWriteDecoder();
  fc.assert(
    fc.property(fc.array(wireSeries, { maxLength: 12 }), fc.boolean(), (series, symbolsLast) => {
      const one = first.decode(encodeWriteRequest(series));
      const two = decoder.decode(encodeWriteRequest2(series, { symbolsLast }));
      assert.ok(one.ok && two.ok, JSON.stringify(two));
      assert.deepEqual(readBack(two.value), readBack(one.value));
      assert.equal(two.value.sampleCount, one.value.sampleCount);
      assert.deepEqual(two.value.batch.exemplars, one.value.batch.exemplars);
    }),
  );
});

test('arrays grow beyond their first size and are used again', () => {
  const decoder = new RemoteWrite2Decoder();
  const series = Array.from({ length: 700 }, (_, i) => ({
    labels: Array.from({ length: 40 }, (__, k) => [`l${k}`, `v${i}-${k}`] as const),
    samples: [[i, i] as const, [i + 1, -i] as const],
  }));
  for (const part of [series, series.slice(0, 3), series]) {
    const result = decoder.decode(encodeWriteRequest2(part));
    assert.ok(result.ok);
    assert.deepEqual(
      readBack(result.value).map(({ labels, times }) => [labels, times]),
      part.map(({ labels, samples }) => [labelsFrom(labels), samples.map(([atMs]) => atMs)]),
    );
  }
});

test('metadata comes with the series and is kept under its metric name', () => {
  const metadata = { type: 'counter', help: 'Requests.', unit: 'requests' } as const;
  const { metadata: book } = decoded(
    encodeWriteRequest2([
      { labels: [['__name__', 'a_total']], samples: [[1, 1]], metadata },
      {
        labels: [
          ['__name__', 'a_total'],
          ['x', 'y'],
        ],
        samples: [[1, 1]],
        metadata: { ...metadata, help: 'Later.' },
      },
      { labels: [['x', 'y']], samples: [[1, 1]], metadata },
    ]),
  );
  assert.deepEqual([...book], [['a_total', metadata]]);
});

test('a series whose references mean nothing is left out with the reason, its samples are counted, the others stay', () => {
  const good = (name: string): WireSeries2 => ({ labels: [['__name__', name]], samples: [[1, 1]] });
  const bad = (refs: readonly number[]): WireSeries2 => ({
    labels: [],
    refs,
    samples: [
      [1, 1],
      [2, 2],
    ],
    histograms: [{ atMs: 3, histogram: counted(1) }],
  });
  const result = decoded(encodeWriteRequest2([good('a'), bad([1]), bad([1, 99]), bad([1, 2 ** 32]), good('b')]));
  assert.deepEqual(
    readBack(result).map(({ labels, times }) => [labels, times]),
    [
      [['__name__', 'a'], [1]],
      [['__name__', 'b'], [1]],
    ],
  );
  assert.equal(result.batch.histograms?.some((histogram) => histogram !== undefined) ?? false, false);
  assert.equal(result.sampleCount, 11);
  assert.equal(result.histogramCount, 3);
  assert.deepEqual(result.invalidHistograms, { count: 0, listed: [] });
  assert.deepEqual(result.malformed, {
    samples: 9,
    reasons: [
      '1 references, which are no pairs of name and value',
      'reference 99 where there are 4 symbols',
      'reference 4294967295 where there are 4 symbols',
    ],
  });
});

test('what cannot be read as a whole is refused with the place', () => {
  const refused = (bytes: Uint8Array, message: RegExp) => {
    const result = new RemoteWrite2Decoder().decode(bytes);
    assert.ok(!result.ok);
    assert.match(result.error.message, message);
  };
  refused(encodeWriteRequest2([{ labels: [['a', 'b']], samples: [[1, 1]] }], { firstSymbol: 'x' }), /first symbol must be the empty text/);
  refused(encodeWriteRequest([{ labels: [['a', 'b']], samples: [[1, 1]] }]), /field 1, which only version 1\.0 has/);
  refused(Buffer.from([0x2a, 9, 1]), /reaches over the end/);
  refused(field(0x2a, field(0x0a, Buffer.from([0x80]))), /number cut/);
});

test('a few bytes that refer to a long text again and again do not fill the memory', () => {
  const refs = Array.from({ length: 20_000 }, () => 1);
  const series = field(0x2a, field(0x0a, Buffer.concat(refs.map(varint))));
  const text = 'x'.repeat(10_000);
  const body = Buffer.concat([field(0x22, Buffer.alloc(0)), field(0x22, Buffer.from(text)), series]);
  const decoder = new RemoteWrite2Decoder();
  const result = decoder.decode(body);
  assert.ok(!result.ok);
  assert.match(result.error.message, new RegExp(`more than ${MAX_LABEL_BYTES} bytes`));
  assert.ok(decoder.heldBytes < MAX_LABEL_BYTES);
});

test('random and damaged bodies never crash the decoder', () => {
  const decoder = new RemoteWrite2Decoder();
  const whole = encodeWriteRequest2([
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
      histograms: [{ atMs: 3, histogram: counted(1) }],
      metadata: { type: 'gauge', help: 'h', unit: 'u' },
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
      const result = decoder.decode(damaged);
      if (result.ok) readBack(result.value);
    }),
    { numRuns: 3000 },
  );
});
