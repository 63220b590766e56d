/** Go's text/template: pipelines, variables, if, with, range, templates with names. Source: pkg.go.dev/text/template. */
import { type Result, err, ok } from '@nines/base/result.ts';
import { isTemplateFunction } from './template-functions.ts';

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  /** `.`, `.Labels.job`: `name` is ''; `$x.job`: `name` is `$x`. */
  | { readonly kind: 'path'; readonly name: string; readonly fields: readonly string[] }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly fields: readonly string[] };
/** One command: a function with its arguments, or a single value. */
export type Command = readonly [Operand, ...Operand[]];
export type Pipeline = { readonly declares: readonly string[]; readonly assigns: boolean; readonly commands: readonly Command[] };
export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  /** Out of the innermost `range`, or on to its next element. */
  | { readonly kind: 'break' | 'continue' }
  /** A template that is defined in the same text; `.` is nothing without a pipeline. */
  | { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly then: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    };
export type Template = {
  readonly source: string;
  readonly nodes: readonly TemplateNode[];
  /** What `define` and `block` name. */
  readonly defined?: ReadonlyMap<string, readonly TemplateNode[]>;
};

/** Longest template: a page of text is a runbook and belongs behind a link. */
const MAX_TEMPLATE_CHARS = 65_536;
/** Deepest nesting of if, with and range. */
const MAX_DEPTH = 32;

export function parseTemplate(source: string): Result<Template, string> {
  if (source.length > MAX_TEMPLATE_CHARS) return err(`longer than ${MAX_TEMPLATE_CHARS} characters`);
  if (!source.includes('{{')) return ok({ source, nodes: source === '' ? [] : [{ kind: 'text', text: source }] });
  try {
    const parser = new TemplateParser(piecesOf(source));
    const nodes = parser.parse();
    return ok(parser.defined.size === 0 ? { source, nodes } : { source, nodes, defined: parser.defined });
  } catch (thrown) {
    if (thrown instanceof TemplateFault) return err(thrown.message);
    throw thrown;
  }
}

class TemplateFault extends Error {}

type Piece = { readonly kind: 'text' | 'action'; readonly text: string };

/** Texts and actions in turn, with `{{-` and `-}}` trimmed and comments gone. */
function piecesOf(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    const text = source.slice(at, open < 0 ? source.length : open);
    const trimsBefore = open >= 0 && /^-\s/.test(source.slice(open + 2, open + 4));
    const left = trimNext ? text.trimStart() : text;
    const trimmed = trimsBefore ? left.trimEnd() : left;
    if (trimmed !== '') pieces.push({ kind: 'text', text: trimmed });
    if (open < 0) return pieces;
    const close = endOfAction(source, open + 2);
    const body = source.slice(open + 2, close);
    trimNext = /\s-$/.test(body);
    const action = body.slice(trimsBefore ? 1 : 0, trimNext ? -1 : undefined).trim();
    if (!/^\/\*[^]*\*\/$/.test(action)) pieces.push({ kind: 'action', text: action });
    at = close + 2;
  }
}

/** The `}}` that ends an action; one inside a string does not. */
function endOfAction(source: string, from: number): number {
  for (let at = from; at < source.length; at++) {
    const char = source[at];
    if (char === '"' || char === '`') {
      at = endOfString(source, at);
    } else if (source.startsWith('}}', at)) return at;
  }
  throw new TemplateFault('unclosed action: "}}" is missing');
}

function endOfString(source: string, from: number): number {
  const quote = source[from];
  for (let at = from + 1; at < source.length; at++) {
    if (quote === '"' && source[at] === '\\') at++;
    else if (source[at] === quote) return at;
  }
  throw new TemplateFault('unterminated quoted string');
}

/** A quoted name, and what follows it. */
const NAMED = /^\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*([^]*)$/;

