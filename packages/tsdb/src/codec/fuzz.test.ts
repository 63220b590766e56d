import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { counted } from '@nines/model/testing/histograms.ts';
import { CorruptData } from '../contract.ts';
import { compress, crc32, decompress } from '../disk-codec.ts';
import { decodeLabels, encodeLabels } from '../head/label-bytes.ts';
import {
  type LogVisitor,
  readRecord,
  writeColumn,
  writeDeletion,
  writeEnd,
  writeHistograms,
  writePacked,
  writePages,
  writeSeries,
} from '../log/records.ts';
import { readFrames } from '../log/frame.ts';
import { columnsOf, seriesColumns } from '../testing/arbitraries.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { Columns } from './columns.ts';
import { decodeLabelBlock, encodeLabelBlock } from './label-block.ts';
import { DecodedPage, PageBuilder } from './page.ts';
import { readValues } from './value-column.ts';

/**
 * What a checksum vouches for may still be wrong: written by a faulty program, or by somebody who can compute a CRC. So the
 * decoders get bytes behind a *valid* checksum here: whole ones that were damaged before they were packed, and arbitrary ones.
 */
const RUNS = process.env['NINES_FULL'] === '1' ? 50_000 : 300;
const EVERYTHING = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
const PAGE_MAGIC = 0x3147504e;
const PAGE_WITH_BITS_MAGIC = 0x3247504e;
const LABELS_MAGIC = 0x314c504e;

/** Whatever `run` meets, it returns or reports `CorruptData`. */
function survives(run: () => void): void {
  try {
    run();
  } catch (thrown) {
    if (!(thrown instanceof CorruptData)) throw thrown;
  }
}

/** A container as pages and label blocks have it, with the checksum that its contents call for. */
function sealed(magic: number, plain: Uint8Array, promised: number, before: Uint8Array = new Uint8Array(0)): Uint8Array {
  const packed = compress(plain);
  const writer = new ByteWriter(12 + packed.length);
  writer.u32(magic);
  writer.u32(0);
  writer.u32(promised);
  writer.raw(packed);
  writer.view.setUint32(4, crc32(writer.written().subarray(8), crc32(before)), true);
  return writer.copy();
}

type Damage = { readonly at: number; readonly to: number }[];
const damage = (): fc.Arbitrary<Damage> => fc.array(fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }) }), { minLength: 1, maxLength: 6 });

function damaged(plain: Uint8Array, places: Damage): Uint8Array {
  const bytes = plain.slice();
  for (const { at, to } of places) if (bytes.length > 0) bytes[at % bytes.length] = to;
  return bytes;
}

function readPage(refs: Uint8Array, data: Uint8Array): void {
  const page = new DecodedPage(refs, data);
  const out = new Columns();
  const scratch = new Columns();
  for (let i = 0; i < page.refs.length; i++) {
    out.clear();
    page.read(i, EVERYTHING, out, scratch);
    for (let k = 1; k < out.length; k++) assert.ok((out.times[k] ?? 0) > (out.times[k - 1] ?? 0), 'times that do not ascend got through');
  }
}

const u32At = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
const unpack = (container: Uint8Array): Uint8Array => decompress(container.subarray(12), u32At(container, 8));

/** A page with bits behind the frame, with the checksum that its contents call for. */
function sealedWithBits({ plain, bits }: Parts, refs: Uint8Array): Uint8Array {
  const packed = compress(plain);
  const writer = new ByteWriter();
  for (const word of [PAGE_WITH_BITS_MAGIC, 0, plain.length, packed.length]) writer.u32(word);
  writer.raw(packed);
  writer.raw(bits);
  writer.view.setUint32(4, crc32(writer.written().subarray(8), crc32(refs)), true);
  return writer.copy();
}

type Parts = { readonly plain: Uint8Array; readonly bits: Uint8Array };

/** The plain bytes and the bits of a page: what `PageBuilder` packs, unpacked again. */
function partsOf(series: readonly Columns[]): Parts & { readonly refs: Uint8Array } {
  const builder = new PageBuilder();
  series.forEach((columns, i) => builder.add(i * 3, columns));
  const { refs, data } = builder.finish();
  if (u32At(data, 0) === PAGE_MAGIC) return { refs, plain: unpack(data), bits: new Uint8Array(0) };
  const end = 16 + u32At(data, 12);
  return { refs, plain: decompress(data.subarray(16, end), u32At(data, 8)), bits: data.subarray(end) };
}

test('a page whose contents were damaged before they were sealed is read or reported', () => {
  fc.assert(
    fc.property(
      fc.array(seriesColumns(), { minLength: 1, maxLength: 4 }),
      damage(),
      fc.integer({ min: -2, max: 2 }),
      (series, places, off) => {
        const { refs, plain, bits } = partsOf(series);
        const bytes = damaged(plain, places);
        survives(() => readPage(refs, sealed(PAGE_MAGIC, bytes, bytes.length, refs)));
        survives(() => readPage(refs, sealed(PAGE_MAGIC, bytes, Math.max(0, bytes.length + off), refs)));
        survives(() => readPage(refs, sealedWithBits({ plain: bytes, bits }, refs)));
        survives(() => readPage(refs, sealedWithBits({ plain, bits: damaged(bits, places) }, refs)));
        survives(() => readPage(refs, sealedWithBits({ plain, bits: bits.subarray(0, bits.length + off - 2) }, refs)));
      },
    ),
    { numRuns: RUNS },
  );
});

