import Database from 'better-sqlite3';
import type { Cipher, Disk } from './contract.ts';
import { checkpointFile } from './log/checkpoint.ts';
import { FILE_HEADER_BYTES, FrameBuffer, type LogFile, checkpointSeed, fileHeader, isSealedFile, readFrames } from './log/frame.ts';
import { segmentFile } from './log/log-writer.ts';
import { type HeadColumns, headOf, openPageFile } from './page-store.ts';
import { PageSealer, SEALED_KEY } from './pages/sealed-pages.ts';
import { otherEncryption } from './unavailable.ts';

/** Copies of a plain store's files with everything sealed, while nobody has the store open. The plain files stay as they are. */

/** Called with the number of bytes that were read since the last call. */
export type OnBytes = (bytes: number) => void;

/** Rows between two transactions. */
const ROWS_AT_ONCE = 256;
/** What a row takes besides its blobs, for progress. */
const ROW_BYTES = 64;

/** Writes `to`, which must not exist, row by row, so that no plain one ever stands in it. After a failure it is worth nothing; syncing it is the caller's. */
export function encryptPages(from: string, to: string, { cipher, onBytes }: { readonly cipher: Cipher; readonly onBytes: OnBytes }): void {
  // Brings the rows to the newest form, and what stands in the write-ahead file into them.
  openPageFile(from).close();
  openPageFile(to).close();
  const source = new Database(from, { readonly: true });
  const db = new Database(to);
  try {
    if (source.prepare<[string]>('SELECT 1 FROM meta WHERE key = ?').get(SEALED_KEY) !== undefined) throw otherEncryption(from, true);
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    sealRows(source, db, { sealer: new PageSealer(cipher), onBytes });
    // Openers expect it, and it is kept in the file.
    db.pragma('journal_mode = WAL');
  } finally {
    source.close();
    db.close();
  }
}

type Row = Record<string, unknown>;

function sealRows(
  source: Database.Database,
  db: Database.Database,
  { sealer, onBytes }: { readonly sealer: PageSealer; readonly onBytes: OnBytes },
): void {
  const asTheyAre = (row: Row): Row => row;
  const copy = (table: string, seal: (row: Row) => Row): void => {
    const columns = (source.pragma(`table_info(${table})`) as readonly { readonly name: string }[]).map(({ name }) => name);
    const put = db.prepare<[Row]>(
      `INSERT OR REPLACE INTO ${table} (${columns.join()}) VALUES (${columns.map((name) => `@${name}`).join()})`,
    );
    const putAll = db.transaction((rows: readonly Row[]) => {
      for (const row of rows) put.run(seal(row));
    });
    let rows: Row[] = [];
    const write = (): void => {
      putAll(rows);
      onBytes(rows.reduce((sum, row) => sum + bytesOfRow(row), 0));
      rows = [];
    };
    for (const row of source.prepare<[], Row>(`SELECT ${columns.join()} FROM ${table}`).iterate())
      if (rows.push(row) >= ROWS_AT_ONCE) write();
    write();
  };
  for (const table of ['meta', 'series', 'days', 'totals']) copy(table, asTheyAre);
  copy('labels', (row) => ({ ...row, block: sealer.sealLabels(row['block'] as Uint8Array) }));
  copy('pages', (row) => sealedRow(row as PageRow, sealer));
  // Ids of rows that are gone must not be given again.
  db.exec('DELETE FROM sqlite_sequence');
  const sequence = db.prepare<[string, number]>('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)');
  for (const { name, seq } of source.prepare<[], { name: string; seq: number }>('SELECT name, seq FROM sqlite_sequence').all())
    sequence.run(name, seq);
  db.exec('UPDATE totals SET bytes = coalesce((SELECT sum(bytes) FROM pages WHERE pages.resolution_ms = totals.resolution_ms), 0)');
  db.prepare<[string, string]>('INSERT INTO meta (key, value) VALUES (?, ?)').run(SEALED_KEY, '1');
}

const bytesOfRow = (row: Row): number =>
  Object.values(row).reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? value.length : 0), ROW_BYTES);

type PageRow = HeadColumns & { data: Uint8Array };

function sealedRow(row: PageRow, sealer: PageSealer): Row {
  const { metricFrom, metricTo, refs, data } = sealer.sealPage({ ...headOf(row), data: row.data });
  return { ...row, metric_from: metricFrom, metric_to: metricTo, refs, data, bytes: refs.length + data.length };
}

/**
 * Writes every frame of every log file anew, sealed, under the same names; durable when it resolves. Returns the places that
 * no valid frame covers and that therefore stay behind: `file:from-to`.
 */
export async function encryptLog(
  from: Disk,
  to: Disk,
  { cipher, onBytes }: { readonly cipher: Cipher; readonly onBytes: OnBytes },
): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const name of await from.list()) {
    const [, kind, digits] = /^(log|checkpoint)-(\d+)$/.exec(name) ?? [];
    if (kind === undefined) continue;
    const number = Number(digits);
    const files: readonly [plain: LogFile, sealed: LogFile] =
      kind === 'log'
        ? [segmentFile(number, undefined), segmentFile(number, cipher)]
        : [{ seed: checkpointSeed(number), key: undefined }, checkpointFile(number, cipher)];
    const bytes = await from.read(name);
    if (isSealedFile(bytes) === true) throw otherEncryption(name, true);
    lost.push(...(await encryptFile(to, name, bytes, files)));
    onBytes(bytes.length);
  }
  await to.syncDirectory();
  return lost;
}

/** Sealed frames gathered before they are written. */
const WRITE_BYTES = 1024 * 1024;

async function encryptFile(
  to: Disk,
  name: string,
  bytes: Uint8Array,
  [plain, sealed]: readonly [LogFile, LogFile],
): Promise<readonly string[]> {
  const payloads: Uint8Array[] = [];
  const { gaps, tail } = readFrames(bytes, plain, (payload) => payloads.push(payload.bytes.subarray(payload.at, payload.end)));
  const file = await to.create(name);
  try {
    await file.append(fileHeader(sealed));
    let written = FILE_HEADER_BYTES;
    const frames = new FrameBuffer();
    for (const [i, payload] of payloads.entries()) {
      frames.frame((writer) => writer.raw(payload));
      if (frames.size < WRITE_BYTES && i < payloads.length - 1) continue;
      const out = frames.seal(sealed, written);
      await file.append(out);
      written += out.length;
      frames.clear();
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return [...gaps, ...(tail === undefined ? [] : [tail])].map((gap) => `${name}:${gap.from}-${gap.to}`);
}
