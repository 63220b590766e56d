import type { z } from 'zod';
import { requestHeaders, secret } from '@nines/server/platform/config/fields.ts';

/** As much of zod's definitions as leads to every field. */
type Def = {
  readonly type: string;
  readonly shape?: Readonly<Record<string, Node>>;
  readonly element?: Node;
  readonly valueType?: Node;
  readonly options?: readonly Node[];
  readonly discriminator?: string;
  readonly innerType?: Node;
  readonly in?: Node;
  readonly out?: Node;
};
type Node = { readonly _zod: { readonly def: Def; readonly propValues?: Readonly<Record<string, ReadonlySet<unknown>>> } };

const defOf = (schema: unknown): Def => (schema as Node)._zod.def;
const SECRET = defOf(secret).out;
const HEADERS = defOf(defOf(requestHeaders).innerType).out;
const MAX_DEPTH = 40;

export type Field = { readonly path: string; readonly is: 'secret' | 'text' };

/** Every text field of a schema: `.channels[]<webhook>.headers.*`. Alternatives that a `kind` tells apart have it in the path. */
export function fieldsOf(schema: z.ZodType): readonly Field[] {
  const found: Field[] = [];
  const walk = (node: Node, path: string, depth: number): void => {
    const def = node._zod.def;
    if (depth > MAX_DEPTH) return;
    if (def.out !== undefined && (def.out === SECRET || def.out === HEADERS)) {
      found.push({ path: def.out === HEADERS ? `${path}.*` : path, is: 'secret' });
      return;
    }
    if (def.type === 'string') found.push({ path, is: 'text' });
    for (const [name, inner] of Object.entries(def.shape ?? {})) walk(inner, `${path}.${name}`, depth + 1);
    if (def.element !== undefined) walk(def.element, `${path}[]`, depth + 1);
    if (def.valueType !== undefined) walk(def.valueType, `${path}.*`, depth + 1);
    for (const option of def.options ?? []) {
      const kinds = def.discriminator === undefined ? [] : [...(option._zod.propValues?.[def.discriminator] ?? [])];
      walk(option, kinds.length === 0 ? path : `${path}<${kinds.join('|')}>`, depth + 1);
    }
    for (const inner of [def.innerType, def.in]) if (inner !== undefined) walk(inner, path, depth + 1);
  };
  walk(schema as unknown as Node, '', 0);
  return found;
}

/** The paths at which a written configuration has texts that `isMeant`, spelled as `fieldsOf` does. */
export function writtenAt(value: unknown, isMeant: (text: string) => boolean, path = ''): readonly string[] {
  if (typeof value === 'string') return isMeant(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => {
      const kind = (item as { readonly kind?: unknown } | null)?.kind;
      return writtenAt(item, isMeant, `${path}[]${typeof kind === 'string' ? `<${kind}>` : ''}`);
    });
  }
  const inHeaders = path.endsWith('.headers');
  return Object.entries(value).flatMap(([name, inner]) => writtenAt(inner, isMeant, `${path}.${inHeaders ? '*' : name}`));
}
