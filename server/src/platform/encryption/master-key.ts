import { readFileSync, statSync } from 'node:fs';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { KEY_BYTES, createCipher, deriveKey } from '@nines/tsdb/cipher.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import { z } from 'zod';

/** The operator's key: 32 bytes, hexadecimal or base64, in a file or a variable of the environment. It only ever wraps the data key. */
export const encryptionConfig = z
  .union([
    z.strictObject({ key_file: z.string().min(1) }),
    z.strictObject({
      key_env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'write the name of a variable, for example NINES_KEY'),
    }),
  ])
  .optional();
export type KeySource = NonNullable<z.output<typeof encryptionConfig>>;

const KEY_ID_BYTES = 8;
/** A key, a line end, and room for a byte-order mark or blanks. More is some other file. */
const MAX_KEY_FILE_BYTES = 1024;
/** Permission bits of everyone but the owner. */
const OTHERS = 0o077;

/** Prints nothing of the key: `id` names it, `origin` says where it came from. */
export class MasterKey {
  readonly #bytes: Uint8Array;
  readonly origin: string;

  constructor(bytes: Uint8Array, origin: string) {
    this.#bytes = bytes;
    this.origin = origin;
  }

  /** Eight bytes, hexadecimal; tells nothing of the key. */
  get id(): string {
    return Buffer.from(deriveKey(this.#bytes, 'id').subarray(0, KEY_ID_BYTES)).toString('hex');
  }

  /** What the data key is sealed with. */
  get wrapping(): SealingKey {
    return createCipher(this.#bytes).key('wrap');
  }
}

export type ReadKey = { readonly key: MasterKey; readonly warnings: readonly string[] };
export type KeyPlaces = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a relative path of the configuration stands for. */
  readonly resolve: (path: string) => string;
};

/** `AppError` `key_unreadable` with a sentence that says where it looked. */
export function readMasterKey(source: KeySource, { env, resolve }: KeyPlaces): ReadKey {
  if ('key_env' in source) {
    const origin = `the variable ${source.key_env}`;
    const text = env[source.key_env];
    if (text === undefined) throw unreadable(`${origin} is not set; encryption.key_env names it`);
    return { key: parseMasterKey(text, origin), warnings: [] };
  }
  const path = resolve(source.key_file);
  const origin = `the key file ${path}`;
  let mode: number;
  let text: string;
  try {
    const stat = statSync(path);
    mode = stat.mode;
    if (stat.size > MAX_KEY_FILE_BYTES) throw new Error(`it has ${stat.size} bytes, a key file at most ${MAX_KEY_FILE_BYTES}`);
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    throw unreadable(`cannot read ${origin}: ${messageOf(thrown)}`);
  }
  const isOpen = process.platform !== 'win32' && (mode & OTHERS) !== 0;
  const warning = `${origin} can be read by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); run: chmod 600 ${path}`;
  return { key: parseMasterKey(text, origin), warnings: isOpen ? [warning] : [] };
}

function parseMasterKey(text: string, origin: string): MasterKey {
  const written = text.replace(/^\ufeff/, '').trim();
  const encoding = /^[0-9a-fA-F]{64}$/.test(written) ? 'hex' : /^[A-Za-z0-9+/_-]{43}=?$/.test(written) ? 'base64' : undefined;
  const bytes = encoding === undefined ? undefined : new Uint8Array(Buffer.from(written, encoding));
  if (bytes?.length !== KEY_BYTES)
    throw unreadable(
      `${origin} holds no key: write ${KEY_BYTES} bytes as 64 hexadecimal digits or 44 characters of base64 (nines key create FILE makes one)`,
    );
  return new MasterKey(bytes, origin);
}

const unreadable = (message: string): AppError => new AppError('unavailable', 'key_unreadable', message);
