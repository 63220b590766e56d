/**
 * The sentences that the server writes (reasons, evidence, alerts, insights) in the language of the page. The server stores and
 * answers them in English, which stays the record: a time line of last year has them, and no table of codes. A sentence is known
 * by its form, `connection refused by {address}`; `server/{de,fr}.json` say the form in another language with the same values. What
 * has no form stays as it is. `server-text.test.ts` names a form that nothing of the server writes any more.
 */
import { LOCALE } from '../figures/instant.ts';
import { readableLengths } from '../figures/readable.ts';
import { t } from './t.ts';
import { type Catalogue, type Language, language } from './language.ts';

/**
 * What a place of a form stands for: `{n}`, `{n2}` a number; `{id}`, `{id2}` one word that somebody chose; `{word}` one of ours, such as a
 * state; any other name one word or several. What people named is never translated; any other value may be a sentence of its own.
 */
function placePattern(name: string, isLight: boolean): string {
  if (/^n\d*$/.test(name)) return String.raw`[-−+]?\d[\d.,e+-]*`;
  if (/^(?:id|word)\d*$/.test(name)) return String.raw`[^\s:;,()]+`;
  return isLight || NAMED.has(name) ? '(?:(?!; ).)+?' : '.+?';
}

const NAMED: ReadonlySet<string> = new Set(
  'address by channel check device domain feature file host instance job labels matcher mountpoint name namespace node parent path peer policy program schedule service subject text title value who zone'.split(
    ' ',
  ),
);
const isNamed = (name: string): boolean => NAMED.has(name) || /^(?:n|id)\d*$/.test(name);

const PLACE = /\{(\w+)\}/;
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

type Form = {
  readonly pattern: RegExp;
  readonly places: readonly string[];
  /** The longest run of letters that every such sentence has: looked for first, because it is quick. */
  readonly mark: string;
  readonly said: string;
  readonly weight: number;
  readonly isLight: boolean;
};

/** Letters of its own that a form has at least. */
const LEAST_WEIGHT = 5;

function formOf(english: string, said: string): Form {
  // Split by a group: literals at even places, names at odd ones.
  const pieces = english.split(PLACE);
  const literals = pieces.filter((_, at) => at % 2 === 0);
  const weight = literals.join('').length;
  const isLight = literals[0] === '' && weight < LEAST_WEIGHT;
  const source = pieces.map((piece, at) => (at % 2 === 0 ? escaped(piece) : `(${placePattern(piece, isLight)})`)).join('');
  return {
    pattern: new RegExp(`^${source}$`, 's'),
    places: pieces.filter((_, at) => at % 2 === 1),
    mark: literals.reduce((a, b) => (b.length > a.length ? b : a), ''),
    said,
    weight,
    isLight,
  };
}

/** Values may be sentences themselves: `{id}: {what}`. Deeper than this nobody writes them. */
const MAX_DEPTH = 5;
/** Longer ones are no sentence: output of a program, a page that was answered. */
const MAX_CHARS = 1_000;
/** How many sentences are remembered: a few pages of lists. */
const MAX_KNOWN = 2_000;

/** `1 d`, as reasons write days. */
const DAYS = /(\d[ \u00a0])d(?![\p{L}\d])/gu;

const DAY = t('d||day');
/** A figure before its unit; an address or a version is none. */
const DECIMAL = /(?<![\d.])(\d+)\.(\d+)(?=[ \u00a0](?:%|ms|s|µs|[KMGTP]i?B|B|k|M|G)(?![\p{L}]))/gu;

