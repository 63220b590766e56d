import { type Result, err, ok } from '@nines/base/result.ts';
import { type Labels, METRIC_NAME, labelsFrom } from './labels.ts';

/**
 * The text of one series as exposition formats write it: `name`, `name{a="b"}`, or with names beyond the classic alphabet
 * `{"my.name","my.label"="b"}`.
 */
export type SeriesText = {
  readonly name: string;
  readonly labels: Labels;
  /** Labels that are written with an empty value, which `labels` leaves out; absent when there are none. */
  readonly empty?: readonly string[];
};

const QUOTE = 34;
const BACKSLASH = 92;

export function skipBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
  return at;
}

/** Whether `name` can stand without quotes, as a metric name (colons allowed) or as a label name. */
export const isClassicMetricName = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
export const isClassicLabelName = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);

/** The end of the series that begins at `from`: exclusive, blanks before the value not included; -1 when a brace stays open. */
export function seriesTextEnd(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isNameCode(text.charCodeAt(at))) at++;
  const open = skipBlanks(text, at, end);
  if (text.charAt(open) !== '{' || open >= end) return at;
  for (let i = open + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === 125) return i + 1;
    if (code !== QUOTE) continue;
    i = quoteEnd(text, i, end);
    if (i < 0) return -1;
  }
  return -1;
}

/** The index of the quote that closes the one at `from`, or -1. */
function quoteEnd(text: string, from: number, end: number): number {
  for (let i = from + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i;
  }
  return -1;
}

const isNameCode = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 58) || code === 95;

/** `\\`, `\n` and, where quotes end the text, `\"`. Any other backslash stays, as Prometheus leaves it. */
export function unescapeText(text: string, quotes: boolean): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(.)/g, (whole, escaped: string) => {
    if (escaped === 'n') return '\n';
    return escaped === '\\' || (quotes && escaped === '"') ? escaped : whole;
  });
}

export function escapeText(text: string, quotes: boolean): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return quotes ? escaped.replaceAll('"', '\\"') : escaped;
}

/** Reads the text of a series (or of a bare label set). Refused with the reason: bad syntax, a name twice. */
export function parseSeriesText(text: string): Result<SeriesText, string> {
  const open = text.indexOf('{');
  const written = open < 0 ? text : text.slice(0, open).trimEnd();
  if (written !== '' && !isClassicMetricName(written)) return err(`not a metric name: "${written}"`);
  if (open < 0) return ok({ name: written, labels: [METRIC_NAME, written] });
  const pairs = new Map<string, string>();
  let name = written;
  let at = skipBlanks(text, open + 1, text.length);
  while (text.charAt(at) !== '}') {
    const key = readName(text, at);
    if (key === undefined) return err(`not a label name: "${text.slice(at, at + 40)}"`);
    at = skipBlanks(text, key.end, text.length);
    if (text.charAt(at) === '=') {
      at = skipBlanks(text, at + 1, text.length);
      const close = text.charCodeAt(at) === QUOTE ? quoteEnd(text, at, text.length) : -1;
      if (close < 0) return err(`value of label "${key.name}" is not in quotes`);
      if (pairs.has(key.name)) return err(`label name "${key.name}" twice`);
      if (key.name === METRIC_NAME) return err(`label "${METRIC_NAME}" cannot be written out`);
      pairs.set(key.name, unescapeText(text.slice(at + 1, close), true));
      at = close + 1;
    } else if (key.quoted && name === '' && pairs.size === 0) name = key.name;
    else return err(`label "${key.name}" without a value`);
    at = skipBlanks(text, at, text.length);
    if (text.charAt(at) === ',') at = skipBlanks(text, at + 1, text.length);
    else if (text.charAt(at) !== '}') return err(`comma or brace expected at "${text.slice(at, at + 40)}"`);
  }
  if (at !== text.length - 1) return err(`unexpected "${text.slice(at + 1, at + 41)}"`);
  const labels = labelsFrom([[METRIC_NAME, name], ...pairs]);
  const empty = [...pairs].flatMap(([label, value]) => (value === '' ? [label] : []));
  return ok(empty.length === 0 ? { name, labels } : { name, labels, empty });
}

function readName(text: string, from: number): { readonly name: string; readonly end: number; readonly quoted: boolean } | undefined {
  if (text.charCodeAt(from) === QUOTE) {
    const close = quoteEnd(text, from, text.length);
    const name = close < 0 ? '' : unescapeText(text.slice(from + 1, close), true);
    return name === '' ? undefined : { name, end: close + 1, quoted: true };
  }
  let end = from;
  while (end < text.length && isNameCode(text.charCodeAt(end))) end++;
  const name = text.slice(from, end);
  return isClassicLabelName(name) ? { name, end, quoted: false } : undefined;
}
