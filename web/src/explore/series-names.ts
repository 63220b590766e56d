/** What the lines of one query are called. Pure. */
import { differingLabels } from '@nines/maths/dashboards/differing-labels.ts';

type Labels = Readonly<Record<string, string>>;

const pairs = (labels: Labels, names: readonly string[]): string =>
  names
    .filter((name) => labels[name] !== undefined)
    .map((name) => `${name}=${labels[name] ?? ''}`)
    .join(' ');

/** The labels in which the series differ; all of them when there is one series, the query where there are none. Each name once. */
export function seriesNames(all: readonly Labels[], query: string): readonly string[] {
  const differing = differingLabels(all);
  const used = new Map<string, number>();
  return all.map((labels) => {
    const told = all.length === 1 ? wholeName(labels, query) : pairs(labels, differing) || query;
    const times = (used.get(told) ?? 0) + 1;
    used.set(told, times);
    return times === 1 ? told : `${told} (${times})`;
  });
}

function wholeName({ __name__: name, ...labels }: Labels, query: string): string {
  return [name ?? '', pairs(labels, Object.keys(labels).sort())].filter((part) => part !== '').join(' ') || query;
}

/** `up{job="a"}` as PromQL writes it. */
export function seriesText({ __name__: name = '', ...labels }: Labels): string {
  const inner = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return inner.length === 0 && name !== '' ? name : `${name}{${inner.join(', ')}}`;
}
