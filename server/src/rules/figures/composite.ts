/**
 * Several conditions as one: all, any, at least k, none. Three-valued: a condition without data is neither true nor false, and
 * only what is decided whatever it may be makes the whole true or false. So a series that stops ends no alert.
 */
import { type Labels, labelPairs, labelValue, labelsFrom, labelsKey } from '@nines/model/labels.ts';
import { type Limit, type Reading, isBeyond } from '../threshold.ts';
import { type Figure, type FigureReading, type Input, inWords } from './figure.ts';

/** Leaves name their input by its number. */
export type Tree =
  | { readonly kind: 'leaf'; readonly input: number; readonly limit: Limit }
  | { readonly kind: 'not'; readonly of: Tree }
  | { readonly kind: 'at_least'; readonly least: number; readonly of: readonly Tree[] };

type Verdict = boolean | undefined;

/** Most label sets over which one composite is decided. */
const MAX_GROUPS = 10_000;

/**
 * One reading per set of the labels `by`: 1 when `tree` holds, 0 when it does not. A leaf holds when any of its series does. Series
 * that have none of the labels count everywhere.
 */
export function compositeFigure(inputs: readonly Input[], tree: Tree, by: readonly string[]): Figure {
  return {
    inputs,
    read(vectors, { isFiring }) {
      const shared = vectors.map((vector) => vector.filter(({ labels }) => groupOf(labels, by).length === 0));
      const groups = groupsOf(vectors, by);
      return [...groups.values()].map(({ labels, members }): FigureReading => {
        const readings = vectors.map((_, i) => (labels.length === 0 ? [] : (members[i] ?? [])).concat(shared[i] ?? []));
        const keepsClear = isFiring(labels);
        const said: string[] = [];
        const holds = decide(tree, (leaf) => judgeLeaf(leaf, { readings: readings[leaf.input] ?? [], keepsClear, inputs, said }));
        if (holds === undefined) return { labels, value: Number.NaN, undecided: true };
        return { labels, value: Number(holds), words: () => [...new Set(said)].join('; ') };
      });
    },
  };
}

function decide(tree: Tree, judge: (leaf: Extract<Tree, { kind: 'leaf' }>) => Verdict): Verdict {
  switch (tree.kind) {
    case 'leaf':
      return judge(tree);
    case 'not': {
      const holds = decide(tree.of, judge);
      return holds === undefined ? undefined : !holds;
    }
    case 'at_least': {
      const verdicts = tree.of.map((part) => decide(part, judge));
      const held = verdicts.filter((verdict) => verdict === true).length;
      const open = verdicts.filter((verdict) => verdict === undefined).length;
      if (held >= tree.least) return true;
      return held + open < tree.least ? false : undefined;
    }
  }
}

type LeafInput = {
  readonly readings: readonly Reading[];
  /** The whole fires: the leaf holds until its clear threshold. */
  readonly keepsClear: boolean;
  readonly inputs: readonly Input[];
  /** What held, in words. */
  readonly said: string[];
};

function judgeLeaf({ input, limit }: Extract<Tree, { kind: 'leaf' }>, { readings, keepsClear, inputs, said }: LeafInput): Verdict {
  const known = readings.filter(({ value }) => !Number.isNaN(value));
  if (known.length === 0) return undefined;
  const beyond = known.filter(({ value }) => isBeyond(value, limit.condition, keepsClear ? limit.clear : limit.threshold));
  const [first] = beyond;
  if (first === undefined) return false;
  said.push(`${inputs[input]?.metric ?? ''} is ${inWords(first.value)} (${limit.condition} ${limit.threshold})`);
  return true;
}

type Group = { readonly labels: Labels; readonly members: Reading[][] };

/** Without any series of its own there is one group without labels. */
function groupsOf(vectors: readonly (readonly Reading[])[], by: readonly string[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  vectors.forEach((vector, i) => {
    for (const reading of vector) {
      const labels = groupOf(reading.labels, by);
      if (labels.length === 0) continue;
      const key = labelsKey(labels);
      const group = groups.get(key) ?? { labels, members: vectors.map(() => []) };
      if (!groups.has(key) && groups.size >= MAX_GROUPS) throw new Error(`more than ${MAX_GROUPS} sets of the labels ${by.join(', ')}`);
      groups.set(key, group);
      group.members[i]?.push(reading);
    }
  });
  if (groups.size === 0) groups.set('', { labels: labelsFrom([]), members: [] });
  return groups;
}

const groupOf = (labels: Labels, by: readonly string[]): Labels =>
  labelsFrom([...labelPairs(labels)].filter(([name]) => by.includes(name) && labelValue(labels, name) !== ''));
