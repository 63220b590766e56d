import { type Labels, METRIC_NAME, labelPairs, labelValue, labelsFrom } from '@nines/model/labels.ts';
import type { Matching } from './ast.ts';
import { quote } from './strings.ts';
import { type Row, isMetadataLabel } from './row.ts';

/** Which rows of two vectors belong together, and what their result is called. */

export const PLAIN_MATCHING: Matching = { cardinality: 'one_to_one', on: false, labels: [], include: [] };

/** A text that is equal for rows that match each other. */
export function signatureOf({ on, labels: names }: Matching): (labels: Labels) => string {
  const sorted = [...new Set(names)].sort();
  if (on) return (labels) => sorted.map((name) => labelValue(labels, name)).join('\u0000');
  const ignored = new Set([...names, METRIC_NAME]);
  return (labels) => {
    let key = '';
    for (let i = 0; i < labels.length; i += 2) {
      const name = labels[i] as string;
      if (!ignored.has(name)) key += `${name}\u0000${labels[i + 1] as string}\u0000`;
    }
    return key;
  };
}

/** The labels that make up a row's signature. */
export function matchedLabels({ on, labels: names }: Matching, labels: Labels): Labels {
  const listed = new Set(names);
  return labelsFrom([...labelPairs(labels)].filter(([name]) => (on ? listed.has(name) : !listed.has(name) && name !== METRIC_NAME)));
}

const braces = (labels: Labels): string => `{${[...labelPairs(labels)].map(([name, value]) => `${name}=${quote(value)}`).join(', ')}}`;

export function duplicateMessage(matching: Matching, a: Row, b: Row): string {
  const side = matching.cardinality === 'one_to_many' ? 'left' : 'right';
  const [first, second] = [braces(a.labels), braces(b.labels)].sort();
  const group = braces(matchedLabels(matching, a.labels));
  return `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: [${first}, ${second}];many-to-many matching not allowed: matching labels must be unique on one side`;
}

/** The labels of `many op one`. `dropName` takes the name away, as arithmetic does. */
export function resultLabels(matching: Matching, { dropName }: { readonly dropName: boolean }): (many: Labels, one: Labels) => Labels {
  const { cardinality, on, include } = matching;
  const listed = new Set(matching.labels);
  const oneToOne = cardinality === 'one_to_one';
  return (many, one) => {
    const kept: string[] = [];
    for (let i = 0; i < many.length; i += 2) {
      const name = many[i] as string;
      if (dropName && isMetadataLabel(name)) continue;
      if (oneToOne && listed.has(name) !== on) continue;
      kept.push(name, many[i + 1] as string);
    }
    if (include.length === 0) return kept;
    return labelsFrom([...labelPairs(kept), ...include.map((name) => [name, labelValue(one, name)] as const)]);
  };
}
