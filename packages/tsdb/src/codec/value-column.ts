import { CorruptData } from '../contract.ts';
import { type ByteReader, type ByteWriter, zigzagLength } from './bytes.ts';
import type { Columns } from './columns.ts';
import { POWERS_OF_TEN, exponentOf, mantissaOf, stepOf } from './decimal.ts';

/**
 * A series' values on a page: the cheapest of a constant, decimal differences, decimal second differences, decimal steps, and
 * XOR with the value before in byte planes. Every form gives back all 64 bits. Drawn in docs/format/pages.md. zstd comes after this, so
 * planes and varints are kept plain.
 */
const CONSTANT = 0;
const DELTA = 1;
const DELTA_OF_DELTA = 2;
const XOR = 3;
const STEPS = 4;

/** More exceptions than one in this many values and decimals do not pay. */
const MAX_EXCEPTION_SHARE = 8;
/** Beyond six places a double is rarely a measured decimal, and each further place costs a try per value. */
const MAX_EXPONENT = 9;

type Decimals = { readonly exponent: number; readonly mantissas: Float64Array; readonly exceptions: readonly number[] };

/** Writes `columns.length` (at least 1) values. */
export function writeValues(writer: ByteWriter, columns: Columns): void {
  if (isConstant(columns)) {
    writer.byte(CONSTANT);
    writeBits(writer, columns, 0);
    return;
  }
  const decimals = decimalsOf(columns);
  if (decimals !== undefined) {
    writeDecimals(writer, columns, decimals);
    return;
  }
  const steps = stepsOf(columns);
  if (steps === undefined) writeXor(writer, columns);
  else writeSteps(writer, columns, steps);
}

function isConstant({ bits, length }: Columns): boolean {
  for (let i = 1; i < length; i++) if (bits[2 * i] !== bits[0] || bits[2 * i + 1] !== bits[1]) return false;
  return true;
}

function writeBits(writer: ByteWriter, { bits }: Columns, index: number): void {
  writer.u32(bits[2 * index] ?? 0);
  writer.u32(bits[2 * index + 1] ?? 0);
}

/** One exponent for all values; what does not fit (staleness markers, say) becomes an exception with the mantissa before it. */
function decimalsOf({ values, length }: Columns): Decimals | undefined {
  const limit = Math.floor(length / MAX_EXCEPTION_SHARE);
  let exponent = 0;
  let misfits = 0;
  for (let i = 0; i < length; i++) {
    const value = values[i] ?? 0;
    const found = exponentOf(value, exponent, MAX_EXPONENT);
    if (found >= 0) exponent = found;
    else if (++misfits > limit) return undefined;
  }
  const scale = POWERS_OF_TEN[exponent] ?? 1;
  const mantissas = new Float64Array(length);
  const exceptions: number[] = [];
  let before = 0;
  for (let i = 0; i < length; i++) {
    const mantissa = mantissaOf(values[i] ?? 0, scale);
    if (mantissa === mantissa) before = mantissa;
    else exceptions.push(i);
    mantissas[i] = before;
  }
  return exceptions.length > limit ? undefined : { exponent, mantissas, exceptions };
}

function writeDecimals(writer: ByteWriter, columns: Columns, { exponent, mantissas, exceptions }: Decimals): void {
  let deltaBytes = 0;
  let secondBytes = 0;
  let lastDelta = 0;
  for (let i = 1; i < mantissas.length; i++) {
    const delta = (mantissas[i] ?? 0) - (mantissas[i - 1] ?? 0);
    deltaBytes += zigzagLength(delta);
    secondBytes += zigzagLength(delta - lastDelta);
    lastDelta = delta;
  }
  const second = secondBytes < deltaBytes;
  writer.byte(second ? DELTA_OF_DELTA : DELTA);
  writer.byte(exponent);
  writeExceptions(writer, columns, exceptions);
  writer.zigzag(mantissas[0] ?? 0);
  lastDelta = 0;
  for (let i = 1; i < mantissas.length; i++) {
    const delta = (mantissas[i] ?? 0) - (mantissas[i - 1] ?? 0);
    writer.zigzag(second ? delta - lastDelta : delta);
    lastDelta = delta;
  }
}

function writeExceptions(writer: ByteWriter, columns: Columns, exceptions: readonly number[]): void {
  writer.varint(exceptions.length);
  let after = 0;
  for (const index of exceptions) {
    writer.varint(index - after);
    writeBits(writer, columns, index);
    after = index + 1;
  }
}

/** Like `decimalsOf`, but each value as its distance from the one before; `mantissas[0]` means nothing. */
function stepsOf({ values, length }: Columns): Decimals | undefined {
  const limit = Math.floor(length / MAX_EXCEPTION_SHARE);
  let exponent = 0;
  let misfits = 0;
  for (let i = 1; i < length; i++) {
    const found = stepExponentOf(values[i - 1] ?? 0, values[i] ?? 0, exponent);
    if (found >= 0) exponent = found;
    else if (++misfits > limit) return undefined;
  }
  const scale = POWERS_OF_TEN[exponent] ?? 1;
  const mantissas = new Float64Array(length);
  const exceptions: number[] = [];
  let before = values[0] ?? 0;
  for (let i = 1; i < length; i++) {
    const step = stepOf(before, values[i] ?? 0, scale);
    if (Number.isNaN(step)) exceptions.push(i);
    else {
      mantissas[i] = step;
      before = values[i] ?? 0;
    }
  }
  return exceptions.length > limit ? undefined : { exponent, mantissas, exceptions };
}

