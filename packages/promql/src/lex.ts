import { parseDuration } from '@nines/base/duration.ts';
import type { Position } from './ast.ts';
import { PromqlFailure } from './promql-error.ts';
import { unquote } from './strings.ts';

/**
 * Query text to tokens. Words are not told apart here: whether `sum` is an aggregation or a metric's name depends on what
 * follows, which the parser knows. Inside braces and brackets a colon is not part of a word.
 */
export type TokenKind = 'word' | 'number' | 'duration' | 'string' | 'sign' | 'end' | 'error';
export type Token = Position & {
  readonly kind: TokenKind;
  /** As written; for strings the text itself, for errors what is wrong. */
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
const SIGN = /==|!=|<=|>=|<\/|>\/|[-+*/%^<>=(){[\],:@]/y;
const SIGN_IN_BRACES = /=~|!~|!=|[={},]/y;

/**
 * The last token is `end`, or `error` at the first text that is no token: whether anybody gets there depends on what stands before.
 * Throws `PromqlFailure` for a text that is too long.
 */
export function lex(text: string): readonly Token[] {
  if (text.length > MAX_QUERY_LENGTH)
    throw new PromqlFailure('bad_data', `query longer than ${MAX_QUERY_LENGTH} characters`, { from: 0, to: 0 });
  return new Lexer(text).run();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #parentheses = 0;
  #inBrackets = false;
  #inBraces = false;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly Token[] {
    try {
      for (;;) {
        while (this.#match(SPACE) !== undefined);
        if (this.#at >= this.#text.length) break;
        this.#next();
      }
      this.#refuseUnclosed();
      this.#push('end', '', this.#at);
    } catch (thrown) {
      if (!(thrown instanceof PromqlFailure) || thrown.position === undefined) throw thrown;
      this.#tokens.push({ kind: 'error', text: thrown.message, value: 0, ...thrown.position });
    }
    return this.#tokens;
  }

  #refuseUnclosed(): void {
    const what = this.#inBraces
      ? 'unexpected end of input inside braces'
      : this.#parentheses > 0
        ? 'unclosed left parenthesis'
        : this.#inBrackets
          ? 'unclosed left bracket'
          : undefined;
    if (what !== undefined) this.#fail(what, this.#at, this.#at);
  }

  #next(): void {
    const from = this.#at;
    const first = this.#text.charAt(from);
    if (first === '"' || first === "'" || first === '`') return this.#string(from, first);
    if (!this.#inBraces && (/[0-9]/.test(first) || (first === '.' && /[0-9]/.test(this.#text.charAt(from + 1))))) return this.#number(from);
    const word = this.#match(this.#inBraces || this.#inBrackets ? WORD_WITHOUT_COLON : WORD);
    if (word !== undefined) return this.#push('word', word, from);
    const written = String.fromCodePoint(this.#text.codePointAt(from) ?? 0);
    const behind = this.#text.slice(from + 1, from + 2);
    if (!this.#inBraces && written === '=' && behind === '~') this.#fail(`unexpected character after '=': '~'`, from, from + 2);
    const sign = this.#match(this.#inBraces ? SIGN_IN_BRACES : SIGN);
    if (sign !== undefined) return this.#sign(sign, from);
    const inside = this.#inBraces ? ' inside braces' : '';
    if (written === '!' && behind !== '') this.#fail(`unexpected character after '!'${inside}: '${behind}'`, from, from + 2);
    this.#fail(`unexpected character${inside}: '${written}'`, from, from + 1);
  }

  #sign(sign: string, from: number): void {
    switch (sign) {
      case '(':
        this.#parentheses++;
        break;
      case ')':
        // As in Prometheus, the place is behind it.
        if (--this.#parentheses < 0) this.#fail("unexpected right parenthesis ')'", this.#at, this.#at);
        break;
      case '[':
        if (this.#inBrackets) this.#fail("unexpected left bracket '['", from, this.#at);
        this.#inBrackets = true;
        break;
      case ']':
        if (!this.#inBrackets) this.#fail("unexpected right bracket ']'", from, this.#at);
        this.#inBrackets = false;
        break;
      case '{':
        if (this.#inBraces) this.#fail("unexpected left brace '{'", from, this.#at);
        this.#inBraces = true;
        break;
      case '}':
        this.#inBraces = false;
        break;
    }
    this.#push('sign', sign, from);
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

/** A leading zero means octal, as Go reads integers; otherwise hex or decimal, with underscores anywhere between digits. */
function numberOf(text: string): number {
  const plain = text.replaceAll('_', '');
  return /^0[0-7]+$/.test(plain) ? Number.parseInt(plain, 8) : Number(plain);
}
