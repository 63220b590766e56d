import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_ACTOR } from './contract.ts';
import { Remembered } from './service.ts';

test('a token that is revoked while a request with it asks the database is not remembered as good', () => {
  const remembered = new Remembered();
  const credential = { kind: 'token', secret: 'nines_x' } as const;
  const known = { actor: OPEN_ACTOR, endsAtMs: 10_000 };
  const { era } = remembered;
  remembered.clear();
  remembered.set(credential, known, { nowMs: 0, era });
  assert.equal(remembered.get(credential, 1), undefined);
  remembered.set(credential, known, { nowMs: 0, era: remembered.era });
  assert.ok(remembered.get(credential, 1) !== undefined, 'what was read since is');
});
