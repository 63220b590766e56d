import { err, ok, type Result } from '@nines/base/result.ts';

/**
 * The part of JSONPath (RFC 9535) that names one place or all of an array or object: `$`, `.name`, `['name']`, `[0]`, `[-1]`, `[*]`
 * and `.*`. Filters, slices and `..` are refused by name.
 */
export type JsonPath = readonly Step[];
type Step =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' };

const STEP =
  /^(?:\.([A-Za-z_\u0080-\uffff][\w\u0080-\uffff-]*)|\.(\*)|\[(\*)\]|\[(-?\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\])/;

export function parseJsonPath(text: string): Result<JsonPath, string> {
  if (!text.startsWith('$')) return err(`not a JSONPath: "${text}" (it begins with $)`);
  const steps: Step[] = [];
  for (let rest = text.slice(1); rest !== ''; ) {
    const match = STEP.exec(rest);
    if (match === null) return err(`not understood in a JSONPath: "${rest.slice(0, 40)}" (write .name, ['name'], [0] or [*])`);
    const [whole, name, dotAll, all, index, single, double] = match;
    if (name !== undefined) steps.push({ kind: 'name', name });
    else if (dotAll !== undefined || all !== undefined) steps.push({ kind: 'all' });
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else steps.push({ kind: 'name', name: (single ?? double ?? '').replace(/\\(.)/g, '$1') });
    rest = rest.slice(whole.length);
  }
  return ok(steps);
}

/** Every value that the path leads to, in document order. */
export function findByPath(root: unknown, path: JsonPath): readonly unknown[] {
  return path.reduce<readonly unknown[]>((found, step) => found.flatMap((value) => follow(value, step)), [root]);
}

function follow(value: unknown, step: Step): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (step.kind === 'all') return Object.values(value);
  if (step.kind === 'index') {
    const index = Array.isArray(value) && step.index < 0 ? value.length + step.index : step.index;
    return Array.isArray(value) && index >= 0 && index < value.length ? [value[index]] : [];
  }
  return !Array.isArray(value) && Object.hasOwn(value, step.name) ? [(value as Record<string, unknown>)[step.name]] : [];
}
