import { Columns } from '../codec/columns.ts';
import { ByteWriter } from '../codec/bytes.ts';
import type { AppendFile, Disk } from '../contract.ts';
import type { Head } from '../head/head.ts';
import { encodeLabels } from '../head/label-bytes.ts';
import { FILE_HEADER_BYTES, FrameBuffer, checkpointSeed, fileHeader } from './frame.ts';
import { writeColumn, writeEnd, writePacked, writeSeries } from './records.ts';

/**
 * The head written in compressed form, so that the log before it can go. Checkpoint N stands for all segments below N. It is
 * written while samples keep coming: those are in segment N or later as well, and a sample replayed twice is one sample.
 */
const PIECE_BYTES = 64 * 1024;
const SERIES_PER_RECORD = 256;

export const checkpointName = (number: number): string => `checkpoint-${String(number).padStart(8, '0')}`;
export const temporaryName = (number: number): string => `${checkpointName(number)}.tmp`;

/** Writes checkpoint `number` and returns its length in bytes. It is durable, under its name, when the promise resolves. */
export async function writeCheckpoint(disk: Disk, head: Head, number: number): Promise<number> {
  let bytes: number;
  try {
    bytes = await writeTemporary(disk, head, number);
  } catch (thrown) {
    // On a full disk the half of it would stand in everybody's way. If even that fails, the next start removes it.
    await disk.remove(temporaryName(number)).catch(() => {});
    throw thrown;
  }
  await disk.rename(temporaryName(number), checkpointName(number));
  await disk.syncDirectory();
  return bytes;
}

async function writeTemporary(disk: Disk, head: Head, number: number): Promise<number> {
  const file = await disk.create(temporaryName(number));
  try {
    const writer = new PieceWriter(file, checkpointSeed(number));
    await file.append(fileHeader(checkpointSeed(number)));
    await writeDefinitions(head, writer);
    await writeSamples(head, writer);
    await writer.record((bytes) => writeEnd(bytes, head.index.nextRef));
    await writer.drain();
    await file.sync();
    return writer.written + FILE_HEADER_BYTES;
  } finally {
    await file.close();
  }
}

/** Series that the page store does not know. */
async function writeDefinitions(head: Head, writer: PieceWriter): Promise<void> {
  let refs: number[] = [];
  const define = (): Promise<void> | undefined =>
    writer.record((bytes) => writeSeries(bytes, refs, (ref) => encodeLabels(head.index.labelsOf(ref))));
  for (let ref = 0; ref < head.index.nextRef; ref++) {
    if (!head.index.isLive(ref) || !head.isDefined(ref) || head.isPersisted(ref)) continue;
    refs.push(ref);
    if (refs.length < SERIES_PER_RECORD) continue;
    await define();
    refs = [];
  }
  if (refs.length > 0) await define();
}

async function writeSamples(head: Head, writer: PieceWriter): Promise<void> {
  const columns = new Columns();
  for (let ref = 0; ref < head.index.nextRef; ref++) {
    if (!head.hasSamples(ref)) continue;
    columns.clear();
    head.read(ref, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, columns);
    await writer.record((bytes) => writeColumn(bytes, ref, columns));
  }
}

/** Collects records to pieces worth compressing, each of which becomes a frame. */
class PieceWriter {
  readonly #file: AppendFile;
  readonly #seed: number;
  readonly #records = new ByteWriter(PIECE_BYTES + 4096);
  readonly #frames = new FrameBuffer();
  written = 0;

  constructor(file: AppendFile, seed: number) {
    this.#file = file;
    this.#seed = seed;
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
    await this.#file.append(this.#frames.seal(this.#seed));
    this.written += this.#frames.size;
    this.#frames.clear();
  }
}
