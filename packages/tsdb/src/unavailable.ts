import { messageOf } from '@nines/base/errors.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);
const READ_ONLY = new Set(['EROFS', 'EACCES', 'EPERM', 'SQLITE_READONLY', 'SQLITE_READONLY_DIRECTORY', 'SQLITE_CANTOPEN']);

/** The refusal for whatever the disk threw. */
export function unavailable(thrown: unknown): StoreUnavailable {
  if (thrown instanceof StoreUnavailable) return thrown;
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
  const options = { cause: thrown };
  if (DISK_FULL.has(code)) return new StoreUnavailable('disk_full', 'The disk is full.', options);
  if (READ_ONLY.has(code)) return new StoreUnavailable('read_only', 'The data directory cannot be written.', options);
  return new StoreUnavailable('io', `The disk does not take samples: ${messageOf(thrown)}`, options);
}

export const closedStore = (): StoreUnavailable => new StoreUnavailable('closed', 'The store is closed.');

/** `what` was written with a key and the store has none, or the other way round. Nothing was changed. */
export const otherEncryption = (what: string, isSealed: boolean): StoreUnavailable =>
  new StoreUnavailable(
    'io',
    isSealed
      ? `${what} is encrypted, and the store was opened without a key.`
      : `${what} is not encrypted, and the store was opened with a key.`,
  );

/** The log belongs to another, fuller page store. Nothing was changed. */
export const lostPages = (logged: number, known: number): StoreUnavailable =>
  new StoreUnavailable(
    'io',
    `pages.db is missing, empty or older than the log beside it, or the end of its -wal file is gone: the log knows of page ${logged}, pages.db of ${known === 0 ? 'none' : known}. ` +
      'Put the right pages.db back or restore a backup (nines restore); to start without any of these samples, move the directory away.',
  );