class TemplateParser {
  readonly defined = new Map<string, readonly TemplateNode[]>();
  #loops = 0;
  readonly #pieces: readonly Piece[];
  #at = 0;
  #depth = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  parse(): readonly TemplateNode[] {
    const nodes = this.#list();
    const rest = this.#pieces[this.#at];
    if (rest !== undefined) throw new TemplateFault(`unexpected {{${rest.text}}}`);
    return nodes;
  }

  /** Up to `else`, `end` or the end of the text; the caller takes the keyword. */
  #list(): readonly TemplateNode[] {
    const nodes: TemplateNode[] = [];
    for (let piece = this.#pieces[this.#at]; piece !== undefined; piece = this.#pieces[this.#at]) {
      if (piece.kind === 'text') {
        nodes.push({ kind: 'text', text: piece.text });
        this.#at++;
        continue;
      }
      const word = /^\w+/.exec(piece.text)?.[0] ?? '';
      if (word === 'else' || word === 'end') return nodes;
      this.#at++;
      const node = this.#action(word, piece.text);
      if (node !== undefined) nodes.push(node);
    }
    return nodes;
  }

  #action(word: string, text: string): TemplateNode | undefined {
    const rest = text.slice(word.length);
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        return this.#block(word, rest);
      case 'break':
      case 'continue':
        if (this.#loops === 0) throw new TemplateFault(`{{${word}}} outside {{range}}`);
        return { kind: word };
      case 'define':
        if (this.#depth > 0) throw new TemplateFault('unexpected {{define}} inside another block');
        if (this.#define(word, rest) !== '') throw new TemplateFault('unexpected text after the name of {{define}}');
        return undefined;
      case 'template':
      case 'block': {
        const [name, argument] = namedOf(word, rest);
        if (word === 'block') this.#define(word, rest);
        return { kind: 'template', name, pipeline: argument === '' ? undefined : parsePipeline(argument) };
      }
    }
    return { kind: 'print', pipeline: parsePipeline(text) };
  }

  /** Takes a template up to its `end`; returns what stands behind its name. */
  #define(word: string, text: string): string {
    const [name, argument] = namedOf(word, text);
    if (++this.#depth > MAX_DEPTH) throw new TemplateFault(`nested deeper than ${MAX_DEPTH}`);
    const loops = this.#loops;
    this.#loops = 0;
    const nodes = this.#list();
    this.#loops = loops;
    this.#depth--;
    if (this.#pieces[this.#at++]?.text !== 'end') throw new TemplateFault(`{{${word}}} without {{end}}`);
    this.defined.set(name, nodes);
    return argument;
  }

  #block(kind: 'if' | 'with' | 'range', condition: string): TemplateNode {
    if (++this.#depth > MAX_DEPTH) throw new TemplateFault(`nested deeper than ${MAX_DEPTH}`);
    const pipeline = parsePipeline(condition);
    if (kind === 'range') this.#loops++;
    const then = this.#list();
    if (kind === 'range') this.#loops--;
    const otherwise = this.#otherwise(kind);
    this.#depth--;
    return { kind, pipeline, then, otherwise };
  }

  /** What follows `then`: nothing, `else`, or `else if …`, which shares the `end`. */
  #otherwise(kind: string): readonly TemplateNode[] {
    const keyword = this.#pieces[this.#at++];
    if (keyword === undefined) throw new TemplateFault(`{{${kind}}} without {{end}}`);
    if (keyword.text === 'end') return [];
    const chained = /^else\s+(if|with)\b([^]*)$/.exec(keyword.text);
    if (chained !== null) return [this.#block(chained[1] as 'if', chained[2] ?? '')];
    if (keyword.text !== 'else') throw new TemplateFault(`unexpected {{${keyword.text}}}`);
    const nodes = this.#list();
    if (this.#pieces[this.#at++]?.text !== 'end') throw new TemplateFault(`{{${kind}}} without {{end}}`);
    return nodes;
  }
}

function namedOf(word: string, text: string): readonly [name: string, argument: string] {
  const [, quoted, argument = ''] = NAMED.exec(text) ?? [];
  if (quoted === undefined) throw new TemplateFault(`{{${word}}} needs a name in quotes`);
  return [quoted.startsWith('`') ? quoted.slice(1, -1) : unescape(quoted.slice(1, -1)), argument.trim()];
}

const TOKEN = /\s+|("(?:[^"\\]|\\.)*"|`[^`]*`|:=|[|(),=]|\$\w*(?:\.\w+)*|(?:\.\w+)+|\.|[-+]?\d[\w.+-]*|\w+)/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new TemplateFault(`unexpected ${JSON.stringify(text[from])} in "${text.trim()}"`);
    if (match[1] !== undefined) tokens.push(match[1]);
  }
  return tokens;
}

