/** Objects as the configuration holds them. */
import { stringify } from 'yaml';
import { HIDDEN } from '../platform/scrub.ts';

/** Where in a file an object stands: keys, and `[]` for a place in a list. */
export type Place = readonly string[];

/** The object with everything it stands under, so that the text is a file by itself. Absent values are left out. */
export function nested(place: Place, value: unknown): unknown {
  return place.reduceRight<unknown>((inner, key) => (key === '[]' ? [inner] : { [key]: inner }), value);
}

/** Block style, two blanks, no anchors: what a person would write. */
export const yamlOf = (document: unknown): string => stringify(withoutAbsent(document), { aliasDuplicateObjects: false, lineWidth: 0 });

/** Whether anything in it stands in the place of a secret. */
export const isRedacted = (text: string): boolean => text.includes(HIDDEN.slice(0, -1));

function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, withoutAbsent(inner)]])));
}
