/**
 * Prometheus' rule files, read as they are. A fault names file, line and column, in the text of an expression too; a file
 * with one fault gives no rules at all, so that half a file never runs unnoticed.
 */
import { parseDuration } from '@nines/base/duration.ts';
import { type Ms, ms } from '@nines/base/units.ts';
import type { Expr } from '@nines/promql/ast.ts';
import type { PromqlError } from '@nines/promql/promql-error.ts';
import type { Result } from '@nines/base/result.ts';
import { LineCounter, type Node, type Pair, type Scalar, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { type Template, parseTemplate } from './template-parse.ts';

export type RuleFileProblem = { readonly file: string; readonly line: number; readonly column: number; readonly message: string };

type Common = {
  readonly expr: Expr;
  readonly exprText: string;
  readonly labels: Readonly<Record<string, Template>>;
  /** `rules/web.yml:12`. */
  readonly place: string;
};
export type RecordingRule = Common & { readonly kind: 'recording'; readonly record: string };
export type FileAlertingRule = Common & {
  readonly kind: 'alerting';
  readonly alert: string;
  readonly forMs: Ms;
  readonly keepFiringForMs: Ms;
  readonly annotations: Readonly<Record<string, Template>>;
};
export type FileRule = RecordingRule | FileAlertingRule;
export type RuleGroup = {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  /** Most elements of one rule; 0 is the product's own limit. */
  readonly limit: number;
  readonly queryOffsetMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** `$externalLabels` of its templates, where the configuration that names the file has some. */
  readonly externalLabels?: Readonly<Record<string, string>>;
  /** The Prometheus configuration that names the file. */
  readonly broughtBy?: string;
  readonly rules: readonly FileRule[];
};

export type RuleFileOptions = {
  /** As it stands in messages. */
  readonly file: string;
  /** For groups that name no interval. */
  readonly defaultIntervalMs: number;
  readonly parseExpr: (text: string) => Result<Expr, PromqlError>;
};

/** A file that expands one alias into another without end would fill the memory. */
const MAX_ALIASES = 100;
const GROUP_KEYS = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules'];
const RULE_KEYS = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];

/** Reads one file's text. Problems come in the order of the file. */
export function parseRuleFile(text: string, options: RuleFileOptions): Result<readonly RuleGroup[], readonly RuleFileProblem[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const reader = new Reader(options, lines);
  for (const error of document.errors)
    reader.problemAt(error.pos[0], error.message.split('\n')[0]?.replace(/ at line .*$/, '') ?? 'not YAML');
  if (reader.problems.length > 0) return { ok: false, error: reader.problems };
  try {
    document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    reader.problemAt(0, `more than ${MAX_ALIASES} aliases`);
    return { ok: false, error: reader.problems };
  }
  const groups = reader.groups(document.contents);
  return reader.problems.length > 0 ? { ok: false, error: reader.problems } : { ok: true, value: groups };
}

type Fields = ReadonlyMap<string, Node | null>;

class Reader {
  readonly problems: RuleFileProblem[] = [];
  readonly #options: RuleFileOptions;
  readonly #lines: LineCounter;

  constructor(options: RuleFileOptions, lines: LineCounter) {
    this.#options = options;
    this.#lines = lines;
  }

