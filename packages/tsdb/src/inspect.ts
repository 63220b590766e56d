import { decodeLabelBlock } from './codec/label-block.ts';
import { Columns } from './codec/columns.ts';
import { DecodedPage } from './codec/page.ts';
import { type Cipher, CorruptData, type Disk, type PageHead, type PageStore } from './contract.ts';
import { decodeLabels } from './head/label-bytes.ts';
import { checkpointFile, checkpointName } from './log/checkpoint.ts';
import { type FileReport, type LogFile, readFrames } from './log/frame.ts';
import { segmentFile, segmentName } from './log/log-writer.ts';
import { type LogVisitor, readRecord } from './log/records.ts';
import { sortNames } from './recover.ts';

/**
 * Looks at everything a store has on disk and changes nothing: every frame of the log, every block of labels, every page down to its last value, and whether
 * they fit together. Says of each fault where it is and what it costs.
 */
export type StoreFault =
  /** Bytes of the log that no valid frame covers, or a frame that holds no valid record. */
  | { readonly kind: 'log'; readonly file: string; readonly fromByte: number; readonly toByte: number; readonly problem: string }
  /** The rest of a write that was never acknowledged; the next start cuts it. Costs nothing. */
  | { readonly kind: 'torn_tail'; readonly file: string; readonly fromByte: number; readonly toByte: number; readonly problem: string }
  | { readonly kind: 'labels'; readonly id: number; readonly problem: string }
  | {
      readonly kind: 'page';
      readonly id: number;
      readonly resolutionMs: number;
      readonly windowMs: number;
      readonly metricFrom: string;
      readonly metricTo: string;
      /** As its row says. */
      readonly samples: number;
      readonly problem: string;
    }
  /** Rows of pages that SQLite cannot reach; ends inclusive. */
  | { readonly kind: 'rows'; readonly fromId: number; readonly toId: number; readonly problem: string }
  /** Samples or pages whose series nobody defines. */
  | { readonly kind: 'orphans'; readonly place: string; readonly samples: number; readonly problem: string }
  | { readonly kind: 'lost'; readonly problem: string };

export type Inspection = {
  /** At most `MAX_FAULTS`. */
  readonly faults: readonly StoreFault[];
  readonly faultCount: number;
  readonly files: number;
  readonly frames: number;
  readonly logSamples: number;
  readonly pages: number;
  readonly pageSamples: number;
  readonly series: number;
};

export const MAX_FAULTS = 1_000;

export type InspectDeps = {
  readonly disk: Pick<Disk, 'list' | 'read' | 'yield'>;
  /** Undefined when there is no file of pages. */
  readonly pageStore: PageStore | undefined;
  readonly cipher: Cipher | undefined;
  /** A process goes on writing: files may go while they are looked at, and the end of the newest one may be half written. */
  readonly isServed: boolean;
  /** Called after each file and page; `of` is an estimate. */
  readonly onProgress?: (done: number, of: number) => void;
};

export async function inspectStore(deps: InspectDeps): Promise<Inspection> {
  const inspector = new Inspector(deps);
  // The log first: what a flush moves to pages meanwhile is then seen twice, not missed.
  await inspector.log();
  await inspector.pages();
  return inspector.result();
}

class Inspector {
  readonly #deps: InspectDeps;
  readonly #faults: StoreFault[] = [];
  readonly #defined = new Set<number>();
  /** Samples of the log by reference, until its definition is found. */
  readonly #undefined = new Map<number, { samples: number; file: string }>();
  readonly #found = { faultCount: 0, files: 0, frames: 0, logSamples: 0, pages: 0, pageSamples: 0 };
  #done = 0;
  #of = 0;
  #loggedPageId = 0;

  constructor(deps: InspectDeps) {
    this.#deps = deps;
  }

