import { type Result, err, ok } from '@nines/base/result.ts';
import type { ByteBuffer } from './byte-buffer.ts';

/**
 * Snappy's block format (not the framed one), as remote write and remote read use it. The declared length is judged before
 * anything is allocated, so that a small body cannot ask for a large buffer.
 * Format: github.com/google/snappy/blob/main/format_description.txt
 */
export type SnappyFault = { readonly kind: 'too_large' | 'corrupt'; readonly message: string };

/** A copy of 64 bytes takes 3: nothing of the format expands further. */
const MAX_EXPANSION = 64 / 3;
/** From this length on, the call that copies a range is cheaper than a loop over words. */
const LONG = 64;
/** Bytes copied at once. As big integers, which optimised code keeps in registers; a double could change a NaN on its way. */
const WORD = 8;
/** Room behind the decoded bytes, because words are copied whole. */
const SLACK = WORD;

const corrupt = (message: string): Result<never, SnappyFault> => err({ kind: 'corrupt', message: `snappy: ${message}` });

/**
 * Decodes `input` into `into`, which grows when it must. The answer is a view of it, valid until `into` is used again.
 * `limitBytes` bounds the decoded length, inclusive.
 */
export function decodeSnappy(input: Uint8Array, into: ByteBuffer, limitBytes: number): Result<Uint8Array, SnappyFault> {
  let declared = 0;
  let at = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[at++];
    if (byte === undefined || shift > 28) return corrupt('no valid length at the start');
    declared += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  if (declared > limitBytes)
    return err({ kind: 'too_large', message: `decoded body of ${declared} bytes is over the limit of ${limitBytes} bytes` });
  if (declared > input.length * MAX_EXPANSION) return corrupt(`${input.length} bytes cannot hold the ${declared} bytes that they declare`);
  const fault = expand(input, at, into.reserve(declared + SLACK), declared);
  return fault === undefined ? ok(into.bytes.subarray(0, declared)) : corrupt(fault);
}

/** Follows the elements from `from`; says what is wrong, or nothing when exactly `length` bytes were made. */
function expand(input: Uint8Array, from: number, out: Uint8Array, length: number): string | undefined {
  const end = input.length;
  const words = new DataView(out.buffer, out.byteOffset, out.length);
  const inputWords = new DataView(input.buffer, input.byteOffset, input.length);
  let at = from;
  let to = 0;
  while (at < end) {
    const tag = input[at++] ?? 0;
    let count = 0;
    let offset = 0;
    switch (tag & 3) {
      case 0: {
        count = (tag >> 2) + 1;
        if (count > 60) {
          const extra = count - 60;
          if (at + extra > end) return `literal length cut at byte ${at}`;
          count = 1;
          for (let i = 0; i < extra; i++) count += (input[at + i] ?? 0) * 2 ** (8 * i);
          at += extra;
        }
        if (count > end - at) return `literal cut at byte ${at}`;
        if (count > length - to) return `more than the declared ${length} bytes`;
        if (count > LONG || at + count + WORD > end) out.set(input.subarray(at, at + count), to);
        else for (let i = 0; i < count; i += WORD) words.setBigInt64(to + i, inputWords.getBigInt64(at + i, true), true);
        at += count;
        to += count;
        continue;
      }
      case 1:
        if (at + 1 > end) return `copy cut at byte ${at}`;
        count = ((tag >> 2) & 7) + 4;
        offset = ((tag >> 5) << 8) | (input[at] ?? 0);
        at += 1;
        break;
      case 2:
        if (at + 2 > end) return `copy cut at byte ${at}`;
        count = (tag >> 2) + 1;
        offset = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8);
        at += 2;
        break;
      default:
        if (at + 4 > end) return `copy cut at byte ${at}`;
        count = (tag >> 2) + 1;
        offset = ((input[at] ?? 0) | ((input[at + 1] ?? 0) << 8) | ((input[at + 2] ?? 0) << 16) | ((input[at + 3] ?? 0) << 24)) >>> 0;
        at += 4;
    }
    if (offset === 0 || offset > to) return `copy from before the start at byte ${at}`;
    if (count > length - to) return `more than the declared ${length} bytes`;
    // The ranges may overlap: a copy with an offset below a word repeats what it has just written.
    if (offset < WORD) for (let i = 0; i < count; i++) out[to + i] = out[to - offset + i] ?? 0;
    else for (let i = 0; i < count; i += WORD) words.setBigInt64(to + i, words.getBigInt64(to - offset + i, true), true);
    to += count;
  }
  return to === length ? undefined : `${to} bytes where ${length} were declared`;
}

/** Encodes with back references of up to 64 KiB, greedily. The answer belongs to the caller. */
export function encodeSnappy(input: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 + input.length + Math.ceil(input.length / 6));
  let to = 0;
  for (let rest = input.length; ; rest = Math.floor(rest / 128)) {
    out[to++] = rest < 128 ? rest : (rest & 127) | 128;
    if (rest < 128) break;
  }
  const table = new Int32Array(1 << 14);
  for (let base = 0; base < input.length; base += 65_536) to = encodeBlock(input, base, table, { out, to });
  return out.subarray(0, to);
}

type Sink = { readonly out: Uint8Array; to: number };

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);

function encodeBlock(input: Uint8Array, base: number, table: Int32Array, sink: Sink): number {
  const end = Math.min(base + 65_536, input.length);
  table.fill(-1);
  let anchor = base;
  let at = base;
  while (at + 4 <= end) {
    const word = wordAt(input, at);
    const slot = Math.imul(word, 0x1e35a7bd) >>> 18;
    const candidate = table[slot] ?? -1;
    table[slot] = at;
    if (candidate < base || wordAt(input, candidate) !== word) {
      at++;
      continue;
    }
    let length = 4;
    while (at + length < end && input[candidate + length] === input[at + length]) length++;
    writeLiteral(input, anchor, at, sink);
    writeCopy(at - candidate, length, sink);
    at += length;
    anchor = at;
  }
  writeLiteral(input, anchor, end, sink);
  return sink.to;
}

function writeLiteral(input: Uint8Array, from: number, to: number, sink: Sink): void {
  const length = to - from;
  if (length === 0) return;
  const { out } = sink;
  const n = length - 1;
  if (n < 60) {
    out[sink.to++] = n << 2;
  } else if (n < 256) {
    out[sink.to++] = 60 << 2;
    out[sink.to++] = n;
  } else {
    out[sink.to++] = 61 << 2;
    out[sink.to++] = n & 255;
    out[sink.to++] = n >> 8;
  }
  out.set(input.subarray(from, to), sink.to);
  sink.to += length;
}

function writeCopy(offset: number, length: number, sink: Sink): void {
  const { out } = sink;
  for (let left = length; left > 0; ) {
    const part = Math.min(left, 64);
    out[sink.to++] = ((part - 1) << 2) | 2;
    out[sink.to++] = offset & 255;
    out[sink.to++] = offset >> 8;
    left -= part;
  }
}
