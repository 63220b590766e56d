import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import type { AppendFile, Cipher, Disk, Durability } from '../contract.ts';
import { closedStore, unavailable } from '../unavailable.ts';
import { FILE_HEADER_BYTES, FrameBuffer, type LogFile, fileHeader } from './frame.ts';

/**
 * The log's writing end. What arrives while a group is on its way to the disk forms the next group: one write and one
 * fdatasync for all of it. Only when that is done, the members take effect and are acknowledged, in the order of the log.
 *
 * A failed group leaves nothing: the file is cut back to what was durable, or given up for a new segment.
 */

/** A segment is closed beyond this. Replay holds one in memory. */
export const SEGMENT_BYTES = 32 * 1024 * 1024;
/** Frames waiting for a disk that does not keep up; beyond it appends are refused rather than memory filled. */
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;

export const segmentName = (number: number): string => `log-${String(number).padStart(8, '0')}`;
export const segmentFile = (number: number, cipher: Cipher | undefined): LogFile => ({
  seed: number,
  key: cipher?.key(segmentName(number)),
});

type Member = { readonly apply: () => void; readonly reject: (reason: unknown) => void };
type Roll = { readonly resolve: (segment: number) => void; readonly reject: (reason: unknown) => void };
export type LogWriterOptions = {
  readonly disk: Disk;
  readonly cipher: Cipher | undefined;
  readonly durability: Durability;
  readonly logger: Logger;
  /** Segments that exist, ascending. */
  readonly segments: readonly LogSegment[];
};
export type LogSegment = { readonly number: number; bytes: number };
type OpenSegment = { readonly file: AppendFile; readonly frames: LogFile };

export class LogWriter {
  readonly #disk: Disk;
  readonly #cipher: Cipher | undefined;
  readonly #durability: Durability;
  readonly #logger: Logger;
  #segments: LogSegment[];
  #open: OpenSegment | undefined;
  #nextNumber: number;
  #buffer = new FrameBuffer();
  #spare = new FrameBuffer();
  #members: Member[] = [];
  #rolls: Roll[] = [];
  #running = false;
  #pumping: Promise<void> | undefined;
  #background: Promise<void> | undefined;
  #closed = false;

  constructor({ disk, cipher, durability, logger, segments }: LogWriterOptions) {
    this.#disk = disk;
    this.#cipher = cipher;
    this.#durability = durability;
    this.#logger = logger;
    this.#segments = [...segments];
    this.#nextNumber = (segments.at(-1)?.number ?? 0) + 1;
  }

