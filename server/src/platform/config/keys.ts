import { z } from 'zod';

/** What the loader must know of a schema beyond parsing: the keys that are allowed at a path, and whether text belongs there. */
type Node = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Node>>;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
};

export type SchemaMap = {
  /** Keys known at `path`, over all alternatives that fit there. */
  keysAt(path: readonly PropertyKey[]): readonly string[];
  /** Texts that an enumeration allows at `path`; empty when anything is allowed. */
  valuesAt(path: readonly PropertyKey[]): readonly string[];
  /** Whether a text is wanted at `path`, so that `1234` from the environment stays a text. */
  wantsText(path: readonly PropertyKey[]): boolean;
};

/** Reads the input side of a zod schema through its JSON Schema. */
export function mapSchema(schema: z.ZodType): SchemaMap {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node;
  const nodesAt = (path: readonly PropertyKey[]): readonly Node[] =>
    path.reduce<readonly Node[]>((nodes, step) => nodes.flatMap((node) => stepInto(root, node, step)), alternatives(root, root));
  return {
    keysAt: (path) => [...new Set(nodesAt(path).flatMap((node) => Object.keys(node.properties ?? {})))],
    valuesAt: (path) =>
      [...new Set(nodesAt(path).flatMap((node) => node.enum ?? (node.const === undefined ? [] : [node.const])))].filter(
        (value) => typeof value === 'string',
      ),
    wantsText: (path) => {
      const types = nodesAt(path).flatMap((node) => (node.enum === undefined ? node.type : [...node.enum].map((value) => typeof value)));
      return types.includes('string') && !types.some((type) => type === 'number' || type === 'integer' || type === 'boolean');
    },
  };
}

function alternatives(root: Node, node: Node): readonly Node[] {
  if (node.$ref !== undefined) {
    const name = node.$ref.replace(/^#\/\$defs\//, '');
    const target = node.$ref === '#' ? root : root.$defs?.[name];
    return target === undefined ? [] : alternatives(root, target);
  }
  const nested = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return [node, ...nested.flatMap((inner) => alternatives(root, inner))];
}

function stepInto(root: Node, node: Node, step: PropertyKey): readonly Node[] {
  const next = typeof step === 'number' ? node.items : (node.properties?.[String(step)] ?? node.additionalProperties);
  return next === undefined || typeof next === 'boolean' ? [] : alternatives(root, next);
}

/** The known key nearest to a mistyped one, when it is near enough to be meant: at most a third of its letters differ. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known.map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }));
  const best = ranked.sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

/** Levenshtein's distance with neighbours swapped counted as one (optimal string alignment), because that is how people mistype. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
