/**
 * Names of metrics, labels and units as Prometheus' OTLP receiver makes them. Source: github.com/prometheus/otlptranslator 1.0,
 * and OpenTelemetry's "Prometheus and OpenMetrics Compatibility".
 */
export const TRANSLATION_STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoTranslation',
] as const;
export type TranslationStrategy = (typeof TRANSLATION_STRATEGIES)[number];

export const escapes = (strategy: TranslationStrategy): boolean => strategy.startsWith('UnderscoreEscaping');
const addsSuffixes = (strategy: TranslationStrategy): boolean => strategy.endsWith('WithSuffixes');

/** UCUM's codes; what is not listed stays as it is. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
]);
const PER_UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
]);

/** What a name's suffix depends on; an up-down counter is neither. */
export type NamedKind = 'gauge' | 'counter' | 'other';

/** The family's name, or undefined when nothing but underscores would be left of it. */
export function metricName(name: string, unit: string, kind: NamedKind, strategy: TranslationStrategy): string | undefined {
  if (!escapes(strategy)) return nonEmpty(addsSuffixes(strategy) ? withSuffixes(name, unit, kind) : name);
  const made = addsSuffixes(strategy)
    ? normalized(name, unit, kind)
    : name
        .split(/[^a-zA-Z0-9:_]/)
        .filter(Boolean)
        .join('_');
  const started = /^\d/.test(made) ? `_${made}` : made;
  return started === name || /[^_]/.test(started) ? nonEmpty(started) : undefined;
}

const nonEmpty = (name: string): string | undefined => (name === '' ? undefined : name);

/** Words joined by single underscores: the name's, then its unit's, `total` of a counter, `ratio` of a gauge without a unit. */
function normalized(name: string, unit: string, kind: NamedKind): string {
  let words = name.split(/[^a-zA-Z0-9:]+/).filter(Boolean);
  const [main, per] = unitWords(unit).map(cleaned) as [string, string];
  const addMain = words.includes(main) ? '' : main;
  const perWord = per === 'per_' || words.includes(trimmedEnd(per)) ? '' : trimmedEnd(per);
  if (addMain !== '') words.push(perWord === '' ? addMain : trimmedEnd(addMain));
  if (perWord !== '') words.push(perWord);
  if (kind === 'counter') words = [...words.filter((word) => word !== 'total'), 'total'];
  if (unit === '1' && kind === 'gauge') words = [...words.filter((word) => word !== 'ratio'), 'ratio'];
  return words.join('_');
}

function withSuffixes(name: string, unit: string, kind: NamedKind): string {
  const [main, per] = unitWords(unit);
  const after: string[] = [];
  let base = name;
  const moveBehind = (word: string): void => {
    if (base.endsWith(word) && base.length > word.length + 1) base = base.slice(0, -(word.length + 1));
    after.unshift(word);
  };
  if (unit === '1' && kind === 'gauge') moveBehind('ratio');
  if (kind === 'counter') moveBehind('total');
  if (per !== '') moveBehind(per);
  if (main !== '' && !base.endsWith(main)) base = `${base}_${main}`;
  return [base, ...after].join('_');
}

/** `By/s` as `bytes` and `per_second`. Annotations in braces say nothing about the unit. */
function unitWords(unit: string): readonly [main: string, per: string] {
  const slash = unit.indexOf('/');
  const main = (slash < 0 ? unit : unit.slice(0, slash)).trim();
  const per = slash < 0 ? '' : unit.slice(slash + 1).trim();
  const known = (code: string, words: ReadonlyMap<string, string>): string => (/[{}]/.test(code) ? '' : (words.get(code) ?? code));
  const perWord = known(per, PER_UNITS);
  return [known(main, UNITS), perWord === '' ? '' : `per_${perWord}`];
}

const cleaned = (unit: string): string =>
  unit
    .replace(/[^a-zA-Z0-9:]/g, '_')
    .replace(/__+/g, '_')
    .replace(/^_/, '');
const trimmedEnd = (text: string): string => (text.endsWith('_') ? text.slice(0, -1) : text);

/** The unit for the metadata: `bytes_per_second` for `By/s`. */
export function unitName(unit: string, strategy: TranslationStrategy): string {
  const words = unitWords(unit).map((word) => (escapes(strategy) ? cleaned(word) : word));
  return words
    .filter((word) => word !== '')
    .join('_')
    .replace(/^_/, '')
    .replace(/_$/, '');
}

export type LabelRules = {
  readonly strategy: TranslationStrategy;
  /** `_x` becomes `key_x`, as names that begin with an underscore are meant for the system. */
  readonly underscoreSanitization: boolean;
  readonly preserveMultipleUnderscores: boolean;
};

/** The label of an attribute's key, or undefined when nothing but underscores would be left of it. */
export function labelName(key: string, rules: LabelRules): string | undefined {
  if (!escapes(rules.strategy)) return nonEmpty(key);
  const isReserved = key.length > 4 && key.startsWith('__') && key.endsWith('__');
  // Per code point: a character beyond 16 bits is one character.
  const plain = key.replace(/[^a-zA-Z0-9_]/gu, '_');
  const name = rules.preserveMultipleUnderscores || isReserved ? plain : plain.replace(/__+/g, '_');
  if (!/[^_]/.test(name)) return undefined;
  if (/^\d/.test(name)) return `key_${name}`;
  return rules.underscoreSanitization && name.startsWith('_') && !isReserved ? `key${name}` : name;
}
