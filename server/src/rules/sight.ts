/** What somebody who sees a part of the installation sees of rules. Pure. */
import { AppError } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { formatScope, isFull, isWithin } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import type { AlertView } from '../alerting/contract.ts';

type Selectors = readonly (readonly Matcher[])[];
type Labels = Readonly<Record<string, string>>;

/** What a rule is judged by. */
export type Judged = {
  readonly id: string;
  /** What every alert or series that comes of it carries, as it is written. */
  readonly labels: Labels;
  /** What it reads; undefined where that is not known. */
  readonly selectors: Selectors | undefined;
};

/** How much of a rule is shown. Its errors name series that it read, so only those read them who see all of these. */
export type Shown = { readonly query: boolean; readonly errors: boolean };

/** Alerts and rules through somebody's scope. */
export type Sight = {
  readonly isFull: boolean;
  /** Undefined: the rule is outside. */
  rule(judged: Judged): Shown | undefined;
  openOf(ruleId: string): readonly AlertView[];
};

export type Asking = { readonly actor: { readonly scope: Scope }; sees(labels: Labels): boolean };

/** Nothing is left out. */
export const WHOLE: Shown = { query: true, errors: true };

/**
 * A rule is inside when all that it reads is, when what comes of it carries labels that are, or when an open alert of it is. Of one that
 * is inside by its alerts or labels alone the query is left out where it names whose series it reads.
 */
export function sightOf(asking: Asking, openOf: Sight['openOf']): Sight {
  const { scope } = asking.actor;
  if (isFull(scope)) return { isFull: true, rule: () => WHOLE, openOf };
  const { sees, carries, reads } = measureOf(asking);
  const seen: Sight['openOf'] = (id) =>
    openOf(id).filter(({ service, labels }) => sees(service === null ? labels : { service, ...labels }));
  const judging = new Set(['service', ...scope.matchers.map(({ name }) => name)]);
  return {
    isFull: false,
    openOf: seen,
    rule: ({ id, labels, selectors }) => {
      if (selectors !== undefined && selectors.length > 0 && selectors.every(reads)) return WHOLE;
      if (!carries(labels) && seen(id).length === 0) return undefined;
      const names = (matchers: readonly Matcher[]): boolean => matchers.some(({ name }) => judging.has(name));
      return { query: selectors?.every((matchers) => reads(matchers) || !names(matchers)) ?? true, errors: false };
    },
  };
}

/** What labels and selectors are inside somebody's scope. */
function measureOf(asking: Asking): {
  readonly sees: Asking['sees'];
  readonly carries: (labels: Labels) => boolean;
  readonly reads: (matchers: readonly Matcher[]) => boolean;
} {
  const { scope } = asking.actor;
  const sees: Asking['sees'] = (labels) => asking.sees(labels);
  // What a scope takes for inside because a label is absent is not proven to be so by who leaves the label open.
  const open = scope.matchers.filter(({ matches }) => matches('')).map(({ name }) => name);
  const carries = (labels: Labels): boolean => open.every((name) => Object.hasOwn(labels, name)) && sees(labels);
  const reads = (matchers: readonly Matcher[]): boolean => isWithin(scope, matchers) || carries(equalities(matchers));
  return { sees, carries, reads };
}

/**
 * Whether somebody may save a rule, or change one that is saved: it reads nothing that they do not see, and what comes of it is theirs.
 * `texts` are its templates, which may query as well. `AppError` `outside_scope`.
 */
export function requireInside(asking: Asking, { labels, selectors = [] }: Judged, texts: readonly string[]): void {
  const { scope } = asking.actor;
  if (isFull(scope)) return;
  const { carries, reads } = measureOf(asking);
  const seen = formatScope(scope);
  const refused = (message: string, field: string): AppError => new AppError('forbidden', 'outside_scope', message, { field });
  if (!carries(labels)) throw refused(`a rule that you save carries labels that lie inside your scope: ${seen}`, 'labels');
  // Labels of its own win over those of the service, so they do not say whose it is; and what a template makes of it is not known yet.
  const service = labels['service'];
  if (service !== undefined && (service.includes('{{') || !asking.sees({ service }))) {
    const message = `a rule that you save is about a service inside your scope (${seen}), written by its id; name another one, or none`;
    throw refused(message, 'labels');
  }
  if (!selectors.every(reads)) throw refused(`each selector of a rule that you save names your scope: ${seen}`, 'expr');
  // Whatever stands around it: a string may hold the braces that end an action.
  if (texts.some((text) => text.includes('{{') && /\bquery\b/.test(text)))
    throw refused('the templates of a rule that you save query nothing, because a query is not held to your scope', 'annotations');
}

/** A rule that comes with the product watches over everybody's, so only who sees everything replaces it. `AppError` `outside_scope`. */
export function requireEverything({ actor: { scope } }: Asking, id: string): void {
  if (isFull(scope)) return;
  const message = `the rule "${id}" comes with Nines and watches more than your scope; choose another id`;
  throw new AppError('forbidden', 'outside_scope', message, { field: 'id' });
}

const equalities = (matchers: readonly Matcher[]): Labels =>
  Object.fromEntries(matchers.flatMap(({ name, op, value }) => (op === '=' ? [[name, value] as const] : [])));

/** Stands in place of what names others' series. */
export const OUTSIDE = '[outside your scope]';
