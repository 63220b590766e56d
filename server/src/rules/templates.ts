import { messageOf } from '@nines/base/errors.ts';
import { type TemplateSample, TEMPLATE_FUNCTIONS, type TemplateValue, isTrue, textOf } from './template-functions.ts';
import type { Command, Operand, Pipeline, Template, TemplateNode } from './template-parse.ts';

export type TemplateInput = {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly externalUrl: string;
  readonly externalLabels: Readonly<Record<string, string>>;
  /** Runs the template's `query` function at the evaluation's instant. */
  readonly query: (expr: string) => Promise<readonly TemplateSample[]>;
};

/** Longest text that a template may grow to; a `range` over a large result must not fill the memory. */
const MAX_OUTPUT_CHARS = 65_536;

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
  const expander = new Expander(input);
  try {
    await expander.run(template.nodes, { dot: root, variables });
    return expander.text;
  } catch (thrown) {
    return `<error expanding template: ${messageOf(thrown)}>`;
  }
}

type Frame = { readonly dot: TemplateValue; readonly variables: Map<string, TemplateValue> };

class Expander {
  text = '';
  readonly #input: TemplateInput;

  constructor(input: TemplateInput) {
    this.#input = input;
  }

  async run(nodes: readonly TemplateNode[], frame: Frame): Promise<void> {
    for (const node of nodes) await this.#node(node, frame);
  }

  async #node(node: TemplateNode, frame: Frame): Promise<void> {
    if (node.kind === 'text') return this.#emit(node.text);
    const { pipeline } = node;
    if (node.kind === 'print') {
      const value = await this.#pipeline(pipeline, frame);
      if (pipeline.declares.length === 0) this.#emit(textOf(value));
      return;
    }
    // Variables of a block end with it; assignments reach out, as the map of an outer frame is looked up on `=`.
    const inner: Frame = { dot: frame.dot, variables: new Map(frame.variables) };
    if (node.kind === 'range') return this.#range(node, frame, inner);
    const value = await this.#pipeline(pipeline, inner);
    if (!isTrue(value)) return this.run(node.otherwise, inner);
    await this.run(node.then, node.kind === 'with' ? { ...inner, dot: value } : inner);
    this.#carry(inner, frame);
  }

  async #range(node: Extract<TemplateNode, { pipeline: Pipeline; then: unknown }>, outer: Frame, inner: Frame): Promise<void> {
    const { declares, commands } = node.pipeline;
    const value = await this.#pipeline({ declares: [], assigns: false, commands }, inner);
    const entries: readonly (readonly [TemplateValue, TemplateValue])[] = Array.isArray(value)
      ? value.map((item, i) => [i, item as TemplateValue] as const)
      : typeof value === 'object' && value !== null
        ? Object.entries(value)
        : [];
    if (entries.length === 0) return this.run(node.otherwise, inner);
    for (const [key, item] of entries) {
      const [first, second] = declares;
      if (second !== undefined && first !== undefined) inner.variables.set(first, key).set(second, item);
      else if (first !== undefined) inner.variables.set(first, item);
      await this.run(node.then, { ...inner, dot: item });
    }
    this.#carry(inner, outer);
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
    if (typeof at !== 'object' || at === null || Array.isArray(at)) throw new Error(`can't evaluate field ${name}`);
    at = Object.hasOwn(at, name) ? ((at as Record<string, TemplateValue>)[name] ?? '') : '';
  }
  return at;
}
