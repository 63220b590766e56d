import { CorruptData } from '../contract.ts';
import { type ByteReader, ByteWriter } from './bytes.ts';
import { type DenseBits, planOf, readDense, writeDense } from './dense-column.ts';
import type { Columns } from './columns.ts';
import { POWERS_OF_TEN, addUlps, exponentOf, mantissaOf, stepOf, stepWithUlps } from './decimal.ts';

/**
 * A series' values on a page: the cheapest of a constant, decimals (as they are, their differences, their second differences),
 * decimal steps (exact, or with the error of a sum in floating point beside them), and XOR with the value before in byte planes.
 * Every form gives back all 64 bits. Drawn in docs/format/pages.md. zstd comes after this, so planes and varints are kept plain; noise
 * is better off as bits beside it (dense-column.ts).
 */
const CONSTANT = 0;
const DELTA = 1;
const DELTA_OF_DELTA = 2;
const XOR = 3;
const STEPS = 4;
const DECIMALS = 5;
const STEPS_WITH_ULPS = 6;
const DENSE = 8;

/** More exceptions than one in this many values and decimals do not pay. */
const MAX_EXCEPTION_SHARE = 8;
/** Beyond six places a double is rarely a measured decimal, and each further place costs a try per value. */
const MAX_EXPONENT = 9;
/** A sum of a few decimals between two scrapes is off by one or two units in the last place, seldom more. */
const MAX_ULPS = 16;
/** A column of fewer bytes per value is left to zstd, which finds what repeats. */
const QUIET_BYTES = 0.25;
/** One table for all columns of a page makes each this much longer than its own entropy. */
const SHARED_TABLE = 1.2;

type Decimals = { readonly exponent: number; readonly mantissas: Float64Array; readonly exceptions: readonly number[] };
type Steps = Decimals & { readonly ulps: Float64Array };

/** Writes `columns.length` (at least 1) values; noise into `bits`, if given, where it takes less. */
export function writeValues(writer: ByteWriter, columns: Columns, bits?: DenseBits): void {
  if (isConstant(columns)) {
    writer.byte(CONSTANT);
    writeBits(writer, columns, 0);
    return;
  }
  const decimals = decimalsOf(columns);
  if (decimals !== undefined) {
    const bytes = tryAll([DELTA, DELTA_OF_DELTA, DECIMALS].map((kind) => (out) => writeDecimals(out, columns, decimals, kind)));
    if (!writeIfDense(writer, columns, { ...decimals, ulps: undefined }, { bits, bytes })) writer.raw(best.written());
    return;
  }
  const steps = stepsOf(columns);
  if (steps === undefined) {
    writeXor(writer, columns);
    return;
  }
  const bytes = tryAll([(out) => writeSteps(out, columns, steps), (out) => writeXor(out, columns)]);
  if (!writeIfDense(writer, columns, steps, { bits, bytes })) writer.raw(best.written());
}

/** Writes in every given way, keeps in `best` the one that zstd will make shortest, and returns how short. */
function tryAll(ways: readonly ((out: ByteWriter) => void)[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const write of ways) {
    attempt.at = 0;
    write(attempt);
    const bytes = entropyBytes(attempt.written());
    if (bytes >= least) continue;
    least = bytes;
    [attempt, best] = [best, attempt];
  }
  return least;
}

/** Writes the column as bits if they are fewer than the `bytes` that it takes otherwise. */
function writeIfDense(
  writer: ByteWriter,
  columns: Columns,
  { exponent, mantissas, exceptions, ulps }: Decimals & { readonly ulps: Float64Array | undefined },
  { bits, bytes }: { readonly bits: DenseBits | undefined; readonly bytes: number },
): boolean {
  if (bits === undefined || bytes < columns.length * QUIET_BYTES) return false;
  const plan = planOf(mantissas, ulps !== undefined);
  if (plan === undefined || plan.bytes > bytes * SHARED_TABLE) return false;
  const rounded = ulps?.some((error) => error !== 0) === true;
  writer.byte(DENSE);
  writer.byte(ulps === undefined ? DELTA : rounded ? STEPS_WITH_ULPS : STEPS);
  writer.byte(exponent);
  writeExceptions(writer, columns, exceptions);
  if (ulps === undefined) writer.zigzag(mantissas[0] ?? 0);
  else writeBits(writer, columns, 0);
  writeDense(writer, bits, mantissas, plan);
  if (rounded) for (let i = 1; i < mantissas.length; i++) writer.zigzag(ulps?.[i] ?? 0);
  return true;
}