  result(): Inspection {
    return { ...this.#found, series: this.#defined.size, faults: this.#faults };
  }

  async log(): Promise<void> {
    const { disk, cipher, pageStore } = this.#deps;
    const { checkpoints, segments } = sortNames(await disk.list());
    const newest = checkpoints.at(-1);
    const live = segments.filter((number) => newest === undefined || number >= newest);
    this.#of = live.length + 1 + (pageStore?.lastId() ?? 0);
    if (newest !== undefined) {
      const ended = await this.#file(checkpointName(newest), checkpointFile(newest, cipher), false);
      if (ended === false)
        this.#add({ kind: 'log', file: checkpointName(newest), fromByte: 0, toByte: 0, problem: 'the checkpoint has no end' });
    }
    for (const number of live) await this.#file(segmentName(number), segmentFile(number, cipher), number === live.at(-1));
  }

  /** Whether an end record was seen; undefined when the file went while we looked. */
  async #file(name: string, file: LogFile, isLast: boolean): Promise<boolean | undefined> {
    const { disk } = this.#deps;
    let bytes: Uint8Array;
    try {
      bytes = await disk.read(name);
    } catch (thrown) {
      if (this.#deps.isServed && (thrown as { readonly code?: unknown }).code === 'ENOENT') return undefined;
      throw thrown;
    }
    let ended = false;
    const visitor = this.#visitor(name, () => {
      ended = true;
    });
    const report = readFrames(bytes, file, (payload, at, end) => {
      this.#found.frames++;
      try {
        readRecord(payload, visitor);
      } catch (thrown) {
        if (!(thrown instanceof CorruptData)) throw thrown;
        this.#add({ kind: 'log', file: name, fromByte: at, toByte: end, problem: thrown.message });
      }
    });
    this.#gaps(name, report, isLast);
    this.#found.files++;
    this.#step();
    await disk.yield();
    return ended;
  }

  #gaps(file: string, { gaps, tail }: FileReport, isLast: boolean): void {
    for (const { from, to } of gaps)
      this.#add({ kind: 'log', file, fromByte: from, toByte: to, problem: 'no valid frame; the samples in it are lost' });
    if (tail === undefined) return;
    const place = { file, fromByte: tail.from, toByte: tail.to };
    if (!isLast) this.#add({ kind: 'log', ...place, problem: 'no valid frame up to the end of the file; the samples in it are lost' });
    // A write under way looks the same.
    else if (!this.#deps.isServed)
      this.#add({ kind: 'torn_tail', ...place, problem: 'an unfinished write at the end; the next start cuts it' });
  }

  #visitor(file: string, onEnd: () => void): LogVisitor {
    return {
      series: (ref) => void this.#defined.add(ref),
      sample: (ref) => this.#sample(ref, file),
      histogram: ({ ref }) => this.#sample(ref, file),
      deletion: () => {},
      end: onEnd,
      pages: (lastId) => {
        this.#loggedPageId = Math.max(this.#loggedPageId, lastId);
      },
    };
  }

  #sample(ref: number, file: string): void {
    this.#found.logSamples++;
    if (this.#defined.has(ref)) return;
    const known = this.#undefined.get(ref);
    if (known === undefined) this.#undefined.set(ref, { samples: 1, file });
    else known.samples++;
  }

  async pages(): Promise<void> {
    const { pageStore, isServed } = this.#deps;
    const lastId = pageStore?.lastId() ?? 0;
    if (lastId < this.#loggedPageId) {
      const problem = `pages.db is ${pageStore === undefined ? 'missing' : 'empty, older than the log or without the end of its -wal file'}: the log knows of page ${this.#loggedPageId}, pages.db of ${lastId}. Restore a backup.`;
      this.#add({ kind: 'lost', problem });
    }
    if (pageStore !== undefined) {
      const spans = this.#labels(pageStore);
      await this.#everyPage(pageStore, spans, lastId);
    }
    // Beside a server a series may have been deleted since its samples were read.
    if (!isServed) this.#orphans();
  }

  #orphans(): void {
    const files = new Map<string, { samples: number; series: number }>();
    for (const [ref, { samples, file }] of this.#undefined) {
      if (this.#defined.has(ref)) continue;
      const sum = files.get(file) ?? { samples: 0, series: 0 };
      files.set(file, { samples: sum.samples + samples, series: sum.series + 1 });
    }
    for (const [place, { samples, series }] of files)
      this.#add({
        kind: 'orphans',
        place,
        samples,
        problem: `${samples} samples of ${series} series whose labels are lost; they cannot be served`,
      });
  }

  /** The spans of the series that have labels. */
  #labels(pageStore: PageStore): ReadonlyMap<number, readonly [oldestMs: number, newestMs: number]> {
    const labelled = new Set<number>();
    for (const { id, block } of this.#rows(() => pageStore.labels(), 'labels')) {
      try {
        for (const { ref, labels } of decodeLabelBlock(block)) {
          decodeLabels(labels);
          labelled.add(ref);
        }
      } catch (thrown) {
        if (!(thrown instanceof CorruptData)) throw thrown;
        this.#add({ kind: 'labels', id, problem: `${thrown.message}; the series defined there cannot be found` });
      }
    }
    const spans = new Map<number, readonly [number, number]>();
    for (const { ref, oldestMs, newestMs } of this.#rows(() => pageStore.spans(), 'series')) {
      if (!labelled.has(ref)) continue;
      spans.set(ref, [oldestMs, newestMs]);
      this.#defined.add(ref);
    }
    return spans;
  }

  /** Rows up to where SQLite cannot go on. */
  *#rows<T>(list: () => Iterable<T>, table: string): Generator<T> {
    try {
      yield* list();
    } catch (thrown) {
      if (!isCorrupt(thrown)) throw thrown;
      this.#add({ kind: 'lost', problem: `table ${table} of pages.db cannot be read to its end: ${(thrown as Error).message}` });
    }
  }

  async #everyPage(pageStore: PageStore, spans: ReadonlyMap<number, readonly [number, number]>, lastId: number): Promise<void> {
    let unreachable: { from: number; to: number; problem: string } | undefined;
    const reached = (): void => {
      if (unreachable !== undefined)
        this.#add({
          kind: 'rows',
          fromId: unreachable.from,
          toId: unreachable.to,
          problem: `${unreachable.problem}; the pages there are lost`,
        });
      unreachable = undefined;
    };
    for (let id = 0; id < lastId; ) {
      let head: PageHead | undefined;
      try {
        head = pageStore.next(id);
      } catch (thrown) {
        if (!(thrown instanceof CorruptData)) throw thrown;
        id++;
        unreachable = { from: unreachable?.from ?? id, to: id, problem: thrown.message };
        continue;
      }
      reached();
      if (head === undefined) break;
      id = head.id;
      this.#done = id;
      this.#page(pageStore, head, spans);
      this.#step();
      await this.#deps.disk.yield();
    }
    reached();
  }

  #page(pageStore: PageStore, head: PageHead, spans: ReadonlyMap<number, readonly [number, number]>): void {
    this.#found.pages++;
    const { id, resolutionMs, windowMs, metricFrom, metricTo, samples } = head;
    const faulty = (problem: string): void =>
      this.#add({ kind: 'page', id, resolutionMs, windowMs, metricFrom, metricTo, samples, problem });
    try {
      const data = pageStore.read(id);
      // Beside a server it may have gone to retention.
      if (data === undefined) return;
      const page = new DecodedPage(head.refs, data);
      this.#found.pageSamples += samples;
      const problem = this.#contents(page, head, spans);
      if (problem !== undefined) faulty(problem);
    } catch (thrown) {
      if (!(thrown instanceof CorruptData)) throw thrown;
      faulty(`${thrown.message}; its samples are lost`);
    }
  }

  /** Decodes every value and compares what stands on the page with what its row and the spans of its series say. */
  #contents(page: DecodedPage, head: PageHead, spans: ReadonlyMap<number, readonly [number, number]>): string | undefined {
    let samples = 0;
    let without = 0;
    let hidden = 0;
    for (let i = 0; i < page.columns; i++) {
      columns.clear();
      page.read(i, EVERYTHING, columns, scratch);
      samples += columns.length;
      if (head.resolutionMs !== 0) continue;
      const [first, last] = [columns.times[0] ?? 0, columns.times[columns.length - 1] ?? 0];
      const span = spans.get(page.refs[i] ?? 0);
      if (span === undefined) without++;
      else if (first < span[0] || last > span[1] || first < head.fromMs || last > head.toMs) hidden++;
    }
    if (head.resolutionMs !== 0) return undefined;
    if (samples !== head.samples) return `its row says ${head.samples} samples, it holds ${samples}`;
    if (hidden > 0) return `${hidden} series reach beyond what the rows of pages.db say, so queries may miss them`;
    return without > 0 && !this.#deps.isServed ? `${without} series without labels cannot be found` : undefined;
  }

  #add(fault: StoreFault): void {
    this.#found.faultCount++;
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(fault);
  }

  #step(): void {
    this.#deps.onProgress?.(this.#found.files + this.#done, this.#of);
  }
}

const isCorrupt = (thrown: unknown): boolean => String((thrown as { readonly code?: unknown }).code).startsWith('SQLITE_CORRUPT');

const EVERYTHING = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
const columns = new Columns();
const scratch = new Columns();
