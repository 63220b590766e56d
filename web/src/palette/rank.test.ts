import assert from 'node:assert/strict';
import { test } from 'node:test';
import { best, rankOf } from './rank.ts';

const entry = (word: string, also?: string) => ({ id: word, word, also });
const found = (query: string, words: readonly string[], recent: readonly string[] = []) =>
  best(
    query,
    words.map((word) => entry(word)),
    { recent, most: 3 },
  ).map(({ word }) => word);

test('the whole name is better than its beginning, that better than a word of it, that better than letters strewn over it', () => {
  assert.deepEqual(found('shop', ['workshop', 'web shop', 'shop', 'shop-eu']), ['shop', 'shop-eu', 'web shop']);
  assert.deepEqual(found('alrt', ['Services', 'Alerts', 'Silences']), ['Alerts']);
  assert.deepEqual(found('zzz', ['Alerts']), []);
  assert.deepEqual(found('sv', ['Services']), [], 'two letters that are apart are no answer');
});

test('every word must be found, in the name or in what it is also found by', () => {
  assert.ok(rankOf('shop payments', entry('shop-http', 'payments')) > 0);
  assert.equal(rankOf('shop mail', entry('shop-http', 'payments')), 0);
  assert.ok(rankOf('shop', entry('shop')) > rankOf('shop', entry('db', 'shop')));
});

test('without a query there is what was opened lately; with one it comes first among equals', () => {
  assert.deepEqual(found('', ['a', 'b', 'c', 'd'], ['c', 'd']), ['c', 'd', 'a']);
  assert.deepEqual(found('shop', ['shop-a', 'shop-b'], ['shop-b']), ['shop-b', 'shop-a']);
});

test('a pattern, an empty text and hostile characters are letters like others', () => {
  for (const query of ['.*', '(', '<b>', '\\', '\u0000']) assert.doesNotThrow(() => rankOf(query, entry('x')));
  assert.deepEqual(found('<b>', ['<b>bold</b>']), ['<b>bold</b>']);
});
