/** Names that complete what is being typed, and the label filters of a plain selector. Pure. */

/** The name that is being typed at the end of an expression, and what stands before it. */
const LAST_NAME = /^(.*?)([a-zA-Z_:][a-zA-Z0-9_:.]*)$/s;

/** Expressions that the typed one may become: names that hold what is being typed, those that begin with it first. */
export function completions(typed: string, names: readonly string[], most: number): readonly string[] {
  const found = LAST_NAME.exec(typed);
  if (found === null) return typed.trim() === '' ? names.slice(0, most) : [];
  const [, before = '', word = ''] = found;
  // Inside braces or quotes stand labels, not names.
  if ((before.match(/"/g)?.length ?? 0) % 2 === 1 || before.lastIndexOf('{') > before.lastIndexOf('}')) return [];
  const lower = word.toLowerCase();
  const matching = names.filter((name) => name !== word && name.toLowerCase().includes(lower));
  const begins = matching.filter((name) => name.toLowerCase().startsWith(lower));
  const holds = matching.filter((name) => !name.toLowerCase().startsWith(lower));
  return [...begins, ...holds].slice(0, most).map((name) => before + name);
}

const SELECTOR = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?$/s;
const MATCHER = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/gy;

export type Selector = { readonly metric: string; readonly labels: Readonly<Record<string, string>> };

/** `name{a="b"}` with nothing but equalities; undefined for anything else. */
export function selectorOf(expr: string): Selector | undefined {
  const found = SELECTOR.exec(expr.trim());
  if (found?.[1] === undefined) return undefined;
  const inner = found[2] ?? '';
  const labels: Record<string, string> = {};
  let end = 0;
  for (const match of inner.matchAll(MATCHER)) {
    labels[match[1] ?? ''] = JSON.parse(`"${match[2] ?? ''}"`) as string;
    end = match.index + match[0].length;
  }
  return end === inner.length ? { metric: found[1], labels } : undefined;
}

export function selectorText({ metric, labels }: Selector): string {
  const inner = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return inner.length === 0 ? metric : `${metric}{${inner.join(',')}}`;
}

/** What tells one found series from the others: its name and labels, in order. */
export function seriesKey({ name, labels }: { readonly name: string; readonly labels: Readonly<Record<string, string>> }): string {
  const own = Object.entries(labels).filter(([label]) => label !== '__name__');
  return selectorText({ metric: name, labels: Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1))) });
}