  get segments(): readonly LogSegment[] {
    return this.#segments;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /**
   * Writes the frames that `write` adds. `apply` runs once they are as durable as promised, in the order of the calls, and
   * its result is the promise's. Rejects with `StoreUnavailable`, and then `apply` never runs.
   */
  commit<T>(write: (frames: FrameBuffer) => void, apply: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedStore());
    if (this.#buffer.size > MAX_PENDING_BYTES) {
      return Promise.reject(new StoreUnavailable('io', `More than ${MAX_PENDING_BYTES} bytes wait for the disk.`));
    }
    return new Promise<T>((resolve, reject) => {
      write(this.#buffer);
      this.#members.push({ apply: () => resolve(apply()), reject });
      this.#pump();
    });
  }

  /** Starts a new segment and returns its number: everything in lower ones has taken effect. */
  roll(): Promise<number> {
    if (this.#closed) return Promise.reject(closedStore());
    return new Promise((resolve, reject) => {
      this.#rolls.push({ resolve, reject });
      this.#pump();
    });
  }

  /** Removes the segments below `number`. They must be superfluous durably. */
  async removeBefore(number: number): Promise<void> {
    for (const segment of this.#segments.filter((other) => other.number < number)) {
      await this.#disk.remove(segmentName(segment.number));
      this.#segments = this.#segments.filter((other) => other !== segment);
    }
  }

  /** Waits for what was committed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pumping;
    await this.#background;
    await this.#open?.file.close();
    this.#open = undefined;
  }

  #pump(): void {
    if (this.#running) return;
    this.#running = true;
    this.#pumping = this.#run();
  }

  async #run(): Promise<void> {
    // Callers of this turn of the event loop share the first group.
    await Promise.resolve();
    while (this.#members.length > 0 || this.#rolls.length > 0) {
      if (this.#members.length > 0) await this.#writeGroup();
      if (this.#rolls.length > 0) await this.#rollNow();
    }
    // In the same step as the last look at the queues, so that nobody is left waiting in them.
    this.#running = false;
  }

  async #writeGroup(): Promise<void> {
    const members = this.#members;
    const buffer = this.#buffer;
    this.#members = [];
    this.#buffer = this.#spare;
    this.#spare = buffer;
    try {
      await this.#writeDurably(buffer);
    } catch (thrown) {
      const reason = unavailable(thrown);
      this.#logger.warn('log write failed', { reason: reason.reason, error: messageOf(thrown), refused: members.length });
      for (const member of members) member.reject(reason);
      return;
    } finally {
      buffer.clear();
    }
    for (const { apply, reject } of members) {
      try {
        apply();
      } catch (thrown) {
        reject(thrown);
      }
    }
  }

  async #writeDurably(buffer: FrameBuffer): Promise<void> {
    const full = (this.#segments.at(-1)?.bytes ?? 0) >= SEGMENT_BYTES;
    if (full) await this.#closeSegment();
    const { file, frames } = this.#open ?? (await this.#openSegment());
    const segment = this.#segments.at(-1);
    if (segment === undefined) throw new Error('BUG: an open log file without a segment');
    const bytes = buffer.seal(frames, segment.bytes);
    try {
      await file.append(bytes);
      if (this.#durability === 'sync') await file.sync();
    } catch (thrown) {
      await this.#cutBack(file, segment);
      throw thrown;
    }
    segment.bytes += bytes.length;
    if (this.#durability === 'async') this.#syncSoon(file);
  }

  /**
   * After a failed sync nobody knows which bytes the disk has, so the file is never continued: it is cut back as far as
   * possible and the next group opens a new one.
   */
  async #cutBack(file: AppendFile, segment: LogSegment): Promise<void> {
    this.#open = undefined;
    try {
      await file.truncate(segment.bytes);
      await file.sync();
    } catch (thrown) {
      this.#logger.warn('log segment could not be cut back', { file: segmentName(segment.number), error: messageOf(thrown) });
    }
    await file.close().catch((thrown: unknown) => {
      this.#logger.warn('log segment could not be closed', { file: segmentName(segment.number), error: messageOf(thrown) });
    });
  }

  async #openSegment(): Promise<OpenSegment> {
    const number = this.#nextNumber++;
    const name = segmentName(number);
    const frames = segmentFile(number, this.#cipher);
    const file = await this.#disk.create(name, { syncEach: this.#durability === 'sync' });
    try {
      await file.append(fileHeader(frames));
      await file.sync();
      await this.#disk.syncDirectory();
    } catch (thrown) {
      // What failed first is what is told; recovery copes with a segment that stays behind.
      await file.close().catch(() => {});
      await this.#disk.remove(name).catch(() => {});
      throw thrown;
    }
    this.#segments.push({ number, bytes: FILE_HEADER_BYTES });
    this.#open = { file, frames };
    return this.#open;
  }

  async #closeSegment(): Promise<void> {
    const file = this.#open?.file;
    this.#open = undefined;
    await this.#background;
    if (file === undefined) return;
    await file.sync();
    await file.close();
  }

  async #rollNow(): Promise<void> {
    const rolls = this.#rolls;
    this.#rolls = [];
    try {
      await this.#closeSegment();
      await this.#openSegment();
      const number = this.#segments.at(-1)?.number ?? 0;
      for (const roll of rolls) roll.resolve(number);
    } catch (thrown) {
      for (const roll of rolls) roll.reject(unavailable(thrown));
    }
  }

  /** One sync at a time; a group written meanwhile is covered by the next. */
  #syncSoon(file: AppendFile): void {
    this.#background ??= file
      .sync()
      .catch((thrown: unknown) => {
        this.#logger.warn('log sync failed', { error: messageOf(thrown) });
      })
      .finally(() => {
        this.#background = undefined;
      });
  }
}
