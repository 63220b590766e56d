import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type LabelSets, readLabelBlock } from './codec/label-block.ts';
import { readRefs } from './codec/page.ts';
import { type Cipher, CorruptData, type Damage, type Disk, type PageStore, windowOf } from './contract.ts';
import { reportDamage } from './damage.ts';
import { lostPages, otherEncryption } from './unavailable.ts';
import type { Head } from './head/head.ts';
import { HISTOGRAM_REFS_KEY, readHistogramRefs } from './head/histogram-refs.ts';
import { decodeLabels } from './head/label-bytes.ts';
import { NONE } from './head/series-index.ts';
import { checkpointFile, checkpointName } from './log/checkpoint.ts';
import { FILE_HEADER_BYTES, type Gap, type OnFrame, isSealedFile, readFrames } from './log/frame.ts';
import { type LogSegment, segmentFile, segmentName } from './log/log-writer.ts';
import { type LogVisitor, type LoggedHistogram, readRecord } from './log/records.ts';

/**
 * Opening: series from the page store, then the newest checkpoint, then the segments after it, in the order of their writing.
 * The algorithm and why it is right stand in docs/format/log.md. Damage is reported and stepped over, never fatal.
 */
export type RecoverDeps = {
  readonly disk: Disk;
  readonly pageStore: PageStore;
  readonly cipher: Cipher | undefined;
  readonly head: Head;
  readonly damage: Damage;
  readonly logger: Logger;
  readonly retainedFromMs: number;
};
export type Deletion = { readonly refs: readonly number[]; readonly fromMs: number; readonly toMs: number; readonly segment: number };
export type Recovered = {
  readonly segments: readonly LogSegment[];
  readonly checkpoint: { readonly number: number; readonly bytes: number } | undefined;
  /** Deletions whose work on pages may be unfinished. */
  readonly deletions: readonly Deletion[];
};

export const NEXT_REF_KEY = 'next_ref';
/** References are given one by one, and the page store learns the highest whenever series are forgotten: a longer leap is damage. */
const MAX_LEAP = 2 ** 20;

export async function recover(deps: RecoverDeps): Promise<Recovered> {
  const { disk, head, pageStore } = deps;
  loadSeries(deps);
  head.index.nextRef = Math.max(head.index.nextRef, Number(pageStore.meta(NEXT_REF_KEY) ?? 0));
  const { checkpoints, segments, leftovers } = sortNames(await disk.list());
  const newest = checkpoints.at(-1);
  const live = segments.filter((number) => newest === undefined || number >= newest);
  const superfluous = [
    ...leftovers,
    ...checkpoints.filter((number) => number !== newest).map(checkpointName),
    ...segments.filter((number) => !live.includes(number)).map(segmentName),
  ];
  for (const name of superfluous) await disk.remove(name);
  const replay = new Replay(deps, flushedAfter(deps, newest ?? live[0] ?? 0));
  let checkpoint: Recovered['checkpoint'];
  if (newest !== undefined) checkpoint = { number: newest, bytes: await replay.checkpoint(newest) };
  const kept: LogSegment[] = [];
  for (const number of live) kept.push({ number, bytes: await replay.segment(number, number === live.at(-1)) });
  replay.done();
  const unknown = pageStore.findAfterSegment(kept.at(-1)?.number ?? newest ?? 0).reduce((most, page) => Math.max(most, page.segment), 0);
  if (unknown > 0) {
    deps.damage.corruptFrames++;
    reportDamage(deps.damage, deps.logger, {
      place: segmentName(unknown),
      problem: 'the file is gone: pages know of it, the log does not',
    });
    // Numbered below, new samples of a window that has pages would pass for flushed ones at the next start.
    kept.push({ number: unknown, bytes: 0 });
  }
  // The next segment must be above every number ever used, also when the checkpoint stands alone.
  if (newest !== undefined && kept.length === 0) kept.push({ number: newest, bytes: 0 });
  return { segments: kept, checkpoint, deletions: replay.deletions };
}

function loadSeries({ pageStore, head, damage, logger }: RecoverDeps): void {
  const stored = new StoredLabels();
  const corrupt = (place: string, thrown: unknown): void => {
    if (!(thrown instanceof CorruptData)) throw thrown;
    damage.corruptPages++;
    reportDamage(damage, logger, { place, problem: thrown.message });
  };
  for (const { id, block } of pageStore.labels()) {
    try {
      stored.add(readLabelBlock(block));
    } catch (thrown) {
      corrupt(`labels ${id}`, thrown);
    }
  }
  stored.sort();
  for (const { ref, oldestMs, newestMs } of pageStore.spans()) {
    const bytes = stored.find(ref);
    // Without its labels a series cannot be found; the block that held them is reported above.
    if (bytes === undefined) continue;
    try {
      head.addStoredSeries(bytes, stored.from, stored.to, ref);
      head.markPersisted(ref, oldestMs, newestMs);
    } catch (thrown) {
      corrupt(`labels of series ${ref}`, thrown);
    }
  }
  for (const ref of readHistogramRefs(pageStore.meta(HISTOGRAM_REFS_KEY))) if (head.index.isLive(ref)) head.histogramRefs.load(ref);
}

