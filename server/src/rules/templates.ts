import { messageOf } from '@nines/base/errors.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { type TemplateSample, TEMPLATE_FUNCTIONS, type TemplateValue, isTrue, textOf } from './template-functions.ts';
import { GoTime } from './template-time.ts';
import type { Command, Operand, Pipeline, Template, TemplateNode } from './template-parse.ts';

export type TemplateInput = {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly externalUrl: string;
  readonly externalLabels: Readonly<Record<string, string>>;
  /** The evaluation's instant, for `now`. */
  readonly atMs: number;
  /** Runs the template's `query` function at the evaluation's instant. */
  readonly query: (expr: string) => Promise<readonly TemplateSample[]>;
  /** Told in words when the template fails. */
  readonly onFault?: (fault: string) => void;
};

/** Longest text that a template may grow to; a `range` over a large result must not fill the memory. */
const MAX_OUTPUT_CHARS = 65_536;
/** Most nodes that are evaluated: templates that call each other grow without a text. */
const MAX_STEPS = 100_000;
/** Deepest calls of templates by each other. */
const MAX_CALLS = 100;

/**
 * Expands a label's or annotation's template. Never fails: an error becomes the text `<error expanding template: …>`,
 * because an alert with a broken annotation must still reach people.
 */
export async function expandTemplate(template: Template, input: TemplateInput): Promise<string> {
  const [only] = template.nodes;
  if (only === undefined) return '';
  if (template.nodes.length === 1 && only.kind === 'text') return only.text;
  const root: TemplateValue = {
    Labels: input.labels,
    ExternalLabels: input.externalLabels,
    ExternalURL: input.externalUrl,
    Value: input.value,
  };
  const variables = new Map<string, TemplateValue>([
    ['$', root],
    ['$labels', input.labels],
    ['$externalLabels', input.externalLabels],
    ['$externalURL', input.externalUrl],
    ['$value', input.value],
  ]);
  const expander = new Expander(input, template.defined ?? new Map());
  try {
    await expander.run(template.nodes, { dot: root, variables });
    return expander.text;
  } catch (thrown) {
    input.onFault?.(`a template fails: ${messageOf(thrown)}`);
    return `<error expanding template: ${messageOf(thrown)}>`;
  }
}

/** Expands a template over any data, which is its `.` and `$`; it may not query. A fault is told in words. */
export async function renderTemplate(template: Template, data: TemplateValue, atMs: number): Promise<Result<string, string>> {
  const query = (): Promise<never> => Promise.reject(new Error('query is for the templates of rules'));
  const input = { labels: {}, value: Number.NaN, externalUrl: '', externalLabels: {}, atMs, query };
  const expander = new Expander(input, template.defined ?? new Map());
  try {
    await expander.run(template.nodes, { dot: data, variables: new Map([['$', data]]) });
    return ok(expander.text);
  } catch (thrown) {
    return err(messageOf(thrown));
  }
}

type Block = Extract<TemplateNode, { readonly then: unknown }>;
type Frame = { readonly dot: TemplateValue; readonly variables: Map<string, TemplateValue> };

/** How a list of nodes ended: `break` and `continue` reach the innermost range. */
type Ending = 'end' | 'break' | 'continue';

class Expander {
  text = '';
  readonly #input: TemplateInput;
  readonly #defined: ReadonlyMap<string, readonly TemplateNode[]>;
  #steps = 0;
  #calls = 0;

  constructor(input: TemplateInput, defined: ReadonlyMap<string, readonly TemplateNode[]>) {
    this.#input = input;
    this.#defined = defined;
  }

  async run(nodes: readonly TemplateNode[], frame: Frame): Promise<Ending> {
    for (const node of nodes) {
      const ending = await this.#node(node, frame);
      if (ending !== 'end') return ending;
    }
    return 'end';
  }

  async #node(node: TemplateNode, frame: Frame): Promise<Ending> {
    if (++this.#steps > MAX_STEPS) throw new Error(`the template takes more than ${MAX_STEPS} steps`);
    switch (node.kind) {
      case 'text':
        this.#emit(node.text);
        return 'end';
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        await this.#template(node.name, node.pipeline === undefined ? undefined : await this.#pipeline(node.pipeline, frame));
        return 'end';
      case 'print': {
        const value = await this.#pipeline(node.pipeline, frame);
        if (node.pipeline.declares.length === 0) this.#emit(textOf(value));
        return 'end';
      }
      case 'if':
      case 'with':
      case 'range':
        return this.#block(node, frame);
    }
  }

  /** A template sees what it is given as `.` and `$`, and no variable from outside. */
  async #template(name: string, dot: TemplateValue): Promise<void> {
    const nodes = this.#defined.get(name);
    if (nodes === undefined) throw new Error(`template "${name}" not defined`);
    if (++this.#calls > MAX_CALLS) throw new Error(`templates call each other deeper than ${MAX_CALLS}`);
    await this.run(nodes, { dot, variables: new Map([['$', dot]]) });
    this.#calls--;
  }

