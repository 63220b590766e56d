import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createCipher } from '@nines/tsdb/cipher.ts';
import { isSignedBy } from './signer.ts';
import { SIGNING_FILE, SigningKeys, sealedKeyFile } from './signing-keys.ts';

const sealing = (byte: number) => createCipher(new Uint8Array(32).fill(byte)).key('statements');

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'nines-signing-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('a key is made once, readable by its owner alone, and signs the same after a restart', async (t) => {
  const dir = folder(t);
  const first = await SigningKeys.open(dir, undefined, 1);
  assert.equal(statSync(join(dir, SIGNING_FILE)).mode & 0o777, 0o600);
  const second = await SigningKeys.open(dir, undefined, 2);
  assert.equal(second.signer.sign('a statement'), first.signer.sign('a statement'));
  assert.deepEqual(second.published(), first.published());
});

test('after a rotation the old public key is kept and its private key is gone', async (t) => {
  const dir = folder(t);
  const keys = await SigningKeys.open(dir, undefined, 1);
  const old = keys.signer;
  const before = JSON.parse(readFileSync(join(dir, SIGNING_FILE), 'utf8')).current.private_key as string;
  await keys.rotate(5);
  const reopened = await SigningKeys.open(dir, undefined, 9);
  assert.notEqual(reopened.signer.key_id, old.key_id);
  assert.deepEqual(
    reopened.published().map((key) => [key.key_id, key.created_at_ms, key.retired_at_ms]),
    [
      [keys.signer.key_id, 5, null],
      [old.key_id, 1, 5],
    ],
  );
  assert.equal(isSignedBy(reopened.published()[1]?.public_key ?? '', 'x', old.sign('x')), true);
  assert.doesNotMatch(readFileSync(join(dir, SIGNING_FILE), 'utf8'), new RegExp(before));
});

test('in an encrypted directory the private key is sealed, also one that was made before, and no other data key opens it', async (t) => {
  const dir = folder(t);
  const plain = await SigningKeys.open(dir, undefined, 1);
  const secret = JSON.parse(readFileSync(join(dir, SIGNING_FILE), 'utf8')).current.private_key as string;
  assert.doesNotMatch(sealedKeyFile(dir, sealing(1)) ?? '', new RegExp(secret));
  const sealed = await SigningKeys.open(dir, sealing(1), 2);
  assert.equal(sealed.signer.sign('x'), plain.signer.sign('x'));
  assert.doesNotMatch(readFileSync(join(dir, SIGNING_FILE), 'utf8'), new RegExp(secret));
  assert.equal((await SigningKeys.open(dir, sealing(1), 3)).signer.sign('x'), plain.signer.sign('x'));
  await assert.rejects(SigningKeys.open(dir, sealing(2), 4), { code: 'statement_keys_damaged', message: /does not open/ });
  await assert.rejects(SigningKeys.open(dir, undefined, 4), { code: 'statement_keys_damaged', message: /sealed/ });
});

test('a damaged key file stops the start with what to do, and is not written over', async (t) => {
  const dir = folder(t);
  for (const text of ['{', '{"format":1}', '{"format":2,"current":{},"retired":[]}']) {
    writeFileSync(join(dir, SIGNING_FILE), text);
    await assert.rejects(SigningKeys.open(dir, undefined, 1), { code: 'statement_keys_damaged', message: /backup/ });
    assert.equal(readFileSync(join(dir, SIGNING_FILE), 'utf8'), text);
  }
});
