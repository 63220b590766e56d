/** The functions of Prometheus' templates. Source: prometheus template/template.go; the forms of numbers are Go's. */
import { parseDuration } from '@nines/base/duration.ts';
import { type Regex, compileRegex } from '@nines/base/regex.ts';
import { formatShort } from '@nines/promql/value.ts';
import { GoTime, goDuration } from './template-time.ts';

export type TemplateSample = { readonly Labels: Readonly<Record<string, string>>; readonly Value: number };
export type TemplateValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | GoTime
  | readonly TemplateValue[]
  | { readonly [field: string]: TemplateValue };

export type TemplateFunction = (...args: TemplateValue[]) => TemplateValue;

/** As Go prints a value in a template. */
export function textOf(value: TemplateValue): string {
  if (value === null || value === undefined) return '<no value>';
  if (typeof value === 'number') return formatShort(value);
  if (typeof value !== 'object' || value instanceof GoTime) return String(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(' ')}]`;
  return `map[${Object.entries(value)
    .map(([name, field]) => `${name}:${textOf(field)}`)
    .join(' ')}]`;
}

/** Go's truth: empty texts, lists and maps, zero, false and nothing are false. */
export function isTrue(value: TemplateValue): boolean {
  if (value === null || value === undefined) return false;
  if (value instanceof GoTime) return true;
  if (typeof value === 'object') return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
  return Boolean(value) || Number.isNaN(value);
}

function numberFrom(value: TemplateValue, what: string): number {
  if (typeof value === 'number') return value;
  const text = typeof value === 'string' ? value.trim() : '';
  const parsed = text === '' ? Number.NaN : Number(text.replace(/^([+-]?)Inf$/i, '$1Infinity'));
  if (Number.isNaN(parsed) && text !== 'NaN') throw new Error(`${what}: not a number: ${textOf(value)}`);
  return parsed;
}

/** Go's `%.Ng`: an exponent when it is below -4 or at least the precision. */
function general(value: number, precision: number): string {
  if (!Number.isFinite(value)) return formatShort(value);
  if (value === 0) return '0';
  const [mantissa = '', exponentText = '0'] = value.toExponential(precision - 1).split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= precision)
    return `${trimZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return trimZeros(value.toFixed(Math.max(0, precision - 1 - exponent)));
}

const trimZeros = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const LARGE_1024 = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

function scaleUp(value: number, base: number, prefixes: readonly string[]): string {
  let rest = value;
  let prefix = '';
  for (const next of prefixes) {
    if (Math.abs(rest) < base) break;
    prefix = next;
    rest /= base;
  }
  return `${general(rest, 4)}${prefix}`;
}

function scaleDown(value: number): string {
  let rest = value;
  let prefix = '';
  for (const next of SMALL) {
    if (Math.abs(rest) >= 1) break;
    prefix = next;
    rest *= 1000;
  }
  return `${general(rest, 4)}${prefix}`;
}

const isPlain = (value: number): boolean => value === 0 || !Number.isFinite(value);

function humanize(input: TemplateValue): string {
  const value = numberFrom(input, 'humanize');
  if (isPlain(value)) return general(value, 4);
  return Math.abs(value) >= 1 ? scaleUp(value, 1000, LARGE) : scaleDown(value);
}

function humanize1024(input: TemplateValue): string {
  const value = numberFrom(input, 'humanize1024');
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return general(value, 4);
  return scaleUp(value, 1024, LARGE_1024);
}

function humanizeDuration(input: TemplateValue): string {
  const value = numberFrom(input, 'humanizeDuration');
  if (!Number.isFinite(value)) return general(value, 4);
  if (value === 0) return '0s';
  if (Math.abs(value) < 1) return `${scaleDown(value)}s`;
  const sign = value < 0 ? '-' : '';
  const magnitude = Math.abs(value);
  const whole = Math.trunc(magnitude);
  const [days, hours, minutes, seconds] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3_600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (days !== 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours !== 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes !== 0) return `${sign}${minutes}m ${seconds}s`;
  return `${sign}${general(magnitude, 4)}s`;
}

function humanizeTimestamp(input: TemplateValue): string {
  const value = numberFrom(input, 'humanizeTimestamp');
  const at = new Date(value * 1000);
  if (!Number.isFinite(at.getTime())) return general(value, 4);
  return at
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, ' +0000 UTC');
}

