import type { ConfigurationChange } from './contract.ts';

/** More differences than anybody reads; the rest is left out. */
export const MAX_CHANGES = 2_000;

/** What differs between two plain values, in the order of the keys of the second. Pure. */
export function differences(before: unknown, after: unknown): readonly ConfigurationChange[] {
  const found: ConfigurationChange[] = [];
  compare('', { before, after }, found);
  return found;
}

type Pair = { readonly before: unknown; readonly after: unknown };

function compare(path: string, { before, after }: Pair, found: ConfigurationChange[]): void {
  if (found.length >= MAX_CHANGES) return;
  const [old, next] = [membersOf(before), membersOf(after)];
  if (old === undefined || next === undefined || old.form !== next.form) {
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    found.push({ path, kind, before: before ?? null, after: after ?? null });
    return;
  }
  for (const key of new Set([...next.members.keys(), ...old.members.keys()]))
    compare(stepInto(path, key, next.form), { before: old.members.get(key), after: next.members.get(key) }, found);
}

const stepInto = (path: string, key: string, form: 'list' | 'record'): string =>
  form === 'list' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;

type Members = { readonly form: 'list' | 'record'; readonly members: ReadonlyMap<string, unknown> };

/** Undefined for what has no members. A list whose members all have a name of their own goes by these, so that one more does not move the others. */
function membersOf(value: unknown): Members | undefined {
  if (Array.isArray(value)) {
    const names = value.map((item) => nameOf(item));
    const named = new Set(names).size === value.length && !names.includes(undefined);
    return { form: 'list', members: new Map(value.map((item, i) => [named ? String(names[i]) : String(i), item])) };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return { form: 'record', members: new Map(Object.entries(value)) };
}

function nameOf(item: unknown): string | undefined {
  const { id, name } = (item ?? {}) as { readonly id?: unknown; readonly name?: unknown };
  return typeof id === 'string' ? id : typeof name === 'string' ? name : undefined;
}