  /** `tmpl`: the text of a template as a value. */
  async #textOfTemplate(name: string, dot: TemplateValue): Promise<string> {
    const before = this.text;
    this.text = '';
    await this.#template(name, dot);
    const made = this.text;
    this.text = before;
    return made;
  }

  async #block(node: Block, frame: Frame): Promise<Ending> {
    const { pipeline } = node;
    // Variables of a block end with it; assignments reach out, as the map of an outer frame is looked up on `=`.
    const inner: Frame = { dot: frame.dot, variables: new Map(frame.variables) };
    if (node.kind === 'range') return this.#range(node, frame, inner);
    const value = await this.#pipeline(pipeline, inner);
    const taken = isTrue(value) ? node.then : node.otherwise;
    const ending = await this.run(taken, node.kind === 'with' && isTrue(value) ? { ...inner, dot: value } : inner);
    this.#carry(inner, frame);
    return ending;
  }

  async #range(node: Block, outer: Frame, inner: Frame): Promise<Ending> {
    const { declares, commands } = node.pipeline;
    const value = await this.#pipeline({ declares: [], assigns: false, commands }, inner);
    const entries: readonly (readonly [TemplateValue, TemplateValue])[] = Array.isArray(value)
      ? value.map((item, i) => [i, item as TemplateValue] as const)
      : typeof value === 'object' && value !== null && !(value instanceof GoTime)
        ? Object.entries(value)
        : [];
    if (entries.length === 0) return this.run(node.otherwise, inner);
    for (const [key, item] of entries) {
      const [first, second] = declares;
      if (second !== undefined && first !== undefined) inner.variables.set(first, key).set(second, item);
      else if (first !== undefined) inner.variables.set(first, item);
      if ((await this.run(node.then, { ...inner, dot: item })) === 'break') break;
    }
    this.#carry(inner, outer);
    return 'end';
  }

  /** What a block assigned with `=` to a variable from outside stays assigned. */
  #carry(inner: Frame, outer: Frame): void {
    for (const name of outer.variables.keys()) outer.variables.set(name, inner.variables.get(name));
  }

  async #pipeline({ declares, assigns, commands }: Pipeline, frame: Frame): Promise<TemplateValue> {
    let value: TemplateValue;
    let piped = false;
    for (const command of commands) {
      value = await this.#command(command, frame, piped ? [value] : []);
      piped = true;
    }
    for (const name of declares) {
      if (assigns && !frame.variables.has(name)) throw new Error(`undefined variable "${name}"`);
      frame.variables.set(name, value);
    }
    return value;
  }

  async #command([head, ...rest]: Command, frame: Frame, piped: readonly TemplateValue[]): Promise<TemplateValue> {
    if (head.kind !== 'function') {
      const method =
        (head.kind === 'path' || head.kind === 'pipeline') && rest.length + piped.length === 1 ? head.fields.at(-1) : undefined;
      if (method !== undefined && (head.kind === 'path' || head.kind === 'pipeline')) {
        const owner = await this.#operand({ ...head, fields: head.fields.slice(0, -1) }, frame);
        const [operand] = rest;
        const argument = textOf(operand === undefined ? piped[0] : await this.#operand(operand, frame));
        const made = owner instanceof GoTime ? owner.method(method, argument) : undefined;
        if (made !== undefined) return made;
      }
      if (rest.length > 0 || piped.length > 0) throw new Error("can't give argument to non-function");
      return this.#operand(head, frame);
    }
    if (head.name === 'and' || head.name === 'or') return this.#lazy(head.name, rest, { frame, piped });
    const args: TemplateValue[] = [];
    for (const operand of rest) args.push(await this.#operand(operand, frame));
    return this.#call(head.name, [...args, ...piped]);
  }

  /** `and` and `or` stop at the first argument that decides, as in Go. */
  async #lazy(
    name: 'and' | 'or',
    operands: readonly Operand[],
    { frame, piped }: { frame: Frame; piped: readonly TemplateValue[] },
  ): Promise<TemplateValue> {
    let value: TemplateValue;
    for (const operand of operands) {
      value = await this.#operand(operand, frame);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  async #call(name: string, args: readonly TemplateValue[]): Promise<TemplateValue> {
    if (name === 'query') return [...(await this.#input.query(textOf(args[0])))];
    if (name === 'now') return this.#input.atMs / 1000;
    if (name === 'tmpl') return this.#textOfTemplate(textOf(args[0]), args[1]);
    if (name === 'externalURL') return this.#input.externalUrl;
    if (name === 'pathPrefix') return new URL(this.#input.externalUrl).pathname.replace(/\/$/, '');
    const run = Object.hasOwn(TEMPLATE_FUNCTIONS, name) ? TEMPLATE_FUNCTIONS[name] : undefined;
    if (run === undefined) throw new Error(`function "${name}" not defined`);
    return run(...args);
  }

  async #operand(operand: Operand, frame: Frame): Promise<TemplateValue> {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'function':
        return this.#call(operand.name, []);
      case 'pipeline':
        return walk(await this.#pipeline(operand.pipeline, frame), operand.fields);
      case 'path': {
        if (operand.name !== '' && !frame.variables.has(operand.name)) throw new Error(`undefined variable "${operand.name}"`);
        return walk(operand.name === '' ? frame.dot : frame.variables.get(operand.name), operand.fields);
      }
    }
  }

  #emit(text: string): void {
    this.text += text;
    if (this.text.length > MAX_OUTPUT_CHARS) throw new Error(`the text grew beyond ${MAX_OUTPUT_CHARS} characters`);
  }
}

/** Labels that are not there are empty texts, as Prometheus sets `missingkey=zero`. */
function walk(value: TemplateValue, fields: readonly string[]): TemplateValue {
  let at = value;
  for (const name of fields) {
    if (at instanceof GoTime) {
      const made = at.method(name);
      if (made === undefined) throw new Error(`can't evaluate field ${name} of a time`);
      at = made;
      continue;
    }
    if (typeof at !== 'object' || at === null || (Array.isArray(at) && !Object.hasOwn(at, name)))
      throw new Error(`can't evaluate field ${name}`);
    at = Object.hasOwn(at, name) ? ((at as Record<string, TemplateValue>)[name] ?? '') : '';
  }
  return at;
}