  problemAt(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({ file: this.#options.file, line: Math.max(1, line), column: Math.max(1, col), message });
  }

  groups(root: Node | null): readonly RuleGroup[] {
    if (root === null) return [];
    const fields = this.#map(root, ['groups'], 'the file');
    const node = fields?.get('groups');
    if (node === undefined || node === null) return [];
    const groups = this.#list(node, 'groups').map((item) => this.#group(item));
    const names = new Set<string>();
    groups.forEach((group, index) => {
      if (group !== undefined && names.has(group.name))
        this.#problem(this.#list(node, 'groups')[index], `groupname: "${group.name}" is repeated in the same file`);
      if (group !== undefined) names.add(group.name);
    });
    return groups.filter((group) => group !== undefined);
  }

  #group(node: Node): RuleGroup | undefined {
    const fields = this.#map(node, GROUP_KEYS, 'a group');
    if (fields === undefined) return undefined;
    const name = this.#text(fields.get('name'));
    if (name === undefined || name === '') this.#problem(node, 'a group needs a name');
    const limit = this.#number(fields.get('limit'));
    const labels = this.#texts(fields.get('labels'));
    this.#checkLabelNames(fields.get('labels'), labels);
    const rules = this.#list(fields.get('rules') ?? null, 'rules').map((item) => this.#rule(item, labels));
    return {
      file: this.#options.file,
      name: name ?? '',
      intervalMs: this.#duration(fields.get('interval')) || this.#options.defaultIntervalMs,
      limit,
      queryOffsetMs: this.#duration(fields.get('query_offset')),
      labels,
      rules: rules.filter((rule) => rule !== undefined),
    };
  }

  #rule(node: Node, groupLabels: Readonly<Record<string, string>>): FileRule | undefined {
    const fields = this.#map(node, RULE_KEYS, 'a rule');
    if (fields === undefined) return undefined;
    const record = this.#text(fields.get('record')) || undefined;
    const alert = this.#text(fields.get('alert')) || undefined;
    if ((record === undefined) === (alert === undefined)) this.#problem(node, 'a rule needs exactly one of "record" and "alert"');
    const expr = this.#expr(fields.get('expr'), node);
    const { line } = this.#lines.linePos(node.range?.[0] ?? 0);
    // Source: rulefmt's testTemplateParsing, which leaves recording rules alone; their labels are taken as they are written.
    const labels =
      record === undefined ? this.#templates(fields.get('labels'), groupLabels) : this.#plain(fields.get('labels'), groupLabels);
    this.#checkLabelNames(fields.get('labels'), labels);
    const forMs = ms(this.#duration(fields.get('for')));
    const keepFiringForMs = ms(this.#duration(fields.get('keep_firing_for')));
    const annotations = this.#templates(fields.get('annotations'), {});
    for (const key of ['for', 'keep_firing_for', 'annotations']) {
      if (record !== undefined && fields.has(key)) this.#problem(fields.get(key), `"${key}" does not belong to a recording rule`);
    }
    if (expr === undefined) return undefined;
    const common = { ...expr, labels, place: `${this.#options.file}:${line}` };
    if (record !== undefined) return { kind: 'recording', record, ...common };
    return { kind: 'alerting', alert: alert ?? '', forMs, keepFiringForMs, annotations, ...common };
  }

  #expr(node: Node | null | undefined, owner: Node): { expr: Expr; exprText: string } | undefined {
    const exprText = this.#text(node)?.trim();
    if (exprText === undefined || exprText === '') {
      this.#problem(owner, 'a rule needs an expression ("expr")');
      return undefined;
    }
    const parsed = this.#options.parseExpr(exprText);
    if (parsed.ok) return { expr: parsed.value, exprText };
    this.#problem(node, `could not parse expression: ${parsed.error.message}`);
    return undefined;
  }

  /** Source: prometheus model/rulefmt/rulefmt.go, Rule.Validate. */
  #checkLabelNames(node: Node | null | undefined, labels: Readonly<Record<string, unknown>>): void {
    for (const name of Object.keys(labels)) {
      if (name === '' || name === '__name__') this.#problem(node, `invalid label name: "${name}"`);
    }
  }

  #templates(node: Node | null | undefined, inherited: Readonly<Record<string, string>>): Record<string, Template> {
    const written = { ...inherited, ...this.#texts(node) };
    const templates: Record<string, Template> = Object.create(null);
    for (const [name, text] of Object.entries(written)) {
      const parsed = parseTemplate(text);
      if (parsed.ok) templates[name] = parsed.value;
      else this.#problem(node, `template of "${name}": ${parsed.error}`);
    }
    return templates;
  }

  #plain(node: Node | null | undefined, inherited: Readonly<Record<string, string>>): Record<string, Template> {
    const labels: Record<string, Template> = Object.create(null);
    for (const [name, text] of Object.entries({ ...inherited, ...this.#texts(node) }))
      labels[name] = { source: text, nodes: [{ kind: 'text', text }] };
    return labels;
  }

  /** The fields of a map; an unknown key is a problem at the key. */
  #map(node: Node, known: readonly string[], what: string): Fields | undefined {
    if (!isMap(node)) {
      this.#problem(node, `${what} must be a map`);
      return undefined;
    }
    const fields = new Map<string, Node | null>();
    for (const pair of node.items as Pair<Scalar, Node | null>[]) {
      const key = String(pair.key.value);
      if (known.includes(key)) fields.set(key, pair.value);
      else this.#problem(pair.key, `unknown key "${key}" in ${what}; known are ${known.join(', ')}`);
    }
    return fields;
  }

  #list(node: Node | null, what: string): readonly Node[] {
    if (node === null || (isScalar(node) && node.value === null)) return [];
    if (isSeq(node)) return node.items as Node[];
    this.#problem(node, `"${what}" must be a list`);
    return [];
  }

  #text(node: Node | null | undefined): string | undefined {
    if (node === undefined || node === null) return undefined;
    if (isScalar(node) && typeof node.value === 'string') return node.value;
    // Numbers and the like as they are written: `for: 5` must not become another text on its way.
    if (isScalar(node) && node.value !== null && node.source !== undefined) return node.source;
    this.#problem(node, 'expected text');
    return undefined;
  }

  #texts(node: Node | null | undefined): Record<string, string> {
    const texts: Record<string, string> = Object.create(null);
    if (node === undefined || node === null || (isScalar(node) && node.value === null)) return texts;
    if (!isMap(node)) {
      this.#problem(node, 'expected a map of names to texts');
      return texts;
    }
    for (const pair of node.items as Pair<Scalar, Node | null>[]) texts[String(pair.key.value)] = this.#text(pair.value) ?? '';
    return texts;
  }

  #duration(node: Node | null | undefined): number {
    const text = this.#text(node);
    if (text === undefined) return 0;
    const parsed = parseDuration(text);
    if (parsed.ok) return parsed.value;
    this.#problem(node, parsed.error);
    return 0;
  }

  #number(node: Node | null | undefined): number {
    const text = this.#text(node) ?? '0';
    if (/^\d+$/.test(text)) return Number(text);
    this.#problem(node, 'expected a whole number of 0 or more');
    return 0;
  }

  #problem(node: Node | null | undefined, message: string): void {
    this.problemAt(node?.range?.[0] ?? 0, message);
  }
}
