/**
 * The embedded time-series store: takes samples durably, keeps them small, gives them back by label matchers.
 * Invariants: an acknowledged sample survives a crash; values keep all 64 bits; no series holds an instant twice.
 * The disk is reached only through `Disk` and `PageStore`, so that tests can stand a failing one in their place.
 * It must never read a clock (the caller passes `nowMs`), know what a sample means, or build a string for a known series.
 * Formats: docs/format/log.md and docs/format/pages.md.
 */
import type { Logger } from '@nines/base/logger.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { RetentionPolicy } from './retention/policy.ts';
import type { LimitName, LimitRefusal, SeriesLimits } from './head/limits.ts';
import type { Appender, Queryable, RefusalReason, SelectRange, WriteBatch } from '@nines/model/storage.ts';

/** Pages hold the samples of one aligned window of this length. Two hours, as Prometheus' blocks and our measurements. */
export const WINDOW_MS = 2 * 3_600_000;
/** How far ahead of `nowMs` a sample may be. Prometheus' own limit for scraped samples. */
export const MAX_AHEAD_MS = 10 * 60_000;
/** How late a sample may be against its own series' newest one, unless configured. */
export const DEFAULT_OUT_OF_ORDER_MS = 3_600_000;
/** A window moves to pages this long after its end, so that ordinary lateness still meets it in memory. */
export const FLUSH_DELAY_MS = 10 * 60_000;
/** Refusals listed one by one per batch; the rest are counted. From the storage contract. */
export const MAX_LISTED_REFUSALS = 100;

/** Samples as they came, and the two lengths of buckets they are rolled up to. Milliseconds. */
export const RESOLUTIONS = [0, 300_000, 3_600_000] as const;
export type Resolution = (typeof RESOLUTIONS)[number];
/** Rollup pages hold the buckets of one UTC day. */
export const ROLLUP_WINDOW_MS = 24 * 3_600_000;
/** The day whose buckets an instant belongs to. Days are open on the left, as buckets are: 00:00 belongs to the day before. */
export const rollupDayOf = (atMs: number): number => (Math.ceil(atMs / ROLLUP_WINDOW_MS) - 1) * ROLLUP_WINDOW_MS;

export const windowOf = (atMs: number): number => Math.floor(atMs / WINDOW_MS) * WINDOW_MS;

/** What stands in a file or row is not what was written there. Carries the place; never leaves the store. */
export class CorruptData extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CorruptData';
  }
}

/** Another process (or another store of this process) has the directory open. The message is a sentence for the operator. */
export class StoreLocked extends Error {
  constructor(dir: string) {
    super(`The data directory ${dir} is already open in another process.`);
    this.name = 'StoreLocked';
  }
}

/** Encryption of what the store writes; without one everything is written as it is. Drawn in docs/format/keys.md. */
export interface Cipher {
  /** The key for one purpose, such as a file of the log. The same name gives the same key. */
  key(name: string): SealingKey;
}

/** `bound` says where a thing belongs. It is not kept, and only the same `bound` opens again. */
export interface SealingKey {
  /** Writes nonce, tag and ciphertext: `SEAL_BYTES` more than `plain`. */
  sealInto(target: Uint8Array, at: number, plain: Uint8Array, bound: Uint8Array): void;
  /** Undefined when a bit of it, the key or `bound` is not what it was. */
  open(sealed: Uint8Array, bound: Uint8Array): Uint8Array | undefined;
}

