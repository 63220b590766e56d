/** The targets of a panel as queries of ours: PromQL, arithmetic over them, and what another panel asked. Pure. */
import { MAX_EXPR_CHARS, MAX_QUERIES, type PanelQuery } from '../model.ts';
import { type Context, MAX_TARGETS, targetsOf } from './context.ts';
import { type Fields, isTrueAt, listAt, numberAt, textAt } from './fields.ts';

export type ReadQuery = PanelQuery & { readonly refId: string };

const MAX_LEGEND_CHARS = 200;
/** Lengths of time that stand for themselves in a query here, as in Grafana. */
const LENGTHS = new Set(['__range', '__range_s', '__range_ms', '__interval', '__interval_ms', '__rate_interval']);
const FORMATS = new Set(['regex', 'pipe', 'csv', 'raw', 'text']);
const NAME = /\$(?:\{([a-zA-Z_]\w*)(?::([\w:]+))?\}|([a-zA-Z_]\w*))/g;

/** Every query that can be asked here; the others are told. */
export function readQueries(panel: Fields, title: string, context: Context): readonly ReadQuery[] {
  const found: ReadQuery[] = [];
  const left = listAt(panel, 'targets').length - MAX_TARGETS;
  if (left > 0) context.losses.add(title, `${left} further queries`, `a panel asks at most ${MAX_QUERIES}`);
  for (const target of targetsOf(panel)) {
    const refId = textAt(target, 'refId');
    const what = `query ${refId || found.length + 1}`;
    if (found.length >= MAX_QUERIES) context.losses.add(title, what, `a panel asks at most ${MAX_QUERIES} queries`);
    else found.push(...oneOf(target, { title, what, context, found }).slice(0, MAX_QUERIES - found.length));
  }
  return found;
}

type Reading = { readonly title: string; readonly what: string; readonly context: Context; readonly found: readonly ReadQuery[] };

function oneOf(target: Fields, reading: Reading): readonly ReadQuery[] {
  const { title, what, context, found } = reading;
  const asked = context.asks(target['datasource']);
  if (asked === 'expression') return expressionOf(target, reading);
  if (asked === 'dashboard') return sharedOf(target, reading);
  if (asked === 'grafana') context.losses.add(title, what, 'it asks Grafana itself');
  else if (typeof asked === 'object')
    context.losses.add(title, what, `it asks ${asked.foreign}, not a store of metrics that speaks PromQL`);
  else return promqlOf(target, { title, what, context, found });
  return [];
}

function promqlOf(target: Fields, { title, what, context }: Reading): readonly ReadQuery[] {
  const written = textAt(target, 'expr');
  if (written.trim() === '') {
    const other = ['query', 'rawSql', 'target', 'rawQuery'].find((name) => textAt(target, name) !== '');
    if (other !== undefined) context.losses.add(title, what, `it is not written in PromQL but as ${other}`);
    return [];
  }
  const expr = knownNames(context.fill(written).trim(), { title, what, context });
  if (expr.length > MAX_EXPR_CHARS) {
    context.losses.add(title, what, `it has ${expr.length} characters; a query has at most ${MAX_EXPR_CHARS}`);
    return [];
  }
  const fault = context.faultOf(expr);
  if (fault !== '') context.losses.add(title, what, `kept as it is, but it cannot be read as PromQL: ${fault}`);
  const format = textAt(target, 'legendFormat');
  const legend = format === '__auto' ? '' : context.fill(format).slice(0, MAX_LEGEND_CHARS);
  return [
    {
      refId: textAt(target, 'refId'),
      expr,
      ...(legend === '' ? {} : { legend }),
      ...(isTrueAt(target, 'instant') && !isTrueAt(target, 'range') ? { instant: true } : {}),
      ...(isTrueAt(target, 'hide') ? { hidden: true } : {}),
    },
  ];
}