/** Says sentences by the forms of one catalogue; the most particular form first. */
export function sayerOf(catalogue: Catalogue): (sentence: string) => string {
  const forms = Object.entries(catalogue)
    .map(([english, said]) => formOf(english, said))
    .sort((a, b) => b.weight - a.weight || a.places.length - b.places.length);
  const known = new Map<string, string>();

  function valueOf(name: string, text: string, depth: number): string {
    if (/^n\d*$/.test(name)) return text.replace('.', ',');
    return isNamed(name) ? text : value(text, depth);
  }

  const value = (text: string, depth: number): string => {
    if (depth > MAX_DEPTH) return text;
    return everyClause(text, depth) ?? whole(text, depth, true) ?? someClauses(text, depth) ?? text;
  };

  /** `this; that`, both of forms of their own: no form reaches from one into the other. */
  function everyClause(text: string, depth: number): string | undefined {
    if (!text.includes('; ')) return undefined;
    const said = text.split('; ').map((part) => whole(part, depth + 1, false));
    return said.every((part) => part !== undefined) ? said.join('; ') : undefined;
  }

  /** What of it has a form; the rest stays. */
  function someClauses(text: string, depth: number): string | undefined {
    for (const mark of ['; ', ', ']) {
      const parts = text.split(mark);
      if (parts.length === 1) continue;
      const said = parts.map((part) => whole(part, depth + 1, true));
      if (said.some((part) => part !== undefined)) return said.map((part, at) => part ?? parts[at] ?? '').join(mark);
    }
    return undefined;
  }

  /** By one form; `withLight` also by those that begin with a value and have hardly a letter, if one of their values is known. */
  function whole(text: string, depth: number, withLight: boolean): string | undefined {
    if (depth > MAX_DEPTH) return undefined;
    for (const { mark, pattern, places, said, isLight } of forms) {
      if (!text.includes(mark)) continue;
      const found = isLight && !withLight ? null : pattern.exec(text);
      if (found === null) continue;
      const isKnown = (name: string, at: number): boolean => !isNamed(name) && whole(found[at + 1] ?? '', depth + 1, true) !== undefined;
      if (isLight && !places.some(isKnown)) continue;
      const values = new Map(places.map((name, at) => [name, valueOf(name, found[at + 1] ?? '', depth + 1)]));
      return said.replace(/\{(\w+)\}/g, (place, name: string) => values.get(name) ?? place);
    }
    // A sentence begins with a capital and ends with a stop where it stands alone.
    const bare = text.charAt(0).toLowerCase() + text.slice(1).replace(/(?<=.)\.$/, '');
    if (bare === text) return undefined;
    const said = whole(bare, depth + 1, withLight);
    if (said === undefined) return undefined;
    return `${/^\p{Lu}/u.test(text) ? said.charAt(0).toUpperCase() + said.slice(1) : said}${text.endsWith('.') ? '.' : ''}`;
  }

  return (sentence) => {
    if (sentence === '' || sentence.length > MAX_CHARS) return sentence;
    const before = known.get(sentence);
    if (before !== undefined) return before;
    const said = value(sentence, 0).replace(DECIMAL, '$1,$2').replace(DAYS, `$1${DAY}`);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(sentence, said);
    return said;
  };
}

const dayAndMonth = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'long', timeZone: 'UTC' });
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DATE = new RegExp(`\\b(\\d{1,2}) (${MONTHS.join('|')})\\b`, 'g');

/** `12 December`, as insights write days, in the language of the page. */
function localDates(sentence: string): string {
  return sentence.replace(DATE, (_, day: string, month: string) => dayAndMonth.format(Date.UTC(2024, MONTHS.indexOf(month), Number(day))));
}

async function catalogueOf(of: Language): Promise<Catalogue | undefined> {
  if (of === 'de') return (await import('./server/de.json', { with: { type: 'json' } })).default;
  if (of === 'fr') return (await import('./server/fr.json', { with: { type: 'json' } })).default;
  return undefined;
}

const catalogue = await catalogueOf(language);
const sayKnown = catalogue === undefined ? undefined : sayerOf(catalogue);
const say = (sentence: string): string => (sayKnown === undefined ? sentence : localDates(sayKnown(sentence)));

/** A sentence of the server in the language of the page, its lengths as on the rest of the page. */
export const fromServer = (sentence: string): string => readableLengths(say(sentence));
