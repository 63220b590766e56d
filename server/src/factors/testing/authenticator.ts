/** An authenticator in software that answers as browsers send it, and can be made to lie about each thing it says. */
import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export type Kind = 'ES256' | 'EdDSA' | 'RS256';

/** What an honest authenticator would not say. */
export type Lies = {
  readonly origin?: string;
  readonly type?: string;
  readonly challenge?: string;
  readonly crossOrigin?: boolean;
  readonly rpId?: string;
  readonly flags?: number;
  readonly counter?: number;
  readonly id?: string;
  readonly cose?: Uint8Array;
  readonly trailing?: Uint8Array;
  readonly signature?: Uint8Array;
  readonly fmt?: string;
  readonly userHandle?: string;
};

const encode = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url');
const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest();

export const FLAGS = { present: 0x01, verified: 0x04, backupEligible: 0x08, backedUp: 0x10, credential: 0x40 } as const;

export function createAuthenticator({ origin, rpId, kind = 'ES256' }: { origin: string; rpId: string; kind?: Kind }) {
  const keys = pairOf(kind);
  const id = randomBytes(32);
  let counter = 0;
  const clientData = (type: string, challenge: string, lies: Lies): string =>
    encode(
      JSON.stringify({
        type: lies.type ?? type,
        challenge: lies.challenge ?? challenge,
        origin: lies.origin ?? origin,
        crossOrigin: lies.crossOrigin ?? false,
      }),
    );
  const head = (flags: number, lies: Lies): Buffer => {
    const rest = Buffer.alloc(5);
    rest.writeUInt8(lies.flags ?? flags, 0);
    rest.writeUInt32BE(lies.counter ?? counter, 1);
    return Buffer.concat([sha256(lies.rpId ?? rpId), rest]);
  };
  return {
    id: encode(id),
    cose: coseOf(kind, keys.publicKey),
    register(challenge: string, lies: Lies = {}) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const cose = lies.cose ?? coseOf(kind, keys.publicKey);
      const flags = FLAGS.present | FLAGS.verified | FLAGS.credential;
      const authData = Buffer.concat([head(flags, lies), Buffer.alloc(16), length, id, cose, lies.trailing ?? Buffer.alloc(0)]);
      const attestation = cbor(
        new Map<string, unknown>([
          ['fmt', lies.fmt ?? 'none'],
          ['attStmt', new Map()],
          ['authData', authData],
        ]),
      );
      const response = {
        clientDataJSON: clientData('webauthn.create', challenge, lies),
        attestationObject: encode(attestation),
        transports: ['internal'],
      };
      return { id: lies.id ?? encode(id), rawId: lies.id ?? encode(id), type: 'public-key' as const, response, clientExtensionResults: {} };
    },
    assert(challenge: string, lies: Lies = {}) {
      counter++;
      const clientDataJSON = clientData('webauthn.get', challenge, lies);
      const authenticatorData = Buffer.concat([head(FLAGS.present | FLAGS.verified, lies), lies.trailing ?? Buffer.alloc(0)]);
      const signed = Buffer.concat([authenticatorData, sha256(Buffer.from(clientDataJSON, 'base64url'))]);
      const signature = lies.signature ?? sign(kind === 'EdDSA' ? null : 'sha256', signed, keys.privateKey);
      const response = {
        clientDataJSON,
        authenticatorData: encode(authenticatorData),
        signature: encode(signature),
        ...(lies.userHandle === undefined ? {} : { userHandle: lies.userHandle }),
      };
      return { id: lies.id ?? encode(id), rawId: lies.id ?? encode(id), type: 'public-key' as const, response, clientExtensionResults: {} };
    },
  };
}

export type Authenticator = ReturnType<typeof createAuthenticator>;

function pairOf(kind: Kind): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  if (kind === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (kind === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function coseOf(kind: Kind, key: KeyObject): Uint8Array {
  const jwk = key.export({ format: 'jwk' });
  const part = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');
  if (kind === 'ES256') return coseKey([1, 2], [3, -7], [-1, 1], [-2, part(jwk.x)], [-3, part(jwk.y)]);
  if (kind === 'EdDSA') return coseKey([1, 1], [3, -8], [-1, 6], [-2, part(jwk.x)]);
  return coseKey([1, 3], [3, -257], [-1, part(jwk.n)], [-2, part(jwk.e)]);
}

export const coseKey = (...fields: readonly (readonly [number, number | Uint8Array])[]): Uint8Array => cbor(new Map(fields));

/** RFC 8949 for what the tests say. */
export function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? item(1, -1 - value) : item(0, value);
  if (typeof value === 'string') return Buffer.concat([item(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([item(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([item(4, value.length), ...value.map(cbor)]);
  if (value instanceof Map) return Buffer.concat([item(5, value.size), ...[...value].flatMap(([key, inner]) => [cbor(key), cbor(inner)])]);
  throw new Error(`BUG: ${typeof value} is not written here`);
}

function item(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  if (length < 256) return Buffer.from([(major << 5) | 24, length]);
  const long = Buffer.alloc(3);
  long.writeUInt8((major << 5) | 25);
  long.writeUInt16BE(length, 1);
  return long;
}
