/** What a threshold rule's `metric` means: a dotted alias, a glob over names, one name, or PromQL. */
import { globPattern } from '@nines/base/glob.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { compileRegex } from '@nines/base/regex.ts';
import { type Expr, childrenOf } from '@nines/promql/ast.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { MetricAlias } from '../collect/contract.ts';

export type AliasTable = { readonly list: readonly MetricAlias[]; readonly resolve: (name: string) => MetricAlias | undefined };
export type Source = { readonly expr: string; readonly alias: string | undefined };

/** Letters, digits, `_`, `:` and dots: a name of a series or an alias. */
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:.]*$/;
const GLOB = /^[a-zA-Z0-9_:.*?]+$/;

const isGlob = (metric: string): boolean => GLOB.test(metric) && /[*?]/.test(metric);

/** A sentence when the text can mean nothing. */
export function problemOfMetric(metric: string): string | undefined {
  if (NAME.test(metric) || isGlob(metric)) return undefined;
  const parsed = parseExpr(metric);
  return parsed.ok ? undefined : `not a metric: ${parsed.error.message}`;
}

/** What to evaluate. A glob stands for the aliases and for the series names that it matches. */
export function sourcesOf(metric: string, aliases: AliasTable): readonly Source[] {
  const alias = aliases.resolve(metric);
  if (alias !== undefined) return [{ expr: alias.expr, alias: alias.name }];
  if (NAME.test(metric)) return [{ expr: `{__name__=${JSON.stringify(metric)}}`, alias: undefined }];
  if (!isGlob(metric)) return [{ expr: metric, alias: undefined }];
  const pattern = globPattern(metric);
  const glob = compileRegex(pattern);
  const matched = glob.ok ? aliases.list.filter(({ name }) => glob.value.matchesWhole(name)) : [];
  return [
    ...matched.map(({ name, expr }) => ({ expr, alias: name })),
    { expr: `{__name__=~${JSON.stringify(pattern)}}`, alias: undefined },
  ];
}

/** The matchers of every selector in `expr`: the series that can change its value. */
export function selectorsOf(expr: Expr): readonly (readonly Matcher[])[] {
  return expr.kind === 'selector' ? [expr.matchers] : childrenOf(expr).flatMap(selectorsOf);
}

/** As `selectorsOf`, for a text that was checked before; an alias that does not parse wakes nothing. */
export function selectorsOfText(text: string): readonly (readonly Matcher[])[] {
  const parsed = parseExpr(text);
  return parsed.ok ? selectorsOf(parsed.value) : [];
}
