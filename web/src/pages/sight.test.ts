import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itemsIn, sightOf } from './sight.ts';

test('what is seen stands in words', () => {
  assert.equal(sightOf({ teams: [], scope: '' }), 'everything');
  assert.equal(sightOf({ teams: ['shop', 'pay'], scope: 'env="prod"' }), 'teams shop, pay; env="prod"');
});

test('lists are typed with commas, spaces or lines', () => {
  assert.deepEqual(itemsIn(' 10.0.0.0/8,192.0.2.7\n::1  '), ['10.0.0.0/8', '192.0.2.7', '::1']);
  assert.deepEqual(itemsIn(' , '), []);
});
