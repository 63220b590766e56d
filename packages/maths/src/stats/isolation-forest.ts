import { ok } from '@nines/base/result.ts';
import { at } from './numbers.ts';
import { type Random, randomFrom } from './random.ts';
import { type Answer, refuse } from './refusal.ts';

/**
 * Isolation forest: points that few random cuts set apart are unusual. Each tree is grown on its own subsample, without replacement,
 * to depth ⌈log2 ψ⌉. Source: Liu, Ting & Zhou 2008. The same seed and rows give the same forest.
 */
export type IsolationForest = {
  /** 2^(-E[h] / c(ψ)), 0..1: about 0.5 for ordinary points, towards 1 for isolated ones. A row has as many entries as those it learned from. */
  readonly score: (row: ArrayLike<number>) => number;
  readonly trees: number;
  readonly subsample: number;
};

export type ForestOptions = {
  readonly trees?: number;
  readonly subsample?: number;
  /**
   * Share of the cuts that fall beyond the sample instead of inside. 0 as published, for judging the rows themselves; above it for judging
   * new ones, which may lie where no row was and would else all pass for the outermost one, however far they are.
   */
  readonly beyond?: number;
  readonly seed: number;
};

const TREES = 100;
const SUBSAMPLE = 256;
const EULER = 0.5772156649015329;
const LEAF = -1;

/** The mean depth of an unsuccessful search in a binary tree of n points: what a leaf with n points still stands for. */
export function meanDepth(n: number): number {
  if (n <= 1) return 0;
  return n === 2 ? 1 : 2 * (Math.log(n - 1) + EULER) - (2 * (n - 1)) / n;
}

/** Nodes of one tree, breadth last: `feature` is -1 at a leaf, whose `cut` is the depth it adds. */
type Tree = { readonly feature: Int16Array; readonly cut: Float64Array; readonly right: Int32Array };

/** Rows of equal length, all finite; at least two. */
export function isolationForest(rows: readonly ArrayLike<number>[], options: ForestOptions): Answer<IsolationForest> {
  const { trees = TREES, subsample = SUBSAMPLE, beyond = 0, seed } = options;
  const width = rows[0]?.length ?? 0;
  if (rows.length < 2 || width === 0) return refuse('too_few_points', 'an isolation forest needs at least two rows');
  if (rows.some((row) => row.length !== width)) return refuse('lengths_differ', 'the rows are not equally long');
  const size = Math.min(subsample, rows.length);
  const random = randomFrom(seed);
  const flat = new Float64Array(rows.length * width);
  rows.forEach((row, i) => flat.set(row, i * width));
  const order = Int32Array.from(rows, (_, i) => i);
  const ground: Ground = { flat, width, order, random, beyond, maxDepth: Math.ceil(Math.log2(size)) };
  const forest = Array.from({ length: trees }, () => grow(ground, size));
  const unit = meanDepth(size);
  const score = (row: ArrayLike<number>): number => {
    let sum = 0;
    for (const tree of forest) sum += depthOf(tree, row);
    return 2 ** (-sum / trees / unit);
  };
  return ok({ score, trees, subsample: size });
}

type Ground = {
  /** The rows one after the other. */
  readonly flat: Float64Array;
  readonly width: number;
  /** Indexes of rows; each tree takes its sample to the front. */
  readonly order: Int32Array;
  readonly random: Random;
  readonly beyond: number;
  readonly maxDepth: number;
};

function grow(ground: Ground, size: number): Tree {
  const { order, random, maxDepth } = ground;
  // Without replacement: the first `size` of a partial shuffle.
  for (let i = 0; i < size; i++) swap(order, i, i + random.below(order.length - i));
  const [feature, cut, right]: [number[], number[], number[]] = [[], [], []];
  const node = (from: number, to: number, depth: number): void => {
    const index = feature.length;
    const split = depth < maxDepth && to - from > 1 ? splitOf(ground, from, to) : undefined;
    feature.push(split?.feature ?? LEAF);
    cut.push(split?.cut ?? depth + meanDepth(to - from));
    right.push(0);
    if (split === undefined) return;
    const middle = partition(ground, [from, to], split);
    node(from, middle, depth + 1);
    right[index] = feature.length;
    node(middle, to, depth + 1);
  };
  node(0, size, 0);
  return { feature: Int16Array.from(feature), cut: Float64Array.from(cut), right: Int32Array.from(right) };
}

type Split = { readonly feature: number; readonly cut: number };

/** A random cut through a random one of the features that vary; undefined when none does. */
function splitOf({ flat, width, order, random, beyond }: Ground, from: number, to: number): Split | undefined {
  const start = random.below(width);
  for (let k = 0; k < width; k++) {
    const feature = (start + k) % width;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = from; i < to; i++) {
      const value = at(flat, at(order, i) * width + feature);
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (!(high > low)) continue;
    const cut = low + (high - low) * placeOf(random, beyond);
    return { feature, cut: cut === low ? high : cut };
  }
  return undefined;
}

/** Of a cut, in lengths of the sample's range: inside it evenly; beyond it as often near as far, up to `FURTHEST` lengths on either side. */
function placeOf(random: Random, beyond: number): number {
  if (beyond === 0 || random.next() >= beyond) return random.next();
  const away = (1 + FURTHEST) ** random.next() - 1;
  return random.next() < 0.5 ? -away : 1 + away;
}

const FURTHEST = 15;

/** Rows below the cut to the front; returns where the others begin. */
function partition({ flat, width, order }: Ground, [from, to]: readonly [number, number], { feature, cut }: Split): number {
  let middle = from;
  for (let i = from; i < to; i++) {
    if (at(flat, at(order, i) * width + feature) >= cut) continue;
    swap(order, i, middle);
    middle += 1;
  }
  return middle;
}

function swap(order: Int32Array, i: number, j: number): void {
  const kept = at(order, i);
  order[i] = at(order, j);
  order[j] = kept;
}

function depthOf({ feature, cut, right }: Tree, row: ArrayLike<number>): number {
  let index = 0;
  for (;;) {
    const own = at(feature, index);
    if (own === LEAF) return at(cut, index);
    index = at(row, own) < at(cut, index) ? index + 1 : at(right, index);
  }
}
