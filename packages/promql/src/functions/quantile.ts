/**
 * The φ-quantile of `values` (which are reordered), interpolated between neighbours; NaN counts as lowest. NaN for no values or
 * a φ of NaN, -Inf for φ < 0 and +Inf for φ > 1.
 */
export function quantileOf(phi: number, values: Float64Array): number {
  const n = values.length;
  if (n === 0 || phi !== phi) return Number.NaN;
  if (phi < 0) return Number.NEGATIVE_INFINITY;
  if (phi > 1) return Number.POSITIVE_INFINITY;
  const nans = nanFirst(values);
  const rank = phi * (n - 1);
  const lower = Math.floor(rank);
  const upper = Math.min(n - 1, lower + 1);
  const weight = rank - lower;
  select(values, nans, lower);
  const low = values[lower] as number;
  // Everything behind `lower` is at least as great, so the next in order is the least of it.
  const high = upper === lower || upper < nans ? low : least(values, upper);
  return low * (1 - weight) + high * weight;
}

/** Moves NaN to the front and says how many there are. */
function nanFirst(values: Float64Array): number {
  let nans = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value === value) continue;
    values[i] = values[nans] as number;
    values[nans++] = value;
  }
  return nans;
}

function least(values: Float64Array, from: number): number {
  let best = values[from] as number;
  for (let i = from + 1; i < values.length; i++) if ((values[i] as number) < best) best = values[i] as number;
  return best;
}

/** Below this many values insertion sort is quicker than another round of partitioning. */
const SMALL = 16;

/** Hoare's selection: puts the value of rank `wanted` among `values[from…]` in its place, lesser ones before, greater ones behind. */
function select(values: Float64Array, from: number, wanted: number): void {
  let left = from;
  let right = values.length - 1;
  while (right - left > SMALL && wanted >= left) {
    const pivot = median(values[left] as number, values[(left + right) >> 1] as number, values[right] as number);
    let i = left;
    let j = right;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i > j) break;
      const swap = values[i] as number;
      values[i++] = values[j] as number;
      values[j--] = swap;
    }
    if (wanted <= j) right = j;
    else if (wanted >= i) left = i;
    else return;
  }
  for (let i = left + 1; i <= right; i++) {
    const value = values[i] as number;
    let at = i - 1;
    for (; at >= left && (values[at] as number) > value; at--) values[at + 1] = values[at] as number;
    values[at + 1] = value;
  }
}

const median = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
