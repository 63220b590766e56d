import type { Logger } from '@nines/base/logger.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { AppendOutcome, SelectOptions, SelectRange, Selection, WriteBatch } from '@nines/model/storage.ts';
import { BatchAppend } from './append.ts';
import { BackfillSession, GATHER_BYTES } from './backfill/session.ts';
import { writeWindow } from './backfill/window-writer.ts';
import {
  type Backfill,
  DEFAULT_OUT_OF_ORDER_MS,
  type Damage,
  type DeleteReport,
  type Disk,
  FLUSH_DELAY_MS,
  type FlushReport,
  type HeldFile,
  MAX_AHEAD_MS,
  type RetentionReport,
  type RollupReport,
  type PageStore,
  type Store,
  type StoreOptions,
  type StoreStats,
  windowOf,
} from './contract.ts';
import { CardinalityReader } from './cardinality.ts';
import { noDamage } from './damage.ts';
import { joinSmallPages } from './compact.ts';
import { type DeleteDeps, deleteFromPages, dropFromHeadBefore, dropPagesBefore, turns } from './delete.ts';
import { openDisk } from './disk.ts';
import { dueSeries, flushBefore } from './flush.ts';
import { Head, type PageLookup } from './head/head.ts';
import { type LimitRefusal, STORE_LIMITS } from './head/limits.ts';
import { SeriesGate } from './head/new-series.ts';
import { DEFAULT_MAX_GROWTH_BYTES, StuckFlush } from './head/stuck-flush.ts';
import { LogWriter, segmentName } from './log/log-writer.ts';
import { checkpointName, writeCheckpoint } from './log/checkpoint.ts';
import { writeDeletion, writePages } from './log/records.ts';
import { openPageStore } from './page-store.ts';
import { PastChanges } from './past.ts';
import { markSealed, openSealedPages, refuseSealedPages } from './pages/sealed-pages.ts';
import { DEFAULT_CACHE_BYTES, PageReader } from './pages/page-reader.ts';
import { Querier } from './querier.ts';
import { Keeper } from './retention/keeper.ts';
import { RuleBook, keepAllFor } from './retention/policy.ts';
import { deleteFromRollups } from './rollup/rewrite.ts';
import { rollUpDays } from './rollup/roll-up.ts';
import { drive } from './steps.ts';
import { NEXT_REF_KEY, type Recovered, recover } from './recover.ts';
import { closedStore, unavailable } from './unavailable.ts';

/** The log is shortened beyond this even if no window is due: some six million samples, replayed in a few seconds. */
export const CHECKPOINT_AFTER_BYTES = 64 * 1024 * 1024;
/** Closing shortens the log beyond this, so that the next start is quick; below, replay is quicker than the checkpoint. */
const CHECKPOINT_ON_CLOSE_BYTES = 4 * 1024 * 1024;

/** Series looked at in one step of forgetting: at most some 10 ms with their rows. */
const SERIES_PER_FORGETTING = 1024;

const RETAINED_FROM_KEY = 'retained_from_ms';

type Parts = {
  readonly disk: Disk;
  readonly pageStore: PageStore;
  readonly head: Head;
  readonly pages: PageReader;
  readonly damage: Damage;
  readonly recovered: Recovered;
  readonly retainedFromMs: number;
};