/** A file that only grows. Methods reject with the system's error (`code` is ENOSPC, EROFS, EIO, …). */
export interface AppendFile {
  /** Writes all of `bytes` at the end. After a rejection an unknown part of them may be there. */
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything appended before the call survives a power cut. */
  sync(): Promise<void>;
  /** Cuts the file to `length` bytes. */
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file's bytes as they stood when it was held, readable until `release` even if its owner replaces or removes the file meanwhile.
 * As they are on disk: what is encrypted stays so.
 */
export type HeldFile = {
  readonly name: string;
  readonly bytes: number;
  /** Fills `into` from `at` on, as far as `bytes` go; resolves with the number of bytes read. */
  read(at: number, into: Uint8Array): Promise<number>;
  /** A second call does nothing. */
  release(): Promise<void>;
};

/** The files of the log: one flat directory. Names hold no separator. */
export interface Disk {
  /**
   * A new, empty file; its name is durable only after `syncDirectory`. Replaces what had the name. With `syncEach` every append is
   * going to be followed by `sync`, so the disk may do both at once.
   */
  create(name: string, options?: { readonly syncEach?: boolean }): Promise<AppendFile>;
  read(name: string): Promise<Uint8Array>;
  /** Nobody appends to the file any more. */
  hold(name: string): Promise<HeldFile>;
  /** Cuts an existing file durably. */
  truncate(name: string, length: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Absent is fine. */
  remove(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
  /** Resolves when all creations, renames and removals before the call survive a power cut. */
  syncDirectory(): Promise<void>;
  /** Takes the directory for this store alone until the process ends or `close`. Throws `StoreLocked`. */
  lock(): void;
  /** Gives the rest of the process a turn. */
  yield(): Promise<void>;
  close(): void;
}

/** The span in which a series has samples on pages; both ends inclusive. */
export type SeriesSpan = { readonly ref: number; readonly oldestMs: number; readonly newestMs: number };

/** Everything about a page but its samples. Times are inclusive on both ends. */
export type PageHead = {
  readonly id: number;
  readonly resolutionMs: Resolution;
  readonly windowMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly metricFrom: string;
  readonly metricTo: string;
  /** The first log segment whose samples the page may lack. */
  readonly segment: number;
  readonly samples: number;
  /** What the row's references and data take. */
  readonly bytes: number;
  readonly refs: Uint8Array;
};
/** `id` only for a page that takes the place of one that goes in the same change. */
export type NewPage = Omit<PageHead, 'id' | 'bytes'> & { readonly id?: number; readonly data: Uint8Array };

/** All of it happens, durably, or none of it. */
export type PageChange = {
  /** The packed labels (codec/label-block.ts) of these series, which are new to the page store. */
  readonly addLabels?: { readonly refs: readonly number[]; readonly block: Uint8Array };
  /** Widens the spans of series whose labels are there. */
  readonly putSpans?: readonly SeriesSpan[];
  readonly removeSeries?: readonly number[];
  readonly addPages?: readonly NewPage[];
  readonly removePages?: readonly number[];
  /** Pages are joined or expire: what was rolled up stays right. Otherwise the days of pages that come or go are due again. */
  readonly keepsRollups?: boolean;
  /** Begins to roll a day up: removes what an unfinished attempt left and remembers which pages were there before. */
  readonly beginDay?: number;
  /** Ends it: removes the rollup pages of the day from before it began. */
  readonly endDay?: number;
  /** Every day that still has samples is due again. */
  readonly allDaysDue?: boolean;
  readonly meta?: Readonly<Record<string, string>>;
};

/**
 * Pages of a resolution (by default of samples as they came) whose samples may lie in `[fromMs, toMs]` and whose metric names
 * overlap `[metricFrom, metricTo]` (byte order).
 */
export type PageQuery = {
  readonly resolutionMs?: Resolution;
  readonly fromMs: number;
  readonly toMs: number;
  readonly metricFrom?: string;
  readonly metricTo?: string;
  /** Part of a long walk: what is found is not worth keeping for the next query. */
  readonly passing?: boolean;
};

/** The pages of a resolution that belong to one window. `lastId` is the highest of their ids. */
export type PageWindow = { readonly windowMs: number; readonly pages: number; readonly bytes: number; readonly lastId: number };
/** A UTC day (its start) that has samples on pages. `current`: its rollups say the same as its samples, or as these said before they expired. */
export type RollupDay = { readonly dayMs: number; readonly current: boolean };
export type PageTotals = { readonly pages: number; readonly samples: number; readonly bytes: number };

/** Synchronous: a change and what follows it in memory are one step for everybody else. Throws `StoreUnavailable`. */
export interface PageStore {
  labels(): Iterable<{ readonly id: number; readonly block: Uint8Array }>;
  /** Ascending by reference. */
  spans(): Iterable<SeriesSpan>;
  /** Ascending by id: of two pages with the same instant of a series the first is right. */
  find(query: PageQuery): readonly PageHead[];
  /** Pages written by a flush whose log segment is above `segment`. */
  findAfterSegment(segment: number): readonly PageHead[];
  /** The page with the lowest id above. Throws `CorruptData` when it cannot be reached. */
  next(afterId: number): PageHead | undefined;
  /** The highest id ever given to a page; it never falls, also when the page goes. */
  lastId(): number;
  /** Throws `CorruptData` when the row cannot be reached. */
  read(id: number): Uint8Array | undefined;
  /** Windows of samples before `beforeMs` with two or more pages of at most `bytes` packed bytes, and those pages. */
  small(beforeMs: number, bytes: number): ReadonlyMap<number, readonly PageHead[]>;
  commit(change: PageChange): void;
  meta(key: string): string | undefined;
  /** Windows that have pages of the resolution, ascending, and what these pages take. */
  windows(resolutionMs: Resolution): readonly PageWindow[];
  /** Ascending. */
  days(): readonly RollupDay[];
  /** Of the pages of one resolution. */
  totals(resolutionMs: Resolution): PageTotals;
  /** The files of the page store, all as of now. Released in this order. */
  hold(): readonly HeldFile[];
  close(): void;
}

export type Durability = 'sync' | 'async';

export type StoreOptions = {
  /** Created when absent. Ignored when both `disk` and `pageStore` are given. */
  readonly dir: string;
  readonly disk?: Disk;
  readonly pageStore?: PageStore;
  /** Must be the one that the directory was written with from its first day, or absent as it was then. */
  readonly cipher?: Cipher | undefined;
  /** Samples older than this are refused. */
  readonly retentionMs: number;
  /** What `rollUp` and `retain` go by; its longest rule should keep samples for `retentionMs`. Without one everything is kept as long as that. */
  readonly retention?: RetentionPolicy;
  readonly outOfOrderWindowMs?: number;
  /** `sync` (default): acknowledged after fdatasync. `async`: after the write; a power cut may cost the last moments. */
  readonly durability?: Durability;
  /** Read at each new series, so that they may change while the store is open. `STORE_LIMITS` without. */
  readonly limits?: () => SeriesLimits;
  /** 32 random bits that senders cannot know, so that they cannot choose labels which all fall into one place of a hash table. */
  readonly hashSeed?: number;
  /** Decoded pages kept for the next query. */
  readonly cacheBytes?: number;
  /** Memory in which a backfill gathers samples before it writes them. */
  readonly backfillBytes?: number;
  /** How much the samples in memory may grow while they cannot be moved to pages; then appends reject. */
  readonly maxGrowthBytes?: number;
  readonly logger: Logger;
};

export type FlushReport = { readonly pages: number; readonly samples: number };
/** What retention dropped, or why it did not trust the clock. */
export type RetentionReport = {
  readonly series: number;
  readonly samples: number;
  readonly buckets: number;
  /** Packed bytes above the limit that could not be freed yet. */
  readonly excessBytes: number;
  /** The same of the rules with a limit of their own, by their number; those within it are left out. */
  readonly ruleExcess: readonly RuleExcess[];
  readonly clock: ClockVerdict;
};
export type RuleExcess = { readonly rule: number; readonly bytes: number };
/** `leap`: the clock is further ahead of the last retention than a clock moves between two of them. */
export type ClockVerdict = { readonly kind: 'trusted' } | { readonly kind: 'leap'; readonly byMs: number; readonly believedAtMs: number };
export type RollupReport = { readonly days: number; readonly series: number };
export type DeleteReport = { readonly series: number; readonly samples: number };

export type BackfillRefusal = { readonly labels: string; readonly atMs: number; readonly reason: RefusalReason; readonly detail: string };

/** What became of the samples of a backfill: `samples` = `stored` + `repeated` + `refusedCount`, once it is finished. */
export type BackfillReport = {
  readonly samples: number;
  readonly stored: number;
  /** Were there already, with the same bits. */
  readonly repeated: number;
  readonly refusedCount: number;
  readonly refusedBy: Readonly<Partial<Record<RefusalReason, number>>>;
  /** At most `MAX_LISTED_REFUSALS` of them; a series whose samples were all refused for one reason may stand here once. */
  readonly refused: readonly BackfillRefusal[];
  /** The windows that got samples, ascending. (Their days' rollups are due again by the page store's own book.) */
  readonly windowsMs: readonly number[];
};

/**
 * One backfill: samples of any age within retention, in any order, written to pages beside the live ones. Nothing of it passes
 * the log or the head, wakes a rule or holds up an append for longer than a few milliseconds. Pages that are written stay when
 * it breaks off; doing the same again adds what is missing and changes nothing else. One that is not finished needs no end.
 */
export interface Backfill {
  /** Resolves when the batch may be reused; writes when enough has been gathered. Rejects with `StoreUnavailable`. */
  add(batch: WriteBatch): Promise<void>;
  /** Writes the rest. Everything stored is durable when it resolves. Rejects with `StoreUnavailable`. */
  finish(): Promise<BackfillReport>;
  /** So far; what was gathered and not yet written is in `samples` only. */
  report(): BackfillReport;
}

export type StoreStats = {
  readonly series: number;
  readonly headSeries: number;
  readonly headSamples: number;
  readonly headBytes: number;
  readonly indexBytes: number;
  readonly pages: number;
  readonly pageSamples: number;
  readonly pageBytes: number;
  readonly rollupPages: number;
  readonly rollupBytes: number;
  readonly logBytes: number;
  readonly logSegments: number;
  /** What opening and reading found, since this process opened the store. */
  readonly damage: Damage;
};

export type Damage = {
  tornTails: number;
  tornBytes: number;
  corruptFrames: number;
  corruptBytes: number;
  /** Samples in the log whose series was in a lost frame. */
  orphanSamples: number;
  corruptPages: number;
  /** The first places, as `file:from-to` or `page 12`. */
  readonly places: string[];
};

export type Counted = { readonly name: string; readonly count: number };

/** How the series stand to their limits. */
export type SeriesReport = {
  readonly limits: SeriesLimits;
  readonly series: number;
  /** Since the store was opened, in this minute of the clock, and in the last sixty. */
  readonly newSeries: number;
  readonly newInMinute: number;
  readonly newInHour: number;
  /** Samples of refused series since the store was opened, by limit. */
  readonly refusedSamples: Readonly<Record<LimitName, number>>;
  readonly lastRefusal: { readonly atMs: number; readonly refusal: LimitRefusal } | undefined;
};

export type MetricSize = {
  readonly name: string;
  readonly series: number;
  readonly newInMinute: number;
  readonly newInHour: number;
  readonly refusedSamples: number;
};

/** The counts of Prometheus' `status/tsdb`, over every series the store knows. */
export type Census = {
  readonly series: number;
  /** Distinct pairs of a label and its value. */
  readonly labelPairs: number;
  readonly chunks: number;
  /** Infinity and -Infinity of a store without samples. */
  readonly oldestMs: number;
  readonly newestMs: number;
  readonly seriesByMetric: readonly Counted[];
  readonly valuesByLabel: readonly Counted[];
  /** Bytes of a label's values, each as often as there are series with it. */
  readonly bytesByLabel: readonly Counted[];
  /** Names are written `label=value`. */
  readonly seriesByPair: readonly Counted[];
};

export interface Cardinality {
  /** Takes no walk. */
  report(nowMs: EpochMs): SeriesReport;
  /** How many series satisfy all matchers. */
  matching(matchers: readonly Matcher[]): number;
  /** The `limit` metrics with the most series among those that satisfy all matchers, the largest first. */
  metrics(matchers: readonly Matcher[], limit: number, nowMs: EpochMs): Promise<readonly MetricSize[]>;
  /** Every list holds its `limit` largest, the largest first. */
  census(limit: number): Promise<Census>;
}

export interface Store extends Appender, Queryable {
  readonly cardinality: Cardinality;
  /**
   * Moves every window that ended `FLUSH_DELAY_MS` before `nowMs` (with `all`: everything) to pages, checkpoints the log
   * when that shortens it, removes what both made superfluous. Rejects with `StoreUnavailable`; nothing is lost then.
   */
  flush(nowMs: EpochMs, options?: { readonly all?: boolean }): Promise<FlushReport>;
  /** Joins the small pages of windows that are over. Returns the number of pages saved. */
  compact(nowMs: EpochMs): Promise<number>;
  /** Rolls up the days that are over, oldest first, at most `maxDays` (docs/format/pages.md). Rejects with `StoreUnavailable`; the next call goes on where this ended. */
  rollUp(nowMs: EpochMs, options?: { readonly maxDays?: number }): Promise<RollupReport>;
  /** Drops what the retention policy no longer keeps. To be called every hour or so: a clock that leaps ahead is not believed at once. */
  retain(nowMs: EpochMs): Promise<RetentionReport>;
  /** Removes every sample before `cutoffMs` (rollups stay) and the series that thereby have none. */
  deleteBefore(cutoffMs: EpochMs): Promise<DeleteReport>;
  /** Removes the samples of the matching series in the range (both ends inclusive). Durable when it resolves. */
  deleteSeries(matchers: readonly Matcher[], range: SelectRange): Promise<DeleteReport>;
  /** Begins a backfill. `nowMs` bounds its samples as it does those of `append`: by retention and ten minutes ahead. */
  backfill(nowMs: EpochMs): Backfill;
  stats(): StoreStats;
  /**
   * Everything acknowledged so far as files to copy, while the store goes on; appends wait only for a new log segment.
   * The caller releases them, in this order. Rejects with `StoreUnavailable`.
   */
  cut(): Promise<readonly HeldFile[]>;
  /** Waits for running appends, shortens the log, lets the directory go. Later calls reject with `StoreUnavailable`. */
  close(): Promise<void>;
}
