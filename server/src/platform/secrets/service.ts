import { join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import { sql } from 'kysely';
import type { Db } from '../db/open.ts';
import { makeDirectory } from '../directory.ts';
import { SEALED_COLUMNS, type SealedColumn } from './columns.ts';
import { SECRET_CODES, type SecretPlace, type Secrets } from './contract.ts';
import { SECRET_KEYS_FILE, type SecretKeys, readSecretKeys, writeSecretKeys } from './key-file.ts';
import { finishRotation, keysById } from './rotate.ts';
import { type KeysById, type SealFault, SecretKey, openText, sealText } from './sealed-text.ts';
import { keptValues, replaceValue } from './store.ts';

export type SecretsDeps = {
  readonly db: Pick<Db, 'kysely' | 'kind'>;
  readonly dataDir: string;
  /** Of an encrypted data directory. */
  readonly sealing: SealingKey | undefined;
  readonly logger: Logger;
  readonly nowMs: number;
};

/** What is shown of faults in one sentence. */
const MAX_NAMED = 3;

/** The secrets of a data directory. */
export class SecretRoom implements Secrets {
  readonly #deps: Omit<SecretsDeps, 'nowMs'>;
  #keys: SecretKeys;
  readonly #byId: KeysById;
  /** By place: why it does not open. */
  readonly #unreadable = new Map<string, string>();

  constructor(deps: Omit<SecretsDeps, 'nowMs'>, keys: SecretKeys) {
    this.#deps = deps;
    this.#keys = keys;
    this.#byId = keysById(keys);
  }

  seal(place: SecretPlace, text: string): string {
    this.#unreadable.delete(nameOf(place));
    return sealText(this.#keys.current, place, text);
  }

  open(place: SecretPlace, sealed: string): Result<string, string> {
    const opened = openText(this.#byId, place, sealed);
    const name = nameOf(place);
    if (typeof opened !== 'string') {
      this.#unreadable.delete(name);
      return ok(opened.text);
    }
    const fault = `the secret in ${name} cannot be read: ${WORDS[opened]}`;
    if (!this.#unreadable.has(name)) this.#deps.logger.error('a secret cannot be read', { place: name, reason: WORDS[opened] });
    this.#unreadable.set(name, fault);
    return err(fault);
  }

  /** Places whose secret did not open when it was last needed. */
  get unreadable(): number {
    return this.#unreadable.size;
  }

  health(): { readonly status: 'ok' | 'degraded'; readonly detail: string } {
    const names = [...this.#unreadable.keys()];
    if (names.length === 0) return { status: 'ok', detail: `sealed with the key ${this.#keys.current.id}` };
    const rest = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
    return { status: 'degraded', detail: `cannot be read, write them anew: ${names.slice(0, MAX_NAMED).join(', ')}${rest}` };
  }

  /** What an older version kept open in a whole column. */
  async sealOpenTexts(column: SealedColumn): Promise<void> {
    const { db, dataDir, sealing } = this.#deps;
    for await (const { id, value } of keptValues(db.kysely, column, 'open')) {
      if (this.#keys.scrubbed) {
        // Said before the first of them is sealed: a start that is cut short is followed by one that finds nothing open.
        this.#keys = { ...this.#keys, scrubbed: false };
        await writeSecretKeys(dataDir, this.#keys, sealing);
      }
      const to = this.seal({ table: column.table, id, column: column.column }, value);
      await replaceValue(db.kysely, column, { row: id, from: value, to });
    }
  }

  /** When everything that an older version kept open is sealed: nothing of it is left in the file of the database. */
  async scrub(): Promise<void> {
    if (this.#keys.scrubbed) return;
    const { db, dataDir, sealing } = this.#deps;
    if (db.kind === 'sqlite') {
      await sql`vacuum`.execute(db.kysely);
      await sql`pragma wal_checkpoint(truncate)`.execute(db.kysely);
    }
    this.#keys = { ...this.#keys, scrubbed: true };
    await writeSecretKeys(dataDir, this.#keys, sealing);
  }
}

/**
 * The secrets of a data directory; their key is made at the first start, and a rotation that was cut short is finished. `AppError`
 * `secret_keys_missing` when there are sealed texts and no key, `secret_keys_damaged`.
 */
export async function openSecrets({ nowMs, ...deps }: SecretsDeps): Promise<SecretRoom> {
  const room = new SecretRoom(deps, await openSecretKeys({ nowMs, ...deps }));
  for (const column of SEALED_COLUMNS.filter(({ holds }) => holds === 'text')) await room.sealOpenTexts(column);
  return room;
}

async function openSecretKeys({ db, dataDir, sealing, logger, nowMs }: SecretsDeps): Promise<SecretKeys> {
  const read = readSecretKeys(dataDir, sealing);
  if (read === undefined) {
    if (await hasSealed(db)) throw missing(dataDir);
    makeDirectory(dataDir);
    const made = { current: SecretKey.create(nowMs), retiring: [], scrubbed: false };
    await writeSecretKeys(dataDir, made, sealing);
    return made;
  }
  if (read.keys.retiring.length > 0) {
    const { keyId, rewrapped, lost } = await finishRotation({ db: db.kysely, dataDir, sealing }, read.keys);
    logger.info('the rotation of the key of secrets was finished', { key: keyId, rewrapped });
    for (const place of lost) logger.error('a secret cannot be read', { place: nameOf(place), reason: WORDS[place.fault] });
    return { ...read.keys, retiring: [] };
  }
  if (read.isPlain && sealing !== undefined) await writeSecretKeys(dataDir, read.keys, sealing);
  return read.keys;
}

async function hasSealed(db: SecretsDeps['db']): Promise<boolean> {
  for (const column of SEALED_COLUMNS) for await (const _value of keptValues(db.kysely, column, 'sealed')) return true;
  return false;
}

const nameOf = ({ table, id, column }: SecretPlace): string => `${table} ${id} ${column}`;

const WORDS: Readonly<Record<SealFault, string>> = {
  no_sealed_text: 'it is not sealed as it should be',
  unknown_key: `it is sealed with a key that ${SECRET_KEYS_FILE} does not hold`,
  does_not_open: 'it was altered, or belongs elsewhere',
};

const missing = (dataDir: string): AppError =>
  new AppError(
    'unavailable',
    SECRET_CODES.keysMissing,
    `the state database holds sealed secrets, and their key ${join(dataDir, SECRET_KEYS_FILE)} is not there. Put it back from a backup, or copy it from the server that shares this database.`,
  );
