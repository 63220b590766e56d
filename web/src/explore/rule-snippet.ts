/** A rule from a query: its comparison becomes the threshold. Pure. */

type Condition = { readonly expr: string; readonly condition: string; readonly threshold: number };

const COMPARED = /^([\s\S]*[^\s<>=!~])\s*(>=|<=|==|!=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*$/i;

/** `up == 0` as what is read and what it is held against; without a comparison with a number at its end, above 0. */
export function splitCondition(query: string): Condition {
  const found = COMPARED.exec(query.trim());
  const [, expr = '', condition = '>', threshold = '0'] = found ?? [];
  const open = (text: string, bracket: string) => text.split(bracket).length;
  const whole = found !== null && open(expr, '(') === open(expr, ')') && open(expr, '{') === open(expr, '}');
  // `a > 1 or b > 2` is one condition, not a value to compare.
  if (!whole || /\b(and|or|unless)\b|[<>]|==|!=/.test(expr.replaceAll(/"(?:[^"\\]|\\.)*"|\{[^}]*\}|=~|!~/g, ''))) {
    return { expr: query.trim(), condition: '>', threshold: 0 };
  }
  return { expr, condition, threshold: Number(threshold) };
}

/** An id as rules have them, of the first metric's name. */
export function ruleId(query: string): string {
  const names = query.replaceAll(/"(?:[^"\\]|\\.)*"|\{[^}]*\}|\[[^\]]*\]/g, '').match(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g) ?? [];
  const name =
    names.find((one) => one.length > 3 && !/^(by|without|bool|offset|group_left|group_right|ignoring|unless)$/.test(one)) ?? 'query';
  return `${name.replaceAll(/[^\w]/g, '_').slice(0, 50)}_alert`;
}

const MEETS: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '==': (value, limit) => value === limit,
  '!=': (value, limit) => value !== limit,
};

export const isMet = (condition: string, value: number, limit: number): boolean => MEETS[condition]?.(value, limit) ?? false;
