import { type Buckets, type Histogram, type ResetHint, isKnownSchema, sameNumbers } from '@nines/model/histogram.ts';
import { CorruptData } from '../contract.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/**
 * Native histograms one behind the other: in the log, in memory and on pages. What a histogram has in common with the one before
 * (its buckets, its sum, its counts) is not written again. Drawn in docs/format/log.md. Every figure comes back as it was.
 */
const HINTS: readonly ResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];
const HINT_BITS = 3;
/** Schema, zero threshold, bounds and which buckets there are follow; else they are those of the histogram before. */
const LAYOUT = 4;
/** Counts as doubles; else as integers, their differences from the counts before if those were integers of the same buckets. */
const DOUBLES = 8;
const SAME_SUM = 16;
/** Same counts, of the same buckets. */
const SAME_COUNTS = 32;
const LAST_FLAGS = 63;

/** So that a difference of two fits a zigzag. */
const MAX_INTEGER = 2 ** 50;
const isInteger = (value: number): boolean => Number.isInteger(value) && Math.abs(value) <= MAX_INTEGER && !Object.is(value, -0);

type Known = { readonly histogram: Histogram; readonly counts: readonly number[]; readonly integers: boolean };

/** Count, zero count, then every bucket's, positive ones first. */
const countsOf = (h: Histogram): readonly number[] => [h.count, h.zeroCount, ...h.positive.counts, ...h.negative.counts];

const sameValues = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

const sameLayout = (a: Histogram, b: Histogram): boolean =>
  a.schema === b.schema &&
  Object.is(a.zeroThreshold, b.zeroThreshold) &&
  sameValues(a.bounds, b.bounds) &&
  sameNumbers(a.positive.indexes, b.positive.indexes) &&
  sameNumbers(a.negative.indexes, b.negative.indexes);

export class HistogramWriter {
  #before: Known | undefined;

  write(writer: ByteWriter, histogram: Histogram): void {
    const before = this.#before;
    const counts = countsOf(histogram);
    const known = { histogram, counts, integers: counts.every(isInteger) };
    this.#before = known;
    const isKnownLayout = before !== undefined && sameLayout(before.histogram, histogram);
    const isSame = isKnownLayout && sameValues(before.counts, counts);
    const isSameSum = before !== undefined && Object.is(before.histogram.sum, histogram.sum);
    writer.byte(
      HINTS.indexOf(histogram.hint) |
        (isKnownLayout ? 0 : LAYOUT) |
        (known.integers ? 0 : DOUBLES) |
        (isSameSum ? SAME_SUM : 0) |
        (isSame ? SAME_COUNTS : 0),
    );
    if (!isKnownLayout) writeLayout(writer, histogram);
    if (!isSameSum) writer.f64(histogram.sum);
    if (isSame) return;
    if (!known.integers) for (const count of counts) writer.f64(count);
    else {
      const base = isKnownLayout && before.integers ? before.counts : undefined;
      counts.forEach((count, i) => writer.zigzag(count - (base?.[i] ?? 0)));
    }
  }
}

function writeLayout(writer: ByteWriter, { schema, zeroThreshold, bounds, positive, negative }: Histogram): void {
  writer.zigzag(schema);
  writer.f64(zeroThreshold);
  writer.varint(bounds.length);
  for (const bound of bounds) writer.f64(bound);
  for (const { indexes } of [positive, negative]) {
    writer.varint(indexes.length);
    let last = 0;
    for (const index of indexes) {
      writer.zigzag(index - last);
      last = index;
    }
  }
}

type Layout = Pick<Histogram, 'schema' | 'zeroThreshold' | 'bounds'> & {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
};

export class HistogramReader {
  #before: Known | undefined;

