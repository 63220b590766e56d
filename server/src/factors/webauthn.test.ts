import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type WebAuthnCredential, verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import fc from 'fast-check';
import { relyingParty } from './relying-party.ts';
import { type Authenticator, FLAGS, type Lies, coseKey, createAuthenticator } from './testing/authenticator.ts';
import { verifyAssertion, verifyRegistration } from './webauthn.ts';

const ORIGIN = 'https://nines.example.org';
const PARTY = { id: 'nines.example.org', origins: [ORIGIN] };
const CHALLENGE = randomBytes(32).toString('base64url');
const fresh = (kind: 'ES256' | 'EdDSA' | 'RS256' = 'ES256'): Authenticator => createAuthenticator({ origin: ORIGIN, rpId: PARTY.id, kind });
type Registered = ReturnType<Authenticator['register']>;
type Answered = ReturnType<Authenticator['assert']>;

const registered = (answer: Registered) =>
  verifyRegistration({ id: answer.id, ...answer.response }, { challenge: CHALLENGE, party: PARTY, verifiedPerson: true });
const answered = (answer: Answered, known: { id: string; publicKey: string; counter: number }) =>
  verifyAssertion({ id: answer.id, ...answer.response }, known, { challenge: CHALLENGE, party: PARTY, verifiedPerson: true });

/** What an implementation of others says of the same answer. */
async function peerRegisters(answer: Registered): Promise<boolean> {
  try {
    const expected = {
      expectedChallenge: CHALLENGE,
      expectedOrigin: ORIGIN,
      expectedRPID: PARTY.id,
      supportedAlgorithmIDs: [-8, -7, -257],
    };
    return (await verifyRegistrationResponse({ response: answer as never, ...expected })).verified;
  } catch {
    return false;
  }
}

async function peerAsserts(answer: Answered, known: { id: string; publicKey: string; counter: number }): Promise<boolean> {
  const credential: WebAuthnCredential = { ...known, publicKey: new Uint8Array(Buffer.from(known.publicKey, 'base64url')) };
  try {
    const expected = { expectedChallenge: CHALLENGE, expectedOrigin: ORIGIN, expectedRPID: PARTY.id };
    return (await verifyAuthenticationResponse({ response: answer as never, credential, ...expected })).verified;
  } catch {
    return false;
  }
}

test('passkeys of every algorithm register and answer, and an implementation of others agrees', async () => {
  for (const kind of ['ES256', 'EdDSA', 'RS256'] as const) {
    const device = fresh(kind);
    const made = device.register(CHALLENGE);
    const verdict = registered(made);
    assert.ok(verdict.ok, `${kind}: ${verdict.ok ? '' : verdict.error}`);
    assert.ok(await peerRegisters(made), kind);
    const answer = device.assert(CHALLENGE);
    const asserted = answered(answer, verdict.value);
    assert.ok(asserted.ok, `${kind}: ${asserted.ok ? '' : asserted.error}`);
    assert.equal(asserted.value.counter, 1);
    assert.ok(await peerAsserts(answer, verdict.value), kind);
  }
});

const OTHER = randomBytes(32).toString('base64url');
const rsa = (bits: number): Uint8Array => {
  const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });
  return coseKey([1, 3], [3, -257], [-1, Buffer.from(n, 'base64url')], [-2, Buffer.from(e, 'base64url')]);
};
const xy = [-2, randomBytes(32)] as const;

/** `peer: true` where others take what we refuse. */
const BAD_REGISTRATIONS: readonly (readonly [attack: string, lies: Lies, said: RegExp, peer?: true])[] = [
  ['phishing: a page of another site', { origin: 'https://nines.example.org.evil.test' }, /page of another site/],
  ['phishing: the same name on another port', { origin: 'https://nines.example.org:8443' }, /page of another site/],
  ['phishing: without TLS', { origin: 'http://nines.example.org' }, /page of another site/],
  ['a frame within a page of another site', { crossOrigin: true }, /within a page of another site/, true],
  ['an answer for another site', { rpId: 'evil.test' }, /another site than/],
  ['a challenge of another ceremony', { challenge: OTHER }, /another challenge/],
  ['a sign-in passed off as a registration', { type: 'webauthn.get' }, /another kind/],
  ['nobody touched the authenticator', { flags: FLAGS.verified | FLAGS.credential }, /nobody touched/],
  ['the authenticator did not examine the person', { flags: FLAGS.present | FLAGS.credential }, /did not examine/],
  ['backed up though that cannot be', { flags: FLAGS.present | FLAGS.verified | FLAGS.credential | FLAGS.backedUp }, /cannot be copied/],
  ['no credential was made', { flags: FLAGS.present | FLAGS.verified }, /another length|no credential/],
  ['the id of another credential', { id: OTHER }, /another id/, true],
  ['bytes after the end', { trailing: Buffer.from([1, 2, 3]) }, /another length/],
  ['extensions that are announced and not there', { flags: 0xc5 }, /cannot be read/],
  ['algorithm none', { cose: coseKey([1, 2], [3, 0], [-1, 1], xy, [-3, randomBytes(32)]) }, /algorithm that is not taken/],
  ['no algorithm at all', { cose: coseKey([1, 2], [-1, 1], xy, [-3, randomBytes(32)]) }, /algorithm that is not taken/],
  ['a symmetric key', { cose: coseKey([1, 4], [3, 5], [-1, randomBytes(32)]) }, /algorithm that is not taken/],
  [
    'a curve that is not taken',
    { cose: coseKey([1, 2], [3, -7], [-1, 8], xy, [-3, randomBytes(32)]) },
    /algorithm that is not taken/,
    true,
  ],
  ['a point that is not on the curve', { cose: coseKey([1, 2], [3, -7], [-1, 1], xy, [-3, Buffer.alloc(32, 1)]) }, /cannot be read/, true],
  ['an RSA key that can be factored', { cose: rsa(1_024) }, /1024 bits/, true],
];

