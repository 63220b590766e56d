import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toggleSelection } from './selection.ts';

const ids = ['a', 'b', 'c', 'd'];

test('one choice toggles one row', () => {
  const once = toggleSelection(ids, new Set(), { id: 'b', anchor: null });
  assert.deepEqual([...once], ['b']);
  assert.deepEqual([...toggleSelection(ids, once, { id: 'b', anchor: null })], []);
});

test('a choice with an anchor takes everything between, in either direction', () => {
  assert.deepEqual([...toggleSelection(ids, new Set(['d']), { id: 'b', anchor: 'd' })].sort(), ['b', 'c', 'd']);
  assert.deepEqual([...toggleSelection(ids, new Set(['a']), { id: 'c', anchor: 'a' })].sort(), ['a', 'b', 'c']);
});

test('rows that left the list are forgotten, and a lost anchor counts as none', () => {
  assert.deepEqual([...toggleSelection(['a', 'b'], new Set(['z', 'a']), { id: 'b', anchor: 'z' })].sort(), ['a', 'b']);
});
