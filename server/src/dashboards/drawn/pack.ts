import type { Paper } from './paper.ts';
import type { Points, Shown } from './shown.ts';

/** Points in pairs, instant and value: a thread is handed one block instead of an object for each. */
type Flat = Float64Array;
type Lines = Extract<Shown, { kind: 'lines' }>;
type Figure = Extract<Shown, { kind: 'figure' }>;
type PackedShown =
  | Exclude<Shown, Lines | Figure>
  | (Omit<Lines, 'lines'> & { readonly lines: readonly { readonly name: string; readonly points: Flat }[] })
  | (Omit<Figure, 'spark'> & { readonly spark: Flat });

/** What is to be set on paper, as it is handed to a thread. */
export type PackedPaper = Omit<Paper, 'shown'> & { readonly shown: readonly (readonly [panel: string, shown: PackedShown])[] };

export const packed = (paper: Paper): PackedPaper => ({ ...paper, shown: [...paper.shown].map(([id, one]) => [id, packedShown(one)]) });

export const unpacked = (paper: PackedPaper): Paper => ({
  ...paper,
  shown: new Map(paper.shown.map(([id, one]) => [id, unpackedShown(one)])),
});

function packedShown(shown: Shown): PackedShown {
  if (shown.kind === 'lines') return { ...shown, lines: shown.lines.map(({ name, points }) => ({ name, points: flat(points) })) };
  return shown.kind === 'figure' ? { ...shown, spark: flat(shown.spark) } : shown;
}

function unpackedShown(shown: PackedShown): Shown {
  if (shown.kind === 'lines') return { ...shown, lines: shown.lines.map(({ name, points }) => ({ name, points: pairs(points) })) };
  return shown.kind === 'figure' ? { ...shown, spark: pairs(shown.spark) } : shown;
}

function flat(points: Points): Flat {
  const found = new Float64Array(2 * points.length);
  for (const [i, [atMs, value]] of points.entries()) {
    found[2 * i] = atMs;
    found[2 * i + 1] = value;
  }
  return found;
}

const pairs = (found: Flat): Points =>
  Array.from({ length: found.length / 2 }, (_, i) => [found[2 * i] ?? 0, found[2 * i + 1] ?? Number.NaN] as const);
