/**
 * A label set: names and values in turn, sorted by name (byte order of UTF-8), no name twice, no empty value
 * (`['__name__', 'up', 'job', 'node']`). Flat, so that a name such as `__proto__` is only text, and cheap, so that a
 * query over 100 000 series does not drown in small objects.
 */
export type Labels = readonly string[] & { readonly __labels?: never };

export const METRIC_NAME = '__name__';

/** UTF-16 order differs from UTF-8 byte order only between surrogates and U+E000 to U+FFFF; Prometheus sorts by bytes. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) {
      const xs = x <= 0xdfff;
      const ys = y <= 0xdfff;
      if (xs !== ys) return xs ? 1 : -1;
    }
    return x - y;
  }
  return a.length - b.length;
}

/** Sorts, drops empty values. The last of a repeated name wins; refuse repeats before if they matter. */
export function labelsFrom(pairs: Iterable<readonly [string, string]>): Labels {
  const map = new Map<string, string>();
  for (const [name, value] of pairs) map.set(name, value);
  const names = [...map.keys()].filter((name) => map.get(name) !== '').sort(compareText);
  return names.flatMap((name) => [name, map.get(name) ?? '']);
}

export const labelsOf = (record: Readonly<Record<string, string>>): Labels => labelsFrom(Object.entries(record));

/** The value of `name`, or '' when the set has no such label. */
export function labelValue(labels: Labels, name: string): string {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1] ?? '';
  return '';
}

export function* labelPairs(labels: Labels): Generator<readonly [name: string, value: string]> {
  for (let i = 0; i < labels.length; i += 2) yield [labels[i] ?? '', labels[i + 1] ?? ''];
}

/** A record without prototype, safe for any label name; key order is label order. */
export function labelsToRecord(labels: Labels): Record<string, string> {
  const record: Record<string, string> = Object.create(null);
  for (const [name, value] of labelPairs(labels)) record[name] = value;
  return record;
}

/** A text that is equal exactly when the sets are equal. U+0000 cannot stand in a label name. */
export const labelsKey = (labels: Labels): string => labels.join('\u0000');

/** Byte order, label by label, as Prometheus sorts series. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareText(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** The set with `changes` applied; an empty value removes the label. */
export function withLabels(labels: Labels, changes: Readonly<Record<string, string>>): Labels {
  return labelsFrom([...labelPairs(labels), ...Object.entries(changes)]);
}

/** `{job="node", instance="a"}` with the metric name in front, as Prometheus prints a series. */
export function formatLabels(labels: Labels): string {
  const name = labelValue(labels, METRIC_NAME);
  const rest = [...labelPairs(labels)]
    .filter(([label]) => label !== METRIC_NAME)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return rest.length === 0 && name !== '' ? name : `${name}{${rest.join(', ')}}`;
}
