/** Passes of the search; each is one to a few calls of the function. */
const MAX_PASSES = 2_000;
/** The simplex is small enough when all its values are this close. */
const TOLERANCE = 1e-13;

/** Where a smooth function of a few variables is least near `start`, without derivatives. Source: Nelder & Mead 1965. */
export function minimise(f: (x: readonly number[]) => number, start: readonly number[], step = 0.5): readonly number[] {
  type Corner = { readonly x: readonly number[]; readonly value: number };
  const corner = (x: readonly number[]): Corner => ({ x, value: f(x) });
  let simplex = [corner(start), ...start.map((_, k) => corner(start.map((value, i) => (i === k ? value + step : value))))];
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    simplex = simplex.toSorted((one, other) => one.value - other.value);
    const [best, worst] = [simplex[0] as Corner, simplex.at(-1) as Corner];
    if (worst.value - best.value <= TOLERANCE * (Math.abs(best.value) + TOLERANCE)) break;
    const others = simplex.slice(0, -1);
    const centre = start.map((_, i) => others.reduce((sum, { x }) => sum + (x[i] ?? 0), 0) / others.length);
    const along = (share: number): Corner => corner(centre.map((value, i) => value + share * (value - (worst.x[i] ?? 0))));
    const reflected = along(1);
    if (reflected.value < best.value) {
      const further = along(2);
      simplex = [...others, further.value < reflected.value ? further : reflected];
    } else if (reflected.value < (others.at(-1) as Corner).value) simplex = [...others, reflected];
    else {
      const inside = along(reflected.value < worst.value ? 0.5 : -0.5);
      if (inside.value < Math.min(worst.value, reflected.value)) simplex = [...others, inside];
      else simplex = simplex.map(({ x }) => corner(x.map((value, i) => ((best.x[i] ?? 0) + value) / 2)));
    }
  }
  return simplex[0]?.x ?? start;
}
