/** Text that is HTML already. Made by `html` and `trusted` alone, so that nothing unescaped slips in. */
export type Html = { readonly markup: string };

type Part = Html | string | number | null | undefined | readonly Part[];

/** A template whose values are escaped, unless they are `Html`. Lists are joined, null and undefined are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return { markup: strings.reduce((markup, text, i) => markup + text + (i < values.length ? render(values[i]) : ''), '') };
}

/** For style sheets written in code; never for anything that comes from outside. */
export const trusted = (markup: string): Html => ({ markup });

function render(part: Part): string {
  if (part === null || part === undefined) return '';
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return 'markup' in part ? part.markup : part.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
