import fs from 'node:fs';
import { join } from 'node:path';
import { invariant } from '@nines/base/errors.ts';
import type { CheckResult } from '../../checks/contract.ts';
import { type WireResult, wireOf } from '../contract.ts';

/** Results are kept in files of about this size; a full buffer drops the oldest file. */
const SEGMENT_BYTES = 1024 * 1024;
const SEGMENT = /^(\d{16})\.jsonl$/;
const STATE_FILE = 'buffer.json';

/** What was dropped because the buffer was full, since the agent joined. */
export type Lost = { readonly count: number; readonly from_at_ms: number; readonly to_at_ms: number };
type State = { readonly taken: number; readonly lost: Lost | null };
type Segment = { readonly first: number; readonly path: string; bytes: number; last: number };

/**
 * Results on their way to the server, on disk, in the order in which they were made and numbered from 1 on. What the server has not
 * confirmed survives the end of the process; a half-written last line, as a kill leaves it, is dropped. At most `limitBytes` are kept: the oldest
 * go first, and are counted.
 */
export class ResultBuffer {
  readonly #dir: string;
  readonly #limitBytes: number;
  readonly #segmentBytes: number;
  #segments: Segment[] = [];
  #file: number | undefined;
  #state: State;
  #next: number;
  #waiting = 0;

  constructor(dir: string, limitBytes: number) {
    this.#dir = dir;
    this.#limitBytes = limitBytes;
    this.#segmentBytes = Math.min(SEGMENT_BYTES, Math.ceil(limitBytes / 4));
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#state = readState(join(dir, STATE_FILE));
    for (const name of fs.readdirSync(dir).sort()) {
      const first = SEGMENT.exec(name)?.[1];
      if (first !== undefined) this.#segments.push(openSegment(join(dir, name), Number(first)));
    }
    this.#segments = this.#segments.filter(({ bytes, path }) => bytes > 0 || fs.rmSync(path) !== undefined);
    this.#next = Math.max(this.#state.taken, this.#segments.at(-1)?.last ?? 0) + 1;
    this.#waiting = this.#segments.flatMap((segment) => readLines(segment.path)).filter(({ seq }) => seq > this.#state.taken).length;
  }

  /** Results that the server does not have. */
  get waiting(): number {
    return this.#waiting;
  }

  get lost(): Lost | null {
    return this.#state.lost;
  }

  /** Keeps a result. It is written before this returns; `sync` makes it durable against a loss of power. */
  append(result: CheckResult): void {
    const segment = this.#current();
    const line = Buffer.from(`${JSON.stringify(wireOf(result, this.#next))}\n`);
    invariant(this.#file !== undefined, 'the newest segment is open');
    fs.writeSync(this.#file, line);
    segment.bytes += line.length;
    segment.last = this.#next++;
    this.#waiting++;
    this.#shrink();
  }

  /** The oldest results that the server does not have, in order. */
  batch(limit: number): readonly WireResult[] {
    const found: WireResult[] = [];
    for (const { path, last } of this.#segments) {
      if (found.length >= limit) break;
      if (last > this.#state.taken) found.push(...readLines(path).filter(({ seq }) => seq > this.#state.taken));
    }
    return found.slice(0, limit);
  }

  /** The server has everything up to and including `seq`. One that knows of more than we do saw a directory before this one. */
  taken(seq: number): void {
    if (seq <= this.#state.taken) return;
    const before = this.#state.taken;
    this.#write({ ...this.#state, taken: seq });
    if (seq >= this.#next) {
      this.#next = seq + 1;
      this.#waiting = 0;
    } else this.#waiting = Math.max(0, this.#waiting - (seq - Math.max(before, (this.#segments[0]?.first ?? 1) - 1)));
    while (this.#segments[0] !== undefined && this.#segments[0].last <= seq) this.#remove();
  }

  /** Makes everything durable that was appended. */
  sync(): void {
    if (this.#file !== undefined) fs.fdatasyncSync(this.#file);
  }

  close(): void {
    this.sync();
    if (this.#file !== undefined) fs.closeSync(this.#file);
    this.#file = undefined;
  }

  #current(): Segment {
    const newest = this.#segments.at(-1);
    if (newest !== undefined && this.#file !== undefined && newest.bytes < this.#segmentBytes) return newest;
    this.close();
    const segment = {
      first: this.#next,
      path: join(this.#dir, `${String(this.#next).padStart(16, '0')}.jsonl`),
      bytes: 0,
      last: this.#next - 1,
    };
    this.#file = fs.openSync(segment.path, 'a', 0o600);
    this.#segments.push(segment);
    return segment;
  }

  /** Drops the oldest files until the rest fits. */
  #shrink(): void {
    while (this.#segments.length > 1 && this.#segments.reduce((sum, { bytes }) => sum + bytes, 0) > this.#limitBytes) {
      const dropped = readLines(this.#segments[0]?.path ?? '').filter(({ seq }) => seq > this.#state.taken);
      const { lost } = this.#state;
      const first = dropped[0];
      if (first !== undefined) {
        const next: Lost = {
          count: (lost?.count ?? 0) + dropped.length,
          from_at_ms: lost?.from_at_ms ?? first.at_ms,
          to_at_ms: dropped.at(-1)?.at_ms ?? first.at_ms,
        };
        this.#write({ ...this.#state, lost: next });
        this.#waiting -= dropped.length;
      }
      this.#remove();
    }
  }

  #remove(): void {
    const gone = this.#segments.shift();
    if (gone === undefined) return;
    if (this.#segments.length === 0) this.close();
    fs.rmSync(gone.path, { force: true });
  }

  /** In the place of the one before, whole: read back after a kill at any instant. */
  #write(state: State): void {
    this.#state = state;
    const path = join(this.#dir, STATE_FILE);
    fs.writeFileSync(`${path}.tmp`, JSON.stringify(state), { mode: 0o600, flush: true });
    fs.renameSync(`${path}.tmp`, path);
  }
}

function readState(path: string): State {
  try {
    const { taken, lost } = JSON.parse(fs.readFileSync(path, 'utf8')) as Partial<State>;
    return { taken: taken ?? 0, lost: lost ?? null };
  } catch {
    // Before the first confirmation. If it was damaged, results are sent again, and the server knows their numbers.
    return { taken: 0, lost: null };
  }
}

/** Opens a file of the process before. What follows its last whole line is cut off. */
function openSegment(path: string, first: number): Segment {
  const content = fs.readFileSync(path);
  const bytes = content.lastIndexOf('\n') + 1;
  if (bytes < content.length) fs.truncateSync(path, bytes);
  return { first, path, bytes, last: readLines(path).at(-1)?.seq ?? first - 1 };
}

function readLines(path: string): readonly WireResult[] {
  return fs
    .readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as WireResult];
      } catch {
        // A line that a loss of power left half: nobody can know what it said.
        return [];
      }
    });
}
