import { IntlMessageFormat } from 'intl-messageformat';
import { Fragment, type ReactNode, createElement } from 'react';
import { type Catalogue, language } from './language.ts';

/**
 * Whoever says something on a page imports this module, and so waits until the catalogue is here: a text may be said
 * where a module begins, and nothing is drawn in the wrong language first.
 */
const catalogue: Catalogue = await catalogueOf();

async function catalogueOf(): Promise<Catalogue> {
  if (language === 'de') return (await import('./de.ts')).catalogue;
  if (language === 'fr') return (await import('./fr.ts')).catalogue;
  return {};
}

const formats = new Map<string, IntlMessageFormat>();

/** Keys are literals in the code, so there are no more formats than texts. */
function formatOf(key: string): IntlMessageFormat {
  const known = formats.get(key);
  if (known !== undefined) return known;
  const format = new IntlMessageFormat(textOf(key), language);
  formats.set(key, format);
  return format;
}

/** What stands behind `||` tells two equal English texts apart (`Open||verb`), and is never shown. */
const textOf = (key: string): string => catalogue[key] ?? key.split('||', 1)[0] ?? key;

type Value = string | number;

/**
 * A text in the language of the page. The English text is the key, whole sentences with their parts as ICU writes them:
 * `t('{count, plural, one {# service} other {# services}} in {team}', { count, team })`. Without values it is taken as it
 * stands, braces and all. The key is a literal: `language.test.ts` reads it in the code and names what lacks a translation.
 * https://unicode-org.github.io/icu/userguide/format_parse/messages/
 */
export function t(key: string, values?: Readonly<Record<string, Value>>): string {
  if (values === undefined) return textOf(key);
  const text = formatOf(key).format<string>(values);
  return typeof text === 'string' ? text : text.toString();
}

type RichValue = ReactNode | ((inner: ReactNode[]) => ReactNode);

/**
 * As `t`, with elements among its values, and tags around what a function makes an element of:
 * `rich('Read <a>the guide</a> of {name}', { a: (inner) => <Link to="/guide">{inner}</Link>, name: <b>shop</b> })`.
 */
export function rich(key: string, values: Readonly<Record<string, RichValue>>): ReactNode {
  const parts = formatOf(key).format<ReactNode>(values as Parameters<IntlMessageFormat['format']>[0] & Record<string, ReactNode>);
  return Array.isArray(parts) ? createElement(Fragment, null, ...(parts as ReactNode[])) : parts;
}
