import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { objectIn, objectText } from './audit-object.ts';

test('an object of the audit log survives its way through an address', () => {
  const kind = fc.array(fc.stringMatching(/^[a-z-]+$/), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(kind, fc.option(fc.string({ minLength: 1 })), (of, id) => {
      assert.deepEqual(objectIn(objectText({ kind: of, id })), { kind: of, id });
    }),
  );
  assert.deepEqual(objectIn('silences/7'), { kind: 'silences', id: '7' });
  assert.deepEqual(objectIn('silences'), { kind: 'silences', id: null });
});
