import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EMPTY_HISTOGRAM } from './histogram.ts';
import { compareText, labelsFrom, labelsOf } from './labels.ts';
import { bitsOf, isStale } from './stale.ts';
import { field, labelField } from './testing/remote-write-encoder.ts';
import { createBatchBuilder, decodeLabels, encodeLabels } from './write-batch.ts';

const wellFormed = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
const labelSets = fc.array(fc.tuple(wellFormed, fc.string({ unit: 'binary', maxLength: 200 })), { maxLength: 12 }).map(labelsFrom);

test('label sets survive encoding', () => {
  fc.assert(
    fc.property(labelSets, (labels) => {
      const bytes = encodeLabels(labels);
      assert.deepEqual(decodeLabels(bytes, 0, bytes.length), { ok: true, value: labels });
    }),
  );
});

test('decoding sorts by bytes and drops empty values', () => {
  const bytes = Buffer.concat([
    labelField(['zone', 'b']),
    labelField(['gone', '']),
    labelField(['__name__', 'up']),
    field(0x0a, field(0x0a, Buffer.from('bare'))),
  ]);
  assert.deepEqual(decodeLabels(bytes, 0, bytes.length), { ok: true, value: labelsOf({ __name__: 'up', zone: 'b' }) });
});

test('labels that cannot be are refused with the reason', () => {
  const refused = (bytes: Uint8Array, reason: RegExp) => {
    const result = decodeLabels(bytes, 0, bytes.length);
    assert.ok(!result.ok);
    assert.match(result.error, reason);
  };
  refused(Buffer.concat([labelField(['a', '1']), labelField(['a', '2'])]), /label name "a" twice/);
  refused(labelField(['', 'x']), /empty name/);
  refused(field(0x0a, Buffer.concat([field(0x0a, Buffer.from([0xff])), field(0x12, Buffer.from('x'))])), /not UTF-8/);
  refused(Buffer.from([0x12, 0]), /malformed label at byte 0/);
  refused(Buffer.from([0x0a, 5, 0x0a, 1]), /malformed/);
});

test('random bytes never crash the label decoder, and what it takes is sorted without repeats', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const result = decodeLabels(bytes, 0, bytes.length);
      if (!result.ok) return;
      for (let i = 2; i < result.value.length; i += 2) assert.ok(compareText(result.value[i - 2] ?? '', result.value[i] ?? '') < 0);
    }),
    { numRuns: 3000 },
  );
});

test('a builder collects series, several samples of one and staleness markers, and starts over after reset', () => {
  const builder = createBatchBuilder();
  for (let round = 0; round < 2; round++) {
    builder.reset();
    for (let i = 0; i < 200; i++) {
      builder.add(labelsOf({ __name__: 'm', i: String(i) }), i, i / 2);
      if (i % 2 === 0) builder.addSample(i + 1, -i);
    }
    builder.addStale(encodeLabels(labelsOf({ __name__: 'gone' })), 7);
    const batch = builder.batch();
    assert.equal(batch.seriesCount, 201);
    assert.equal(builder.sampleCount, 301);
    assert.equal(batch.samplesFrom[201], 301);
    const labels = decodeLabels(batch.bytes, batch.labelsFrom[100] ?? 0, batch.labelsTo[100] ?? 0);
    assert.deepEqual(labels, { ok: true, value: ['__name__', 'm', 'i', '100'] });
    const first = batch.samplesFrom[100] ?? 0;
    assert.deepEqual([...batch.times.subarray(first, first + 2)], [100, 101]);
    assert.deepEqual([...batch.values.subarray(first, first + 2)], [50, -100]);
    assert.ok(isStale(bitsOf(batch.values), 300));
    assert.ok(!isStale(bitsOf(batch.values), 299));
  }
});

test('a builder keeps native histograms beside numbers, and forgets them after reset', () => {
  const builder = createBatchBuilder();
  const histogram = { ...EMPTY_HISTOGRAM, count: 3, sum: 7, zeroCount: 3 };
  builder.add(labelsOf({ __name__: 'a' }), 1, 5);
  builder.addHistogram(labelsOf({ __name__: 'b' }), 2, histogram);
  builder.add(labelsOf({ __name__: 'c' }), 3, 6);
  const batch = builder.batch();
  assert.deepEqual(batch.histograms, [undefined, histogram]);
  assert.deepEqual([...batch.samplesFrom.subarray(0, 4)], [0, 1, 2, 3]);
  builder.reset();
  builder.add(labelsOf({ __name__: 'a' }), 1, 5);
  assert.equal(builder.batch().histograms, undefined);
});