/** Opens the store of a directory and replays its log. Throws `StoreLocked` or `StoreUnavailable`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  let disk = options.disk;
  try {
    disk ??= openDisk(options.dir);
    disk.lock();
    const rows = options.pageStore ?? openPageStore(options.dir);
    const pageStore = options.cipher === undefined ? refuseSealedPages(rows) : openSealedPages(rows, options.cipher);
    return await openOn(disk, pageStore, options);
  } catch (thrown) {
    disk?.close();
    // A broken invariant has no code and must stay visible as what it is.
    throw thrown instanceof Error && 'code' in thrown ? unavailable(thrown) : thrown;
  }
}

async function openOn(disk: Disk, pageStore: PageStore, options: StoreOptions): Promise<Store> {
  const { logger } = options;
  const damage = noDamage();
  const pages = new PageReader(pageStore, { damage, logger, cacheBytes: options.cacheBytes ?? DEFAULT_CACHE_BYTES });
  const onPage: PageLookup = (ref, time, low, high) => pages.lookup({ ref, metric: head.index.metricOf(ref), time, low, high });
  const head: Head = new Head(onPage, options.hashSeed);
  const retainedFromMs = Number(pageStore.meta(RETAINED_FROM_KEY) ?? Number.NEGATIVE_INFINITY);
  try {
    const recovered = await recover({ disk, cipher: options.cipher, head, pageStore, damage, logger, retainedFromMs });
    if (options.cipher !== undefined) markSealed(pageStore);
    const store = new EmbeddedStore({ disk, pageStore, head, pages, damage, recovered, retainedFromMs }, options);
    await store.redoDeletions(recovered);
    return store;
  } catch (thrown) {
    pageStore.close();
    throw thrown;
  }
}

class EmbeddedStore implements Store {
  readonly #disk: Disk;
  readonly #pageStore: PageStore;
  readonly #head: Head;
  readonly #pages: PageReader;
  readonly #damage: Damage;
  readonly #log: LogWriter;
  readonly #querier: Querier;
  readonly #options: StoreOptions;
  readonly #logger: Logger;
  readonly #gate: SeriesGate;
  readonly cardinality: CardinalityReader;
  readonly #rules: RuleBook;
  readonly #keeper: Keeper;
  readonly past = new PastChanges();
  readonly #inFlight = new Set<BatchAppend>();
  #checkpoint: Recovered['checkpoint'];
  readonly #stuck: StuckFlush;
  #retainedFromMs: number;
  #flushedBeforeMs = Number.NEGATIVE_INFINITY;
  /** A deletion stands in the log: the next start would do it once more to every page that is there then. */
  #logHoldsDeletion: boolean;
  /** The highest page that the log was told of by a backfill of this process. */
  #loggedPageId = 0;
  /** Changes with every change of pages. */
  #version = 0;
  #open = true;
  /** Flush, deletion and retention run one after another. */
  #upkeep: Promise<unknown> = Promise.resolve();

  constructor({ disk, pageStore, head, pages, damage, recovered, retainedFromMs }: Parts, options: StoreOptions) {
    this.#disk = disk;
    this.#pageStore = pageStore;
    this.#head = head;
    this.#pages = pages;
    this.#damage = damage;
    this.#options = options;
    this.#logger = options.logger;
    this.#gate = new SeriesGate(head.index, options.limits ?? (() => STORE_LIMITS));
    this.#retainedFromMs = retainedFromMs;
    this.#stuck = new StuckFlush(options.maxGrowthBytes ?? DEFAULT_MAX_GROWTH_BYTES);
    this.#checkpoint = recovered.checkpoint;
    this.#logHoldsDeletion = recovered.deletions.length > 0;
    this.#log = new LogWriter({
      disk,
      cipher: options.cipher,
      durability: options.durability ?? 'sync',
      logger: options.logger,
      segments: recovered.segments,
    });
    const checkOpen = (): void => {
      if (!this.#open) throw closedStore();
    };
    this.cardinality = new CardinalityReader({ head, gate: this.#gate, disk, checkOpen });
    this.#rules = new RuleBook(options.retention ?? keepAllFor(options.retentionMs), (ref) => head.index.labelsOf(ref));
    this.#keeper = new Keeper({
      head,
      pageStore,
      logger: options.logger,
      rules: this.#rules,
      deleteBefore: (cutoffMs) => this.deleteBefore(cutoffMs),
      parts: () => ({ ...this.#deps(), exclusively: (step) => this.#exclusively(step) }),
    });
    this.#querier = new Querier({
      head,
      pageStore,
      pages,
      rules: this.#rules,
      version: () => this.#version,
      retainedFromMs: () => this.#retainedFromMs,
      completeFromMs: (resolutionMs) =>
        Math.max(this.#keeper.completeFromMs(resolutionMs), resolutionMs === 0 ? this.#retainedFromMs : -Infinity),
      checkOpen,
    });
  }

  append(batch: WriteBatch, nowMs: EpochMs): Promise<AppendOutcome> {
    if (!this.#open) return Promise.reject(closedStore());
    const full = this.#stuck.refusal(this.#head.bytes);
    if (full !== undefined) return Promise.reject(full);
    const append = new BatchAppend(this.#head, batch);
    append.prepare(nowMs, {
      gate: this.#gate,
      outOfOrderWindowMs: this.#options.outOfOrderWindowMs ?? DEFAULT_OUT_OF_ORDER_MS,
      retentionMs: this.#options.retentionMs,
      retainedFromMs: this.#retainedFromMs,
    });
    if (append.isEmpty) return Promise.resolve(append.apply());
    this.#inFlight.add(append);
    const done = this.#log.commit(
      (frames) => append.write(frames),
      () => {
        this.#inFlight.delete(append);
        this.past.stored(batch.times, batch.samplesFrom[batch.seriesCount] ?? 0, nowMs);
        return append.apply();
      },
    );
    done.catch(() => this.#inFlight.delete(append));
    return done;
  }

  labelsOfRef(ref: number): Labels {
    return this.#head.index.labelsOf(ref);
  }

  select(matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<Selection> {
    return this.#querier.select(matchers, range, options);
  }

  series(matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly Labels[]> {
    return this.#querier.series(matchers, range, options);
  }

  labelNames(matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly string[]> {
    return this.#querier.labelNames(matchers, range, options);
  }

  labelValues(name: string, matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly string[]> {
    return this.#querier.labelValues(name, matchers, range, options);
  }

  async flush(nowMs: EpochMs, options: { readonly all?: boolean } = {}): Promise<FlushReport> {
    try {
      const report = await this.#flush(nowMs, options);
      this.#stuck.succeeded();
      return report;
    } catch (thrown) {
      this.#stuck.failed(this.#head.bytes, thrown);
      throw thrown;
    }
  }

  #flush(nowMs: EpochMs, { all = false }: { readonly all?: boolean }): Promise<FlushReport> {
    return this.#exclusively(async () => {
      const boundaryMs = all ? Number.POSITIVE_INFINITY : windowOf(nowMs - FLUSH_DELAY_MS);
      // Late samples for flushed windows wait in memory for the next window, instead of making a page each.
      // Any other boundary counts as new: after a clock that jumped ahead and came back, windows must not wait for it again.
      const isNew = all || boundaryMs !== this.#flushedBeforeMs;
      let report: FlushReport = { pages: 0, samples: 0 };
      if (isNew && dueSeries(this.#head, boundaryMs).length > 0) {
        const segment = await this.#log.roll();
        report = await flushBefore(this.#deps(), boundaryMs, segment);
        await this.#shortenLog(segment);
        this.#logger.info('windows were flushed', report);
      } else if (this.#log.bytes > CHECKPOINT_AFTER_BYTES) await this.#shortenLog(await this.#log.roll());
      // Only now: what failed is due again at the next call.
      if (isNew && !all) this.#flushedBeforeMs = boundaryMs;
      return report;
    });
  }

  compact(nowMs: EpochMs): Promise<number> {
    return this.#exclusively(async () => {
      await this.#clearDeletions();
      return joinSmallPages(this.#deps(), windowOf(nowMs - FLUSH_DELAY_MS));
    });
  }

  backfill(nowMs: EpochMs): Backfill {
    return new BackfillSession({
      bounds: { earliestMs: Math.max(nowMs - this.#options.retentionMs, this.#retainedFromMs, 0), latestMs: nowMs + MAX_AHEAD_MS },
      gatherBytes: this.#options.backfillBytes ?? GATHER_BYTES,
      write: (windowMs, series, tally) =>
        this.#exclusively(async () => {
          await this.#clearDeletions();
          const admit = (labels: Labels, samples: number): LimitRefusal | undefined => this.#gate.admitOld(labels, samples, nowMs);
          await writeWindow({ ...this.#deps(), admit, retainedFromMs: this.#retainedFromMs }, windowMs, series, tally);
          await this.#logPages();
          this.past.changed(windowMs);
        }),
    });
  }

  /**
   * Pages of a backfill stand nowhere else: when they are lost later, with the end of `pages.db-wal`, the log must know that they were there. (Pages
   * of a flush are told by its checkpoint; what joining and rolling up write comes of pages that are there.)
   */
  async #logPages(): Promise<void> {
    const lastId = this.#pageStore.lastId();
    if (lastId === this.#loggedPageId) return;
    await this.#log.commit(
      (frames) => frames.frame((writer) => writePages(writer, lastId)),
      () => {
        this.#loggedPageId = lastId;
      },
    );
  }

  /** So that no page is made of what came after a deletion while that may still be repeated. */
  async #clearDeletions(): Promise<void> {
    if (this.#logHoldsDeletion) await this.#shortenLog(await this.#log.roll());
  }

  rollUp(nowMs: EpochMs, { maxDays = Number.POSITIVE_INFINITY }: { readonly maxDays?: number } = {}): Promise<RollupReport> {
    return rollUpDays(
      {
        ...this.#deps(),
        logger: this.#logger,
        rules: this.#rules,
        outOfOrderWindowMs: this.#options.outOfOrderWindowMs ?? DEFAULT_OUT_OF_ORDER_MS,
        exclusively: (step) => this.#exclusively(step),
      },
      nowMs,
      maxDays,
    );
  }

  async retain(nowMs: EpochMs): Promise<RetentionReport> {
    const report = await this.#keeper.run(nowMs);
    if (report.samples > 0 || report.buckets > 0) this.past.changed(Number.NEGATIVE_INFINITY);
    return report;
  }

  deleteBefore(cutoffMs: EpochMs): Promise<DeleteReport> {
    return this.#exclusively(async () => {
      if (cutoffMs <= this.#retainedFromMs) return { series: 0, samples: 0 };
      // From here on nobody is given anything older; what holds it goes in steps, and when a crash comes between, the rest goes with the next cutoff.
      this.#pageStore.commit({ meta: { [RETAINED_FROM_KEY]: String(cutoffMs) } });
      this.#retainedFromMs = cutoffMs;
      this.past.changed(Number.NEGATIVE_INFINITY);
      const samples = (await dropPagesBefore(this.#deps(), cutoffMs)) + (await dropFromHeadBefore(this.#deps(), windowOf(cutoffMs)));
      return { series: await this.#forgetEmptySeries(), samples };
    });
  }

  deleteSeries(matchers: readonly Matcher[], range: SelectRange): Promise<DeleteReport> {
    return this.#exclusively(async () => {
      const { head } = this.#deps();
      const bounds = { fromMs: clampTime(Math.ceil(range.fromMs)), toMs: clampTime(Math.floor(range.toMs)) };
      const selected = await drive(head.index.selecting(matchers), turns(this.#deps()));
      const refs = selected.filter((ref) => head.oldestOf(ref) <= bounds.toMs && head.newestOf(ref) >= bounds.fromMs);
      if (refs.length === 0) return { series: 0, samples: 0 };
      let samples = 0;
      const segment = await this.#log.commit(
        (frames) => frames.frame((writer) => writeDeletion(writer, refs, bounds)),
        () => {
          this.#logHoldsDeletion = true;
          for (const ref of refs) samples += head.deleteRange(ref, bounds.fromMs, bounds.toMs);
          return this.#log.segments.at(-1)?.number ?? 0;
        },
      );
      const gone = new Set(refs);
      samples += await deleteFromPages(this.#deps(), { refs: gone, ...bounds, segment });
      await deleteFromRollups(this.#deps(), { refs: gone, ...bounds });
      for (const ref of refs) this.#afterDeletion(ref, bounds);
      // The log before still holds the samples: without it they are gone from the disk as well. Only then may the series
      // be forgotten, or a replay would find samples without their series.
      await this.#shortenLog(await this.#log.roll());
      await this.#forgetEmptySeries();
      this.past.changed(bounds.fromMs);
      return { series: refs.length, samples };
    });
  }

  /** A series whose whole life lay in the deleted range has no newest sample any more. */
  #afterDeletion(ref: number, { fromMs, toMs }: SelectRange): void {
    const head = this.#head;
    if (head.oldestOf(ref) < fromMs || head.newestOf(ref) > toMs || head.hasSamples(ref)) return;
    head.clearSpan(ref);
  }

  /** Finishes on pages what a crash may have left half done. */
  async redoDeletions({ deletions }: Recovered): Promise<void> {
    for (const { refs, fromMs, toMs, segment } of deletions) {
      await deleteFromPages(this.#deps(), { refs: new Set(refs), fromMs, toMs, segment });
      await deleteFromRollups(this.#deps(), { refs: new Set(refs), fromMs, toMs });
    }
  }

  /** Removes series without any retained sample, but none that a batch on its way refers to. Returns how many. */
  async #forgetEmptySeries(): Promise<number> {
    let forgotten = 0;
    const refs = this.#head.index.refs();
    for (let at = 0; at < refs.length; at += SERIES_PER_FORGETTING) {
      forgotten += this.#forgetEmpty(refs.subarray(at, at + SERIES_PER_FORGETTING));
      await this.#disk.yield();
    }
    return forgotten;
  }

  #forgetEmpty(refs: Uint32Array): number {
    const head = this.#head;
    const gone = new Set<number>();
    for (const ref of refs) {
      const newest = head.newestOf(ref);
      const isEmpty = newest === Number.NEGATIVE_INFINITY || this.#keeper.isForgotten(ref, newest, this.#retainedFromMs);
      if (isEmpty && !head.hasSamples(ref)) gone.add(ref);
    }
    if (gone.size === 0) return 0;
    for (const append of this.#inFlight) for (const ref of append.pendingRefs) gone.delete(ref);
    const forgotten = [...gone];
    this.#pageStore.commit({
      removeSeries: forgotten.filter((ref) => head.isPersisted(ref)),
      meta: { [NEXT_REF_KEY]: String(head.index.nextRef) },
    });
    head.removeSeries(forgotten);
    return forgotten.length;
  }

  /** Replaces the log below `segment` by a checkpoint. */
  async #shortenLog(segment: number): Promise<void> {
    try {
      const bytes = await writeCheckpoint(
        { disk: this.#disk, head: this.#head, cipher: this.#options.cipher, lastPageId: this.#pageStore.lastId() },
        segment,
      );
      const before = this.#checkpoint;
      this.#checkpoint = { number: segment, bytes };
      await this.#log.removeBefore(segment);
      this.#logHoldsDeletion = false;
      if (before !== undefined && before.number !== segment) await this.#disk.remove(checkpointName(before.number));
    } catch (thrown) {
      throw unavailable(thrown);
    }
  }

  cut(): Promise<readonly HeldFile[]> {
    return this.#exclusively(async () => {
      const held: HeldFile[] = [];
      try {
        const segment = await this.#log.roll();
        const names = this.#log.segments.filter(({ number }) => number < segment).map(({ number }) => segmentName(number));
        if (this.#checkpoint !== undefined) names.push(checkpointName(this.#checkpoint.number));
        const present = new Set(await this.#disk.list());
        for (const name of names) if (present.has(name)) held.push(await this.#disk.hold(name));
        held.push(...this.#pageStore.hold());
        return held;
      } catch (thrown) {
        for (const file of held) await file.release();
        throw unavailable(thrown);
      }
    });
  }

  stats(): StoreStats {
    const totals = this.#pageStore.totals(0);
    const [fine, coarse] = [this.#pageStore.totals(300_000), this.#pageStore.totals(3_600_000)];
    const head = this.#head;
    let headSeries = 0;
    for (const ref of head.index.refs()) if (head.hasSamples(ref)) headSeries++;
    return {
      series: head.index.size,
      headSeries,
      headSamples: head.samples,
      headBytes: head.bytes,
      indexBytes: head.index.bytes + head.aliases.bytes + head.symbolAliases.bytes,
      pages: totals.pages,
      pageSamples: totals.samples,
      pageBytes: totals.bytes,
      rollupPages: fine.pages + coarse.pages,
      rollupBytes: fine.bytes + coarse.bytes,
      logBytes: this.#log.bytes + (this.#checkpoint?.bytes ?? 0),
      logSegments: this.#log.segments.length,
      damage: { ...this.#damage, places: [...this.#damage.places] },
    };
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    await this.#exclusively(async () => {
      this.#open = false;
      try {
        if (this.#log.bytes > CHECKPOINT_ON_CLOSE_BYTES) await this.#shortenLog(await this.#log.roll());
      } catch (thrown) {
        this.#logger.warn('the log could not be shortened', { error: unavailable(thrown).message });
      }
      await this.#log.close();
      this.#pageStore.close();
      this.#disk.close();
    });
  }

  #deps(): DeleteDeps {
    return { head: this.#head, pageStore: this.#pageStore, pages: this.#pages, disk: this.#disk, changed: () => this.#version++ };
  }

  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#upkeep.then(() => {
      if (!this.#open) throw closedStore();
      return run();
    });
    // The caller gets the failure from `result`; the next one in the queue must run all the same.
    this.#upkeep = result.catch(() => {});
    return result;
  }
}

const clampTime = (ms: number): number => Math.max(-(2 ** 51), Math.min(2 ** 51, ms));
