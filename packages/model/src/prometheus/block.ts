import { type Labels, labelsFrom } from '../labels.ts';
import { BadPrometheusData, type ByteSource, PrometheusReader, checkedPiece } from './reader.ts';

/**
 * A block of Prometheus' time-series database as it lies on disk: `index` (format 2), `chunks/000001` and so on, `tombstones`.
 * Every checksum is looked at. Sources: prometheus tsdb/docs/format/index.md, chunks.md, tombstones.md.
 */
const INDEX_MAGIC = 0xbaaad700;
const CHUNKS_MAGIC = 0x85bd40dd;
const TOMBSTONES_MAGIC = 0x0130ba30;
const TOC_BYTES = 6 * 8;
const CHUNKS_HEADER_BYTES = 8;
/** A series begins at a multiple of this; its reference is the factor. */
const SERIES_ALIGNMENT = 16;
/** Read at a time where pieces follow one another. */
const AHEAD_BYTES = 1024 * 1024;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Where a chunk stands: the number of its file, from 0, and the place in it. Both times inclusive. */
export type ChunkPlace = { readonly fromMs: number; readonly toMs: number; readonly file: number; readonly offset: number };
export type BlockSeries = { readonly ref: number; readonly labels: Labels; readonly chunks: readonly ChunkPlace[] };

export class BlockIndex {
  readonly #source: ByteSource;
  readonly #symbols: readonly string[];
  /** References of all series, ascending. */
  readonly refs: Uint32Array;

  /** Throws `BadPrometheusData`. */
  constructor(source: ByteSource) {
    this.#source = ahead(source);
    if (source.size < 5 + TOC_BYTES + 4) throw new BadPrometheusData(`${source.name}: ${source.size} bytes are no index`);
    const header = new PrometheusReader(source.read(0, 5), source.name);
    if (header.u32() !== INDEX_MAGIC) throw new BadPrometheusData(`${source.name} is no index of a Prometheus block`);
    const version = header.u8();
    if (version !== 2)
      throw new BadPrometheusData(`${source.name} has format ${version}; only 2 can be read (Prometheus 2.0 and newer write it)`);
    const toc = checkedPiece(source, { from: source.size - TOC_BYTES - 4, length: TOC_BYTES, what: 'table of contents' });
    const [symbolsAt, , , , , postingsTableAt] = Array.from({ length: 6 }, () => toc.u64());
    this.#symbols = readSymbols(source, symbolsAt ?? 0);
    this.refs = readAllPostings(source, postingsTableAt ?? 0);
  }

