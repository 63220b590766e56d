import { mustMatcher, type Matcher } from '@nines/base/matcher.ts';
import { type Expr, type VectorSelector, childrenOf } from '@nines/promql/ast.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { printExpr } from '@nines/promql/print.ts';

type Labels = Readonly<Record<string, string>>;

/** Functions whose result has labels that what they read does not. */
const RELABELLING: ReadonlySet<string> = new Set(['label_replace', 'label_join', 'absent', 'absent_over_time', 'vector', 'info']);

/** The expression for the one series of its result that has these labels; the expression itself where labels are changed on the way. */
export function narrowed(text: string, labels: Labels): string {
  const parsed = parseExpr(text);
  if (!parsed.ok || changesLabels(parsed.value)) return text;
  const matchers = Object.entries(labels).flatMap(([name, value]) => (name === '__name__' ? [] : [mustMatcher(name, '=', value)]));
  return printExpr(withMatchers(parsed.value, matchers));
}

/** Whether the labels of the result are those of the series behind it, so that they say who may see it. */
export function keepsLabels(text: string): boolean {
  const parsed = parseExpr(text);
  return parsed.ok && !changesLabels(parsed.value) && !has(parsed.value, (expr) => expr.kind === 'aggregate');
}

const changesLabels = (expr: Expr): boolean =>
  has(
    expr,
    (one) =>
      (one.kind === 'call' && RELABELLING.has(one.func)) || (one.kind === 'binary' && one.matching !== undefined && isOwn(one.matching)),
  );

/** Written `on`, `ignoring` or `group_…`; without them both sides have the same labels. */
const isOwn = ({ on, labels, include, cardinality }: NonNullable<Extract<Expr, { kind: 'binary' }>['matching']>): boolean =>
  on || labels.length > 0 || include.length > 0 || cardinality === 'many_to_one' || cardinality === 'one_to_many';

const has = (expr: Expr, is: (expr: Expr) => boolean): boolean => is(expr) || childrenOf(expr).some((child) => has(child, is));

const limited = (selector: VectorSelector, more: readonly Matcher[]): VectorSelector => ({
  ...selector,
  matchers: [...selector.matchers, ...more.filter(({ name }) => !selector.matchers.some((own) => own.name === name && own.op === '='))],
});

function withMatchers(expr: Expr, more: readonly Matcher[]): Expr {
  const inner = (one: Expr): Expr => withMatchers(one, more);
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'selector':
      return limited(expr, more);
    case 'matrix':
      return { ...expr, selector: limited(expr.selector, more) };
    case 'paren':
    case 'unary':
    case 'subquery':
      return { ...expr, expr: inner(expr.expr) };
    case 'binary':
      return { ...expr, left: inner(expr.left), right: inner(expr.right) };
    case 'aggregate':
      return { ...expr, expr: inner(expr.expr) };
    case 'call':
      return { ...expr, args: expr.args.map(inner) };
  }
}
