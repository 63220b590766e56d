import assert from 'node:assert/strict';
import { globSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type MessageFormatElement, parse } from '@formatjs/icu-messageformat-parser';
import { parseAst } from 'rolldown/parseAst';
import { LANGUAGES, languageOf } from './language.ts';
import { t } from './t.ts';

const here = dirname(fileURLToPath(import.meta.url));
const OTHERS = Object.keys(LANGUAGES).filter((language) => language !== 'en');

type Call = { readonly file: string; readonly key: string | undefined; readonly hasValues: boolean };
type Node = { readonly [field: string]: unknown };

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** Every `t(…)` and `rich(…)` of a file. */
function callsOf(file: string): Call[] {
  const text = readFileSync(file, 'utf8');
  if (!/from '[^']*\/t\.ts'/.test(text)) return [];
  const found: Call[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) walk(one);
    if (!isNode(value) || Array.isArray(value)) return;
    const { callee } = value;
    if (value['type'] === 'CallExpression' && isNode(callee) && (callee['name'] === 't' || callee['name'] === 'rich')) {
      const [key, values] = value['arguments'] as Node[];
      found.push({ file, key: typeof key?.['value'] === 'string' ? key['value'] : undefined, hasValues: values !== undefined });
    }
    for (const [field, inner] of Object.entries(value)) if (field !== 'parent') walk(inner);
  };
  walk(parseAst(text, { lang: file.endsWith('x') ? 'tsx' : 'ts' }));
  return found;
}

const calls = globSync(join(here, '../**/*.{ts,tsx}'))
  .filter((file) => !file.endsWith('.test.ts') && dirname(file) !== here)
  .concat(join(here, 'language-choice.tsx'))
  .flatMap(callsOf);
const keys = new Map(calls.flatMap(({ key, hasValues }) => (key === undefined ? [] : [[key, hasValues] as const])));

type Room = { readonly name: string; readonly texts: Readonly<Record<string, string>> };
const roomsOf = (language: string): Room[] =>
  readdirSync(join(here, language))
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({
      name: basename(name, '.json'),
      texts: JSON.parse(readFileSync(join(here, language, name), 'utf8')) as Room['texts'],
    }));

/** The places of a message where a value or a tag stands, sorted. */
function placesOf(elements: readonly MessageFormatElement[]): string[] {
  const found = elements.flatMap((element): string[] => {
    if ('options' in element) {
      const inner = Object.values(element.options).flatMap((option) => placesOf(option.value));
      return [element.value, ...inner];
    }
    if ('children' in element) return [`<${element.value}>`, ...placesOf(element.children)];
    // Literals are 0 and the number of a plural is 7: neither names a value.
    return element.type === 0 || element.type === 7 ? [] : [element.value];
  });
  return [...new Set(found)].sort();
}

test('every text of the pages is a literal, so that its translations can be looked for', () => {
  assert.deepEqual(
    calls.filter(({ key }) => key === undefined).map(({ file }) => file),
    [],
  );
});

for (const language of OTHERS) {
  test(`${language} has every text of the pages once, and nothing else`, () => {
    const rooms = roomsOf(language);
    const all = rooms.flatMap(({ name, texts }) => Object.keys(texts).map((key) => ({ key, name })));
    const known = new Set(all.map(({ key }) => key));
    assert.deepEqual(
      [...keys.keys()].filter((key) => !known.has(key)),
      [],
      'without a translation',
    );
    assert.deepEqual(
      all.filter(({ key }) => !keys.has(key)),
      [],
      'no page says this any more',
    );
    const twice = all.filter(({ key }, i) => all.findIndex((other) => other.key === key) < i);
    assert.deepEqual(twice, [], 'belongs into shared.json alone');
    for (const { name, texts } of rooms) {
      const order = Object.keys(texts);
      assert.deepEqual(order, [...order].sort(), `${name}.json is sorted by its keys`);
    }
  });

  test(`${language} has the same values and tags in every text`, () => {
    for (const { name, texts } of roomsOf(language)) {
      for (const [key, text] of Object.entries(texts)) {
        assert.notEqual(text.trim(), '', `${name}.json: ${key}`);
        if (keys.get(key) !== true) continue;
        assert.deepEqual(placesOf(parse(text)), placesOf(parse(key.split('||', 1)[0] ?? key)), `${name}.json: ${key}`);
      }
    }
  });

  test(`${language} reads the file of every room`, () => {
    const catalogue = readFileSync(join(here, `${language}.ts`), 'utf8');
    for (const { name } of roomsOf(language))
      assert.match(catalogue, new RegExp(`'\\./${language}/${name}\\.json'.*\\n[^]*\\.\\.\\.${name}\\b`));
  });
}

test('what was chosen comes first, then the first language of the browser that there is, then English', () => {
  assert.equal(languageOf('fr', ['de-AT']), 'fr');
  assert.equal(languageOf(null, ['pl', 'de-AT', 'fr']), 'de');
  assert.equal(languageOf('xx', ['pl']), 'en');
  assert.equal(languageOf('constructor', []), 'en');
});

test('English stands in the code: plurals, values, braces without values, and equal texts that mean two things', () => {
  assert.equal(t('{count, plural, one {# service} other {# services}}', { count: 1 }), '1 service');
  assert.equal(t('{count, plural, one {# service} other {# services}} in {team}', { count: 1200, team: '<b>' }), '1,200 services in <b>');
  assert.equal(t('sum by ({label})'), 'sum by ({label})');
  assert.equal(t('Open||verb'), 'Open');
});
