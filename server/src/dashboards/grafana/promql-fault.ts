import { parseExpr } from '@nines/promql/parse.ts';

/**
 * What is wrong with a query, as far as it can be told before variables are put in: one of which a variable stands where PromQL has a
 * name or a function is not judged.
 */
export function faultOf(expr: string): string {
  const filled = expr
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '"x"')
    .replace(/\[[^\][]*\]/g, (range) => (!range.includes('$') ? range : range.includes(':') ? '[5m:1m]' : '[5m]'))
    .replace(/\$\{?__(?:range|interval)_(?:s|ms)\}?/g, '1')
    .replace(/offset\s+\$\{?\w+\}?/g, 'offset 5m');
  if (filled.includes('$')) return '';
  const read = parseExpr(filled);
  return read.ok ? '' : read.error.message;
}
