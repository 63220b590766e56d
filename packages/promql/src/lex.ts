import { parseDuration } from '@nines/base/duration.ts';
import type { Position } from './ast.ts';
import { PromqlFailure } from './promql-error.ts';
import { unquote } from './strings.ts';

/**
 * Query text to tokens. Words are not told apart here: whether `sum` is an aggregation or a metric's name depends on what
 * follows, which the parser knows. Inside braces and brackets a colon is not part of a word.
 */
export type TokenKind = 'word' | 'number' | 'duration' | 'string' | 'sign' | 'end';
export type Token = Position & {
  readonly kind: TokenKind;
  /** As written; for strings the text itself. */
  readonly text: string;
  /** Seconds for durations, the number for numbers, 0 otherwise. */
  readonly value: number;
};

/** Longest query taken, in characters: far above what dashboards send, small enough to parse in milliseconds. */
export const MAX_QUERY_LENGTH = 1_000_000;

const SPACE = /[ \t\r\n]+|#[^\n]*/y;
const WORD = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const WORD_WITHOUT_COLON = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const DURATION = /(?:[0-9]+(?:ms|[smhdwy]))+/y;
const HEX = /0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*/y;
const DECIMAL = /(?:[0-9](?:_?[0-9])*)?(?:\.(?:[0-9](?:_?[0-9])*)?)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?/y;
const TRAILING = /[a-zA-Z0-9_.]+/y;
const SIGN = /==|=~|!=|!~|<=|>=|<\/|>\/|[-+*/%^<>=(){}[\],:@]/y;

/** Throws `PromqlFailure` at the first text that is no token. The last token is always `end`. */
export function lex(text: string): readonly Token[] {
  if (text.length > MAX_QUERY_LENGTH)
    throw new PromqlFailure('bad_data', `query longer than ${MAX_QUERY_LENGTH} characters`, { from: 0, to: 0 });
  return new Lexer(text).run();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  readonly #open: Token[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly Token[] {
    for (;;) {
      while (this.#match(SPACE) !== undefined);
      if (this.#at >= this.#text.length) break;
      this.#next();
    }
    const open = this.#open.at(-1);
    if (open !== undefined) this.#fail(UNCLOSED[open.text] ?? 'unclosed bracket', this.#text.length, this.#text.length);
    this.#push('end', '', this.#at);
    return this.#tokens;
  }

  #next(): void {
    const from = this.#at;
    const first = this.#text.charAt(from);
    if (/[0-9]/.test(first) || (first === '.' && /[0-9]/.test(this.#text.charAt(from + 1)))) return this.#number(from);
    if (first === '"' || first === "'" || first === '`') return this.#string(from, first);
    const inside = this.#open.at(-1)?.text;
    const word = this.#match(inside === '{' || inside === '[' ? WORD_WITHOUT_COLON : WORD);
    if (word !== undefined) return this.#push('word', word, from);
    const sign = this.#match(SIGN);
    if (sign === undefined)
      return this.#fail(`unexpected character: '${String.fromCodePoint(this.#text.codePointAt(from) ?? 0)}'`, from, from + 1);
    this.#push('sign', sign, from);
    this.#nest(sign);
  }

  #nest(sign: string): void {
    const token = this.#tokens.at(-1);
    if (token === undefined) return;
    if (sign === '(' || sign === '{' || sign === '[') {
      if (sign !== '(' && this.#open.at(-1)?.text === sign)
        this.#fail(`unexpected left ${sign === '{' ? 'brace' : 'bracket'} '${sign}'`, token.from, token.to);
      this.#open.push(token);
      return;
    }
    const opener = OPENER[sign];
    if (opener === undefined) return;
    if (this.#open.at(-1)?.text !== opener) this.#fail(`unexpected right ${NAMES[sign] ?? ''} '${sign}'`, token.from, token.to);
    this.#open.pop();
  }

  #number(from: number): void {
    const duration = this.#match(DURATION);
    if (duration !== undefined && this.#match(TRAILING) === undefined) {
      const length = parseDuration(duration);
      if (!length.ok) this.#fail(`not a valid duration string: "${duration}"`, from, this.#at);
      return this.#push('duration', duration, from, length.value / 1000);
    }
    this.#at = from;
    const number = this.#match(HEX) ?? this.#match(DECIMAL) ?? '';
    const rest = this.#match(TRAILING);
    if (rest !== undefined) this.#fail(`bad number or duration syntax: "${number}${rest}"`, from, this.#at);
    this.#push('number', number, from, numberOf(number));
  }

  #string(from: number, mark: string): void {
    let at = from + 1;
    while (at < this.#text.length && this.#text.charAt(at) !== mark) {
      if (mark !== '`' && this.#text.charAt(at) === '\\') at++;
      else if (mark !== '`' && this.#text.charAt(at) === '\n') break;
      at++;
    }
    if (this.#text.charAt(at) !== mark)
      this.#fail(mark === '`' ? 'unterminated raw string' : 'unterminated quoted string', from, this.#text.length);
    this.#at = at + 1;
    const value = unquote(this.#text.slice(from, this.#at));
    if (!value.ok) return this.#fail(value.error, from, this.#at);
    this.#push('string', value.value, from);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined || found === '') return undefined;
    this.#at += found.length;
    return found;
  }

  #push(kind: TokenKind, text: string, from: number, value = 0): void {
    this.#tokens.push({ kind, text, value, from, to: this.#at });
  }

  #fail(message: string, from: number, to: number): never {
    throw new PromqlFailure('bad_data', message, { from, to });
  }
}

const OPENER: Readonly<Record<string, string>> = { ')': '(', '}': '{', ']': '[' };
const NAMES: Readonly<Record<string, string>> = { ')': 'parenthesis', '}': 'brace', ']': 'bracket' };
const UNCLOSED: Readonly<Record<string, string>> = {
  '(': 'unclosed left parenthesis',
  '{': 'unclosed left brace',
  '[': 'unclosed left bracket',
};

/** A leading zero means octal, as Go reads integers; otherwise hex or decimal, with underscores anywhere between digits. */
function numberOf(text: string): number {
  const plain = text.replaceAll('_', '');
  return /^0[0-7]+$/.test(plain) ? Number.parseInt(plain, 8) : Number(plain);
}
