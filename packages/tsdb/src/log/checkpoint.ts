import { Columns } from '../codec/columns.ts';
import { ByteWriter } from '../codec/bytes.ts';
import type { AppendFile, Cipher, Disk } from '../contract.ts';
import type { Head } from '../head/head.ts';
import { encodeLabels } from '../head/label-bytes.ts';
import { FILE_HEADER_BYTES, FrameBuffer, type LogFile, checkpointSeed, fileHeader } from './frame.ts';
import { writeColumn, writeEnd, writePacked, writePages, writeSeries } from './records.ts';

/**
 * The head written in compressed form, so that the log before it can go. Checkpoint N stands for all segments below N. It is
 * written while samples keep coming: those are in segment N or later as well, and a sample replayed twice is one sample.
 */
const PIECE_BYTES = 64 * 1024;
const SERIES_PER_RECORD = 256;

export const checkpointName = (number: number): string => `checkpoint-${String(number).padStart(8, '0')}`;
export const checkpointFile = (number: number, cipher: Cipher | undefined): LogFile => ({
  seed: checkpointSeed(number),
  key: cipher?.key(checkpointName(number)),
});
export const temporaryName = (number: number): string => `${checkpointName(number)}.tmp`;

export type CheckpointDeps = { readonly disk: Disk; readonly head: Head; readonly cipher: Cipher | undefined; readonly lastPageId: number };

/** Writes checkpoint `number` and returns its length in bytes. It is durable, under its name, when the promise resolves. */
export async function writeCheckpoint(deps: CheckpointDeps, number: number): Promise<number> {
  const { disk } = deps;
  let bytes: number;
  try {
    bytes = await writeTemporary(deps, number);
  } catch (thrown) {
    // On a full disk the half of it would stand in everybody's way. If even that fails, the next start removes it.
    await disk.remove(temporaryName(number)).catch(() => {});
    throw thrown;
  }
  await disk.rename(temporaryName(number), checkpointName(number));
  await disk.syncDirectory();
  return bytes;
}

async function writeTemporary({ disk, head, cipher, lastPageId }: CheckpointDeps, number: number): Promise<number> {
  const file = await disk.create(temporaryName(number));
  try {
    const frames = checkpointFile(number, cipher);
    const writer = new PieceWriter(file, frames);
    await file.append(fileHeader(frames));
    await writer.record((bytes) => writePages(bytes, lastPageId));
    await writeDefinitions(head, writer);
    await writeSamples(head, writer);
    await writer.record((bytes) => writeEnd(bytes, head.index.nextRef));
    await writer.drain();
    await file.sync();
    return writer.written;
  } finally {
    await file.close();
  }
}

/** Series that the page store does not know. */
async function writeDefinitions(head: Head, writer: PieceWriter): Promise<void> {
  let refs: number[] = [];
  const define = (): Promise<void> | undefined =>
    writer.record((bytes) => writeSeries(bytes, refs, (ref) => encodeLabels(head.index.labelsOf(ref))));
  for (const ref of head.index.refs()) {
    if (!head.isDefined(ref) || head.isPersisted(ref)) continue;
    refs.push(ref);
    if (refs.length < SERIES_PER_RECORD) continue;
    await define();
    refs = [];
  }
  if (refs.length > 0) await define();
}

async function writeSamples(head: Head, writer: PieceWriter): Promise<void> {
  const columns = new Columns();
  for (const ref of head.index.refs()) {
    if (!head.hasSamples(ref)) continue;
    columns.clear();
    head.read(ref, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, columns);
    await writer.record((bytes) => writeColumn(bytes, ref, columns));
  }
}

/** Collects records to pieces worth compressing, each of which becomes a frame. */
class PieceWriter {
  readonly #file: AppendFile;
  readonly #log: LogFile;
  readonly #records = new ByteWriter(PIECE_BYTES + 4096);
  readonly #frames = new FrameBuffer();
  /** Bytes of the file so far. */
  written = FILE_HEADER_BYTES;

  constructor(file: AppendFile, log: LogFile) {
    this.#file = file;
    this.#log = log;
  }

  record(write: (bytes: ByteWriter) => void): Promise<void> | undefined {
    const records = this.#records;
    const start = records.at;
    records.u32(0);
    write(records);
    records.view.setUint32(start, records.at - start - 4, true);
    return records.at >= PIECE_BYTES ? this.drain() : undefined;
  }

  async drain(): Promise<void> {
    this.#frames.frame((bytes) => writePacked(bytes, this.#records.written()));
    this.#records.at = 0;
    const bytes = this.#frames.seal(this.#log, this.written);
    await this.#file.append(bytes);
    this.written += bytes.length;
    this.#frames.clear();
  }
}
