import Database from 'better-sqlite3';
import type { Cipher, Disk } from './contract.ts';
import { checkpointFile } from './log/checkpoint.ts';
import { FILE_HEADER_BYTES, FrameBuffer, type LogFile, checkpointSeed, fileHeader, isSealedFile, readFrames } from './log/frame.ts';
import { segmentFile } from './log/log-writer.ts';
import { type HeadColumns, headOf, openPageFile } from './page-store.ts';
import { PageSealer, SEALED_KEY } from './pages/sealed-pages.ts';
import { otherEncryption } from './unavailable.ts';

/** Copies of a plain store's files with everything sealed, while nobody has the store open. The plain files stay as they are. */

/**
 * Writes `to` and, meanwhile, `<to>.plain`, which the caller removes if this throws. Afterwards `to` is complete; syncing it is
 * the caller's.
 */
export function encryptPages(from: string, to: string, cipher: Cipher): void {
  // Brings the rows to the newest form, and what stands in the write-ahead file into them.
  openPageFile(from).close();
  const plain = `${to}.plain`;
  const source = new Database(from);
  try {
    source.prepare('VACUUM INTO ?').run(plain);
  } finally {
    source.close();
  }
  const db = new Database(plain);
  try {
    if (db.prepare<[string]>('SELECT 1 FROM meta WHERE key = ?').get(SEALED_KEY) !== undefined) throw otherEncryption(from, true);
    db.pragma('synchronous = OFF');
    db.transaction(() => sealRows(db, new PageSealer(cipher)))();
    // Once more, because the plain rows still stand in the file's free space.
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

function sealRows(db: Database.Database, sealer: PageSealer): void {
  const block = db.prepare<[number], { block: Uint8Array }>('SELECT block FROM labels WHERE id = ?');
  const putBlock = db.prepare<[Uint8Array, number]>('UPDATE labels SET block = ? WHERE id = ?');
  for (const id of idsOf(db, 'labels')) {
    const row = block.get(id);
    if (row !== undefined) putBlock.run(sealer.sealLabels(row.block), id);
  }
  const page = db.prepare<[number], PageRow>(
    `SELECT resolution_ms, window_ms, from_ms, to_ms, metric_from, metric_to, segment, samples, refs, data FROM pages WHERE id = ?`,
  );
  const putPage = db.prepare<[string, string, Uint8Array, Uint8Array, number, number]>(
    'UPDATE pages SET metric_from = ?, metric_to = ?, refs = ?, data = ?, bytes = ? WHERE id = ?',
  );
  for (const id of idsOf(db, 'pages')) {
    const row = page.get(id);
    if (row === undefined) continue;
    const { metricFrom, metricTo, refs, data } = sealer.sealPage({ ...headOf(row), data: row.data });
    putPage.run(metricFrom, metricTo, refs, data, refs.length + data.length, id);
  }
  db.exec('UPDATE totals SET bytes = coalesce((SELECT sum(bytes) FROM pages WHERE pages.resolution_ms = totals.resolution_ms), 0)');
  db.prepare<[string, string]>('INSERT INTO meta (key, value) VALUES (?, ?)').run(SEALED_KEY, '1');
}

/** All at once: a table must not be written while it is walked. */
const idsOf = (db: Database.Database, table: 'labels' | 'pages'): readonly number[] =>
  db.prepare<[], number>(`SELECT id FROM ${table} ORDER BY id`).pluck().all();

type PageRow = HeadColumns & { data: Uint8Array };

/**
 * Writes every frame of every log file anew, sealed, under the same names; durable when it resolves. Returns the places that
 * no valid frame covers and that therefore stay behind: `file:from-to`.
 */
export async function encryptLog(from: Disk, to: Disk, cipher: Cipher): Promise<readonly string[]> {
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
