import { ByteReader, ByteWriter } from '../codec/bytes.ts';
import { crc32 } from '../disk-codec.ts';

/**
 * Frames, the unit in which the log is written and checked; drawn in docs/format/log.md. A frame is magic, length, checksum,
 * payload. The checksum also covers the file's number, so that bytes of another file are never taken for this one's.
 */
const MAGIC = 0x3152464e; // "NFR1"
export const FRAME_HEADER_BYTES = 12;
export const FILE_HEADER_BYTES = 16;
const FILE_MAGIC_LOW = 0x454e494e; // "NINE"
const FILE_MAGIC_HIGH = 0x474f4c53; // "SLOG"
const FILE_VERSION = 1;
/** Sets a checkpoint's frames apart from those of the segment with its number. */
const CHECKPOINT_BIT = 0x80000000;

export const checkpointSeed = (number: number): number => (number | CHECKPOINT_BIT) >>> 0;

export function fileHeader(seed: number): Uint8Array {
  const writer = new ByteWriter(FILE_HEADER_BYTES);
  writer.u32(FILE_MAGIC_LOW);
  writer.u32(FILE_MAGIC_HIGH);
  writer.u32(FILE_VERSION);
  writer.u32(seed);
  return writer.copy();
}

const INITIAL_BYTES = 64 * 1024;
/** A group of 200 000 samples; what one larger group needed is given back. */
const MAX_KEPT_BYTES = 2 * 1024 * 1024;

/** Collects frames of several writers; `seal` computes the checksums once it is known which file they go to. */
export class FrameBuffer {
  writer = new ByteWriter(INITIAL_BYTES);
  #starts: number[] = [];

  /** Writes one frame's payload through `write`. */
  frame(write: (writer: ByteWriter) => void): void {
    const start = this.writer.at;
    this.writer.ensure(FRAME_HEADER_BYTES);
    this.writer.at += FRAME_HEADER_BYTES;
    try {
      write(this.writer);
    } catch (thrown) {
      this.writer.at = start;
      throw thrown;
    }
    this.#starts.push(start);
  }

  get size(): number {
    return this.writer.at;
  }

  /** The bytes to write; valid until `clear`. */
  seal(seed: number): Uint8Array {
    const { bytes, view, at } = this.writer;
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i] ?? 0;
      const end = this.#starts[i + 1] ?? at;
      const length = end - start - FRAME_HEADER_BYTES;
      view.setUint32(start, MAGIC, true);
      view.setUint32(start + 4, length, true);
      view.setUint32(start + 8, checksum(bytes.subarray(start + FRAME_HEADER_BYTES, end), length, seed), true);
    }
    return this.writer.written();
  }

  clear(): void {
    if (this.writer.bytes.length > MAX_KEPT_BYTES) this.writer = new ByteWriter(INITIAL_BYTES);
    this.writer.at = 0;
    this.#starts = [];
  }
}

const prefix = new Uint8Array(8);
const prefixView = new DataView(prefix.buffer);

function checksum(payload: Uint8Array, length: number, seed: number): number {
  prefixView.setUint32(0, length, true);
  prefixView.setUint32(4, seed, true);
  return crc32(payload, crc32(prefix));
}

/** `[from, to)` of a file that no valid frame covers. */
export type Gap = { readonly from: number; readonly to: number };
export type FileReport = {
  /** Damage with a valid frame behind it. */
  readonly gaps: readonly Gap[];
  /** What stands behind the last valid frame, if it is not just zeros. */
  readonly tail: Gap | undefined;
};

/** Calls `onFrame` for every valid frame, in order, and says what it could not read. */
export function readFrames(bytes: Uint8Array, seed: number, onFrame: (payload: ByteReader, at: number) => void): FileReport {
  const reader = new ByteReader(bytes);
  const gaps: Gap[] = [];
  const header = fileHeader(seed);
  let at = Math.min(FILE_HEADER_BYTES, bytes.length);
  if (!header.every((byte, i) => bytes[i] === byte)) {
    const next = nextFrame(reader, 0, seed);
    if (next < 0) return { gaps, tail: bytes.length > 0 ? { from: 0, to: bytes.length } : undefined };
    gaps.push({ from: 0, to: FILE_HEADER_BYTES });
    at = next;
  }
  while (at < bytes.length) {
    const end = frameEnd(reader, at, seed);
    if (end > 0) {
      onFrame(new ByteReader(bytes, at + FRAME_HEADER_BYTES, end), at);
      at = end;
      continue;
    }
    const next = nextFrame(reader, at + 1, seed);
    if (next < 0) {
      const empty = bytes.subarray(at).every((byte) => byte === 0);
      return { gaps, tail: empty ? undefined : { from: at, to: bytes.length } };
    }
    gaps.push({ from: at, to: next });
    at = next;
  }
  return { gaps, tail: undefined };
}

/** Where the valid frame at `at` ends, or -1. */
function frameEnd({ view, bytes }: ByteReader, at: number, seed: number): number {
  if (at + FRAME_HEADER_BYTES > bytes.length || view.getUint32(at, true) !== MAGIC) return -1;
  const length = view.getUint32(at + 4, true);
  const end = at + FRAME_HEADER_BYTES + length;
  if (end > bytes.length) return -1;
  const valid = view.getUint32(at + 8, true) === checksum(bytes.subarray(at + FRAME_HEADER_BYTES, end), length, seed);
  return valid ? end : -1;
}

function nextFrame(reader: ByteReader, from: number, seed: number): number {
  const first = MAGIC & 0xff;
  for (let at = reader.bytes.indexOf(first, from); at >= 0; at = reader.bytes.indexOf(first, at + 1)) {
    if (frameEnd(reader, at, seed) > 0) return at;
  }
  return -1;
}
