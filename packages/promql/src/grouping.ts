import { type Labels, METRIC_NAME, labelValue, labelsFrom } from '@nines/model/labels.ts';
import type { Aggregate } from './ast.ts';

/** How an aggregation sorts rows into groups: a key per row, and the labels that a key's group has. */
export type Grouping = { key(labels: Labels): string; labels(labels: Labels): Labels };

export function groupingOf({ grouping, without }: Pick<Aggregate, 'grouping' | 'without'>): Grouping {
  return without ? groupingWithout(grouping) : groupingBy(grouping);
}

function groupingBy(names: readonly string[]): Grouping {
  const sorted = [...new Set(names)];
  const [only] = sorted;
  const labels = (from: Labels): Labels => labelsFrom(sorted.map((name) => [name, labelValue(from, name)] as const));
  if (only === undefined) return { key: () => '', labels };
  if (sorted.length === 1) return { key: (from) => labelValue(from, only), labels };
  return { key: (from) => sorted.map((name) => labelValue(from, name)).join('\u0000'), labels };
}

function groupingWithout(names: readonly string[]): Grouping {
  const dropped = new Set([...names, METRIC_NAME]);
  const labels = (from: Labels): Labels => {
    const rest: string[] = [];
    for (let i = 0; i < from.length; i += 2) if (!dropped.has(from[i] ?? '')) rest.push(from[i] ?? '', from[i + 1] ?? '');
    return rest;
  };
  return { key: (from) => labels(from).join('\u0000'), labels };
}
