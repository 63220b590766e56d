import type { Columns } from '../codec/columns.ts';
import { POWERS_OF_TEN } from '../codec/decimal.ts';
import { type BlockArena, blockBytes, byteOf, doubleOf, nextRank, wordOf } from './block-arena.ts';
import {
  BLOCK_END,
  FIRST_PAYLOAD,
  NEXT_PAYLOAD,
  RUN,
  VALUE_DELTA_MAX,
  VALUE_HIGH,
  VALUE_RAW,
  VALUE_RESCALE,
  VALUE_RESTEP,
  VALUE_STEP,
  valueBytes,
} from './sample-code.ts';

/**
 * Decoding of the head's chunks (sample-code.ts says how they are written). Hot: a query over everything spends its time here.
 * A number of one to four bytes is taken as four bytes and shifted, since how many it has is what no processor can guess. Values
 * move as numbers, except for NaN, whose payload only survives as bits.
 */

/** A signed number of `size` bytes (one to four), low byte first. Reads four bytes. */
const intAt = (view: DataView, at: number, size: number): number => {
  const shift = 32 - (size << 3);
  return (view.getInt32(at, true) << shift) >> shift;
};

/** Where a reader stands in a chain of blocks. */
type Place = { block: number; rank: number; at: number; end: number };
const place: Place = { block: 0, rank: 0, at: 0, end: 0 };

function enter(arena: BlockArena): void {
  place.block = arena.segmentOf(place.block).words[wordOf(place.block)] ?? 0;
  place.rank = nextRank(place.rank);
  const from = byteOf(place.block);
  place.at = from + NEXT_PAYLOAD;
  place.end = from + blockBytes(place.rank);
}

function start(chunk: number): void {
  const from = byteOf(chunk);
  place.block = chunk;
  place.rank = 0;
  place.at = from + FIRST_PAYLOAD;
  place.end = from + blockBytes(0);
}

/** Appends the first `samples` values of a chunk whose times are regular to `out`, whose times there mean nothing then. */
export function readRegularValues(arena: BlockArena, chunk: number, samples: number, out: Columns): void {
  out.ensure(samples);
  const { values, bits } = out;
  let to = out.length;
  const behind = to + samples;
  start(chunk);
  const { words } = arena.segmentOf(chunk);
  let { bytes, view } = arena.segmentOf(chunk);
  let { at, end } = place;
  bits[2 * to] = words[wordOf(chunk) + 6] as number;
  bits[2 * to + 1] = words[wordOf(chunk) + 7] as number;
  let value = values[to] as number;
  let power = POWERS_OF_TEN[bytes[byteOf(chunk) + 34] as number] as number;
  // The mantissa of `value`, NaN when that is not known: counting in it spares waiting for a division per sample.
  let mantissa = Number.NaN;
  to++;
  // The second sample, and it alone, has its distance from the first before its value.
  let timeBytes = samples > 1 ? timeBytesOf(bytes[at] as number) : 0;
  while (to < behind) {
    const code = at === end ? BLOCK_END : (bytes[at++] as number);
    if (code >= BLOCK_END) {
      if (code === BLOCK_END) {
        enter(arena);
        ({ bytes, view } = arena.segmentOf(place.block));
        ({ at, end } = place);
        if (to === out.length + 1) timeBytes = timeBytesOf(bytes[at] as number);
        continue;
      }
      const stop = Math.min(behind, to + code - RUN + 1);
      if (value === value) while (to < stop) values[to++] = value;
      else for (; to < stop; to++) repeatBits(bits, to);
      continue;
    }
    at += timeBytes;
    timeBytes = 0;
    const kind = code & 0x0f;
    if (kind - 1 < VALUE_DELTA_MAX && kind > 0) {
      const change = intAt(view, at, kind);
      at += kind;
      mantissa = (mantissa === mantissa ? mantissa : Math.round(value * power)) + change;
      values[to++] = value = mantissa / power;
      continue;
    }
    if (kind > VALUE_STEP && kind < VALUE_RESTEP) {
      values[to++] = value += intAt(view, at, kind - VALUE_STEP) / power;
      mantissa = Number.NaN;
      at += kind - VALUE_STEP;
      continue;
    }
    if (kind === VALUE_HIGH || kind === VALUE_RAW) {
      bits[2 * to] = kind === VALUE_RAW ? view.getInt32(at, true) : 0;
      at += valueBytes(kind);
      bits[2 * to + 1] = view.getInt32(at - 4, true);
      value = values[to++] as number;
      mantissa = Number.NaN;
    } else if (kind === VALUE_RESCALE || kind === VALUE_RESTEP) {
      power = POWERS_OF_TEN[bytes[at] as number] as number;
      const change = view.getInt32(at + 1, true);
      at += 5;
      mantissa = kind === VALUE_RESCALE ? Math.round(value * power) + change : Number.NaN;
      values[to++] = value = kind === VALUE_RESCALE ? mantissa / power : value + change / power;
    } else if (value === value) values[to++] = value;
    else repeatBits(bits, to++);
  }
  out.length = behind;
}

