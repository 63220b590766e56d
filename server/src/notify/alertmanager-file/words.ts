import { templateFault } from '../words.ts';
import type { Entry } from './entry.ts';

/** Templates that Alertmanager itself brings: the product has words of its own in their place. */
const OWN_NAME = /^(?:[a-z0-9]+\.default\.|__)/;
const CALL = /\{\{-?\s*(?:template|block)\s+"([^"]+)"/g;
const DEFINE = /\{\{-?\s*define\s+"([^"]+)"/g;

/** What template files define, as one text that may follow any template. */
export const definitionsOf = (texts: readonly string[]): string =>
  texts.map((text) => text.replace(/(\{\{-?\s*end\s*-?\}\})\s+(?=\{\{-?\s*define\b)/g, '$1').trim()).join('');

/** The user's own words of an entry, as a channel's templates. Words that cannot be said here are losses; the product's are used then. */
export function templatesOf(
  entry: Entry,
  keys: { readonly title?: string; readonly text?: string },
  definitions: string,
): { readonly templates?: { title?: string; text?: string } } {
  const templates: { title?: string; text?: string } = {};
  for (const part of ['title', 'text'] as const) {
    const key = keys[part];
    const written = key === undefined ? undefined : entry.text(key);
    if (key === undefined || written === undefined) continue;
    const made = spoken(written, definitions);
    if (typeof made === 'string') templates[part] = made;
    else if (made.fault !== undefined) entry.lose(key, `${key} is said in the product's words: ${made.fault}`);
  }
  return Object.keys(templates).length === 0 ? {} : { templates };
}

/** The template with what it needs of the definitions; without a fault when it only asks for Alertmanager's own words. */
function spoken(written: string, definitions: string): string | { readonly fault?: string } {
  const names = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].flatMap(([, name]) => name ?? []);
  const called = names(written, CALL);
  const defined = new Set([...names(definitions, DEFINE), ...names(written, DEFINE)]);
  const missing = called.filter((name) => !defined.has(name));
  const isWhole = /^\s*\{\{-?\s*template\s+"[^"]+"\s+\.\s*-?\}\}\s*$/.test(written);
  const own = missing.find((name) => OWN_NAME.test(name));
  if (own !== undefined && isWhole) return {};
  if (missing[0] !== undefined) return { fault: `there is no template "${missing[0]}"` };
  const whole = called.length === 0 ? written : written + definitions;
  const further = called.length === 0 ? [] : names(definitions, CALL).filter((name) => !defined.has(name));
  if (further[0] !== undefined) return { fault: `a template file uses "${further[0]}", which nobody defines here` };
  const fault = templateFault(whole);
  return fault === undefined ? whole : { fault };
}
