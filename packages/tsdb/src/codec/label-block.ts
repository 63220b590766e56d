import { CorruptData } from '../contract.ts';
import { compress, crc32, decompress } from '../disk-codec.ts';
import { ByteReader, ByteWriter } from './bytes.ts';

/**
 * The labels of series that came to the page store together, packed: label sets repeat each other, so together they take a
 * tenth of what they take alone. Drawn in docs/format/pages.md.
 */
const MAGIC = 0x314c504e; // "NPL1"
const HEADER_BYTES = 12;
/** A hundred thousand series with a kilobyte each; a header that promises more is damaged. */
const MAX_BLOCK_BYTES = 128 * 1024 * 1024;

export type SeriesLabels = { readonly ref: number; readonly labels: Uint8Array };

export function encodeLabelBlock(series: readonly SeriesLabels[]): Uint8Array {
  const plain = new ByteWriter(series.length * 64);
  let before = 0;
  for (const { ref, labels } of series) {
    plain.zigzag(ref - before);
    plain.varint(labels.length);
    plain.raw(labels);
    before = ref;
  }
  const packed = compress(plain.written());
  const block = new ByteWriter(HEADER_BYTES + packed.length);
  block.u32(MAGIC);
  block.u32(0);
  block.u32(plain.at);
  block.raw(packed);
  block.view.setUint32(4, crc32(block.written().subarray(8)), true);
  return block.copy();
}

/** The label sets of a block: those of `refs[i]` are `bytes[from[i], to[i])`. */
export type LabelSets = {
  readonly bytes: Uint8Array;
  readonly refs: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
};

/** Throws `CorruptData` when checksum or structure do not hold. */
export function readLabelBlock(block: Uint8Array): LabelSets {
  const header = new ByteReader(block);
  if (header.u32() !== MAGIC) throw new CorruptData('no label block stands here');
  if (header.u32() !== crc32(block.subarray(8))) throw new CorruptData('the checksum does not hold');
  const length = header.u32();
  if (length > MAX_BLOCK_BYTES) throw new CorruptData(`a label block of ${length} bytes`);
  const bytes = decompress(block.subarray(HEADER_BYTES), length);
  const reader = new ByteReader(bytes);
  const refs: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  let ref = 0;
  while (reader.left > 0) {
    ref += reader.zigzag();
    refs.push(ref);
    from.push(reader.take(reader.varint()));
    to.push(reader.at);
  }
  return { bytes, refs, from, to };
}

/** The same, one object per series. */
export function decodeLabelBlock(block: Uint8Array): SeriesLabels[] {
  const { bytes, refs, from, to } = readLabelBlock(block);
  return refs.map((ref, i) => ({ ref, labels: bytes.subarray(from[i], to[i]) }));
}