/** Ways of writing a variable that are not known fall back to the usual one; lengths made for one variable become the usual interval. */
function knownNames(expr: string, { title, what, context }: Omit<Reading, 'found'>): string {
  return expr.replace(NAME, (whole: string, braced?: string, format?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    if (name.startsWith('__auto_interval')) return '$__interval';
    if (name.startsWith('__') && !LENGTHS.has(name)) context.losses.add(title, `$${name} in ${what}`, 'Nines does not fill it in');
    if (format === undefined || FORMATS.has(format)) return whole;
    context.losses.add(title, `the format ${format} of $${name} in ${what}`, 'it is filled in as PromQL needs it');
    return `\${${name}}`;
  });
}

/** What another panel asked, asked again. */
function sharedOf(target: Fields, { title, what, context }: Reading): readonly ReadQuery[] {
  const id = numberAt(target, 'panelId');
  const panel = id === undefined ? undefined : context.panelById(id);
  if (panel === undefined) {
    context.losses.add(title, what, `it shows what panel ${id ?? 'without a number'} found, and there is no such panel`);
    return [];
  }
  return targetsOf(panel)
    .slice(0, MAX_QUERIES)
    .flatMap((one) => (context.asks(one['datasource']) === 'promql' ? promqlOf(one, { title, what, context, found: [] }) : []));
}

const FUNCTIONS: Readonly<Record<string, string>> = { abs: 'abs', round: 'round', ceil: 'ceil', floor: 'floor', log: 'ln' };

/** Arithmetic over other queries is PromQL over their expressions. */
function expressionOf(target: Fields, { title, what, context, found }: Reading): readonly ReadQuery[] {
  const type = textAt(target, 'type');
  const text = textAt(target, 'expression');
  const lose = (why: string): readonly ReadQuery[] => {
    context.losses.add(title, what, why);
    return [];
  };
  if (type !== 'math') return lose(`an expression of kind ${type || 'unknown'}: only arithmetic becomes PromQL`);
  if (/&&|\|\||!(?!=)/.test(text)) return lose('its logic has no PromQL of the same meaning');
  let missing = '';
  if (text.length > MAX_EXPR_CHARS) return lose(`it is longer than ${MAX_EXPR_CHARS} characters`);
  let length = 0;
  const filled = text
    .replace(/\*\*/g, '^')
    .replace(/\b([a-z_]+)\s*\(/g, (whole, name: string) => {
      if (Object.hasOwn(FUNCTIONS, name)) return `${FUNCTIONS[name]}(`;
      missing = `the function ${name}`;
      return whole;
    })
    .replace(/\$\{?(\w+)\}?/g, (whole, refId: string) => {
      const query = found.find((one) => one.refId === refId);
      if (query === undefined) missing = `query ${refId}`;
      length += query?.expr.length ?? 0;
      return query === undefined || length > MAX_EXPR_CHARS ? whole : `(${query.expr})`;
    });
  if (missing !== '') return lose(`it speaks of ${missing}, which is not here`);
  if (length > MAX_EXPR_CHARS || filled.length > MAX_EXPR_CHARS) return lose(`it becomes longer than ${MAX_EXPR_CHARS} characters`);
  context.losses.add(title, `how ${what} joins series`, 'it became PromQL, which joins series whose labels are all the same');
  return [{ refId: textAt(target, 'refId'), expr: filled, ...(isTrueAt(target, 'hide') ? { hidden: true } : {}) }];
}

/**
 * What is shown once for each value of a variable in Grafana stands here once for all of them: a matcher that wanted one value takes
 * any of them.
 */
export const forEveryValue = (expr: string, variable: string): string =>
  expr.replace(/(!?=)\s*"\$(?:\{\w+\}|\w+)"/g, (whole, op: string) => {
    const isOf = whole.endsWith(`"$${variable}"`) || whole.endsWith(`"\${${variable}}"`);
    return isOf ? `${op === '=' ? '=~' : '!~'}"$${variable}"` : whole;
  });

/** The legend as it reads without its labels. */
export const legendWords = ({ legend, expr }: PanelQuery): string =>
  legend === undefined ? expr.slice(0, MAX_LEGEND_CHARS) : legend.replace(/\{\{[^{}]*\}\}/g, '');

export const formatOf = (panel: Fields): string => textAt(targetsOf(panel)[0], 'format');
