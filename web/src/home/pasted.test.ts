import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_PASTED, pastedServices } from './pasted.ts';

test('each line with an address is a service, named by what stands before it or by the address; others are told', () => {
  const { services, refused } = pastedServices(
    'https://shop.example.org/\n\n Web shop  http://10.0.0.7:8080/health \nnonsense\ndb.example.org:5432\n',
  );
  assert.deepEqual(
    services.map(({ id, name, checks }) => [id, name, checks[0]?.kind]),
    [
      ['shop-example-org', 'shop.example.org', 'http'],
      ['web-shop', 'Web shop', 'http'],
      ['db-example-org-5432', 'db.example.org:5432', 'tcp'],
    ],
  );
  assert.deepEqual(refused, ['nonsense']);
});

test('an address that stands twice is one service, and more than a page should make are refused', () => {
  assert.equal(pastedServices('https://a.example\nhttps://a.example/').services.length, 1);
  const many = Array.from({ length: MOST_PASTED + 5 }, (_, i) => `https://s${i}.example`).join('\n');
  assert.deepEqual([pastedServices(many).services.length, pastedServices(many).refused.length], [MOST_PASTED, 5]);
});
