/**
 * JSON in its canonical form (RFC 8785): no white space, object keys in the order of their UTF-16 code units, numbers as
 * ECMAScript prints them. Equal values have equal bytes, so a signature or a hash can be checked later by anyone.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Keys with undefined values are left out. Throws for what JSON cannot say: NaN and infinities. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`BUG: ${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  // The default order of `sort` is the one that RFC 8785 asks for.
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`)
    .join(',')}}`;
}

const isList = (value: readonly Json[] | { readonly [key: string]: Json | undefined }): value is readonly Json[] => Array.isArray(value);
