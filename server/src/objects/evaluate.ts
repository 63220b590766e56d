/** What names an object: a pure function over what every domain says of its own objects. */
import type { Matcher } from '@nines/base/matcher.ts';
import { type Expr, childrenOf } from '@nines/promql/ast.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { ObjectKind, ObjectName, ObjectRef, Use } from './contract.ts';

/** One object names another by its id. */
export type Link = { readonly from: ObjectName; readonly to: ObjectRef; readonly how: Use };
/** One object reads series: PromQL texts, names of metrics among them. */
export type Reads = { readonly from: ObjectName; readonly how: Use; readonly exprs: readonly string[] };
/** One object is about what has these labels. */
export type Matches = { readonly from: ObjectName; readonly how: Use; readonly matchers: readonly Matcher[] };

export type Naming = { readonly links: readonly Link[]; readonly reads: readonly Reads[]; readonly matches: readonly Matches[] };
export type UsedBy = ObjectName & { readonly how: readonly Use[] };

/** The label by which series and alerts say what they are about. */
const LABEL_OF: Readonly<Partial<Record<ObjectKind, readonly string[]>>> = {
  services: ['service'],
  checks: ['check'],
  slas: ['sla'],
  rules: ['alertname', 'rule'],
  agents: ['location'],
};
/** No object is called so: a matcher that takes it takes anything. */
const NOBODY = '\u0001nobody';

/** By kind and name; an object that names another in several ways is there once. `names` are further words it is known by, such as an alert's name. */
export function usedBy(naming: Naming, of: ObjectRef, names: readonly string[] = []): readonly UsedBy[] {
  const found = new Map<string, UsedBy>();
  const add = ({ kind, id, name }: ObjectName, how: Use): void => {
    const key = `${kind} ${id}`;
    const known = found.get(key);
    if (known?.how.includes(how) === true) return;
    found.set(key, { kind, id, name, how: [...(known?.how ?? []), how] });
  };
  const words = [of.id, ...names];
  const labels = LABEL_OF[of.kind] ?? [];
  for (const { from, to, how } of naming.links) if (to.kind === of.kind && words.includes(to.id)) add(from, how);
  if (labels.length > 0) {
    const about = (matchers: readonly Matcher[]): boolean => matchers.some((one) => labels.includes(one.name) && means(one, words));
    for (const { from, how, exprs } of naming.reads) if (selectorsIn(exprs).some(about)) add(from, how);
    for (const { from, how, matchers } of naming.matches) if (about(matchers)) add(from, how);
  }
  return [...found.values()]
    .filter(({ kind, id }) => kind !== of.kind || id !== of.id)
    .toSorted((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
}

/** Whether a matcher means one of these words, and not just anything. */
const means = (one: Matcher, words: readonly string[]): boolean =>
  (one.op === '=' || one.op === '=~') && words.some((word) => one.matches(word)) && !one.matches(NOBODY);

/** Texts that are kept are read once: parsing is most of the work. */
const READ = new WeakMap<readonly string[], readonly (readonly Matcher[])[]>();

function selectorsIn(exprs: readonly string[]): readonly (readonly Matcher[])[] {
  const known = READ.get(exprs) ?? exprs.flatMap(selectorsOf);
  READ.set(exprs, known);
  return known;
}

/** The matchers of every selector; none for what is no PromQL, such as a dotted name. */
function selectorsOf(text: string): readonly (readonly Matcher[])[] {
  // Most texts select by no label at all.
  if (!text.includes('{')) return [];
  const parsed = parseExpr(text);
  return parsed.ok ? below(parsed.value) : [];
}

const below = (expr: Expr): readonly (readonly Matcher[])[] =>
  expr.kind === 'selector' ? [expr.matchers] : childrenOf(expr).flatMap(below);
