import { CorruptData } from '../contract.ts';
import { BucketCounts, readCode, readNumbers, writeNumbers } from './bit-code.ts';
import { crc32 } from '../disk-codec.ts';
import { type ByteReader, ByteWriter } from './bytes.ts';

/**
 * Noise, as bits beside what zstd packs: zstd has one table for all the bytes of a page, so random ones among them cost more than they are,
 * and make the others dear. What stands in the column is how to read the bits. Drawn in docs/format/pages.md.
 */

/** How the numbers of a column follow from one another: distances from the first, differences, second differences. */
type Order = 0 | 1 | 2;

/** Fewer values than this do not pay for a code. */
const MIN_VALUES = 32;
/** Bytes of a column beside code and bits. */
const HEADER_BYTES = 12;
/** Values looked at to see what would be short; the whole column is written in the way that is. */
const LOOKED_AT = 256;

/** How a run of whole numbers is to be written: as (residual ÷ divisor) − base, or as the zigzags of these. */
export type DensePlan = {
  readonly order: Order;
  readonly divisor: number;
  readonly base: number;
  readonly isSigned: boolean;
  readonly fineness: number;
  /** About as many bytes as it takes. */
  readonly bytes: number;
};

/** The bits of the dense columns of a page. Equal bits are kept once. */
export class DenseBits {
  readonly #bits = new ByteWriter();
  readonly #runs = new Map<number, { readonly from: number; readonly to: number }>();

  get size(): number {
    return this.#bits.at;
  }

  written(): Uint8Array {
    return this.#bits.written();
  }

  /** Adds numbers, writes their code and where they stand to `header`. */
  add(header: ByteWriter, numbers: Float64Array, fineness: number): void {
    const from = this.#bits.at;
    writeNumbers(header, this.#bits, numbers, fineness);
    const to = this.#bits.at;
    const hash = crc32(this.#bits.bytes.subarray(from, to));
    const known = this.#runs.get(hash);
    if (known !== undefined && this.#isSame(known, { from, to })) {
      this.#bits.at = from;
      header.varint(known.from);
    } else {
      this.#runs.set(hash, { from, to });
      header.varint(from);
    }
  }

  #isSame(a: { readonly from: number; readonly to: number }, b: { readonly from: number; readonly to: number }): boolean {
    const { bytes } = this.#bits;
    if (a.to - a.from !== b.to - b.from) return false;
    for (let i = 0; i < a.to - a.from; i++) if (bytes[a.from + i] !== bytes[b.from + i]) return false;
    return true;
  }
}

const counts = new BucketCounts();
const ORDERS = [0, 1, 2] as const;
/** Steps are differences already. */
const STEP_ORDERS = [0] as const;

/** The cheapest plan for mantissas, whose first is kept apart; undefined when they are few. */
export function planOf(mantissas: Float64Array, areSteps: boolean): DensePlan | undefined {
  if (mantissas.length < MIN_VALUES) return undefined;
  const divisor = divisorOf(mantissas);
  let best: DensePlan | undefined;
  for (const order of areSteps ? STEP_ORDERS : ORDERS) {
    const residuals = residualsOf(mantissas, order, divisor);
    const least = leastOf(residuals);
    // What jumps about a level or grows is counted from its least; what goes up and down from 0.
    const isSigned = least < 0 && (areSteps || order > 0);
    const base = isSigned ? 0 : least;
    counts.clear();
    const every = Math.max(1, Math.floor(residuals.length / LOOKED_AT));
    for (let i = 0; i < residuals.length; i += every) counts.add(fold((residuals[i] as number) - base, isSigned));
    const { fineness, bytes } = counts.best(residuals.length);
    if (best === undefined || bytes + HEADER_BYTES < best.bytes)
      best = { order, divisor, base, isSigned, fineness, bytes: bytes + HEADER_BYTES };
  }
  return best;
}

const fold = (value: number, isSigned: boolean): number => (!isSigned ? value : value < 0 ? -2 * value - 1 : 2 * value);

let scratch = new Float64Array(1024);

/** All but the first. Valid until the next call. */
function residualsOf(mantissas: Float64Array, order: Order, divisor: number): Float64Array {
  if (mantissas.length > scratch.length) scratch = new Float64Array(mantissas.length * 2);
  const residuals = scratch.subarray(0, mantissas.length - 1);
  const first = mantissas[0] ?? 0;
  let before = 0;
  let delta = 0;
  for (let i = 0; i < residuals.length; i++) {
    const number = ((mantissas[i + 1] ?? 0) - first) / divisor;
    if (order === 0) residuals[i] = number;
    else {
      const step = number - before;
      residuals[i] = order === 1 ? step : step - delta;
      before = number;
      delta = step;
    }
  }
  return residuals;
}

/** The greatest number that divides the distances from the first; 1 when all are equal. */
function divisorOf(mantissas: Float64Array): number {
  const first = mantissas[0] ?? 0;
  let divisor = 0;
  for (let i = 1; i < mantissas.length && divisor !== 1; i++) {
    let rest = Math.abs((mantissas[i] ?? 0) - first);
    while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  }
  return Math.max(1, divisor);
}

function leastOf(values: Float64Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < least) least = value;
  return least;
}

/** Writes all but the first of the mantissas. */
export function writeDense(header: ByteWriter, bits: DenseBits, mantissas: Float64Array, plan: DensePlan): void {
  const { order, divisor, base, isSigned, fineness } = plan;
  header.byte(order * 2 + (isSigned ? 1 : 0));
  header.varint(divisor);
  header.zigzag(base);
  const numbers = residualsOf(mantissas, order, divisor);
  for (let i = 0; i < numbers.length; i++) numbers[i] = fold((numbers[i] ?? 0) - base, isSigned);
  bits.add(header, numbers, fineness);
}

/** Reads into `into[from + 1, from + count)` how far each mantissa is from the first; of steps, the steps. */
export function readDense(
  reader: ByteReader,
  bits: DataView,
  into: Float64Array,
  { from, count }: { readonly from: number; readonly count: number },
): void {
  const kind = reader.byte();
  if (kind > 5) throw new CorruptData(`dense values of kind ${kind}`);
  const divisor = reader.varint();
  const base = reader.zigzag();
  const code = readCode(reader);
  const to = from + count;
  readNumbers(code, { bits, start: reader.varint() }, into, { from: from + 1, to });
  const isSigned = (kind & 1) === 1;
  const isSummed = kind >= 2;
  let sum = 0;
  for (let i = from + 1; i < to; i++) {
    let number = into[i] as number;
    if (isSigned) {
      // Without a condition: of noise, half would be guessed wrong.
      const half = Math.floor(number / 2);
      number = half - (number - 2 * half) * (2 * half + 1);
    }
    number = (number + base) * divisor;
    into[i] = isSummed ? (sum += number) : number;
  }
  if (kind < 4) return;
  sum = 0;
  for (let i = from + 1; i < to; i++) into[i] = sum += into[i] as number;
}