test('registrations that lie are refused, each with what is wrong', async () => {
  for (const [attack, lies, said, peerTakes] of BAD_REGISTRATIONS) {
    const answer = fresh().register(CHALLENGE, lies);
    const verdict = registered(answer);
    assert.ok(!verdict.ok, attack);
    assert.match(verdict.error, said, attack);
    if (peerTakes !== true) assert.equal(await peerRegisters(answer), false, `others refuse it as well: ${attack}`);
  }
});

test('answers that lie are refused, each with what is wrong', async () => {
  const bad: readonly (readonly [attack: string, lies: Lies, said: RegExp, peer?: true])[] = [
    ['phishing: a page of another site', { origin: 'https://evil.test' }, /page of another site/],
    ['an answer for another site', { rpId: 'evil.test' }, /another site than/],
    ['a challenge of another ceremony', { challenge: OTHER }, /another challenge/],
    ['a registration passed off as a sign-in', { type: 'webauthn.create' }, /another kind/],
    ['a frame within a page of another site', { crossOrigin: true }, /within a page of another site/, true],
    ['nobody touched the authenticator', { flags: FLAGS.verified }, /nobody touched/],
    ['the authenticator did not examine the person', { flags: FLAGS.present }, /did not examine/],
    ['a copied passkey: the counter stands still', { counter: 7 }, /did not go up/],
    ['a copied passkey: the counter goes back', { counter: 3 }, /did not go up/],
    ['a copied passkey: the counter is gone', { counter: 0 }, /did not go up/],
    ['the signature of somebody else', { signature: randomBytes(70) }, /signature is wrong/],
    ['no signature', { signature: Buffer.alloc(0) }, /signature is wrong/],
    ['another credential', { id: OTHER }, /another credential/, true],
    ['bytes after the end', { trailing: Buffer.from([0]) }, /another length/],
  ];
  for (const [attack, lies, said, peerTakes] of bad) {
    const device = fresh();
    const made = registered(device.register(CHALLENGE));
    assert.ok(made.ok);
    const known = { ...made.value, counter: 7 };
    const answer = device.assert(CHALLENGE, { counter: 8, ...lies });
    const verdict = answered(answer, known);
    assert.ok(!verdict.ok, attack);
    assert.match(verdict.error, said, attack);
    if (peerTakes !== true) assert.equal(await peerAsserts(answer, known), false, `others refuse it as well: ${attack}`);
  }
});

test('a passkey that never counts stays good', () => {
  const device = fresh();
  const made = registered(device.register(CHALLENGE));
  assert.ok(made.ok);
  for (let i = 0; i < 2; i++) assert.ok(answered(device.assert(CHALLENGE, { counter: 0 }), made.value).ok);
});

test('whatever bytes come instead of an answer, there is a refusal and no crash', () => {
  const device = fresh();
  const good = device.register(CHALLENGE);
  const bytes = Buffer.from(good.response.attestationObject, 'base64url');
  const base64url = fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some).toString('base64url'));
  fc.assert(
    fc.property(base64url, base64url, (clientDataJSON, attestationObject) => {
      assert.equal(registered({ ...good, response: { ...good.response, clientDataJSON } }).ok, false);
      assert.equal(registered({ ...good, response: { ...good.response, attestationObject } }).ok, false);
    }),
  );
  // One byte changed anywhere: refused, or not a part of what is concluded from.
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0xff;
    registered({ ...good, response: { ...good.response, attestationObject: changed.toString('base64url') } });
  }
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length).toString('base64url');
    assert.equal(registered({ ...good, response: { ...good.response, attestationObject: cut } }).ok, false, `${length} bytes`);
  }
});

test('a list that claims more than there is, nesting without end and a map with a key twice make no room and no loop', () => {
  const good = fresh().register(CHALLENGE);
  const bombs = [
    [0x9a, 0xff, 0xff, 0xff, 0xff],
    [0xba, 0xff, 0xff, 0xff, 0xff],
    [0x5a, 0xff, 0xff, 0xff, 0xff],
    Array.from({ length: 10_000 }, () => 0x81),
    [0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02],
    [0xbf, 0xff],
    [0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
    [0xc0, 0x00],
  ];
  for (const bomb of bombs) {
    const attestationObject = Buffer.from(bomb).toString('base64url');
    assert.equal(registered({ ...good, response: { ...good.response, attestationObject } }).ok, false);
  }
});

test('passkeys are tied to the address of the server, and where none can be, it says why', () => {
  const of = (baseUrl: string | undefined, port = 7070, secure = false) => {
    const party = relyingParty(baseUrl, { port, secure });
    return party.ok ? `${party.value.id} ${party.value.origins.join()}` : party.error;
  };
  assert.equal(of('https://nines.example.org/'), 'nines.example.org https://nines.example.org');
  assert.equal(of('https://nines.example.org:8443'), 'nines.example.org https://nines.example.org:8443');
  assert.equal(of('http://localhost:7070'), 'localhost http://localhost:7070');
  assert.equal(of(undefined), 'localhost http://localhost:7070');
  assert.equal(of(undefined, 80), 'localhost http://localhost');
  assert.equal(of(undefined, 7070, true), 'localhost https://localhost:7070');
  assert.match(of('http://nines.example.org'), /https only/);
  assert.match(of('https://192.0.2.7'), /need a name/);
  assert.match(of('https://[2001:db8::1]:7070'), /need a name/);
});
