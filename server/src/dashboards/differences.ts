import type { DifferenceView } from './contract.ts';
import type { DashboardSpec } from './model.ts';

const MAX_DIFFERENCES = 500;
const MAX_SHOWN_CHARS = 400;

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What of a list tells one entry from another; without it entries are told apart by their place. */
const keyOf = (entry: unknown): string | undefined => {
  if (typeof entry === 'string') return entry;
  if (!isFields(entry)) return undefined;
  const key = entry['panel'] ?? entry['name'] ?? entry['id'];
  return typeof key === 'string' ? key : undefined;
};

/**
 * What changed between two dashboards, in the order of the newer one: whole panels that came or went, else the fields that differ with
 * what they were and are. At most 500.
 */
export function differencesOf(before: DashboardSpec | undefined, after: DashboardSpec | undefined): readonly DifferenceView[] {
  const found: DifferenceView[] = [];
  compare({ before: before ?? {}, after: after ?? {}, path: [] }, found);
  return found.slice(0, MAX_DIFFERENCES);
}

type Compared = { readonly before: unknown; readonly after: unknown; readonly path: readonly string[] };

function compare({ before, after, path }: Compared, found: DifferenceView[]): void {
  if (found.length > MAX_DIFFERENCES || same(before, after)) return;
  const [was, is] = [byKey(before), byKey(after)];
  if (was === undefined || is === undefined || path.length > 6) {
    const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    found.push({ path: path.join('.'), kind, before: shown(before), after: shown(after) });
    return;
  }
  const keys = new Set([...is.keys(), ...was.keys()]);
  const known = found.length;
  for (const key of keys) compare({ before: was.get(key), after: is.get(key), path: [...path, key] }, found);
  if (found.length === known) found.push({ path: path.join('.'), kind: 'changed', before: 'the same', after: 'in another order' });
}

/** Fields by name and entries by key, or undefined for what is shown whole. */
function byKey(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (isFields(value)) return new Map(Object.entries(value));
  if (!Array.isArray(value)) return undefined;
  const keys = value.map((entry, at) => keyOf(entry) ?? String(at + 1));
  return new Set(keys).size === keys.length ? new Map(keys.map((key, at) => [key, value[at]])) : undefined;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function shown(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}
