/** What somebody who sees a part of the installation sees of rules. Pure. */
import type { Matcher } from '@nines/base/matcher.ts';
import { isFull, isWithin } from '@nines/model/scope.ts';
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
  const sees: Asking['sees'] = (labels) => asking.sees(labels);
  const seen: Sight['openOf'] = (id) =>
    openOf(id).filter(({ service, labels }) => sees(service === null ? labels : { service, ...labels }));
  // What a scope takes for inside because a label is absent is not proven to be so by who leaves the label open.
  const open = scope.matchers.filter(({ matches }) => matches('')).map(({ name }) => name);
  const judging = new Set(['service', ...scope.matchers.map(({ name }) => name)]);
  const carries = (labels: Labels): boolean => open.every((name) => Object.hasOwn(labels, name)) && sees(labels);
  const reads = (matchers: readonly Matcher[]): boolean => isWithin(scope, matchers) || carries(equalities(matchers));
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

const equalities = (matchers: readonly Matcher[]): Labels =>
  Object.fromEntries(matchers.flatMap(({ name, op, value }) => (op === '=' ? [[name, value] as const] : [])));

/** Stands in place of what names others' series. */
export const OUTSIDE = '[outside your scope]';