  /** Throws `CorruptData` when no histogram stands there. */
  read(reader: ByteReader): Histogram {
    const flags = reader.byte();
    if (flags > LAST_FLAGS || (flags & (LAYOUT | SAME_COUNTS)) === (LAYOUT | SAME_COUNTS))
      throw new CorruptData(`a histogram with flags ${flags}`);
    const layout = (flags & LAYOUT) !== 0 ? readLayout(reader) : layoutOf(this.#before);
    const sum = (flags & SAME_SUM) !== 0 ? before(this.#before).histogram.sum : reader.f64();
    const integers = (flags & DOUBLES) === 0;
    const isSame = (flags & SAME_COUNTS) !== 0;
    const base = (flags & LAYOUT) === 0 && this.#before?.integers === true ? this.#before.counts : undefined;
    const counts = isSame ? before(this.#before).counts : readCounts(reader, layout, { integers, base });
    const hint = HINTS[flags & HINT_BITS] ?? 'unknown';
    const histogram =
      isSame && (flags & LAYOUT) === 0 ? { ...before(this.#before).histogram, sum, hint } : put(layout, counts, { sum, hint });
    this.#before = { histogram, counts, integers };
    return histogram;
  }
}

function before(known: Known | undefined): Known {
  if (known === undefined) throw new CorruptData('a histogram that refers to none before');
  return known;
}

function layoutOf(known: Known | undefined): Layout {
  const { histogram } = before(known);
  return { ...histogram, positive: histogram.positive.indexes, negative: histogram.negative.indexes };
}

function readLayout(reader: ByteReader): Layout {
  const schema = reader.zigzag();
  if (!isKnownSchema(schema)) throw new CorruptData(`a histogram of schema ${schema}`);
  const zeroThreshold = reader.f64();
  const boundCount = reader.varint();
  if (boundCount * 8 > reader.left) throw new CorruptData(`${boundCount} bounds in ${reader.left} bytes`);
  const bounds = Array.from({ length: boundCount }, () => reader.f64());
  return { schema, zeroThreshold, bounds, positive: readIndexes(reader), negative: readIndexes(reader) };
}

function readIndexes(reader: ByteReader): readonly number[] {
  const length = reader.varint();
  if (length > reader.left) throw new CorruptData(`${length} buckets in ${reader.left} bytes`);
  const indexes: number[] = [];
  for (let i = 0, last = 0; i < length; i++) {
    const index = last + reader.zigzag();
    if (i > 0 && index <= last) throw new CorruptData(`bucket ${index} after ${last}`);
    indexes.push(index);
    last = index;
  }
  return indexes;
}

function readCounts(
  reader: ByteReader,
  { positive, negative }: Layout,
  { integers, base }: { readonly integers: boolean; readonly base: readonly number[] | undefined },
): readonly number[] {
  const counts: number[] = [];
  for (let i = 0; i < 2 + positive.length + negative.length; i++) counts.push(integers ? reader.zigzag() + (base?.[i] ?? 0) : reader.f64());
  return counts;
}

function put(layout: Layout, counts: readonly number[], { sum, hint }: Pick<Histogram, 'sum' | 'hint'>): Histogram {
  const { schema, zeroThreshold, bounds, positive, negative } = layout;
  const buckets = (indexes: readonly number[], from: number): Buckets => ({ indexes, counts: counts.slice(from, from + indexes.length) });
  return {
    schema,
    count: counts[0] ?? 0,
    sum,
    zeroCount: counts[1] ?? 0,
    zeroThreshold,
    positive: buckets(positive, 2),
    negative: buckets(negative, 2 + positive.length),
    bounds,
    hint,
  };
}

/** A NaN of this form stands for a histogram among values: equal ones have equal bits, others have not but for one in 2^50. */
const MARKER_HIGH = 0x7ffc0000;
const MARKER_BITS = 0x3ffff;

const scratch = new Float64Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Writes the marker of a histogram as value `at`. */
export function writeMarker(h: Histogram, bits: Uint32Array, at: number): void {
  let low = Math.imul(h.schema, 0x9e3779b1) + HINTS.indexOf(h.hint);
  let high = 0x811c9dc5;
  const mix = (value: number): void => {
    scratch[0] = value;
    for (const half of [scratchBits[0] ?? 0, scratchBits[1] ?? 0]) {
      low = Math.imul(low ^ half ^ (low >>> 15), 0x85ebca6b);
      high = Math.imul(high ^ half ^ (high >>> 13), 0xc2b2ae35) + low;
    }
  };
  for (const value of [h.sum, h.zeroThreshold, h.bounds.length, h.positive.indexes.length]) mix(value);
  for (const list of [h.bounds, h.positive.indexes, h.negative.indexes, countsOf(h)]) for (const value of list) mix(value);
  bits[2 * at] = (low ^ (low >>> 16)) >>> 0;
  bits[2 * at + 1] = (MARKER_HIGH | ((high ^ (high >>> 16)) & MARKER_BITS)) >>> 0;
}
