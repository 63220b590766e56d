/** Names one after the other, and in the order that the language of the page gives them. */
import { LOCALE } from './instant.ts';

const conjunction = new Intl.ListFormat(LOCALE, { type: 'conjunction' });

/** `a, b and c`, as the language joins what belongs together. */
export const listText = (words: readonly string[]): string => conjunction.format(words);

const collator = new Intl.Collator(LOCALE, { numeric: true });

/** Orders names as people read them: `é` beside `e`, `web9` before `web10`. */
export const byName = (one: string, other: string): number => collator.compare(one, other);
