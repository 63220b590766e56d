import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type Document, type YAMLError } from 'yaml';

/** Something wrong, and where: a file's line and column (both from 1), or 0 and 0 when it does not stand in a file. */
export type ConfigProblem = { readonly file: string; readonly line: number; readonly column: number; readonly message: string };

/** A YAML file that remembers where everything stands. */
export type YamlSource = {
  /** Plain value; undefined for an empty file. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
  /** Where the value at `path` begins, or the nearest enclosing thing that exists. */
  at(path: readonly PropertyKey[]): { readonly line: number; readonly column: number };
  /** Where the key itself stands. */
  atKey(path: readonly PropertyKey[], key: string): { readonly line: number; readonly column: number };
};

/** References to anchors that one file may make in all: far more than people write, far fewer than a "billion laughs" needs. */
const MAX_ALIASES = 200;
/** Largest configuration file. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/** Parses YAML 1.2. Never throws: what is wrong with the text comes as problems. */
export function parseYaml(file: string, text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true });
  const placed = (offset: number, message: string): ConfigProblem => ({ file, ...positionOf(lines, offset), message });
  const problems = document.errors.map((error) => placed(error.pos[0], wordsOf(error)));
  const warnings = document.warnings.map((warning) => placed(warning.pos[0], warning.message));
  const { value, failure } = problems.length > 0 ? { value: undefined, failure: undefined } : plainValue(document);
  if (failure !== undefined) problems.push(placed(0, failure));
  const at = (path: readonly PropertyKey[]): { line: number; column: number } => positionOf(lines, startOf(nodeAt(document, path)) ?? 0);
  return {
    value,
    problems,
    warnings,
    at,
    atKey: (path, key) => positionOf(lines, keyStart(document, path, key) ?? startOf(nodeAt(document, path)) ?? 0),
  };
}

/** The parser gives up where its own stack ends; which of its parts did says nothing to the author of the file. */
const wordsOf = (error: YAMLError): string =>
  error.code === 'RESOURCE_EXHAUSTION' && /stack/i.test(error.message) ? 'nested too deeply' : error.message;

function plainValue(document: Document): { readonly value: unknown; readonly failure: string | undefined } {
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown, failure: undefined };
  } catch (thrown) {
    return { value: undefined, failure: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

function positionOf(lines: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** The node at `path`, or the deepest one on the way to it. */
function nodeAt(document: Document, path: readonly PropertyKey[]): Node | null {
  let node: Node | null = document.contents as Node | null;
  for (const step of path) {
    const next: unknown = isMap(node) || isSeq(node) ? node.get(step, true) : undefined;
    if (next === undefined || next === null) return node;
    node = next as Node;
  }
  return node;
}

const startOf = (node: Node | null): number | undefined => node?.range?.[0];

function keyStart(document: Document, path: readonly PropertyKey[], key: string): number | undefined {
  const parent = nodeAt(document, path);
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key);
  return startOf((pair?.key ?? null) as Node | null);
}
