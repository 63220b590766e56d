import { randomFrom } from '../random.ts';

/** Rows in the manner of the usual outlier sets; the first `inner` are ordinary, the rest are not. */
export type OutlierSet = { readonly name: string; readonly rows: readonly (readonly number[])[]; readonly inner: number };

type Make = (count: number, row: () => number[]) => number[][];
const many: Make = (count, row) => Array.from({ length: count }, row);

/** The same seed gives the same rows; the areas under the curve that scikit-learn reaches on them are known for seed 1. */
export function outlierSets(seed: number): readonly OutlierSet[] {
  const random = randomFrom(seed);
  const normal = (width: number, size = 1): number[] => Array.from({ length: width }, () => size * random.normal());
  const even = (width: number, reach: number): number[] => Array.from({ length: width }, () => reach * (2 * random.next() - 1));
  const set = (name: string, inner: readonly number[][], outer: readonly number[][]): OutlierSet => ({
    name,
    rows: [...inner, ...outer],
    inner: inner.length,
  });
  const near = (centres: readonly (readonly number[])[], size: number): number[] => {
    const centre = centres[random.below(centres.length)] ?? [];
    return centre.map((value) => value + size * random.normal());
  };
  const centres = many(3, () => even(2, 5));
  const wide = many(5, () => even(20, 2));
  const ring = (): number[] => {
    const [turn, radius] = [2 * Math.PI * random.next(), 4 + 0.3 * random.normal()];
    return [radius * Math.cos(turn), radius * Math.sin(turn)];
  };
  return [
    set(
      'one cluster',
      many(1000, () => normal(4)),
      many(50, () => even(4, 4)),
    ),
    set(
      'three clusters',
      many(900, () => near(centres, 0.5)),
      many(60, () => even(2, 8)),
    ),
    set(
      'a ring',
      many(800, ring),
      many(40, () => even(2, 6)),
    ),
    set(
      'twenty columns',
      many(1200, () => near(wide, 0.7)),
      many(80, () => even(20, 3)),
    ),
    set(
      'few columns matter',
      many(1500, () => normal(12)),
      many(60, () => [...normal(10), ...normal(2, 4)]),
    ),
    set(
      'a cluster of outliers',
      many(1000, () => normal(3)),
      many(100, () => near([[3.5, 3.5, 3.5]], 0.4)),
    ),
    set(
      'long tails',
      many(1000, () => normal(3).map((value) => Math.sign(value) * value * value)),
      many(50, () => even(3, 9)),
    ),
    set(
      'fewer rows than a sample',
      many(150, () => normal(5)),
      many(12, () => even(5, 5)),
    ),
  ];
}