test('a page whose header promises a longer frame than there is, is reported', () => {
  const { refs, plain, bits } = partsOf([columnsOf(Array.from({ length: 40 }, (_, i) => [i, BigInt(i * i) << 40n]))]);
  const data = sealedWithBits({ plain, bits }, refs);
  const view = new DataView(data.buffer);
  view.setUint32(12, data.length, true);
  view.setUint32(4, crc32(data.subarray(8), crc32(refs)), true);
  assert.throws(() => readPage(refs, data), CorruptData);
});

test('a value column of form 8 with arbitrary bytes behind it is read or reported', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 }), fc.constantFrom(1, 4, 6), (noise, bits, form) => {
      // Eight, then form, exponent and no exceptions, so that the noise reaches the code.
      survives(() =>
        readValues(new ByteReader(Uint8Array.of(8, form, 2, 0, ...noise)), 200, new Columns(200), new DataView(bits.slice().buffer)),
      );
    }),
    { numRuns: RUNS * 10 },
  );
});

test('a page of arbitrary contents is read or reported, and so are arbitrary references', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 12 }), (plain, refs) => {
      survives(() => readPage(refs, sealed(PAGE_MAGIC, plain, plain.length, refs)));
      survives(() => readPage(Uint8Array.of(0), sealed(PAGE_MAGIC, Uint8Array.of(1, 1, 0, ...plain), plain.length + 3, Uint8Array.of(0))));
    }),
    { numRuns: RUNS },
  );
});

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 90 }).filter((value) => value.isWellFormed());
const labelSet = fc
  .uniqueArray(fc.tuple(text, text), { minLength: 1, maxLength: 6, selector: ([name]) => name })
  .map((pairs) => pairs.flat());

test('label sets come back from a block, under their references', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 2 ** 31 }), labelSet), { minLength: 1, maxLength: 20 }), (series) => {
      const block = encodeLabelBlock(series.map(([ref, labels]) => ({ ref, labels: encodeLabels(labels) })));
      assert.deepEqual(
        decodeLabelBlock(block).map(({ ref, labels }) => [ref, decodeLabels(labels)]),
        series,
      );
    }),
  );
});

test('a label block that was damaged before it was sealed is read or reported', () => {
  fc.assert(
    fc.property(fc.array(labelSet, { minLength: 1, maxLength: 5 }), damage(), fc.uint8Array({ maxLength: 60 }), (sets, places, noise) => {
      const block = encodeLabelBlock(sets.map((labels, ref) => ({ ref, labels: encodeLabels(labels) })));
      for (const plain of [damaged(unpack(block), places), noise])
        survives(() => decodeLabelBlock(sealed(LABELS_MAGIC, plain, plain.length)).forEach(({ labels }) => decodeLabels(labels)));
      survives(() => decodeLabelBlock(noise));
      survives(() => decodeLabels(noise));
    }),
    { numRuns: RUNS },
  );
});

const nobody: LogVisitor = { series: () => {}, sample: () => {}, histogram: () => {}, deletion: () => {}, end: () => {}, pages: () => {} };

test('records of the log and of checkpoints, damaged behind a valid checksum, are read or reported', () => {
  fc.assert(
    fc.property(seriesColumns(), labelSet, damage(), fc.uint8Array({ maxLength: 80 }), (columns, labels, places, noise) => {
      const writers: ((writer: ByteWriter) => void)[] = [
        (writer) => writeSeries(writer, [3, 9], () => encodeLabels(labels)),
        (writer) => writeDeletion(writer, Uint32Array.of(1, 2, 5), { fromMs: -5, toMs: 2 ** 40 }),
        (writer) => writeColumn(writer, 7, columns),
        (writer) =>
          writeHistograms(
            writer,
            [1, 2, 3].map((i) => ({ ref: i, time: i, histogram: counted(i % 2) })),
          ),
        (writer) => writeEnd(writer, 12),
        (writer) => writePages(writer, 40),
        (writer) => writePacked(writer, noise),
      ];
      for (const write of writers) {
        const writer = new ByteWriter();
        write(writer);
        survives(() => readRecord(new ByteReader(damaged(writer.copy(), places)), nobody));
      }
      for (let kind = 0; kind < 9; kind++) survives(() => readRecord(new ByteReader(Uint8Array.of(kind, ...noise)), nobody));
    }),
    { numRuns: RUNS },
  );
});

test('a file of arbitrary bytes holds no frame, and all of it is accounted for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { gaps, tail } = readFrames(bytes, { seed: 1, key: undefined }, () => assert.fail('a frame in noise'));
      assert.deepEqual(gaps, []);
      if (bytes.some((byte) => byte !== 0)) assert.deepEqual(tail, { from: 0, to: bytes.length });
    }),
  );
});
