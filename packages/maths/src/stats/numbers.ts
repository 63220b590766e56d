/** A column of numbers: an array or a typed array. Functions of this folder never change the ones they are given. */
export type Numbers = ArrayLike<number>;

/** `values[index]` where the index is known to be inside. */
export const at = (values: Numbers, index: number): number => values[index] as number;

/** Adds in place. */
export function add(values: Float64Array, index: number, amount: number): void {
  values[index] = at(values, index) + amount;
}

/** The sum with Neumaier's compensation: error independent of the length. Source: Neumaier 1974. */
export function sumOf(values: Numbers): number {
  let [sum, lost] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = at(values, i);
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** The mean; NaN of nothing. A second pass takes away the rounding of the first. */
export function meanOf(values: Numbers): number {
  if (values.length === 0) return Number.NaN;
  const first = sumOf(values) / values.length;
  return first + sumOf(Float64Array.from(values, (value) => value - first)) / values.length;
}

/** The sum of squared distances from `centre`. */
export function squaresAround(values: Numbers, centre: number): number {
  return sumOf(Float64Array.from(values, (value) => (value - centre) ** 2));
}

/** Variance with divisor n - `freedom`: 1 for a sample, 0 for a population. NaN when too few. */
export function varianceOf(values: Numbers, freedom: 0 | 1 = 1): number {
  if (values.length <= freedom) return Number.NaN;
  return squaresAround(values, meanOf(values)) / (values.length - freedom);
}

/** How many values differ from each other. */
export const distinctOf = (values: Numbers): number => new Set(Array.from(values)).size;

/** A sorted copy, ascending. */
export const ascending = (values: Numbers): Float64Array => Float64Array.from(values).sort();

/** Ranks from 1, equal values share their mean rank. */
export function ranksOf(values: Numbers): Float64Array {
  const order = Array.from(values, (value, index) => ({ value, index })).sort((one, other) => one.value - other.value);
  const ranks = new Float64Array(values.length);
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && order[end]?.value === order[i]?.value) end += 1;
    for (let k = i; k < end; k++) ranks[order[k]?.index ?? 0] = (i + end + 1) / 2;
    i = end;
  }
  return ranks;
}

/** Values beyond this in size are refused: their squares and sums would overflow. */
export const LARGEST = 1e100;

/** The index of the first value that is not finite or beyond `LARGEST`; -1 when there is none. */
export function notFinite(values: Numbers): number {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(at(values, i)) <= LARGEST)) return i;
  return -1;
}