/** The label sets of all blocks, to be found by ascending reference. An object or a map's entry for each would take as long as adding the series. */
class StoredLabels {
  readonly #sets: LabelSets[] = [];
  /** Per label set: its reference, its block and its place therein, ascending by reference once sorted. */
  #refs: number[] = [];
  #blocks: number[] = [];
  #places: number[] = [];
  #next = 0;
  /** Where the labels found last stand. */
  from = 0;
  to = 0;

  add(sets: LabelSets): void {
    for (let i = 0; i < sets.refs.length; i++) {
      this.#refs.push(sets.refs[i] as number);
      this.#blocks.push(this.#sets.length);
      this.#places.push(i);
    }
    this.#sets.push(sets);
  }

  /** Blocks come as series reached the pages, which mostly is the order of their references. */
  sort(): void {
    const refs = this.#refs;
    let ascends = true;
    for (let i = 1; ascends && i < refs.length; i++) ascends = (refs[i - 1] as number) <= (refs[i] as number);
    if (ascends) return;
    const order = Array.from(refs.keys()).sort((a, b) => (refs[a] as number) - (refs[b] as number));
    const inOrder = (of: readonly number[]): number[] => order.map((i) => of[i] as number);
    this.#blocks = inOrder(this.#blocks);
    this.#places = inOrder(this.#places);
    this.#refs = inOrder(refs);
  }

  /** The bytes in which the reference's labels stand at `[from, to)`; those of the newest block when several have it. */
  find(ref: number): Uint8Array | undefined {
    const refs = this.#refs;
    while (this.#next < refs.length && (refs[this.#next] as number) <= ref) this.#next++;
    const at = this.#next - 1;
    if (refs[at] !== ref) return undefined;
    const sets = this.#sets[this.#blocks[at] as number] as LabelSets;
    const place = this.#places[at] as number;
    this.from = sets.from[place] as number;
    this.to = sets.to[place] as number;
    return sets.bytes;
  }
}

export function sortNames(names: readonly string[]): { checkpoints: number[]; segments: number[]; leftovers: string[] } {
  const checkpoints: number[] = [];
  const segments: number[] = [];
  const leftovers: string[] = [];
  for (const name of names) {
    const [, kind, digits, temporary] = /^(log|checkpoint)-(\d+)(\.tmp)?$/.exec(name) ?? [];
    if (kind === undefined) continue;
    if (temporary !== undefined) leftovers.push(name);
    else (kind === 'log' ? segments : checkpoints).push(Number(digits));
  }
  const ascending = (a: number, b: number): number => a - b;
  return { checkpoints: checkpoints.sort(ascending), segments: segments.sort(ascending), leftovers };
}

type Flushed = { readonly windowMs: number; readonly segment: number };

/** What a flush moved to pages but left in the log, because the crash came before the checkpoint. */
function flushedAfter({ pageStore, damage, logger }: RecoverDeps, firstSegment: number): Map<number, Flushed[]> {
  const flushed = new Map<number, Flushed[]>();
  for (const page of pageStore.findAfterSegment(firstSegment)) {
    try {
      for (const ref of readRefs(page.refs)) {
        const list = flushed.get(ref);
        if (list === undefined) flushed.set(ref, [page]);
        else list.push(page);
      }
    } catch (thrown) {
      if (!(thrown instanceof CorruptData)) throw thrown;
      reportDamage(damage, logger, { place: `page ${page.id}`, problem: thrown.message });
    }
  }
  return flushed;
}

class Replay implements LogVisitor {
  readonly deletions: Deletion[] = [];
  readonly #deps: RecoverDeps;
  readonly #flushed: Map<number, Flushed[]>;
  /** A reference of the log whose labels meanwhile live under another one. */
  readonly #moved = new Map<number, number>();
  #segment = 0;
  #ended = false;
  #samples = 0;

  constructor(deps: RecoverDeps, flushed: Map<number, Flushed[]>) {
    this.#deps = deps;
    this.#flushed = flushed;
  }

