import assert from 'node:assert/strict';
import { test } from 'node:test';
import { narrowingOf } from './token-words.ts';

const FREE = { teams: [], scope: '', permits: null, actions: null, addresses: null };

test('what narrows a token is told in words, and nothing when nothing does', () => {
  assert.deepEqual(narrowingOf(FREE), []);
  assert.deepEqual(
    narrowingOf({
      teams: ['shop', 'pay'],
      scope: 'env="prod"',
      permits: { alerts: ['read', 'operate'], slas: ['read'] },
      actions: ['acknowledge'],
      addresses: ['10.0.0.0/8'],
    }),
    [
      'only alerts: operate, slas: read',
      'changes alerts only by acknowledge',
      'sees teams shop, pay',
      'sees env="prod"',
      'from 10.0.0.0/8',
    ],
  );
  assert.deepEqual(narrowingOf({ ...FREE, permits: {} }), ['only nothing']);
});
