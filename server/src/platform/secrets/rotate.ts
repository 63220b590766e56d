import type { SealingKey } from '@nines/tsdb/contract.ts';
import type { Sql } from '../records/contract.ts';
import { SEALED_COLUMNS, type SealedColumn } from './columns.ts';
import { type SecretKeys, readSecretKeys, writeSecretKeys } from './key-file.ts';
import { type KeysById, type SealFault, SecretKey, rewrap } from './sealed-text.ts';
import { keptValues, replaceValue } from './store.ts';

/** What could not be wrapped anew, because it does not open. */
export type LostSecret = { readonly table: string; readonly id: string; readonly column: string; readonly fault: SealFault };
export type Rotation = { readonly keyId: string; readonly rewrapped: number; readonly lost: readonly LostSecret[] };

export type RotateDeps = {
  readonly db: Sql;
  readonly dataDir: string;
  /** Of an encrypted data directory. */
  readonly sealing: SealingKey | undefined;
  readonly columns?: readonly SealedColumn[];
};

export const keysById = ({ current, retiring }: SecretKeys): KeysById => new Map([current, ...retiring].map((key) => [key.id, key]));

/**
 * Another key for all secrets; the one before is gone afterwards. Nobody else may use the directory meanwhile. Cut at any instant, the
 * keys of the file open everything, and `finishRotation` goes on. Undefined when the directory has no keys yet.
 */
export async function rotateSecretKey(deps: RotateDeps, nowMs: number): Promise<Rotation | undefined> {
  const read = readSecretKeys(deps.dataDir, deps.sealing);
  if (read === undefined) return undefined;
  const { current, retiring, scrubbed } = read.keys;
  const next = { current: SecretKey.create(nowMs), retiring: [current, ...retiring], scrubbed };
  await writeSecretKeys(deps.dataDir, next, deps.sealing);
  return finishRotation(deps, next);
}

/** Wraps everything with the current key, then forgets the others. */
export async function finishRotation({ db, dataDir, sealing, columns = SEALED_COLUMNS }: RotateDeps, keys: SecretKeys): Promise<Rotation> {
  const lost: LostSecret[] = [];
  let rewrapped = 0;
  for (const column of columns) {
    for await (const { id, value } of keptValues(db, column, 'sealed')) {
      const next = rewrap(value, keysById(keys), keys.current);
      for (const fault of next.faults) lost.push({ table: column.table, id, column: column.column, fault });
      if (next.value !== value && (await replaceValue(db, column, { row: id, from: value, to: next.value }))) rewrapped++;
    }
  }
  await writeSecretKeys(dataDir, { ...keys, retiring: [] }, sealing);
  return { keyId: keys.current.id, rewrapped, lost };
}
