import { createHash } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { DocumentRow } from '../db/migrations/0001-records.ts';
import { makeDirectory } from '../directory.ts';
import { DEFAULT_TEAM, type Sql, type StoredDocument } from './contract.ts';

const toDocument = (row: DocumentRow): StoredDocument =>
  ({
    id: row.id,
    kind: row.kind,
    entityId: row.entity_id,
    teamId: row.team_id,
    name: row.name,
    mediaType: row.media_type,
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    author: row.author,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
  }) satisfies StoredDocument;

export type DocumentInput = {
  readonly kind: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly author: string;
  readonly expiresAtMs?: number | null;
  readonly entityId?: string | null;
  readonly teamId?: string;
};

/** Bytes live under their hash: `ab/abcd…`. Two documents with the same bytes share one file. */
const pathOf = (directory: string, sha256: string): string => join(directory, sha256.slice(0, 2), sha256);

/**
 * Stores a document. The bytes are on disk, synced and under their final name before the row is written, so that no row
 * ever points at nothing.
 */
export async function putDocument(
  sql: Sql,
  input: DocumentInput,
  at: { readonly directory: string; readonly ids: Ids; readonly nowMs: number },
): Promise<StoredDocument> {
  const row: DocumentRow = {
    id: at.ids.uuid(),
    kind: input.kind,
    entity_id: input.entityId ?? null,
    team_id: input.teamId ?? DEFAULT_TEAM,
    name: input.name,
    media_type: input.mediaType,
    sha256: createHash('sha256').update(input.bytes).digest('hex'),
    size_bytes: input.bytes.length,
    author: input.author,
    created_at_ms: at.nowMs,
    expires_at_ms: input.expiresAtMs ?? null,
  };
  const path = pathOf(at.directory, row.sha256);
  await writeDurably(path, input.bytes, row.id);
  await sql.insertInto('documents').values(row).execute();
  // An expiry of the last other document with these bytes may have removed the file between the two steps.
  if (!(await isThere(path))) await writeDurably(path, input.bytes, row.id);
  return toDocument(row);
}

export async function findDocument(sql: Sql, id: string): Promise<StoredDocument | undefined> {
  const row = await sql.selectFrom('documents').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toDocument(row);
}

/** The bytes of a document. `AppError` `document_damaged` when they no longer have their hash, `document_missing` when they are gone. */
export async function readDocument(directory: string, document: StoredDocument): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(pathOf(directory, document.sha256));
  } catch (thrown) {
    throw new AppError('unavailable', 'document_missing', `the bytes of document ${document.id} are gone`, { cause: thrown });
  }
  if (createHash('sha256').update(bytes).digest('hex') === document.sha256) return bytes;
  throw new AppError('unavailable', 'document_damaged', `the bytes of document ${document.id} do not have the hash they were stored under`);
}

/** Removes documents that expired at or before `nowMs`, and bytes that nothing points at any more. Returns how many. */
export async function expireDocuments(sql: Sql, directory: string, nowMs: number): Promise<number> {
  const expired = await sql.deleteFrom('documents').where('expires_at_ms', '<=', nowMs).returning('sha256').execute();
  for (const sha256 of new Set(expired.map((row) => row.sha256))) {
    const left = await sql.selectFrom('documents').select('id').where('sha256', '=', sha256).limit(1).executeTakeFirst();
    if (left === undefined) await rm(pathOf(directory, sha256), { force: true });
  }
  return expired.length;
}

const isThere = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function writeDurably(path: string, bytes: Uint8Array, unique: string): Promise<void> {
  if (await isThere(path)) return;
  makeDirectory(dirname(path));
  const partial = `${path}.${unique}.partial`;
  const file = await open(partial, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
  await syncDirectory(dirname(path));
}

/** A rename is durable only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
