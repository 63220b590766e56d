import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, invariant } from '@nines/base/errors.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import { makeDirectory } from '../platform/directory.ts';
import type { Db } from '../platform/db/open.ts';
import {
  AUDIT_KEY_FILE,
  type AuditKey,
  type AuditKeys,
  addAuditKey,
  forceAuditKey,
  openAuditKeys,
  readAuditKeys,
} from '../platform/signing/audit-key.ts';
import { AUDIT_CODES } from './contract.ts';
import * as store from './store.ts';

/** The keys of the chain as this process knows them. Another one may rotate them at any time, so an unknown one is looked for again. */
export type KeyBook = {
  known(): AuditKeys;
  /** Throws a sentence when there is no such key here. Null: the one in force. */
  get(id: string | null): AuditKey;
  add(nowMs: number): Promise<AuditKey>;
  force(id: string): Promise<void>;
};

export type KeyPlace = {
  readonly db: Pick<Db, 'kysely'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly dataDir: string;
  /** Of an encrypted data directory. */
  readonly sealing: SealingKey | undefined;
};

/**
 * The keys of a data directory, made at its first start. `AppError` `audit_key_missing` when there are entries and no key, since a
 * new one would disown them, and `audit_key_foreign` when another instance on the same database chains with a key of its own.
 */
export async function openKeyBook({ db, clock, dataDir, sealing }: KeyPlace): Promise<KeyBook> {
  const file = join(dataDir, AUDIT_KEY_FILE);
  const ends = await store.readEnds(db.kysely);
  if (readAuditKeys(dataDir, sealing) === undefined && (ends.seq > 0 || ends.key_id !== null)) {
    const words = `the state database has an audit log, and its key ${file} is not there. Put it back from a backup, or copy it from the data directory of the other instance on this database.`;
    throw new AppError('unavailable', AUDIT_CODES.keyMissing, words);
  }
  makeDirectory(dataDir);
  let keys = await openAuditKeys(dataDir, sealing, clock.now());
  const last = ends.key_id === null && ends.seq > 0 ? await store.findEntry(db.kysely, ends.seq) : undefined;
  const inForce = last?.key_id ?? (await store.claimKey(db.kysely, keys.current.id));
  if (!keys.all.some(({ id }) => id === inForce)) {
    const words = `the audit log of this database is chained with the key ${inForce}, which ${file} does not hold. Every instance on one database needs the same file: copy it from the data directory of the instance that started first.`;
    throw new AppError('unavailable', AUDIT_CODES.keyForeign, words);
  }
  // A rotation that was cut short after the chain had gone on.
  const place = (id: string): number => keys.all.findIndex((key) => key.id === id);
  if (place(inForce) > place(keys.current.id)) keys = await forceAuditKey(dataDir, sealing, inForce);
  const find = (id: string): AuditKey | undefined => keys.all.find((key) => key.id === id);
  return {
    known() {
      keys = readAuditKeys(dataDir, sealing) ?? keys;
      return keys;
    },
    get(id) {
      if (id === null) return keys.current;
      const found = find(id);
      if (found !== undefined) return found;
      keys = readAuditKeys(dataDir, sealing) ?? keys;
      const now = find(id);
      if (now === undefined)
        throw new Error(`the audit log goes on with the key ${id}, which ${file} does not hold; copy it from the instance that rotated it`);
      return now;
    },
    async add(nowMs) {
      keys = await addAuditKey(dataDir, sealing, nowMs);
      const added = keys.all.at(-1);
      invariant(added !== undefined, 'a ring to which a key was added holds one');
      return added;
    },
    async force(id) {
      keys = await forceAuditKey(dataDir, sealing, id);
    },
  };
}
