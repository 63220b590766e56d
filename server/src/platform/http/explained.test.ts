import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parentsIn, unnamed } from './explained.ts';

test('the service that explains another is found and left out, wherever the sentence stands', () => {
  const text = 'held: payments, which shop depends on, was down before; "bank, which till depends on, was down before"';
  assert.deepEqual(parentsIn(text), ['payments', 'bank']);
  assert.equal(unnamed(text), 'held: something that shop depends on was down before; "something that till depends on was down before"');
  for (const other of ['', ', which shop depends on, was down before', 'payments, which shop depends on', 'nothing of the kind'])
    assert.deepEqual([parentsIn(other), unnamed(other)], [[], other]);
});

test('attack: a long text without a space stops nobody for minutes', () => {
  for (const long of [
    'a'.repeat(20_000_000),
    `${'a'.repeat(200)}, which `.repeat(50_000),
    `, which ${'b'.repeat(200)} depends on, was`.repeat(50_000),
  ])
    assert.equal(unnamed(long), long);
});
