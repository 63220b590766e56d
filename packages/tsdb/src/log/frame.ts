import { ByteReader, ByteWriter } from '../codec/bytes.ts';
import { SEAL_BYTES } from '../cipher.ts';
import type { SealingKey } from '../contract.ts';
import { crc32 } from '../disk-codec.ts';

/**
 * Frames, the unit in which the log is written and checked; drawn in docs/format/log.md. A frame is magic, length, checksum,
 * payload; encrypted it is magic, length, and the sealed payload. Both ways it also depends on the file's number, so that bytes
 * of another file are never taken for this one's.
 */
const MAGIC = 0x3152464e; // "NFR1"
const SEALED_MAGIC = 0x3145464e; // "NFE1"
const FRAME_HEADER_BYTES = 12;
const SEALED_PREFIX_BYTES = 8;
export const FILE_HEADER_BYTES = 16;
const FILE_MAGIC_LOW = 0x454e494e; // "NINE"
const FILE_MAGIC_HIGH = 0x474f4c53; // "SLOG"
const PLAIN_VERSION = 1;
const SEALED_VERSION = 2;
/** Sets a checkpoint's frames apart from those of the segment with its number. */
const CHECKPOINT_BIT = 0x80000000;

export const checkpointSeed = (number: number): number => (number | CHECKPOINT_BIT) >>> 0;

/** A file of the log, as far as its frames depend on it. With a key they are encrypted. */
export type LogFile = { readonly seed: number; readonly key: SealingKey | undefined };

export function fileHeader({ seed, key }: LogFile): Uint8Array {
  const writer = new ByteWriter(FILE_HEADER_BYTES);
  writer.u32(FILE_MAGIC_LOW);
  writer.u32(FILE_MAGIC_HIGH);
  writer.u32(key === undefined ? PLAIN_VERSION : SEALED_VERSION);
  writer.u32(seed);
  return writer.copy();
}

/** Whether a file's first bytes say that it is encrypted; undefined when they say nothing of the kind. */
export function isSealedFile(bytes: Uint8Array): boolean | undefined {
  if (bytes.length < FILE_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FILE_HEADER_BYTES);
  if (view.getUint32(0, true) !== FILE_MAGIC_LOW || view.getUint32(4, true) !== FILE_MAGIC_HIGH) return undefined;
  const version = view.getUint32(8, true);
  return version === SEALED_VERSION ? true : version === PLAIN_VERSION ? false : undefined;
}

const INITIAL_BYTES = 64 * 1024;
/** A group of 200 000 samples; what one larger group needed is given back. */
const MAX_KEPT_BYTES = 2 * 1024 * 1024;

/** Collects frames of several writers; `seal` computes the checksums once it is known which file they go to. */
export class FrameBuffer {
  writer = new ByteWriter(INITIAL_BYTES);
  #starts: number[] = [];
  /** What `seal` gives back when the file is encrypted. */
  #sealed = new ByteWriter(0);

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

  /** The bytes to write from `fileAt` of the file on; valid until `clear`. */
  seal(file: LogFile, fileAt: number): Uint8Array {
    return file.key === undefined ? this.#sealPlain(file) : this.#sealEncrypted(file.seed, file.key, fileAt);
  }

