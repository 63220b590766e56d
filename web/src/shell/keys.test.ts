import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GO, KEY_GROUPS, meaningOf } from './keys.ts';

test('g and a letter goes to a page, and the overlay lists every such pair', () => {
  assert.deepEqual(meaningOf('g', false), { kind: 'await' });
  assert.deepEqual(meaningOf('a', true), { kind: 'go', to: '/alerts-dashboard' });
  assert.deepEqual(meaningOf('q', true), { kind: 'none' });
  const listed = KEY_GROUPS.flatMap((group) => group.keys.map((key) => key.keys));
  for (const letter of Object.keys(GO)) assert.ok(listed.includes(`g ${letter}`), letter);
});

test('letters mean nothing by themselves unless listed', () => {
  assert.deepEqual(meaningOf('a', false), { kind: 'none' });
  assert.deepEqual(meaningOf('/', false), { kind: 'filter' });
  assert.deepEqual(meaningOf('?', false), { kind: 'help' });
});
