import type { Position } from './ast.ts';
import type { Token } from './lex.ts';
import { PromqlFailure } from './promql-error.ts';

/**
 * How deep expressions may nest, and how many operators one may chain (a chain is as deep a tree). Far beyond what people and
 * generators write, and far from what would overflow the stack of whoever walks the tree.
 */
export const MAX_DEPTH = 500;
const MAX_OPERATORS = 1_000;

/** The parser's place among the tokens. Words are compared without regard to case, as PromQL's keywords are. */
export class Cursor {
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  #operators = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The token `ahead` places on, the last one behind it. Fails where the next text is no token. */
  peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new Error('BUG: a token list without its end');
    if (ahead === 0 && token.kind === 'error') this.fail(token.text, token);
    return token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#index++;
    return token;
  }

  /** Where the last taken token ended. */
  get endOfLast(): number {
    return this.#tokens[this.#index - 1]?.to ?? 0;
  }

  /** Parses something that may contain its own kind again. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) this.fail(`expression nested deeper than ${MAX_DEPTH} levels`, this.peek());
    const result = parse();
    this.#depth--;
    return result;
  }

  countOperator(): void {
    if (++this.#operators > MAX_OPERATORS) this.fail(`expression with more than ${MAX_OPERATORS} binary operators`, this.peek());
  }

  isSign(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'sign' && token.text === text;
  }

  isWord(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'word' && token.text.toLowerCase() === text;
  }

  takeSign(text: string): boolean {
    if (!this.isSign(text)) return false;
    this.next();
    return true;
  }

  takeWord(text: string): boolean {
    if (!this.isWord(text)) return false;
    this.next();
    return true;
  }

  expectSign(text: string, context: string, expected = `"${text}"`): Token {
    if (!this.isSign(text)) this.unexpected(context, expected);
    return this.next();
  }

  from(start: number): Position {
    return { from: start, to: this.endOfLast };
  }

  /** Fails at the next token: `unexpected X in context, expected Y`. */
  unexpected(context = '', expected = ''): never {
    const token = this.peek();
    const inside = context === '' ? '' : ` in ${context}`;
    const wanted = expected === '' ? '' : `, expected ${expected}`;
    this.fail(`unexpected ${describe(token)}${inside}${wanted}`, token);
  }

  fail(message: string, position: Position): never {
    throw new PromqlFailure('bad_data', message, { from: position.from, to: position.to });
  }
}

const OPERATOR_WORDS = new Set(['and', 'or', 'unless', 'atan2']);
const KEYWORDS = new Set(['offset', 'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'bool']);

function describe(token: Token): string {
  const word = token.text.toLowerCase();
  switch (token.kind) {
    case 'end':
    case 'error':
      return 'end of input';
    case 'string':
      return `string "${token.text}"`;
    case 'number':
      return `number "${token.text}"`;
    case 'duration':
      return `duration "${token.text}"`;
    case 'word':
      if (OPERATOR_WORDS.has(word)) return `<op:${word}>`;
      if (KEYWORDS.has(word)) return `<${word}>`;
      return `identifier "${token.text}"`;
    case 'sign':
      return /^[-+*/%^<>=!]/.test(token.text) && token.text !== '=' ? `<op:${token.text}>` : `"${token.text}"`;
  }
}
