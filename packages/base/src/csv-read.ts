import { type Result, err, ok } from './result.ts';

/** One record: its fields, and the line on which it begins, from 1. */
export type CsvRecord = { readonly line: number; readonly fields: readonly string[] };

/**
 * Reads RFC 4180: fields parted by commas, quoted where they hold commas, quotes (doubled) or line breaks. Lines end with CRLF or LF; empty ones
 * are passed over, a byte order mark too.
 */
export function parseCsv(text: string): Result<readonly CsvRecord[], string> {
  const records: CsvRecord[] = [];
  let [at, line] = [text.startsWith('\uFEFF') ? 1 : 0, 1];
  while (at < text.length) {
    const began = line;
    const fields: string[] = [];
    for (let more = true; more; ) {
      const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
      if (field === undefined) return err(`line ${began}: a quoted field does not end, or something follows its end`);
      fields.push(field.value);
      line += field.breaks;
      at = field.endsAt;
      more = text[at] === ',';
      if (more) at++;
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    at++;
    line++;
    if (fields.length > 1 || fields[0] !== '') records.push({ line: began, fields });
  }
  return ok(records);
}

type Field = { readonly value: string; readonly endsAt: number; readonly breaks: number };

const PLAIN = /[^,\r\n]*/y;
function plainField(text: string, at: number): Field {
  PLAIN.lastIndex = at;
  const value = PLAIN.exec(text)?.[0] ?? '';
  return { value, endsAt: at + value.length, breaks: 0 };
}

/** By hand: a pattern that repeats needs stack for each character of the field. */
function quotedField(text: string, at: number): Field | undefined {
  let end = text.indexOf('"', at + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  const after = text[end + 1];
  if (end < 0 || (after !== undefined && after !== ',' && after !== '\r' && after !== '\n')) return undefined;
  const inner = text.slice(at + 1, end);
  return { value: inner.replaceAll('""', '"'), endsAt: end + 1, breaks: inner.split('\n').length - 1 };
}