const samplesOf = (value: TemplateValue): readonly TemplateSample[] => (Array.isArray(value) ? (value as unknown as TemplateSample[]) : []);

function first(value: TemplateValue): TemplateValue {
  const sample = samplesOf(value)[0];
  if (sample === undefined) throw new Error('first() called on vector with no elements');
  return sample;
}

const field = (value: TemplateValue, name: string): TemplateValue =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof GoTime)
    ? (value as Record<string, TemplateValue>)[name]
    : undefined;

const labelOf = (name: TemplateValue, sample: TemplateValue): string => {
  const found = field(field(sample, 'Labels'), textOf(name));
  return typeof found === 'string' ? found : '';
};

function sortByLabel(name: TemplateValue, value: TemplateValue): TemplateValue {
  const key = textOf(name);
  const by = (sample: TemplateSample): string => sample.Labels[key] ?? '';
  return [...samplesOf(value)].sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0));
}

function regex(pattern: TemplateValue): Regex {
  const compiled = compileRegex(textOf(pattern));
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value;
}

/** `$1` and `${name}` of the replacement stand for groups, `$$` for a dollar sign, as in Go's ReplaceAllString. */
function reReplaceAll(pattern: TemplateValue, replacement: TemplateValue, text: TemplateValue): string {
  return regex(pattern).replaceEach(textOf(text), (byIndex, byName) =>
    textOf(replacement).replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole: string, braced?: string, plain?: string) => {
      const name = braced ?? plain;
      if (name === undefined) return whole === '$$' ? '$' : whole;
      return /^\d+$/.test(name) ? (byIndex[Number(name)] ?? '') : (byName.get(name) ?? '');
    }),
  );
}

/** Compares as Go's `eq`, `lt`: equal kinds only. */
function compare(a: TemplateValue, b: TemplateValue): number {
  if (typeof a !== typeof b) throw new Error('incompatible types for comparison');
  if (a === b) return 0;
  if (a === null || b === null || a === undefined || b === undefined) return Number.NaN;
  return a < b ? -1 : a > b ? 1 : Number.NaN;
}

function index(container: TemplateValue, ...keys: TemplateValue[]): TemplateValue {
  return keys.reduce<TemplateValue>((at, key) => {
    if (Array.isArray(at)) {
      if (typeof key !== 'number' || at[key] === undefined) throw new Error(`index out of range: ${textOf(key)}`);
      return at[key] as TemplateValue;
    }
    return field(at, textOf(key)) ?? '';
  }, container);
}

function slice(container: TemplateValue, from: TemplateValue = 0, to?: TemplateValue): TemplateValue {
  if (typeof container !== 'string' && !Array.isArray(container)) throw new Error(`can't slice ${textOf(container)}`);
  const end = to ?? container.length;
  const fits = typeof from === 'number' && typeof end === 'number' && from >= 0 && from <= end && end <= container.length;
  if (!fits) throw new Error(`slice index out of range: ${textOf(from)}:${textOf(end)}`);
  return container.slice(from, end);
}