let attempt = new ByteWriter();
let best = new ByteWriter();
const counts = new Uint32Array(256);

/** What a perfect code for single bytes needs. zstd's own comes close to it where nothing repeats; what repeats is cheap either way. */
function entropyBytes(bytes: Uint8Array): number {
  counts.fill(0);
  for (let i = 0; i < bytes.length; i++) counts[bytes[i] ?? 0] = (counts[bytes[i] ?? 0] ?? 0) + 1;
  let bits = 0;
  for (let i = 0; i < 256; i++) {
    const count = counts[i] ?? 0;
    if (count > 0) bits -= count * Math.log2(count / bytes.length);
  }
  return bits / 8;
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

function writeDecimals(writer: ByteWriter, columns: Columns, { exponent, mantissas, exceptions }: Decimals, kind: number): void {
  writer.byte(kind);
  writer.byte(exponent);
  writeExceptions(writer, columns, exceptions);
  if (kind === DECIMALS) {
    let least = Number.POSITIVE_INFINITY;
    for (const mantissa of mantissas) least = Math.min(least, mantissa);
    writer.zigzag(least);
    for (const mantissa of mantissas) writer.varint(mantissa - least);
    return;
  }
  let before = mantissas[0] ?? 0;
  writer.zigzag(before);
  let lastDelta = 0;
  for (let i = 1; i < mantissas.length; i++) {
    const mantissa = mantissas[i] ?? 0;
    const delta = mantissa - before;
    writer.zigzag(delta - lastDelta);
    before = mantissa;
    if (kind === DELTA_OF_DELTA) lastDelta = delta;
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

/**
 * Like `decimalsOf`, but each value as its distance from the one before; `mantissas[0]` means nothing. Exact steps if there
 * are any, else steps from which the value is a few units in the last place away.
 */
function stepsOf(columns: Columns): Steps | undefined {
  return stepsWithin(columns, 0) ?? stepsWithin(columns, MAX_ULPS);
}

function stepsWithin({ values, length }: Columns, maxUlps: number): Steps | undefined {
  const limit = Math.floor(length / MAX_EXCEPTION_SHARE);
  let exponent = 0;
  let misfits = 0;
  for (let i = 1; i < length; i++) {
    const found = stepExponentOf(values[i - 1] ?? 0, values[i] ?? 0, exponent, maxUlps);
    if (found >= 0) exponent = found;
    else if (++misfits > limit) return undefined;
  }
  const scale = POWERS_OF_TEN[exponent] ?? 1;
  const mantissas = new Float64Array(length);
  const ulps = new Float64Array(length);
  const exceptions: number[] = [];
  let before = values[0] ?? 0;
  for (let i = 1; i < length; i++) {
    const step = stepWithUlps(before, values[i] ?? 0, scale);
    if (step === undefined || Math.abs(step.ulps) > maxUlps) exceptions.push(i);
    else {
      mantissas[i] = step.step;
      ulps[i] = step.ulps;
      before = values[i] ?? 0;
    }
  }
  return exceptions.length > limit ? undefined : { exponent, mantissas, ulps, exceptions };
}

function stepExponentOf(before: number, value: number, from: number, maxUlps: number): number {
  for (let exponent = from; exponent <= MAX_EXPONENT; exponent++) {
    const scale = POWERS_OF_TEN[exponent] ?? 1;
    if (maxUlps === 0) {
      if (!Number.isNaN(stepOf(before, value, scale))) return exponent;
    } else {
      const found = stepWithUlps(before, value, scale);
      if (found !== undefined && Math.abs(found.ulps) <= maxUlps) return exponent;
    }
  }
  return -1;
}

function writeSteps(writer: ByteWriter, columns: Columns, { exponent, mantissas, ulps, exceptions }: Steps): void {
  const exact = ulps.every((error) => error === 0);
  writer.byte(exact ? STEPS : STEPS_WITH_ULPS);
  writer.byte(exponent);
  writeExceptions(writer, columns, exceptions);
  writeBits(writer, columns, 0);
  for (let i = 1; i < mantissas.length; i++) writer.zigzag(mantissas[i] ?? 0);
  if (!exact) for (let i = 1; i < ulps.length; i++) writer.zigzag(ulps[i] ?? 0);
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

/** Whether a column, told by its form, holds nothing but finite numbers; false when that would need decoding. */
export function hasOnlyNumbers(reader: ByteReader): boolean {
  const kind = reader.byte();
  if (kind === CONSTANT) {
    reader.u32();
    return (reader.u32() & 0x7ff00000) !== 0x7ff00000;
  }
  const numbers = kind === DENSE ? reader.byte() : kind;
  if (numbers !== DELTA && numbers !== DELTA_OF_DELTA && numbers !== DECIMALS) return false;
  reader.byte();
  return reader.varint() === 0;
}

/**
 * Writes `count` values behind the `columns.length` that are there, for which there is room; `times` and `length` are the caller's.
 * `bits` are those of the page.
 */
export function readValues(reader: ByteReader, count: number, columns: Columns, bits: DataView = NO_BITS): void {
  const kind = reader.byte();
  const from = columns.length;
  if (kind === CONSTANT) {
    const low = reader.u32();
    const high = reader.u32();
    for (let i = from; i < from + count; i++) {
      columns.bits[2 * i] = low;
      columns.bits[2 * i + 1] = high;
    }
  } else if (kind === XOR) readXor(reader, count, columns);
  else if (kind === DENSE) readDenseValues(reader, count, columns, bits);
  else if (kind <= STEPS_WITH_ULPS) readDecimals(reader, count, columns, kind);
  else throw new CorruptData(`a value column of unknown kind ${kind}`);
}

const NO_BITS = new DataView(new ArrayBuffer(0));

/** What stands before the numbers of a column of decimals or steps. */
function readScale(
  reader: ByteReader,
  count: number,
): { readonly scale: number; readonly exceptionsAt: number; readonly exceptions: number } {
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
  return { scale, exceptionsAt, exceptions };
}

function readFirstBits(reader: ByteReader, { bits, length }: Columns): void {
  bits[2 * length] = reader.u32();
  bits[2 * length + 1] = reader.u32();
}

function readDecimals(reader: ByteReader, count: number, columns: Columns, kind: number): void {
  const { scale, exceptionsAt, exceptions } = readScale(reader, count);
  if (kind === DECIMALS) readOffsets(reader, count, columns, scale);
  else {
    if (kind === DELTA || kind === DELTA_OF_DELTA) columns.values[columns.length] = reader.zigzag() / scale;
    else readFirstBits(reader, columns);
    readDifferences(reader, count, columns, { scale, kind });
    if (kind === STEPS_WITH_ULPS) readUlps(reader, count, columns);
  }
  if (exceptions > 0) readExceptions(reader, count, columns, exceptionsAt);
}

function readDenseValues(reader: ByteReader, count: number, columns: Columns, bits: DataView): void {
  const { values, length } = columns;
  const kind = reader.byte();
  const { scale, exceptionsAt, exceptions } = readScale(reader, count);
  const range = { from: length, count };
  if (kind === DELTA) {
    const first = reader.zigzag();
    readDense(reader, bits, values, range);
    values[length] = first / scale;
    for (let i = length + 1; i < length + count; i++) values[i] = (first + (values[i] as number)) / scale;
  } else if (kind === STEPS || kind === STEPS_WITH_ULPS) {
    readFirstBits(reader, columns);
    readDense(reader, bits, values, range);
    for (let i = length + 1; i < length + count; i++) values[i] = (values[i] as number) / scale;
    if (kind === STEPS_WITH_ULPS) readUlps(reader, count, columns);
    else for (let i = length + 1; i < length + count; i++) values[i] = (values[i - 1] as number) + (values[i] as number);
  } else throw new CorruptData(`dense values of kind ${kind}`);
  if (exceptions > 0) readExceptions(reader, count, columns, exceptionsAt);
}

/**
 * All values but the first, which stands there; of `STEPS_WITH_ULPS` the steps. Hot: nearly every difference takes one or two bytes, so these are read here and
 * the longer ones by the reader.
 */
function readDifferences(
  reader: ByteReader,
  count: number,
  { values, length }: Columns,
  { scale, kind }: { readonly scale: number; readonly kind: number },
): void {
  const { bytes } = reader;
  const last = reader.end - 1;
  const to = length + count;
  let { at } = reader;
  let value = values[length] as number;
  let mantissa = Math.round(value * scale);
  let delta = 0;
  for (let i = length + 1; i < to; i++) {
    let step = 0;
    const low = at < last ? (bytes[at] as number) : 0x80;
    const high = at < last ? (bytes[at + 1] as number) : 0x80;
    if (low < 0x80) {
      step = (low >>> 1) ^ -(low & 1);
      at++;
    } else if (high < 0x80) {
      const both = (low & 0x7f) | (high << 7);
      step = (both >>> 1) ^ -(both & 1);
      at += 2;
    } else {
      reader.at = at;
      step = reader.zigzag();
      at = reader.at;
    }
    if (kind === STEPS) value += step / scale;
    else if (kind === STEPS_WITH_ULPS) value = step / scale;
    else {
      delta = kind === DELTA ? step : delta + step;
      mantissa += delta;
      value = mantissa / scale;
    }
    values[i] = value;
  }
  reader.at = at;
}

function readOffsets(reader: ByteReader, count: number, { values, length }: Columns, scale: number): void {
  const least = reader.zigzag();
  for (let i = length; i < length + count; i++) values[i] = (least + reader.varint()) / scale;
}

/** Turns the steps that stand behind the first value into values: the sum, and how far in the last place it was off. */
function readUlps(reader: ByteReader, count: number, { values, bits, length }: Columns): void {
  for (let i = length + 1; i < length + count; i++) {
    values[i] = (values[i - 1] as number) + (values[i] as number);
    const ulps = reader.zigzag();
    if (ulps !== 0) addUlps(bits, i, ulps);
  }
}

/** What is no decimal, over what the differences gave for it. The reader goes on where it is. */
function readExceptions(reader: ByteReader, count: number, { bits, length }: Columns, exceptionsAt: number): void {
  const end = reader.at;
  reader.at = exceptionsAt;
  let index = 0;
  for (let left = reader.varint(); left > 0; left--) {
    index += reader.varint();
    if (index >= count) throw new CorruptData('an exception beyond the last value');
    bits[2 * (length + index)] = reader.u32();
    bits[2 * (length + index) + 1] = reader.u32();
    index++;
  }
  reader.at = end;
}

function readXor(reader: ByteReader, count: number, { bits, length }: Columns): void {
  const from = reader.take(count * 8);
  const { bytes } = reader;
  bits.fill(0, 2 * length, 2 * (length + count));
  for (let plane = 0; plane < 8; plane++) {
    const half = 2 * length + (plane >>> 2);
    const shift = (plane & 3) * 8;
    const base = from + plane * count;
    let before = 0;
    for (let i = 0; i < count; i++) {
      before ^= (bytes[base + i] ?? 0) << shift;
      bits[2 * i + half] = (bits[2 * i + half] ?? 0) | before;
    }
  }
}
