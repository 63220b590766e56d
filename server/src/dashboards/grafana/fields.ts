/**
 * Reading what somebody else wrote: every field may be missing, of another kind, or inherited from nowhere good. Only own properties
 * are seen, nothing is followed deeper than asked, and what is not as expected reads as absent.
 */
export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = {};

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : NONE);

/** The value at a path of own properties. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (!isFields(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

export const fieldsAt = (value: unknown, ...path: readonly string[]): Fields => fieldsOf(valueAt(value, ...path));

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The entries of a list that are objects. */
export const objectsAt = (value: unknown, ...path: readonly string[]): readonly Fields[] => listAt(value, ...path).filter(isFields);

/** A text, without what no database keeps: the character 0 and half characters. '' for anything else. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? plain(found) : '';
}

export const plain = (text: string): string => text.toWellFormed().replaceAll('\0', '');

/** A finite number, also one that older versions wrote as a text. */
export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path);
  const number = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export const isTrueAt = (value: unknown, ...path: readonly string[]): boolean => valueAt(value, ...path) === true;

/** The texts of one that may be written as a list. */
export function textsAt(value: unknown, ...path: readonly string[]): readonly string[] {
  const found = valueAt(value, ...path);
  const all: readonly unknown[] = Array.isArray(found) ? found : [found];
  return all.flatMap((one) => (typeof one === 'string' ? [plain(one)] : typeof one === 'number' ? [String(one)] : []));
}