function parsePipeline(text: string): Pipeline {
  const tokens = tokensOf(text);
  const pipeline = pipelineOf(tokens, text.trim());
  if (tokens.length > 0) throw new TemplateFault(`unexpected "${tokens[0]}" in "${text.trim()}"`);
  return pipeline;
}

/** Takes its tokens from the front; stops before `)`. */
function pipelineOf(tokens: string[], text: string): Pipeline {
  const declares: string[] = [];
  const pairs = tokens[1] === ',' ? 2 : 1;
  const sign = tokens[2 * pairs - 1];
  const assigns = sign === '=';
  if (/^\$\w+$/.test(tokens[0] ?? '') && (sign === ':=' || assigns)) {
    for (let i = 0; i < pairs; i++) declares.push(tokens[2 * i] ?? '');
    tokens.splice(0, 2 * pairs);
  }
  const commands: Command[] = [];
  do commands.push(commandOf(tokens, text));
  while (tokens[0] === '|' && tokens.shift() !== undefined);
  return { declares, assigns, commands };
}

function commandOf(tokens: string[], text: string): Command {
  const operands: Operand[] = [];
  while (tokens[0] !== undefined && tokens[0] !== '|' && tokens[0] !== ')') operands.push(operandOf(tokens, text));
  const [first, ...rest] = operands;
  if (first === undefined) throw new TemplateFault(`missing value in "${text}"`);
  return [first, ...rest];
}

function operandOf(tokens: string[], text: string): Operand {
  const token = tokens.shift() ?? '';
  if (token === '(') {
    const pipeline = pipelineOf(tokens, text);
    if (tokens.shift() !== ')') throw new TemplateFault(`")" is missing in "${text}"`);
    const fields = /^(?:\.\w+)+$/.test(tokens[0] ?? '') ? (tokens.shift() ?? '').split('.').slice(1) : [];
    return { kind: 'pipeline', pipeline, fields };
  }
  if (token.startsWith('`')) return { kind: 'literal', value: token.slice(1, -1) };
  if (token.startsWith('"')) return { kind: 'literal', value: unescape(token.slice(1, -1)) };
  if (token.startsWith('$')) {
    const [name = '$', ...fields] = token.split('.');
    return { kind: 'path', name, fields };
  }
  if (token.startsWith('.')) return { kind: 'path', name: '', fields: token === '.' ? [] : token.split('.').slice(1) };
  if (/^[-+]?\d/.test(token)) return { kind: 'literal', value: numberOf(token) };
  if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' };
  if (token === 'nil') return { kind: 'literal', value: null };
  if (isTemplateFunction(token)) return { kind: 'function', name: token };
  if (/^\w+$/.test(token)) throw new TemplateFault(`function "${token}" not defined`);
  throw new TemplateFault(`unexpected "${token}" in "${text}"`);
}

function numberOf(token: string): number {
  const value = Number(token.replaceAll('_', ''));
  if (Number.isNaN(value)) throw new TemplateFault(`bad number "${token}"`);
  return value;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\', "'": "'" };

const unescape = (text: string): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/g, (_, u?: string, x?: string, one?: string) => {
    const hex = u ?? x;
    return hex === undefined ? (ESCAPES[one ?? ''] ?? one ?? '') : String.fromCharCode(Number.parseInt(hex, 16));
  });
