import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { canonicalJson } from '@nines/base/canonical-json.ts';
import fc from 'fast-check';
import { createKeyPair, createSigner, isSignedBy, parsePublicKey } from '../../platform/signing/signer.ts';
import { signed, verifySigned } from './signature.ts';

const pair = createKeyPair();
const signer = createSigner(pair);
const other = createSigner(createKeyPair());
const trusted = { kind: 'keys', keys: [{ key_id: pair.key_id, public_key: pair.public_key }] } as const;
const document = {
  kind: 'nines.sla.statement',
  attained: 0.99931,
  name: 'Grüße 😀',
  budget: { total_ms: 86_400, spent_ms: 59_600 },
  timeline: [{ from: 1 }, null, true],
};
const text = canonicalJson(signed(document, signer));

test('the signature of RFC 8032, test 2, verifies, and no other', () => {
  const key = parsePublicKey('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')?.public_key ?? '';
  const signature =
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
  const value = Buffer.from(signature, 'hex').toString('base64url');
  assert.equal(isSignedBy(key, 'r', value), true);
  assert.equal(isSignedBy(key, 's', value), false);
});

test('anyone can check a statement: without `signature.value`, canonically, under the public key', () => {
  const read = JSON.parse(text);
  const value = Buffer.from(read.signature.value, 'base64url');
  delete read.signature.value;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: read.signature.public_key }, format: 'jwk' });
  assert.equal(verify(null, Buffer.from(canonicalJson(read)), key, value), true);
});

test('verified as it is, and with other white space; the pin decides whether the signer is known', () => {
  for (const form of [text, `${text}\n`, JSON.stringify(JSON.parse(text), null, 2)]) {
    const verdict = verifySigned(form, trusted);
    assert.deepEqual([verdict.kind, verdict.kind === 'verified' && verdict.isPinned], ['verified', true]);
  }
  const unpinned = verifySigned(text, { kind: 'none' });
  assert.deepEqual([unpinned.kind, unpinned.kind === 'verified' && unpinned.isPinned], ['verified', false]);
});

test('an altered statement is named with the part that was altered', () => {
  const altered = (change: (copy: Record<string, unknown>) => void): readonly string[] => {
    const copy = JSON.parse(text);
    change(copy);
    const verdict = verifySigned(JSON.stringify(copy), trusted);
    return verdict.kind === 'altered' ? verdict.parts : assert.fail(verdict.kind);
  };
  assert.deepEqual(
    altered((copy) => (copy['attained'] = 0.9995)),
    ['attained'],
  );
  assert.deepEqual(
    altered((copy) => (copy['budget'] = { ...document.budget, spent_ms: 0 })),
    ['budget'],
  );
  assert.deepEqual(
    altered((copy) => delete copy['timeline']),
    ['timeline'],
  );
  assert.deepEqual(
    altered((copy) => (copy['extra'] = 1)),
    ['extra'],
  );
  const cover = (copy: Record<string, unknown>): void => {
    copy['attained'] = 1;
    (copy['signature'] as { digests: unknown }).digests = (
      signed({ ...document, attained: 1 }, other).signature as { digests: unknown }
    ).digests;
  };
  assert.deepEqual(altered(cover), ['signature'], 'digests altered to cover it do not help');
  assert.deepEqual(
    altered((copy) => Object.assign(copy['signature'] as object, { key_id: other.key_id })),
    ['signature'],
  );
});

test('a statement that was signed again with another key does not verify', () => {
  const forged = canonicalJson(signed({ ...document, attained: 1 }, other));
  assert.deepEqual(verifySigned(forged, trusted), { kind: 'unknown_key', keyId: other.key_id });
  const verdict = verifySigned(forged, { kind: 'none' });
  assert.equal(verdict.kind === 'verified' && verdict.isPinned, false);
});

test('what is no signed document is unreadable with its reason', () => {
  const problem = (form: string): string => {
    const verdict = verifySigned(form, trusted);
    return verdict.kind === 'unreadable' ? verdict.problem : assert.fail(verdict.kind);
  };
  assert.match(problem('{'), /no JSON/);
  assert.match(problem('[]'), /no JSON object/);
  assert.match(problem('{"a":1}'), /no signature/);
  assert.match(problem(text.replace('{"attained":', '{"attained":{"of":[1e999]},"was":')), /a number that is too large/);
  assert.match(problem(text.replace('{"attained":', '{"attained":1,"attained":')), /"attained" stands twice/);
  assert.match(problem(text.replace('{"attained":', '{"\\u0061ttained":1,"attained":')), /"attained" stands twice/);
});

test('no change of a single character goes unnoticed', () => {
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 127 }), (at, change) => {
      const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ change) + text.slice(at + 1);
      const verdict = verifySigned(changed, trusted);
      // Base64 has spare bits at its end: what verifies must say the same.
      if (verdict.kind === 'verified') assert.deepEqual({ ...verdict.document, signature: null }, { ...JSON.parse(text), signature: null });
    }),
    { numRuns: 2_000 },
  );
});
