import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';
import { fromServer, sayerOf } from './server-text.ts';

const here = dirname(fileURLToPath(import.meta.url));
const house = join(here, '../../..');
const read = (language: string): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(join(here, `server/${language}.json`), 'utf8')) as Readonly<Record<string, string>>;
const german = read('de');
const french = read('fr');

type Node = { readonly [field: string]: unknown };
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

const PLACE = '{}';
/** More readings of one text than these are not followed. */
const MAX_READINGS = 64;

/** Every text that an expression may become, values as `{}`: both ends of a condition, and what a template makes of them. */
function textsOf(value: unknown): readonly string[] {
  if (!isNode(value)) return [PLACE];
  if (value['type'] === 'Literal' && typeof value['value'] === 'string') return [value['value']];
  if (value['type'] === 'ConditionalExpression') return [...textsOf(value['consequent']), ...textsOf(value['alternate'])];
  if (value['type'] !== 'TemplateLiteral') return [PLACE];
  const [first = '', ...quasis] = (value['quasis'] as readonly { readonly value: { readonly cooked: string } }[]).map(
    (one) => one.value.cooked,
  );
  const inner = value['expressions'] as readonly unknown[];
  return quasis.reduce<readonly string[]>(
    (made, quasi, at) =>
      made.flatMap((text) => [...new Set([PLACE, ...textsOf(inner[at])])].map((said) => `${text}${said}${quasi}`)).slice(0, MAX_READINGS),
    [first],
  );
}

/** A share is written with its sign by what makes it a text. */
const percents = (text: string): string => text.replaceAll(`${PLACE} %`, PLACE);

/** Everything that the server, and what it shares with pages, may write. */
function written(): string {
  const files = globSync(['server/src/**/*.ts', 'packages/{base,maths,model}/src/**/*.ts'], { cwd: house });
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) walk(one);
    if (!isNode(value) || Array.isArray(value)) return;
    if (value['type'] === 'Literal' || value['type'] === 'TemplateLiteral') found.push(...textsOf(value));
    for (const [field, inner] of Object.entries(value)) if (field !== 'parent') walk(inner);
  };
  for (const file of files) if (!file.endsWith('.test.ts')) walk(parseAst(readFileSync(join(house, file), 'utf8'), { lang: 'ts' }));
  // Templates of alerts write their values in two braces.
  return percents(found.map((text) => text.replace(/\{\{[^{}]*\}\}/g, PLACE)).join('\n'));
}

const placesOf = (text: string): readonly string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();

test('every form of a sentence is written by something of the server', () => {
  const all = written();
  // The values at its ends may come from elsewhere.
  const bare = (form: string): string =>
    percents(form.replace(/\{\w+\}/g, PLACE))
      .replace(/^\{\}|\{\}$/g, '')
      .trim();
  const unused = Object.keys(german).filter((form) => !all.includes(bare(form)));
  assert.deepEqual(unused, [], 'nothing writes this any more: change the form, or take it out');
});

test('both languages have the same forms with the same values, sorted', () => {
  assert.deepEqual(Object.keys(german), Object.keys(french));
  assert.deepEqual(Object.keys(german), Object.keys(german).toSorted());
  for (const [form, text] of [...Object.entries(german), ...Object.entries(french)]) {
    assert.notEqual(text.trim(), '', form);
    assert.deepEqual([...new Set(placesOf(text))], [...new Set(placesOf(form))], form);
  }
});

test('a sentence is known by its form, and its values are said too', () => {
  const say = sayerOf({
    'connection refused by {address}': 'Verbindung von {address} abgelehnt',
    '{id}: {what}': '{id}: {what}',
    '{n} services': '{n} Dienste',
    'no answer from {peer} within {n} ms': 'keine Antwort von {peer} binnen {n} ms',
  });
  assert.equal(say('connection refused by 10.0.3.7:443'), 'Verbindung von 10.0.3.7:443 abgelehnt');
  assert.equal(say('shop-http: connection refused by db; disk: 3 services'), 'shop-http: Verbindung von db abgelehnt; disk: 3 Dienste');
  assert.equal(say('no answer from 10.0.3.7:443 within 2000 ms.'), 'keine Antwort von 10.0.3.7:443 binnen 2000 ms.');
  assert.equal(say('something that nobody foresaw: 12.5 %'), 'something that nobody foresaw: 12,5 %');
  assert.equal(say('version 1.2 of 10.0.3.7 took 12.5 ms'), 'version 1.2 of 10.0.3.7 took 12,5 ms');
  assert.equal(say('many services'), 'many services', 'a number is a number');
});

test('hostile sentences are answered at once and as they are', () => {
  const say = sayerOf(german);
  for (const text of ['; '.repeat(400), ', a'.repeat(300), `${'{x}'.repeat(200)}.`, '.'.repeat(900), 'x'.repeat(5_000)]) {
    const began = performance.now();
    assert.equal(say(text), text);
    assert.ok(performance.now() - began < 5_000);
  }
});

test('English is what the server wrote, with lengths as pages write them', () => {
  assert.equal(
    fromServer('no signal within 1m30s after it was due').replaceAll('\u00a0', ' '),
    'no signal within 1 min 30 s after it was due',
  );
});
