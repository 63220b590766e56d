import { type Result, err, ok } from '@nines/base/result.ts';

/**
 * String literals with Go's escapes. A query may name single bytes (`"\xff"`), which need not form UTF-8: a byte that does
 * not is kept as the lone surrogate U+DC00 + byte, so it survives but no well-formedness check takes it for text.
 */
const SIMPLE: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, "'": 39, '"': 34 };
const encoder = new TextEncoder();

/** `literal` includes its quotes; a literal in backquotes has no escapes. */
export function unquote(literal: string): Result<string, string> {
  const quote = literal.charAt(0);
  const body = literal.slice(1, -1);
  if (quote === '`' || !body.includes('\\')) return ok(body);
  const bytes: number[] = [];
  let at = 0;
  while (at < body.length) {
    const next = body.indexOf('\\', at);
    const end = next === -1 ? body.length : next;
    for (const byte of encoder.encode(body.slice(at, end))) bytes.push(byte);
    if (next === -1) break;
    const escape = readEscape(body, next + 1, quote);
    if (!escape.ok) return escape;
    bytes.push(...escape.value.bytes);
    at = escape.value.end;
  }
  return ok(decodeBytes(bytes));
}

type Escape = { readonly bytes: Iterable<number>; readonly end: number };

function readEscape(body: string, at: number, quote: string): Result<Escape, string> {
  const letter = body.charAt(at);
  const simple = SIMPLE[letter];
  if (simple !== undefined) {
    if ((letter === '"' || letter === "'") && letter !== quote)
      return err(`unknown escape sequence U+00${letter.charCodeAt(0).toString(16)} '${letter}'`);
    return ok({ bytes: [simple], end: at + 1 });
  }
  const octal = /^[0-7]{3}/.exec(body.slice(at))?.[0];
  if (octal !== undefined) {
    const byte = Number.parseInt(octal, 8);
    return byte > 255 ? err('escape sequence is an invalid Unicode code point') : ok({ bytes: [byte], end: at + 3 });
  }
  const length = { x: 2, u: 4, U: 8 }[letter];
  if (length === undefined) return err(letter === '' ? 'escape sequence not terminated' : `unknown escape sequence ${describe(letter)}`);
  const hex = body.slice(at + 1, at + 1 + length);
  if (hex.length < length || !/^[0-9a-fA-F]+$/.test(hex)) return err('illegal character in escape sequence');
  const code = Number.parseInt(hex, 16);
  if (letter === 'x') return ok({ bytes: [code], end: at + 3 });
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return err('escape sequence is an invalid Unicode code point');
  return ok({ bytes: encoder.encode(String.fromCodePoint(code)), end: at + 1 + length });
}

const describe = (letter: string): string => `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${letter}'`;

function decodeBytes(bytes: readonly number[]): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    const length =
      first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
    const code = length === 0 ? undefined : codePointFrom(bytes, at, length);
    if (code === undefined) {
      text += String.fromCharCode(0xdc00 + first);
      at++;
    } else {
      text += String.fromCodePoint(code);
      at += length;
    }
  }
  return text;
}

function codePointFrom(bytes: readonly number[], at: number, length: number): number | undefined {
  const first = bytes[at] ?? 0;
  if (length === 1) return first;
  let code = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (byte & 0x3f);
  }
  const smallest = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
  return code;
}

/** A literal in double quotes that reads back as `text`. */
export function quote(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (character === '\n') out += '\\n';
    else if (character === '\t') out += '\\t';
    else if (character === '\r') out += '\\r';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${(code - 0xdc00).toString(16)}`;
    else out += character;
  }
  return `${out}"`;
}
