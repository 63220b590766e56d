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

const QUOTED = /"((?:[^"]|"")*)"(?=,|\r?\n|\r|$)/y;
function quotedField(text: string, at: number): Field | undefined {
  QUOTED.lastIndex = at;
  const found = QUOTED.exec(text);
  if (found === null) return undefined;
  const inner = found[1] ?? '';
  return { value: inner.replaceAll('""', '"'), endsAt: at + found[0].length, breaks: inner.split('\n').length - 1 };
}
