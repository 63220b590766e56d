import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ONES_HASH, hashPassword, verifyPassword } from './password.ts';

test('a password fits its hash and no other does', async () => {
  const stored = await hashPassword('correct horse battery');
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await verifyPassword('correct horse battery', stored), true);
  assert.equal(await verifyPassword('correct horse batterz', stored), false);
  assert.notEqual(await hashPassword('correct horse battery'), stored, 'each hash has its own salt');
  assert.equal(await verifyPassword('', NO_ONES_HASH), false);
});

test('the same letters in another Unicode form are the same password', async () => {
  assert.equal(await verifyPassword('e\u0301te\u0301 1998', await hashPassword('\u00e9t\u00e9 1998')), true);
});
