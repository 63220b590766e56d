/** How the two sides of an operator find each other, and what finds no partner. Pure. */
import { type Labels, formatLabels } from '@nines/model/labels.ts';
import { type Binary, isComparison, isSetOp } from '@nines/promql/ast.ts';
import { PLAIN_MATCHING, matchedLabels, signatureOf } from '@nines/promql/matching.ts';
import type { VectorElement } from '@nines/promql/value.ts';

type Elements = readonly VectorElement[];

const CARDINALITIES = {
  one_to_one: 'Each series of the left has at most one partner on the right.',
  many_to_one: 'Several series of the left may share one of the right (group_left).',
  one_to_many: 'One series of the left may serve several of the right (group_right).',
  many_to_many: 'Any number on either side may belong together.',
} as const;

/** Sentences: by which labels, how many belong together, and one of those that are alone. */
export function* matchingSays({ op, matching = PLAIN_MATCHING }: Binary, left: Elements, right: Elements): Generator<string> {
  const names = matching.labels.join(', ');
  if (matching.on) yield names === '' ? 'Both sides match whatever their labels are.' : `Both sides match where ${names} are equal.`;
  else yield names === '' ? 'Both sides match where all labels are equal.' : `Both sides match where all labels but ${names} are equal.`;
  if (!isSetOp(op)) yield CARDINALITIES[matching.cardinality];
  const signature = signatureOf(matching);
  const [lefts, rights] = [groupsOf(left, signature), groupsOf(right, signature)];
  const paired = [...lefts.keys()].filter((key) => rights.has(key)).length;
  yield `${lefts.size} on the left, ${rights.size} on the right, ${paired} on both${paired > 0 && isComparison(op) ? ', before they are compared' : ''}.`;
  const aloneLeft = aloneIn(lefts, rights);
  const aloneRight = aloneIn(rights, lefts);
  const told = (labels: Labels): string => formatLabels(matchedLabels(matching, labels));
  if (aloneLeft !== undefined && op !== 'or') yield `Alone on the left, for example: ${told(aloneLeft)}`;
  if (aloneRight !== undefined && op !== 'or') yield `Alone on the right, for example: ${told(aloneRight)}`;
}

function groupsOf(elements: Elements, signature: (labels: Labels) => string): ReadonlyMap<string, Labels> {
  return new Map(elements.map(({ labels }) => [signature(labels), labels]));
}

function aloneIn(these: ReadonlyMap<string, Labels>, others: ReadonlyMap<string, Labels>): Labels | undefined {
  for (const [key, labels] of these) if (!others.has(key)) return labels;
  return undefined;
}
