/** What an attacker writes where a text is asked for, and bodies of requests that are full of it. */

/** Each would set `window.__xss`, were it ever anything but text. */
export const PAYLOADS = [
  '<img src=x onerror=window.__xss=1>',
  '<script>window.__xss=1</script>',
  '"\'><svg/onload=window.__xss=1>',
  '</title></textarea></style></script><script>window.__xss=1</script>',
  '{{constructor.constructor("window.__xss=1")()}}${window.__xss=1}#{window.__xss=1}<%=1%>',
  "' onmouseover='window.__xss=1' autofocus onfocus='window.__xss=1' x='",
  '[a](javascript:window.__xss=1) ![b](x"onerror="window.__xss=1)',
  '<a href="javascript:window.__xss=1">c</a><iframe srcdoc="<script>parent.__xss=1</script>"></iframe>',
  '<base href=//attacker.test/><meta http-equiv=refresh content="0;url=javascript:window.__xss=1">',
  '</style><style>*{background:url(//attacker.test/)}</style>]]><!--',
  '=HYPERLINK("http://attacker.test","d") `«»“”‘’`',
] as const;
/** Turned right to left, of no width, and a word that nothing breaks. */
const SIGNS = '\u202ereversed\u2066\u200b\u00a0\u{1f4a5}';
const LONG = 'Wordwithoutend'.repeat(14);
const CONTROL = '\u0007\u001b[31m';

/** The payload that every text begins with, so that a page that shows one can be asked for it. */
export const FIRST_PAYLOAD = PAYLOADS[0];

/** As much of everything as fits. */
export function hostileText(maxChars = 1000, { control = false } = {}): string {
  const [first, ...others] = PAYLOADS;
  let text = '';
  for (const piece of [first, SIGNS, ...(control ? [CONTROL] : []), others[0] ?? '', LONG, ...others.slice(1)]) {
    if (text.length + piece.length + 1 <= maxChars) text += ` ${piece}`;
  }
  return text.trim();
}

/** As much of JSON Schema as the API's description uses. */
export type Schema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
};
export type Given = Readonly<Record<string, unknown>>;

/** Fields that are texts in JSON, but whose words are chosen: times, zones, names of other things. */
const NOT_FREE = new Set(
  ['from', 'to', 'until', 'for', 'at', 'after', 'start', 'end', 'every', 'zone', 'cron', 'rrule', 'duration', 'period', 'customer'].concat(
    ['domain', 'logo', 'scope', 'role', 'policy', 'user', 'landing', 'rotation', 'handover', 'interval', 'max_gap', 'step', 'to'],
    ['started_at', 'due_at', 'max_unknown', 'target'],
  ),
);

const FREE_PATTERNS: ReadonlySet<string | undefined> = new Set([undefined, '^\\P{Cc}*$']);
const isFree = (name: string, schema: Schema): boolean =>
  schema.type === 'string' &&
  FREE_PATTERNS.has(schema.pattern) &&
  schema.format === undefined &&
  schema.enum === undefined &&
  schema.const === undefined &&
  !NOT_FREE.has(name);

/**
 * A body of a request in which every free text is hostile. What `given` holds stands as it is (objects in it are filled up); of the
 * rest only what is required and what is text is there.
 */
export function hostileBody(schema: Schema, given: Given, text: (maxChars?: number) => string): unknown {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const must = schema.required?.includes(name) === true;
    return [name, name in given ? filled(field, given[name], text) : textIn(name, field, must, text)] as const;
  });
  return Object.fromEntries([...Object.entries(given), ...fields].filter(([, value]) => value !== undefined));
}

function filled(schema: Schema, value: unknown, text: (maxChars?: number) => string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => filled(schema.items ?? {}, one, text));
  return schema.properties === undefined ? value : hostileBody(schema, value as Given, text);
}

function textIn(name: string, schema: Schema, must: boolean, text: (maxChars?: number) => string): unknown {
  const free = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].find((one) => isFree(name, one));
  if (free !== undefined) return text(free.maxLength);
  if (schema.items !== undefined && isFree(name, schema.items)) return [text(schema.items.maxLength)];
  const values = schema.additionalProperties;
  if (typeof values === 'object' && isFree(name, values)) return { hostile: text(values.maxLength) };
  if (!must) return undefined;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.properties !== undefined) return hostileBody(schema, {}, text);
  if (schema.type === 'array') return [];
  if (schema.type === 'boolean') return false;
  return schema.type === 'string' || schema.type === undefined ? text(schema.maxLength) : (schema.minimum ?? 1);
}

/** The part of a mail that is HTML, decoded. */
export function htmlOf(mail: string): string {
  const part = mail.split(/\r?\n--/).find((one) => /content-type: text\/html/i.test(one));
  if (part === undefined) return '';
  const [head = '', ...body] = part.split(/\r?\n\r?\n/);
  const coded = body.join('\r\n\r\n');
  if (/base64/i.test(head)) return Buffer.from(coded, 'base64').toString();
  const bytes = coded.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