const timeBytesOf = (code: number): number => (code >= BLOCK_END ? 0 : code >>> 5 === 3 ? 4 : code >>> 5);

/** Appends the first `samples` samples of a chunk to `out`, times and values. */
export function readChunk(arena: BlockArena, chunk: number, samples: number, out: Columns): void {
  out.ensure(samples);
  const { times, values, bits } = out;
  let to = out.length;
  const behind = to + samples;
  start(chunk);
  const { words, doubles } = arena.segmentOf(chunk);
  let { bytes, view } = arena.segmentOf(chunk);
  let { at, end } = place;
  let time = doubles[doubleOf(chunk) + 1] as number;
  times[to] = time;
  bits[2 * to] = words[wordOf(chunk) + 6] as number;
  bits[2 * to + 1] = words[wordOf(chunk) + 7] as number;
  let value = values[to] as number;
  let power = POWERS_OF_TEN[bytes[byteOf(chunk) + 34] as number] as number;
  let delta = 0;
  let mantissa = Number.NaN;
  to++;
  while (to < behind) {
    const code = at === end ? BLOCK_END : (bytes[at++] as number);
    if (code === BLOCK_END) {
      enter(arena);
      ({ bytes, view } = arena.segmentOf(place.block));
      ({ at, end } = place);
      continue;
    }
    if (code >= RUN) {
      for (const stop = Math.min(behind, to + code - RUN + 1); to < stop; to++) {
        times[to] = time += delta;
        if (value === value) values[to] = value;
        else repeatBits(bits, to);
      }
      continue;
    }
    const timeBytes = timeBytesOf(code);
    if (timeBytes > 0) delta += intAt(view, at, timeBytes);
    at += timeBytes;
    times[to] = time += delta;
    const kind = code & 0x0f;
    if (kind === 0) {
      if (value === value) values[to] = value;
      else repeatBits(bits, to);
    } else if (kind <= VALUE_DELTA_MAX || kind === VALUE_RESCALE) {
      if (kind === VALUE_RESCALE) power = POWERS_OF_TEN[bytes[at++] as number] as number;
      const size = kind === VALUE_RESCALE ? 4 : kind;
      const known = mantissa === mantissa && kind !== VALUE_RESCALE;
      mantissa = (known ? mantissa : Math.round(value * power)) + intAt(view, at, size);
      at += size;
      values[to] = value = mantissa / power;
    } else if (kind === VALUE_HIGH || kind === VALUE_RAW) {
      bits[2 * to] = kind === VALUE_RAW ? view.getInt32(at, true) : 0;
      at += valueBytes(kind);
      bits[2 * to + 1] = view.getInt32(at - 4, true);
      value = values[to] as number;
      mantissa = Number.NaN;
    } else {
      if (kind === VALUE_RESTEP) power = POWERS_OF_TEN[bytes[at++] as number] as number;
      const size = kind === VALUE_RESTEP ? 4 : kind - VALUE_STEP;
      values[to] = value += intAt(view, at, size) / power;
      mantissa = Number.NaN;
      at += size;
    }
    to++;
  }
  out.length = behind;
}

/** Writes the value before once more, whatever its bits. */
function repeatBits(bits: Uint32Array, to: number): void {
  bits[2 * to] = bits[2 * to - 2] as number;
  bits[2 * to + 1] = bits[2 * to - 1] as number;
}