  /** The series of a reference. Throws `BadPrometheusData`. */
  series(ref: number): BlockSeries {
    const source = this.#source;
    const at = ref * SERIES_ALIGNMENT;
    const what = `series ${ref}`;
    if (at >= source.size) throw new BadPrometheusData(`${source.name}: ${what} lies beyond the end of the file`);
    const head = new PrometheusReader(source.read(at, Math.min(10, source.size - at)), `${source.name}: ${what}`);
    const length = head.uvarint();
    const reader = checkedPiece(source, { from: at + head.at, length, what });
    const pairs: (readonly [string, string])[] = [];
    for (let left = reader.uvarint(); left > 0; left--) pairs.push([this.#symbol(reader), this.#symbol(reader)]);
    return { ref, labels: labelsFrom(pairs), chunks: readChunkPlaces(reader) };
  }

  #symbol(reader: PrometheusReader): string {
    const number = reader.uvarint();
    const text = this.#symbols[number];
    if (text === undefined) throw reader.bad(`symbol ${number} of ${this.#symbols.length}`);
    return text;
  }
}

function sized(source: ByteSource, at: number, what: string): PrometheusReader {
  if (at <= 0 || at + 4 > source.size) throw new BadPrometheusData(`${source.name}: ${what} at byte ${at}, beyond the end of the file`);
  const length = new PrometheusReader(source.read(at, 4), source.name).u32();
  return checkedPiece(source, { from: at + 4, length, what });
}

function readSymbols(source: ByteSource, at: number): readonly string[] {
  const reader = sized(source, at, 'symbols');
  const symbols: string[] = [];
  for (let left = reader.u32(); left > 0; left--) symbols.push(utf8.decode(reader.raw(reader.uvarint())));
  return symbols;
}

/** The list of all series hangs on the pair of two empty texts, which is the first. */
function readAllPostings(source: ByteSource, at: number): Uint32Array {
  const table = sized(source, at, 'table of postings');
  let postingsAt: number | undefined;
  for (let left = table.u32(); left > 0 && postingsAt === undefined; left--) {
    if (table.uvarint() !== 2) throw table.bad('a postings entry that is no pair');
    const isAll = table.raw(table.uvarint()).length + table.raw(table.uvarint()).length === 0;
    const offset = table.uvarint();
    if (isAll) postingsAt = offset;
  }
  if (postingsAt === undefined) return new Uint32Array(0);
  const postings = sized(source, postingsAt, 'postings');
  const count = postings.u32();
  if (count * 4 !== postings.left) throw postings.bad(`${count} series in ${postings.left} bytes`);
  return Uint32Array.from({ length: count }, () => postings.u32());
}

function readChunkPlaces(reader: PrometheusReader): readonly ChunkPlace[] {
  const places: ChunkPlace[] = [];
  let toMs = 0;
  let ref = 0;
  const count = reader.uvarint();
  for (let i = 0; i < count; i++) {
    const fromMs = i === 0 ? reader.varint() : toMs + reader.uvarint();
    toMs = fromMs + reader.uvarint();
    ref = i === 0 ? reader.uvarint() : ref + reader.varint();
    places.push({ fromMs, toMs, file: Math.floor(ref / 2 ** 32), offset: ref % 2 ** 32 });
  }
  return places;
}

export type RawChunk = { readonly encoding: number; readonly bytes: Uint8Array };

/** One file of chunks. */
export class ChunkFile {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    if (source.size < CHUNKS_HEADER_BYTES || new PrometheusReader(source.read(0, 4), source.name).u32() !== CHUNKS_MAGIC)
      throw new BadPrometheusData(`${source.name} is no file of chunks`);
    this.#source = ahead(source);
  }

  /** The bytes are valid until the next call. */
  read(offset: number): RawChunk {
    const source = this.#source;
    const what = `chunk`;
    if (offset < CHUNKS_HEADER_BYTES || offset >= source.size)
      throw new BadPrometheusData(`${source.name}: a chunk at byte ${offset}, outside of the file`);
    const head = new PrometheusReader(source.read(offset, Math.min(10, source.size - offset)), source.name);
    const length = head.uvarint();
    const reader = checkedPiece(source, { from: offset + head.at, length: length + 1, what });
    return { encoding: reader.u8(), bytes: reader.raw(length) };
  }
}

/** Deleted times of a series, both ends inclusive. */
export type Tombstone = { readonly fromMs: number; readonly toMs: number };

export function readTombstones(source: ByteSource): ReadonlyMap<number, readonly Tombstone[]> {
  const found = new Map<number, Tombstone[]>();
  if (source.size < 9 || new PrometheusReader(source.read(0, 4), source.name).u32() !== TOMBSTONES_MAGIC)
    throw new BadPrometheusData(`${source.name} holds no tombstones`);
  const version = source.read(4, 1)[0];
  if (version !== 1) throw new BadPrometheusData(`${source.name} has format ${version}; only 1 can be read`);
  const reader = checkedPiece(source, { from: 5, length: source.size - 9, what: 'tombstones' });
  while (reader.left > 0) {
    const ref = reader.uvarint();
    const list = found.get(ref) ?? [];
    found.set(ref, list);
    list.push({ fromMs: reader.varint(), toMs: reader.varint() });
  }
  return found;
}

/** The same file, read in larger pieces. */
function ahead(source: ByteSource): ByteSource {
  let from = 0;
  let held = new Uint8Array(0);
  return {
    name: source.name,
    size: source.size,
    read(at, length) {
      if (at < from || at + length > from + held.length) {
        held = source.read(at, Math.min(Math.max(length, AHEAD_BYTES), source.size - at)).slice();
        from = at;
      }
      return held.subarray(at - from, at - from + length);
    },
  };
}
