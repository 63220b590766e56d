import type { Buckets, Histogram, ResetHint } from './histogram.ts';
import { ProtoWriter } from './proto-writer.ts';
import { bitsOf } from './stale.ts';

/** The message `Histogram` of remote write that `readWireHistogram` reads back to the same, counts as doubles. */
export function encodeWireHistogram(atMs: number, histogram: Histogram): Uint8Array {
  const out = new ProtoWriter();
  const double = (tag: number, value: number): void => {
    const bits = bitsOf(Float64Array.of(value));
    out.doubleBits(tag, bits[0] ?? 0, bits[1] ?? 0);
  };
  double(0x11, histogram.count);
  double(0x19, histogram.sum);
  out.number(0x20, zigzag(histogram.schema));
  double(0x29, histogram.zeroThreshold);
  double(0x39, histogram.zeroCount);
  writeSide(out, histogram.negative, { spans: 0x42, counts: 0x52 });
  writeSide(out, histogram.positive, { spans: 0x5a, counts: 0x6a });
  out.number(0x70, HINTS.indexOf(histogram.hint));
  out.number(0x78, atMs);
  if (histogram.bounds.length > 0) {
    // Field 16, whose tag takes two bytes.
    out.raw(Uint8Array.of(0x82, 0x01));
    out.varint(8 * histogram.bounds.length);
    out.raw(doublesOf(histogram.bounds));
  }
  return out.take();
}

const HINTS: readonly ResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const doublesOf = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);

function writeSide(out: ProtoWriter, { indexes, counts }: Buckets, tags: { readonly spans: number; readonly counts: number }): void {
  if (counts.length === 0) return;
  let end = 0;
  for (let i = 0; i < indexes.length; ) {
    const from = indexes[i] ?? 0;
    let length = 1;
    while (indexes[i + length] === from + length) length++;
    const span = new ProtoWriter(16);
    span.number(0x08, zigzag(from - end));
    span.number(0x10, length);
    out.bytes(tags.spans, span.take());
    end = from + length;
    i += length;
  }
  out.bytes(tags.counts, doublesOf(counts));
}
