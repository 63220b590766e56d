import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelsOf } from '../labels.ts';
import { SampleColumns } from '../sample-columns.ts';
import { type BlockSeries, BlockIndex, ChunkFile, readTombstones } from './block.ts';
import { crc32c } from './crc32c.ts';
import { BadPrometheusData, type ByteSource } from './reader.ts';
import { readResults, readStreamedSeries, takeFrame } from './remote-read.ts';
import { decodeXorChunk } from './xor-chunk.ts';

const RUNS = process.env['NINES_FULL'] === undefined ? 500 : 50_000;

/** Writes bits as Prometheus does, in the plainest of the ways it may. */
class Bits {
  readonly #bits: number[] = [];

  write(value: bigint, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Number((value >> BigInt(bit)) & 1n));
  }

  varint(value: bigint): void {
    let rest = value;
    for (; rest > 127n; rest >>= 7n) this.write((rest & 127n) | 128n, 8);
    this.write(rest, 8);
  }

  bytes(): Uint8Array {
    return Uint8Array.from({ length: Math.ceil(this.#bits.length / 8) }, (_, i) =>
      Array.from({ length: 8 }, (_unused, bit) => this.#bits[8 * i + bit] ?? 0).reduce((byte, bit) => byte * 2 + bit, 0),
    );
  }
}

const zigzag = (value: number): bigint => (value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value));
const WIDTHS = [
  { prefix: 0b10n, bits: 2, size: 14 },
  { prefix: 0b110n, bits: 3, size: 17 },
  { prefix: 0b1110n, bits: 4, size: 20 },
] as const;

function writeSecond(out: Bits, second: number): void {
  if (second === 0) {
    out.write(0n, 1);
    return;
  }
  for (const { prefix, bits, size } of WIDTHS) {
    if (second < -(2 ** (size - 1)) + 1 || second > 2 ** (size - 1)) continue;
    out.write(prefix, bits);
    out.write(BigInt.asUintN(size, BigInt(second)), size);
    return;
  }
  out.write(0b1111n, 4);
  out.write(BigInt.asUintN(64, BigInt(second)), 64);
}

function writeValue(out: Bits, xor: bigint): void {
  if (xor === 0n) {
    out.write(0n, 1);
    return;
  }
  const text = xor.toString(2).padStart(64, '0');
  const leading = Math.min(31, text.indexOf('1'));
  const trailing = 63 - text.lastIndexOf('1');
  const significant = 64 - leading - trailing;
  out.write(0b11n, 2);
  out.write(BigInt(leading), 5);
  out.write(BigInt(significant % 64), 6);
  out.write(xor >> BigInt(trailing), significant);
}

function encodeXor(samples: readonly (readonly [time: number, bits: bigint])[]): Uint8Array {
  const out = new Bits();
  out.write(BigInt(samples.length), 16);
  let [time, delta, before] = [0, 0, 0n];
  samples.forEach(([at, bits], i) => {
    if (i === 0) {
      out.varint(zigzag(at));
      out.write(bits, 64);
    } else {
      if (i === 1) out.varint(BigInt(at - time));
      else writeSecond(out, at - time - delta);
      delta = at - time;
      writeValue(out, bits ^ before);
    }
    [time, before] = [at, bits];
  });
  return out.bytes();
}

test('a chunk of floats gives back every time and every bit', () => {
  const step = fc.oneof(fc.constant(15_000), fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 2 ** 40 }));
  const bits = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constantFrom(0n, 1n << 63n, 0x7ff0000000000002n, 0x4045000000000000n),
  );
  fc.assert(
    fc.property(fc.integer({ min: -1000, max: 2 ** 41 }), fc.array(fc.tuple(step, bits), { maxLength: 60 }), (start, steps) => {
      let time = start;
      const samples = steps.map(([by, value]) => [(time += by), value] as const);
      const columns = new SampleColumns();
      decodeXorChunk(encodeXor(samples), columns);
      const read = Array.from({ length: columns.length }, (_, i) => [
        columns.times[i],
        (BigInt(columns.bits[2 * i + 1] ?? 0) << 32n) | BigInt(columns.bits[2 * i] ?? 0),
      ]);
      assert.deepEqual(read, samples);
    }),
    { numRuns: RUNS },
  );
});

/** Runs what reads something damaged: it may only refuse with the error that is meant for it. */
function refusesOrReads(run: () => unknown): void {
  try {
    run();
  } catch (thrown) {
    if (!(thrown instanceof BadPrometheusData)) throw thrown;
    assert.ok(thrown.message.length > 10, thrown.message);
  }
}

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.array(fc.constantFrom(0, 1, 2, 127, 128, 255), { maxLength: 60 }).map((list) => Uint8Array.from(list)),
);

test('arbitrary bytes are refused in words or read: chunks, answers of remote read, frames', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      refusesOrReads(() => decodeXorChunk(bytes, new SampleColumns()));
      refusesOrReads(() => readResults(bytes));
      refusesOrReads(() => readStreamedSeries(bytes));
      const taken = takeFrame(bytes, 1000);
      if (taken.ok && taken.value !== undefined) assert.ok(taken.value.used <= bytes.length);
    }),
    { numRuns: RUNS },
  );
});