  #sealPlain({ seed }: LogFile): Uint8Array {
    const { view } = this.writer;
    for (const [start, payload] of this.#frames()) {
      view.setUint32(start, MAGIC, true);
      view.setUint32(start + 4, payload.length, true);
      view.setUint32(start + 8, checksum(payload, seed), true);
    }
    return this.writer.written();
  }

  #sealEncrypted(seed: number, key: SealingKey, fileAt: number): Uint8Array {
    const sealed = this.#sealed;
    sealed.at = 0;
    for (const [, payload] of this.#frames()) {
      const place = placeOf(seed, fileAt + sealed.at, payload.length);
      sealed.u32(SEALED_MAGIC);
      sealed.u32(payload.length);
      sealed.ensure(SEAL_BYTES + payload.length);
      key.sealInto(sealed.bytes, sealed.at, payload, place);
      sealed.at += SEAL_BYTES + payload.length;
    }
    return sealed.written();
  }

  *#frames(): Generator<readonly [start: number, payload: Uint8Array]> {
    const { bytes, at } = this.writer;
    for (let i = 0; i < this.#starts.length; i++) {
      const start = this.#starts[i] ?? 0;
      yield [start, bytes.subarray(start + FRAME_HEADER_BYTES, this.#starts[i + 1] ?? at)];
    }
  }

  clear(): void {
    if (this.#sealed.bytes.length > MAX_KEPT_BYTES) this.#sealed = new ByteWriter(0);
    if (this.writer.bytes.length > MAX_KEPT_BYTES) this.writer = new ByteWriter(INITIAL_BYTES);
    this.writer.at = 0;
    this.#starts = [];
  }
}

const prefix = new Uint8Array(8);
const prefixView = new DataView(prefix.buffer);

function checksum(payload: Uint8Array, seed: number): number {
  prefixView.setUint32(0, payload.length, true);
  prefixView.setUint32(4, seed, true);
  return crc32(payload, crc32(prefix));
}

const place = new Uint8Array(16);
const placeView = new DataView(place.buffer);

/** What an encrypted frame is bound to. Valid until the next call. */
function placeOf(seed: number, fileAt: number, length: number): Uint8Array {
  placeView.setUint32(0, seed, true);
  placeView.setUint32(4, fileAt % 2 ** 32, true);
  placeView.setUint32(8, Math.floor(fileAt / 2 ** 32), true);
  placeView.setUint32(12, length, true);
  return place;
}

/** `[from, to)` of a file that no valid frame covers. */
export type Gap = { readonly from: number; readonly to: number };
export type FileReport = {
  /** Damage with a valid frame behind it. */
  readonly gaps: readonly Gap[];
  /** What stands behind the last valid frame, if it is not just zeros. */
  readonly tail: Gap | undefined;
};

export type OnFrame = (payload: ByteReader, at: number, end: number) => void;

/** Calls `onFrame` for every valid frame, in order, with the part of the file it covers, and says what it could not read. */
export function readFrames(bytes: Uint8Array, file: LogFile, onFrame: OnFrame): FileReport {
  const reader = new ByteReader(bytes);
  const gaps: Gap[] = [];
  const header = fileHeader(file);
  let at = Math.min(FILE_HEADER_BYTES, bytes.length);
  if (!header.every((byte, i) => bytes[i] === byte)) {
    const next = nextFrame(reader, 0, file);
    if (next < 0) return { gaps, tail: bytes.length > 0 ? { from: 0, to: bytes.length } : undefined };
    gaps.push({ from: 0, to: FILE_HEADER_BYTES });
    at = next;
  }
  while (at < bytes.length) {
    const frame = frameAt(reader, at, file);
    if (frame !== undefined) {
      onFrame(frame.payload, at, frame.end);
      at = frame.end;
      continue;
    }
    const next = nextFrame(reader, at + 1, file);
    if (next < 0) {
      const empty = bytes.subarray(at).every((byte) => byte === 0);
      return { gaps, tail: empty ? undefined : { from: at, to: bytes.length } };
    }
    gaps.push({ from: at, to: next });
    at = next;
  }
  return { gaps, tail: undefined };
}

type Frame = { readonly payload: ByteReader; readonly end: number };

/** The valid frame at `at`, if there is one. */
function frameAt(reader: ByteReader, at: number, { seed, key }: LogFile): Frame | undefined {
  const { view, bytes } = reader;
  const headerBytes = key === undefined ? FRAME_HEADER_BYTES : SEALED_PREFIX_BYTES + SEAL_BYTES;
  if (at + headerBytes > bytes.length || view.getUint32(at, true) !== magicOf(key)) return undefined;
  const length = view.getUint32(at + 4, true);
  const end = at + headerBytes + length;
  if (end > bytes.length) return undefined;
  if (key !== undefined) {
    const payload = key.open(bytes.subarray(at + SEALED_PREFIX_BYTES, end), placeOf(seed, at, length));
    return payload === undefined ? undefined : { payload: new ByteReader(payload), end };
  }
  const valid = view.getUint32(at + 8, true) === checksum(bytes.subarray(at + headerBytes, end), seed);
  return valid ? { payload: new ByteReader(bytes, at + headerBytes, end), end } : undefined;
}

const magicOf = (key: SealingKey | undefined): number => (key === undefined ? MAGIC : SEALED_MAGIC);

function nextFrame(reader: ByteReader, from: number, file: LogFile): number {
  const first = magicOf(file.key) & 0xff;
  for (let at = reader.bytes.indexOf(first, from); at >= 0; at = reader.bytes.indexOf(first, at + 1)) {
    if (frameAt(reader, at, file) !== undefined) return at;
  }
  return -1;
}
