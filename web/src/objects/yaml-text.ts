/** JSON as YAML that people read: blocks, and quotes only where a text would mean something else without them. Pure. */

const PLAIN = /^[A-Za-z_/][\w ./@+-]*$/;
/** Words that YAML takes for something else than a text. */
const MEANT: ReadonlySet<string> = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n', '~']);

/** A text in quotes is JSON, which every YAML reader takes. */
const textOf = (text: string): string =>
  PLAIN.test(text) && !text.endsWith(' ') && !MEANT.has(text.toLowerCase()) ? text : JSON.stringify(text);

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** Ends with a line feed. What JSON leaves out is left out. */
export function yamlText(value: unknown): string {
  const lines = typeof value === 'object' && value !== null && !isEmpty(value) ? linesOf(value, '') : [scalar(value)];
  return `${lines.join('\n')}\n`;
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return textOf(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? '[]' : typeof value === 'object' && value !== null ? '{}' : 'null';
}

function linesOf(value: object, indent: string): string[] {
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): string[] => {
    if (inner === undefined) return [];
    const head = isList ? `${indent}-` : `${indent}${textOf(key)}:`;
    if (typeof inner !== 'object' || inner === null || isEmpty(inner)) return [`${head} ${scalar(inner)}`];
    const below = linesOf(inner, `${indent}  `);
    if (!isList) return [head, ...below];
    // The first line of an item stands beside its dash.
    const [first = '', ...rest] = below;
    return [`${head} ${first.trimStart()}`, ...rest];
  });
}
