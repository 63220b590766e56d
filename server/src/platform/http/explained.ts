/**
 * Why an alert is held back: `payments, which shop depends on, was down before`. Found by its middle, which begins with a literal, in
 * time that grows with the text: texts of people are looked through as well, and a pattern that begins with the name takes the name's
 * longest length for every character of them.
 */
const MIDDLE = /, which (\S{1,200}) depends on, was down before/g;
const MAX_NAME_CHARS = 200;

type Reason = { readonly from: number; readonly to: number; readonly parent: string; readonly child: string };

function reasonsIn(text: string): readonly Reason[] {
  const found: Reason[] = [];
  for (const match of text.matchAll(MIDDLE)) {
    const least = Math.max(found.at(-1)?.to ?? 0, match.index - MAX_NAME_CHARS);
    let from = match.index;
    while (from > least && !/[\s"]/.test(text.charAt(from - 1))) from--;
    const [whole, child = ''] = match;
    if (from < match.index) found.push({ from, to: match.index + whole.length, parent: text.slice(from, match.index), child });
  }
  return found;
}

/** The services that are named as what was down before. */
export const parentsIn = (text: string): readonly string[] => reasonsIn(text).map(({ parent }) => parent);

/** The text without the names of services that explain others. */
export function unnamed(text: string): string {
  let kept = '';
  let at = 0;
  for (const { from, to, child } of reasonsIn(text)) {
    kept += `${text.slice(at, from)}something that ${child} depends on was down before`;
    at = to;
  }
  return kept + text.slice(at);
}
