import { randomBytes } from 'node:crypto';
import { KEY_BYTES, SEAL_BYTES, createCipher, deriveKey, seal } from '@nines/tsdb/cipher.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import type { SecretPlace } from './contract.ts';

/** A sealed text: `sealed1.<key id>.<wrapped data key>.<text>`; drawn in docs/format/secrets.md. */
const VERSION = 'sealed1';
const KEY_ID_BYTES = 8;

/** A key that data keys are wrapped with. Prints nothing of itself but its id. */
export class SecretKey {
  readonly #bytes: Uint8Array;
  /** Eight bytes, hexadecimal; tells nothing of the key. */
  readonly id: string;
  readonly createdAtMs: number;
  readonly wrapping: SealingKey;

  constructor(bytes: Uint8Array, createdAtMs: number) {
    this.#bytes = bytes;
    this.id = Buffer.from(deriveKey(bytes, 'id').subarray(0, KEY_ID_BYTES)).toString('hex');
    this.createdAtMs = createdAtMs;
    this.wrapping = createCipher(bytes).key('wrap');
  }

  static create(nowMs: number): SecretKey {
    return new SecretKey(new Uint8Array(randomBytes(KEY_BYTES)), nowMs);
  }

  /** For the key file alone. */
  reveal(): Uint8Array {
    return this.#bytes;
  }
}

export type KeysById = { get(id: string): SecretKey | undefined };

/** Why a sealed text does not open. */
export type SealFault = 'no_sealed_text' | 'unknown_key' | 'does_not_open';

export function sealText(key: SecretKey, place: SecretPlace, text: string): string {
  const dataKey = new Uint8Array(randomBytes(KEY_BYTES));
  const sealed = seal(textKeyOf(dataKey), new TextEncoder().encode(text), boundToPlace(place));
  return formatted(key, dataKey, encoded(sealed));
}

export function openText(keys: KeysById, place: SecretPlace, sealed: string): { readonly text: string } | SealFault {
  const parsed = parse(sealed);
  if (parsed === undefined) return 'no_sealed_text';
  const key = keys.get(parsed.keyId);
  if (key === undefined) return 'unknown_key';
  const dataKey = key.wrapping.open(decoded(parsed.wrapped), boundToKey(key.id));
  const text = dataKey === undefined ? undefined : textKeyOf(dataKey).open(decoded(parsed.text), boundToPlace(place));
  return text === undefined ? 'does_not_open' : { text: new TextDecoder('utf-8', { fatal: true }).decode(text) };
}

/** Every sealed text within a column's value; also those that stand in JSON. */
const SEALED_TEXTS = /sealed1\.[0-9a-f]{16}\.[A-Za-z0-9_-]{80}\.[A-Za-z0-9_-]{38,}/g;

export type Rewrapped = { readonly value: string; readonly faults: readonly SealFault[] };

/** The value with every data key in it wrapped by `to`; what does not open stays as it is. */
export function rewrap(value: string, keys: KeysById, to: SecretKey): Rewrapped {
  const faults: SealFault[] = [];
  const rewrapped = value.replace(SEALED_TEXTS, (sealed) => {
    const parsed = parse(sealed);
    if (parsed === undefined || parsed.keyId === to.id) return sealed;
    const dataKey = keys.get(parsed.keyId)?.wrapping.open(decoded(parsed.wrapped), boundToKey(parsed.keyId));
    if (dataKey !== undefined) return formatted(to, dataKey, parsed.text);
    faults.push(keys.get(parsed.keyId) === undefined ? 'unknown_key' : 'does_not_open');
    return sealed;
  });
  return { value: rewrapped, faults };
}

function formatted(key: SecretKey, dataKey: Uint8Array, text: string): string {
  return `${VERSION}.${key.id}.${encoded(seal(key.wrapping, dataKey, boundToKey(key.id)))}.${text}`;
}

function parse(sealed: string): { readonly keyId: string; readonly wrapped: string; readonly text: string } | undefined {
  const [version, keyId, wrapped, text, ...rest] = sealed.split('.');
  if (version !== VERSION || keyId === undefined || wrapped === undefined || text === undefined || rest.length > 0) return undefined;
  if (decoded(wrapped).length !== KEY_BYTES + SEAL_BYTES || decoded(text).length < SEAL_BYTES) return undefined;
  return { keyId, wrapped, text };
}

const textKeyOf = (dataKey: Uint8Array): SealingKey => createCipher(dataKey).key('text');
const boundToKey = (keyId: string): Uint8Array => new TextEncoder().encode(`${VERSION} ${keyId}`);
const boundToPlace = ({ table, id, column }: SecretPlace): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([VERSION, table, id, column]));
const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const decoded = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
