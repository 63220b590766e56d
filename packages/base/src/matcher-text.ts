import { type Matcher, matcher } from './matcher.ts';
import { type Result, err, ok } from './result.ts';

/** `name op "value"`, or several in braces separated by commas. Source: alertmanager docs/configuration.md, matchers. */
export function parseMatchers(text: string): Result<readonly Matcher[], string> {
  const trimmed = text.trim();
  const inner = trimmed.startsWith('{') && trimmed.endsWith('}') ? trimmed.slice(1, -1) : trimmed;
  const found: Matcher[] = [];
  let rest = inner.trim();
  while (rest !== '') {
    const parts = /^(?:"((?:[^"\\]|\\.)*)"|([^\s=!~,"{}]+))\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}]*?))\s*(?:,|$)/.exec(rest);
    if (parts === null) return err(`not a matcher: "${rest}" (write for example severity="critical")`);
    const [whole, quotedName, name, op, quotedValue, value] = parts;
    const made = matcher(unquote(quotedName) ?? name ?? '', op as Matcher['op'], unquote(quotedValue) ?? value ?? '');
    if (!made.ok) return made;
    found.push(made.value);
    rest = rest.slice(whole.length).trim();
  }
  return found.length === 0 ? err('an empty matcher') : ok(found);
}

const unquote = (text: string | undefined): string | undefined =>
  text?.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));

/** As Alertmanager prints it: `severity="critical"`, names that are no plain words in quotes. */
export const formatMatcher = ({ name, op, value }: Pick<Matcher, 'name' | 'op' | 'value'>): string =>
  `${/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name) ? name : JSON.stringify(name)}${op}${JSON.stringify(value)}`;