function stepExponentOf(before: number, value: number, from: number): number {
  for (let exponent = from; exponent <= MAX_EXPONENT; exponent++) {
    if (!Number.isNaN(stepOf(before, value, POWERS_OF_TEN[exponent] ?? 1))) return exponent;
  }
  return -1;
}

function writeSteps(writer: ByteWriter, columns: Columns, { exponent, mantissas, exceptions }: Decimals): void {
  writer.byte(STEPS);
  writer.byte(exponent);
  writeExceptions(writer, columns, exceptions);
  writeBits(writer, columns, 0);
  for (let i = 1; i < mantissas.length; i++) writer.zigzag(mantissas[i] ?? 0);
}

/** Eight planes: the lowest byte of every XOR, then the next … Equal exponents become runs of zeros. */
function writeXor(writer: ByteWriter, { bits, length }: Columns): void {
  writer.byte(XOR);
  writer.ensure(length * 8);
  for (let plane = 0; plane < 8; plane++) {
    const half = plane >>> 2;
    const shift = (plane & 3) * 8;
    let before = 0;
    for (let i = 0; i < length; i++) {
      const word = bits[2 * i + half] ?? 0;
      writer.bytes[writer.at++] = ((word ^ before) >>> shift) & 0xff;
      before = word;
    }
  }
}

/** Fills `columns.bits` for `count` values from `reader`; `columns.times` and `columns.length` are the caller's. */
export function readValues(reader: ByteReader, count: number, columns: Columns): void {
  const kind = reader.byte();
  if (kind === CONSTANT) {
    const low = reader.u32();
    const high = reader.u32();
    for (let i = 0; i < count; i++) {
      columns.bits[2 * i] = low;
      columns.bits[2 * i + 1] = high;
    }
  } else if (kind === DELTA || kind === DELTA_OF_DELTA || kind === STEPS) readDecimals(reader, count, columns, kind);
  else if (kind === XOR) readXor(reader, count, columns);
  else throw new CorruptData(`a value column of unknown kind ${kind}`);
}

function readDecimals(reader: ByteReader, count: number, columns: Columns, kind: number): void {
  const exponent = reader.byte();
  const scale = POWERS_OF_TEN[exponent];
  if (scale === undefined) throw new CorruptData(`a decimal exponent of ${exponent}`);
  const exceptionsAt = reader.at;
  const exceptions = reader.varint();
  if (exceptions > count) throw new CorruptData(`${exceptions} exceptions in ${count} values`);
  for (let i = 0; i < exceptions; i++) {
    reader.varint();
    reader.take(8);
  }
  if (kind === STEPS) readSteps(reader, count, columns, scale);
  else readMantissas(reader, count, columns, { scale, second: kind === DELTA_OF_DELTA });
  const end = reader.at;
  reader.at = exceptionsAt;
  readExceptions(reader, count, columns);
  reader.at = end;
}

function readMantissas(
  reader: ByteReader,
  count: number,
  { values }: Columns,
  { scale, second }: { readonly scale: number; readonly second: boolean },
): void {
  let mantissa = reader.zigzag();
  values[0] = mantissa / scale;
  let delta = 0;
  for (let i = 1; i < count; i++) {
    const step = reader.zigzag();
    delta = second ? delta + step : step;
    mantissa += delta;
    values[i] = mantissa / scale;
  }
}

function readSteps(reader: ByteReader, count: number, { values, bits }: Columns, scale: number): void {
  bits[0] = reader.u32();
  bits[1] = reader.u32();
  let value = values[0] ?? 0;
  for (let i = 1; i < count; i++) {
    value += reader.zigzag() / scale;
    values[i] = value;
  }
}

/** What is no decimal, over what the differences gave for it. */
function readExceptions(reader: ByteReader, count: number, { bits }: Columns): void {
  let index = 0;
  for (let left = reader.varint(); left > 0; left--) {
    index += reader.varint();
    if (index >= count) throw new CorruptData('an exception beyond the last value');
    bits[2 * index] = reader.u32();
    bits[2 * index + 1] = reader.u32();
    index++;
  }
}

function readXor(reader: ByteReader, count: number, { bits }: Columns): void {
  const from = reader.take(count * 8);
  const { bytes } = reader;
  bits.fill(0, 0, count * 2);
  for (let plane = 0; plane < 8; plane++) {
    const half = plane >>> 2;
    const shift = (plane & 3) * 8;
    const base = from + plane * count;
    let before = 0;
    for (let i = 0; i < count; i++) {
      before ^= (bytes[base + i] ?? 0) << shift;
      bits[2 * i + half] = (bits[2 * i + half] ?? 0) | before;
    }
  }
}