/** Go's JSEscapeString. */
const escapeScript = (value: TemplateValue): string =>
  textOf(value).replace(/[\\'"<>&=\p{Cc}]/gu, (found) =>
    /[\\'"]/.test(found) ? `\\${found}` : `\\u${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );

const lengthOf = (value: TemplateValue): number =>
  typeof value === 'string'
    ? new TextEncoder().encode(value).length
    : Array.isArray(value)
      ? value.length
      : Object.keys(value ?? {}).length;

const VERB = /%(?<flags>[-+# 0]*)(?<width>\d+)?(?:\.(?<precision>\d+))?(?<verb>[a-zA-Z%])/g;

/** Go's Printf with the verbs that texts for people use. */
export function printf(format: TemplateValue, ...args: TemplateValue[]): string {
  const template = textOf(format);
  let printed = '';
  let at = 0;
  let next = 0;
  for (const match of template.matchAll(VERB)) {
    const { flags = '', width = '0', precision, verb = '' } = match.groups ?? {};
    printed += template.slice(at, match.index);
    at = match.index + match[0].length;
    if (verb === '%') printed += '%';
    else if (next >= args.length) printed += `%!${verb}(MISSING)`;
    else {
      const body = formatVerb(verb, args[next++], precision === undefined ? undefined : Number(precision)) ?? match[0];
      printed += pad(body, flags, Number(width));
    }
  }
  return printed + template.slice(at);
}

function pad(body: string, flags: string, width: number): string {
  const signed = flags.includes('+') && /^[0-9]/.test(body) ? `+${body}` : body;
  if (flags.includes('-')) return signed.padEnd(width);
  return flags.includes('0') && !/^[+-]/.test(signed) ? signed.padStart(width, '0') : signed.padStart(width);
}

function formatVerb(verb: string, value: TemplateValue, precision: number | undefined): string | undefined {
  switch (verb) {
    case 'v':
      return textOf(value);
    case 's':
      return typeof value === 'number'
        ? `%!s(float64=${formatShort(value)})`
        : precision === undefined
          ? textOf(value)
          : textOf(value).slice(0, precision);
    case 'q':
      return JSON.stringify(textOf(value));
    case 't':
      return textOf(value);
  }
  if (typeof value !== 'number') return `%!${verb}(${typeof value === 'string' ? 'string' : typeof value}=${textOf(value)})`;
  switch (verb) {
    case 'd':
      return Number.isInteger(value) ? String(value) : `%!d(float64=${formatShort(value)})`;
    case 'f':
    case 'F':
      return Number.isFinite(value) ? value.toFixed(precision ?? 6) : formatShort(value);
    case 'g':
      return precision === undefined ? formatShort(value) : general(value, precision);
    case 'e':
      return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
    case 'x':
      return value.toString(16);
  }
  return undefined;
}

const escapeHtml = (value: TemplateValue): string => textOf(value).replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
const stripDomain = (host: string): string => {
  const [, name = host, port = ''] = /^(.*?)(:\d+)?$/.exec(host) ?? [];
  return /^[\d.]+$|^\[/.test(name) ? host : `${name.split('.')[0]}${port}`;
};

/** Functions that templates.ts evaluates itself, because they wait, stop early or read the expansion's input. */
const OWN_FUNCTIONS: ReadonlySet<string> = new Set(['query', 'and', 'or', 'externalURL', 'pathPrefix', 'now', 'tmpl']);

export const isTemplateFunction = (name: string): boolean => OWN_FUNCTIONS.has(name) || Object.hasOwn(TEMPLATE_FUNCTIONS, name);

/** The functions of values alone. */
export const TEMPLATE_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  first,
  label: labelOf,
  strvalue: (sample) => labelOf('__value__', sample),
  value: (sample) => field(sample, 'Value'),
  sortByLabel,
  args: (...values) => Object.fromEntries(values.map((value, i) => [`arg${i}`, value])),
  reReplaceAll,
  match: (pattern, text) => regex(pattern).matchesPart(textOf(text)),
  safeHtml: textOf,
  title: (text) => textOf(text).replace(/(^|\s)(\p{L})/gu, (_, space: string, letter: string) => space + letter.toUpperCase()),
  toUpper: (text) => textOf(text).toUpperCase(),
  toLower: (text) => textOf(text).toLowerCase(),
  graphLink: (expr) => `/explore?expr=${encodeURIComponent(textOf(expr))}&tab=graph`,
  tableLink: (expr) => `/explore?expr=${encodeURIComponent(textOf(expr))}&tab=table`,
  stripPort: (host) => textOf(host).replace(/:\d+$/, ''),
  stripDomain: (host) => stripDomain(textOf(host)),
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage: (value) => `${general(numberFrom(value, 'humanizePercentage') * 100, 4)}%`,
  humanizeTimestamp,
  toDuration: (value) => goDuration(numberFrom(value, 'toDuration')),
  toTime: (value) => new GoTime(numberFrom(value, 'toTime')),
  parseDuration: (text) => {
    const parsed = parseDuration(textOf(text));
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.value / 1000;
  },
  urlQueryEscape: (text) => encodeURIComponent(textOf(text)).replaceAll('%20', '+'),
  urlquery: (text) => encodeURIComponent(textOf(text)).replaceAll('%20', '+'),
  html: escapeHtml,
  js: escapeScript,
  not: (value) => !isTrue(value),
  len: lengthOf,
  index,
  slice,
  eq: (a, ...others) => others.some((b) => compare(a, b) === 0),
  ne: (a, b) => compare(a, b) !== 0,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  print: (...values) => values.map(textOf).join(''),
  println: (...values) => `${values.map(textOf).join(' ')}\n`,
  printf,
};