  /** Returns the file's length in bytes. */
  async checkpoint(number: number): Promise<number> {
    const { cipher, damage, logger } = this.#deps;
    const name = checkpointName(number);
    this.#segment = number;
    const bytes = await this.#read(name);
    const report = readFrames(bytes, checkpointFile(number, cipher), (...frame) => this.#record(name, frame));
    for (const gap of report.gaps) this.#corrupt(name, gap);
    if (report.tail !== undefined) this.#corrupt(name, report.tail);
    else if (!this.#ended) {
      damage.corruptFrames++;
      reportDamage(damage, logger, { place: name, problem: 'the checkpoint has no end' });
    }
    return bytes.length;
  }

  /** Returns the file's length in bytes, without a torn tail. */
  async segment(number: number, isLast: boolean): Promise<number> {
    const { disk, cipher, damage, logger } = this.#deps;
    const name = segmentName(number);
    this.#segment = number;
    const bytes = await this.#read(name);
    const report = readFrames(bytes, segmentFile(number, cipher), (...frame) => this.#record(name, frame));
    for (const gap of report.gaps) this.#corrupt(name, gap);
    const { tail } = report;
    if (tail === undefined) return bytes.length;
    if (!isLast) {
      this.#corrupt(name, tail);
      return bytes.length;
    }
    damage.tornTails++;
    damage.tornBytes += tail.to - tail.from;
    logger.warn('log tail was cut', { file: name, from: tail.from, bytes: tail.to - tail.from });
    try {
      await disk.truncate(name, tail.from);
    } catch (thrown) {
      // The tail is found again at the next start; until then the segment is only read.
      logger.warn('log tail could not be cut', { file: name, error: messageOf(thrown) });
    }
    return Math.max(tail.from, FILE_HEADER_BYTES);
  }

  done(): void {
    const { damage, logger, head } = this.#deps;
    if (damage.orphanSamples > 0) logger.warn('samples without their series were dropped', { samples: damage.orphanSamples });
    logger.info('log was replayed', { samples: this.#samples, series: head.index.size });
  }

  /** A file of the other kind would look like one torn tail, and be cut. */
  async #read(name: string): Promise<Uint8Array> {
    const bytes = await this.#deps.disk.read(name);
    const isSealed = isSealedFile(bytes);
    if (isSealed !== undefined && isSealed !== (this.#deps.cipher !== undefined)) throw otherEncryption(name, isSealed);
    return bytes;
  }

  #record(name: string, [payload, at, end]: Parameters<OnFrame>): void {
    const { damage, logger } = this.#deps;
    try {
      readRecord(payload, this);
    } catch (thrown) {
      if (!(thrown instanceof CorruptData)) throw thrown;
      damage.corruptFrames++;
      reportDamage(damage, logger, { place: `${name}:${at}-${end}`, problem: thrown.message });
    }
  }

  #corrupt(name: string, { from, to }: Gap): void {
    const { damage, logger } = this.#deps;
    damage.corruptFrames++;
    damage.corruptBytes += to - from;
    reportDamage(damage, logger, { place: `${name}:${from}-${to}`, problem: 'no valid frame' });
  }

  series(ref: number, bytes: Uint8Array): void {
    const { head } = this.#deps;
    this.#checkLeap(ref);
    const labels = decodeLabels(bytes);
    const known = head.index.find(labels);
    if (known === ref) return;
    if (known !== NONE) this.#moved.set(ref, known);
    else if (head.index.isLive(ref)) throw new CorruptData(`a second definition of series ${ref}`);
    else {
      this.#moved.delete(ref);
      head.addSeries(labels, ref);
      head.markLogged(ref);
    }
  }

  sample(logged: number, time: number, bits: Uint32Array, index: number): void {
    const ref = this.#wanted(logged, time);
    if (ref === NONE) return;
    this.#deps.head.insert(ref, time, bits, index);
    this.#samples++;
  }

  histogram({ ref: logged, time, histogram }: LoggedHistogram): void {
    const ref = this.#wanted(logged, time);
    if (ref === NONE) return;
    this.#deps.head.insertHistogram(ref, time, histogram);
    this.#samples++;
  }

  /** The series that a sample goes to, `NONE` when it is not for memory. */
  #wanted(logged: number, time: number): number {
    const { head, damage, retainedFromMs } = this.#deps;
    const ref = this.#moved.get(logged) ?? logged;
    if (time < retainedFromMs) return NONE;
    if (!head.index.isLive(ref)) {
      damage.orphanSamples++;
      // Its definition is lost; given to another series, the reference would make these samples that one's at the next start.
      if (ref < head.index.nextRef + MAX_LEAP) head.index.nextRef = Math.max(head.index.nextRef, ref + 1);
      return NONE;
    }
    return this.#flushed.size > 0 && this.#isFlushed(ref, time) ? NONE : ref;
  }

  #isFlushed(ref: number, time: number): boolean {
    const pages = this.#flushed.get(ref);
    return pages?.some((page) => this.#segment < page.segment && windowOf(time) === page.windowMs) ?? false;
  }

  deletion(refs: readonly number[], fromMs: number, toMs: number): void {
    const { head } = this.#deps;
    const mapped = refs.map((ref) => this.#moved.get(ref) ?? ref);
    for (const ref of mapped) if (head.index.isLive(ref)) head.deleteRange(ref, fromMs, toMs);
    this.deletions.push({ refs: mapped, fromMs, toMs, segment: this.#segment });
  }

  pages(lastId: number): void {
    const known = this.#deps.pageStore.lastId();
    if (lastId > known) throw lostPages(lastId, known);
  }

  end(nextRef: number): void {
    const { index } = this.#deps.head;
    this.#checkLeap(nextRef);
    index.nextRef = Math.max(index.nextRef, nextRef);
    this.#ended = true;
  }

  #checkLeap(ref: number): void {
    const { nextRef } = this.#deps.head.index;
    if (ref > nextRef + MAX_LEAP) throw new CorruptData(`reference ${ref} after ${nextRef}`);
  }
}
