import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import { seal } from '@nines/tsdb/cipher.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { z } from 'zod';
import { replaceFile } from '../replace-file.ts';
import { type KeyPair, type PublicKey, type Signer, createKeyPair, createSigner, keyIdOf } from './signer.ts';

/** `statement-keys.json`: what statements are signed with; drawn in docs/format/statement.md. */
export const SIGNING_FILE = 'statement-keys.json';
/** The name of the key that seals the private one. */
export const SIGNING_KEY = 'statements';
const FORMAT = 1;

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const publicPart = { key_id: z.string().regex(/^[0-9a-f]{32}$/), public_key: base64url, created_at_ms: z.int().nonnegative() };
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** Exactly one of the two forms of the private key: as it is, or sealed where the data directory is encrypted. */
  current: z.union([
    z.strictObject({ ...publicPart, private_key: base64url }),
    z.strictObject({ ...publicPart, sealed_private_key: base64url }),
  ]),
  retired: z.array(z.strictObject({ ...publicPart, retired_at_ms: z.int().nonnegative() })),
});
type KeyFile = z.output<typeof fileSchema>;

/** A public key with the time in which it signed. */
export type PublishedKey = PublicKey & { readonly created_at_ms: number; readonly retired_at_ms: number | null };

/**
 * The keys that statements are signed with: one that signs, and the public ones of all that did before, so that what they
 * signed can be verified for ever. A retired private key is destroyed.
 */
export class SigningKeys {
  readonly #dir: string;
  readonly #sealing: SealingKey | undefined;
  #file: KeyFile;
  #signer: Signer;

  private constructor(dir: string, sealing: SealingKey | undefined, opened: { readonly file: KeyFile; readonly signer: Signer }) {
    this.#dir = dir;
    this.#sealing = sealing;
    this.#file = opened.file;
    this.#signer = opened.signer;
  }

  /**
   * Opens the keys of a data directory, made at the first start. With `sealing` the private key is never on the disk as it is; one
   * that was is sealed now. `AppError` `statement_keys_damaged` when the file cannot be used.
   */
  static async open(dir: string, sealing: SealingKey | undefined, nowMs: number): Promise<SigningKeys> {
    const known = readKeyFile(dir);
    if (known === undefined) {
      const pair = createKeyPair();
      const file: KeyFile = { format: FORMAT, current: currentOf(pair, nowMs, sealing), retired: [] };
      await write(dir, file);
      return new SigningKeys(dir, sealing, { file, signer: createSigner(pair) });
    }
    const pair = openPair(dir, known, sealing);
    const isPlain = 'private_key' in known.current;
    const file = isPlain && sealing !== undefined ? { ...known, current: currentOf(pair, known.current.created_at_ms, sealing) } : known;
    if (file !== known) await write(dir, file);
    return new SigningKeys(dir, sealing, { file, signer: createSigner(pair) });
  }

  get signer(): Signer {
    return this.#signer;
  }

  /** Every public key, the one that signs first. */
  published(): readonly PublishedKey[] {
    const { current, retired } = this.#file;
    const { key_id, public_key, created_at_ms } = current;
    return [{ key_id, public_key, created_at_ms, retired_at_ms: null }, ...retired.toReversed()];
  }

  /** Another key signs from now on. Its public key is the answer. */
  async rotate(nowMs: number): Promise<PublishedKey> {
    const pair = createKeyPair();
    const { key_id, public_key, created_at_ms } = this.#file.current;
    const file: KeyFile = {
      format: FORMAT,
      current: currentOf(pair, nowMs, this.#sealing),
      retired: [...this.#file.retired, { key_id, public_key, created_at_ms, retired_at_ms: nowMs }],
    };
    await write(this.#dir, file);
    this.#file = file;
    this.#signer = createSigner(pair);
    return { key_id: pair.key_id, public_key: pair.public_key, created_at_ms: nowMs, retired_at_ms: null };
  }
}

/** The text of a key file with its private key sealed, for a directory that is being encrypted; undefined when there is none. */
export function sealedKeyFile(dir: string, sealing: SealingKey): string | undefined {
  const known = readKeyFile(dir);
  if (known === undefined) return undefined;
  return textOf({ ...known, current: currentOf(openPair(dir, known, sealing), known.current.created_at_ms, sealing) });
}

const damaged = (dir: string, problem: string): AppError =>
  new AppError(
    'unavailable',
    'statement_keys_damaged',
    `${join(dir, SIGNING_FILE)} cannot be used: ${problem}. Put it back from a backup; without it statements that were signed cannot be verified against this server.`,
  );

function readKeyFile(dir: string): KeyFile | undefined {
  const path = join(dir, SIGNING_FILE);
  if (!existsSync(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw damaged(dir, 'it is no JSON');
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) throw damaged(dir, parsed.error.issues.map(({ path: at, message }) => `${at.join('.')}: ${message}`).join('; '));
  return parsed.data;
}

function openPair(dir: string, { current }: KeyFile, sealing: SealingKey | undefined): KeyPair {
  if (keyIdOf(current.public_key) !== current.key_id) throw damaged(dir, 'the key id is not that of the public key');
  const { key_id, public_key } = current;
  if ('private_key' in current) return { key_id, public_key, private_key: current.private_key };
  if (sealing === undefined) throw damaged(dir, 'its private key is sealed, and the data directory is not encrypted');
  const opened = sealing.open(Buffer.from(current.sealed_private_key, 'base64url'), boundTo(current));
  if (opened === undefined) throw damaged(dir, 'its private key does not open with the key of this data directory');
  return { key_id, public_key, private_key: Buffer.from(opened).toString('base64url') };
}

function currentOf(
  { key_id, public_key, private_key }: KeyPair,
  created_at_ms: number,
  sealing: SealingKey | undefined,
): KeyFile['current'] {
  const known = { key_id, public_key, created_at_ms };
  if (sealing === undefined) return { ...known, private_key };
  const sealed = seal(sealing, new Uint8Array(Buffer.from(private_key, 'base64url')), boundTo(known));
  return { ...known, sealed_private_key: Buffer.from(sealed).toString('base64url') };
}

const boundTo = ({ key_id }: { readonly key_id: string }): Uint8Array => new TextEncoder().encode(`${FORMAT} ${key_id}`);

const textOf = (file: KeyFile): string => `${JSON.stringify(file, null, 2)}\n`;

const write = (dir: string, file: KeyFile): Promise<void> => replaceFile(openDisk(dir), SIGNING_FILE, textOf(file));
