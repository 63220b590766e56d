import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_FAMILIES, createMetadataBook } from './metadata-book.ts';

test('a poorer description does not erase a richer one, a richer one replaces it', () => {
  const book = createMetadataBook();
  book.record('m', { type: 'counter', help: 'First.', unit: 'bytes', category: 'business', attributes: { owner: 'a' } }, 'push');
  book.record('m', { type: 'unknown', help: '', unit: '' }, 'scrape:j');
  assert.deepEqual(book.get('m'), {
    type: 'counter',
    help: 'First.',
    unit: 'bytes',
    category: 'business',
    attributes: { owner: 'a' },
    source: 'scrape:j',
  });
  book.record('m', { type: 'gauge', help: 'Second.', unit: '', attributes: { owner: 'b' } }, 'push');
  assert.deepEqual(book.get('m'), {
    type: 'gauge',
    help: 'Second.',
    unit: 'bytes',
    category: 'business',
    attributes: { owner: 'b' },
    source: 'push',
  });
});

test('a series finds the family that its suffix belongs to', () => {
  const book = createMetadataBook();
  book.record('h', { type: 'histogram', help: '', unit: '' }, 's');
  book.record('x_total', { type: 'counter', help: '', unit: '' }, 's');
  assert.equal(book.ofSeries('h_bucket')?.type, 'histogram');
  assert.equal(book.ofSeries('h_count')?.type, 'histogram');
  assert.equal(book.ofSeries('x_total')?.type, 'counter');
  assert.equal(book.ofSeries('y_total'), undefined);
});

test('the book is bounded and keeps what it has', () => {
  const book = createMetadataBook();
  for (let i = 0; i < MAX_FAMILIES + 10; i++) book.record(`m${i}`, { type: 'gauge', help: '', unit: '' }, 's');
  assert.equal([...book.entries()].length, MAX_FAMILIES);
  book.record('m0', { type: 'gauge', help: 'Known.', unit: '' }, 's');
  assert.equal(book.get('m0')?.help, 'Known.');
});
