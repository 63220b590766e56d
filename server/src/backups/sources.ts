import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeldFile, Store } from '@nines/tsdb/contract.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { SqliteHolder, holdFile } from '@nines/tsdb/held-file.ts';
import type { Db } from '../platform/db/open.ts';
import { ASIDE_PREFIX } from './contract.ts';
import type { SourceFile } from './copy.ts';

/** What a backup copies, held still: the state first, then the samples, which therefore lack nothing that the state knows of. */
export type Sources = {
  readonly state: 'sqlite' | 'postgresql';
  /** The caller releases them in this order. */
  open(): Promise<readonly SourceFile[]>;
};

const TSDB = 'tsdb';
const STATE = 'state';
/** Leftovers and side files that mean nothing to another process, and anchors, which would prove nothing beside what they anchor; what a restore moved aside is in an older backup. */
const LEFT_OUT = /^(lock|audit-anchors\.jsonl|.*\.tmp|.*\.partial|.*-shm)$/;

const under = (folder: string, files: readonly HeldFile[]): readonly SourceFile[] =>
  files.map((file) => ({ path: `${folder}/${file.name}`, bytes: file.bytes, open: async () => file, release: () => file.release() }));

/** Of a data directory that this process serves. */
export const liveSources = (dataDir: string, store: Pick<Store, 'cut'>, db: Pick<Db, 'hold'>): Sources => ({
  state: db.hold === undefined ? 'postgresql' : 'sqlite',
  open: () =>
    collect(async (held) => {
      if (db.hold !== undefined) held.push(...under(STATE, db.hold()));
      held.push(...under(TSDB, await store.cut()));
      await holdOthers(dataDir, held);
    }),
});

/** Of a data directory that nobody serves. Throws `StoreLocked` when someone does. The caller closes it after releasing the files. */
export function restingSources(dataDir: string, state: Sources['state']): Sources & Disposable {
  const disk = openDisk(join(dataDir, TSDB));
  const stateFile = join(dataDir, STATE, 'nines.db');
  // The command line may have the state open beside us, so it is held as a server would.
  const holder = new SqliteHolder(stateFile);
  disk.lock();
  return {
    state,
    open: () =>
      collect(async (held) => {
        if (state === 'sqlite' && existsSync(stateFile)) held.push(...under(STATE, await heldState(holder, stateFile)));
        const names = (await readdir(join(dataDir, TSDB))).filter((name) => !LEFT_OUT.test(name));
        for (const name of names) held.push(...under(TSDB, [await holdFile(join(dataDir, TSDB, name))]));
        await holdOthers(dataDir, held);
      }),
    [Symbol.dispose]: () => {
      disk.close();
      holder.close();
    },
  };
}

/** An encrypted database is not opened without its key: then its files are copied as they lie there, which is right while nobody writes them. */
async function heldState(holder: SqliteHolder, file: string): Promise<readonly HeldFile[]> {
  try {
    return holder.hold();
  } catch (thrown) {
    if ((thrown as { readonly code?: unknown }).code !== 'SQLITE_NOTADB') throw thrown;
    const files = [file, `${file}-wal`].filter((path) => existsSync(path));
    return Promise.all(files.map((path) => holdFile(path)));
  }
}

async function collect(fill: (held: SourceFile[]) => Promise<void>): Promise<readonly SourceFile[]> {
  const held: SourceFile[] = [];
  try {
    await fill(held);
    return held;
  } catch (thrown) {
    for (const file of held) await file.release();
    throw thrown;
  }
}

/** Every other file: documents, keys, and what later parts put there. Written once under its name, so each is opened when its turn comes. */
async function holdOthers(dataDir: string, held: SourceFile[]): Promise<void> {
  for (const entry of await readdir(dataDir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || LEFT_OUT.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(join(dataDir, '/').length);
    if (path.startsWith(`${TSDB}/`) || path.startsWith(`${STATE}/`) || path.startsWith(ASIDE_PREFIX)) continue;
    const found = await stat(file).catch(unlessGone);
    if (found !== undefined) held.push({ path, bytes: found.size, open: () => holdFile(file).catch(unlessGone), release: async () => {} });
  }
}

function unlessGone(thrown: unknown): undefined {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
}
