import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withQuery } from './client.ts';

test('a query leaves out what is not said, repeats lists, and escapes', () => {
  assert.equal(withQuery('/a', { b: undefined, c: '', d: [] }), '/a');
  assert.equal(withQuery('/a', { sla: ['x', 'y&z'], from: 0 }), '/a?sla=x&sla=y%26z&from=0');
});