const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
const u64 = (value: number): Uint8Array => Uint8Array.of(...u32(Math.floor(value / 2 ** 32)), ...u32(value % 2 ** 32));
const text = (value: string): Uint8Array => Uint8Array.of(value.length, ...new TextEncoder().encode(value));
const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const section = (body: Uint8Array): Uint8Array => join(u32(body.length), body, u32(crc32c(body)));

function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    name: 'test',
    size: bytes.length,
    read(from, length) {
      assert.ok(from >= 0 && length >= 0 && from + length <= bytes.length, `read of ${length} bytes at ${from}`);
      return bytes.slice(from, from + length);
    },
  };
}

type Bodies = { readonly symbols: Uint8Array; readonly series: Uint8Array; readonly postings: Uint8Array; readonly table?: Uint8Array };

/** An index of one series, whose sections say what they are given and have right checksums. */
function indexOf({ symbols, series, postings, table }: Bodies): Uint8Array {
  const head = Uint8Array.of(0xba, 0xaa, 0xd7, 0x00, 2);
  const symbolsPart = section(symbols);
  const seriesAt = Math.ceil((head.length + symbolsPart.length) / 16) * 16;
  const seriesPart = join(Uint8Array.of(series.length), series, u32(crc32c(series)));
  const postingsAt = seriesAt + seriesPart.length;
  const postingsPart = section(postings);
  const tableAt = postingsAt + postingsPart.length;
  const offset = Uint8Array.of((postingsAt & 127) | 128, postingsAt >> 7);
  const tablePart = section(table ?? join(u32(1), Uint8Array.of(2, 0, 0), offset));
  const padding = new Uint8Array(seriesAt - head.length - symbolsPart.length);
  const toc = join(u64(5), u64(seriesAt), u64(0), u64(0), u64(postingsAt), u64(tableAt));
  return join(head, symbolsPart, padding, seriesPart, postingsPart, tablePart, toc, u32(crc32c(toc)));
}

const SYMBOLS = join(u32(3), text(''), text('__name__'), text('up'));
const SERIES_REF = Math.ceil((5 + SYMBOLS.length + 8) / 16);
/** One label, two chunks: 100 to 200 in file 1 at 8, 250 to 251 at 40. */
const SERIES = Uint8Array.of(1, 1, 2, 2, 0xc8, 0x01, 100, 8, 50, 1, 64);
const GOOD: Bodies = { symbols: SYMBOLS, series: SERIES, postings: join(u32(1), u32(SERIES_REF)) };

const readAll = (bytes: Uint8Array): readonly BlockSeries[] => {
  const index = new BlockIndex(sourceOf(bytes));
  return Array.from(index.refs, (ref) => index.series(ref));
};

test('an index tells its series, their labels and where their chunks stand', () => {
  assert.deepEqual(readAll(indexOf(GOOD)), [
    {
      ref: SERIES_REF,
      labels: labelsOf({ __name__: 'up' }),
      chunks: [
        { fromMs: 100, toMs: 200, file: 0, offset: 8 },
        { fromMs: 250, toMs: 251, file: 0, offset: 40 },
      ],
    },
  ]);
});

test('an index with one bit wrong anywhere, or cut anywhere, is refused in words or read', () => {
  const good = indexOf(GOOD);
  for (let at = 0; at < good.length; at++) {
    refusesOrReads(() => readAll(good.subarray(0, at)));
    for (let bit = 0; bit < 8; bit++) {
      const damaged = good.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
      refusesOrReads(() => readAll(damaged));
    }
  }
});

test('sections that say anything at all, with right checksums, are refused in words or read', () => {
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    anyBytes.filter((bytes) => bytes.length < 120),
  );
  const which = fc.constantFrom('symbols', 'series', 'postings', 'table');
  fc.assert(
    fc.property(which, any, (name, body) => refusesOrReads(() => readAll(indexOf({ ...GOOD, [name]: body })))),
    { numRuns: RUNS },
  );
});

test('chunk files and tombstones: what is right is read, what is not is refused in words', () => {
  const data = encodeXor([[100, 1n]]);
  const body = join(Uint8Array.of(1), data);
  const chunks = join(Uint8Array.of(0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0, data.length), body, u32(crc32c(body)));
  assert.deepEqual(new ChunkFile(sourceOf(chunks)).read(8), { encoding: 1, bytes: data });
  const entries = Uint8Array.of(7, 0xc8, 0x01, 0x90, 0x03);
  const tombstones = join(Uint8Array.of(0x01, 0x30, 0xba, 0x30, 1), entries, u32(crc32c(entries)));
  assert.deepEqual([...readTombstones(sourceOf(tombstones))], [[7, [{ fromMs: 100, toMs: 200 }]]]);
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 1, max: 255 }), fc.nat(60), (place, change, offset) => {
      for (const good of [chunks, tombstones]) {
        const damaged = good.slice();
        damaged[place % good.length] = (damaged[place % good.length] ?? 0) ^ change;
        refusesOrReads(() => new ChunkFile(sourceOf(damaged)).read(offset));
        refusesOrReads(() => readTombstones(sourceOf(damaged)));
        refusesOrReads(() => readTombstones(sourceOf(damaged.subarray(0, place))));
      }
    }),
    { numRuns: RUNS },
  );
});
