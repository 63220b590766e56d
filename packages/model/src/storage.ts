import type { Matcher } from '@nines/base/matcher.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { BatchExemplar } from './exemplar.ts';
import type { Histogram } from './histogram.ts';
import type { Labels } from './labels.ts';

/**
 * The two interfaces through which everything above sees samples: `Appender` takes them in, `Queryable` gives them back.
 * The embedded store implements both; a remote engine can stand in its place. Neither knows a clock.
 */

/**
 * Samples on their way in, as a struct of arrays so that a known series costs no string. Every input (remote write,
 * scrape, push, checks) becomes one of these.
 *
 * Series `i` owns the bytes `[labelsFrom[i], labelsTo[i])` of `bytes`: its labels as protobuf `Label` fields of a
 * remote-write `TimeSeries` (tag 0x0a, length, { 0x0a name, 0x12 value }), in any order, and the samples
 * `[samplesFrom[i], samplesFrom[i + 1])` of `times` and `values`. The arrays may be longer than what is used, and are
 * only valid until `append` returns its promise's value: an appender that keeps something copies it.
 */
export type WriteBatch = {
  readonly bytes: Uint8Array;
  /** Present when labels are given by reference; then `labelsFrom` and `labelsTo` are places in its `refs`. See `labelBytesOf`. */
  readonly symbols?: LabelSymbols;
  readonly seriesCount: number;
  readonly labelsFrom: Uint32Array;
  readonly labelsTo: Uint32Array;
  /** One longer than `seriesCount`. */
  readonly samplesFrom: Uint32Array;
  /** Unix milliseconds. */
  readonly times: Float64Array;
  /** Bit-exact: a NaN's payload matters (see stale.ts). */
  readonly values: Float64Array;
  /** Where a sample is a native histogram; its value means nothing then. May end early, is absent when all samples are numbers. */
  readonly histograms?: readonly (Histogram | undefined)[];
  /** A sample that is not newer than its series' newest is left out in silence: the end of a series that has gone on. */
  readonly onlyNewer?: boolean;
  /** Not an appender's business: whoever keeps exemplars takes them from here. */
  readonly exemplars?: readonly BatchExemplar[];
};

/**
 * Labels by reference, as remote write 2.0 has them: series `i` has the symbols `refs[labelsFrom[i], labelsTo[i])`, names and
 * values in turn, all of them below `count`. Symbol `s` is `bytes[from[s], to[s])` of the batch. The arrays may be longer.
 */
export type LabelSymbols = {
  readonly count: number;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly refs: Uint32Array;
};

/** The reasons that end in `_limit` refuse a new series; series that are there are not touched by them. */
export type RefusalReason =
  | 'invalid_labels'
  | 'out_of_order'
  | 'too_old'
  | 'too_far_ahead'
  | 'duplicate'
  | 'series_limit'
  | 'metric_series_limit'
  | 'new_series_limit'
  | 'metric_new_series_limit'
  | 'label_count_limit'
  | 'label_name_limit'
  | 'label_value_limit'
  /** The sender may only write what carries other labels. */
  | 'outside_scope';

export type Refusal = {
  readonly series: number;
  readonly labels: string;
  readonly atMs: number;
  readonly reason: RefusalReason;
  readonly detail: string;
};

export type AppendOutcome = {
  /** Samples that are stored now; an exact repetition of a stored sample counts as accepted. */
  readonly accepted: number;
  /** Native histograms among them. */
  readonly histograms?: number;
  /** Exemplars that are kept now, or were already; set by whoever keeps them. */
  readonly exemplars?: number;
  readonly refusedCount: number;
  readonly refusedBy: Readonly<Partial<Record<RefusalReason, number>>>;
  /** At most 100 of them, in the order of the batch. */
  readonly refused: readonly Refusal[];
  /** The series reference per series of the batch; `NO_SERIES` where none of its samples was stored. */
  readonly refs: Uint32Array;
};

export const NO_SERIES = 0xffffffff;

export interface Appender {
  /**
   * Resolves when every accepted sample is as durable as the store promises (by default: on disk after fdatasync). Good
   * samples are stored even when others are refused. Rejects only with `StoreUnavailable` (disk full, read-only, closed):
   * then nothing of the batch is acknowledged. `nowMs` bounds how far ahead a sample may be (10 minutes).
   */
  append(batch: WriteBatch, nowMs: EpochMs): Promise<AppendOutcome>;
  /** The label set of a reference that `append` returned. */
  labelsOfRef(ref: number): Labels;
}

/** The store cannot take samples now; the sender should try again. */
export class StoreUnavailable extends Error {
  readonly reason: 'disk_full' | 'read_only' | 'closed' | 'io';
  constructor(reason: StoreUnavailable['reason'], message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StoreUnavailable';
    this.reason = reason;
  }
}

/**
 * One series' samples of a selection: times ascending, no instant twice, staleness markers included. Times may be
 * shared between series and must not be written to; values belong to the caller (see `SelectOptions.reuse`).
 */
export type SeriesColumns = {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Where there is a native histogram; `values` means nothing there. Absent when the series has floats only. */
  readonly histograms?: readonly (Histogram | undefined)[];
  /** Since when each sample counts, Unix milliseconds, 0 where that is unknown. Absent when no sample says. */
  readonly starts?: Float64Array;
  /** Present when some entries are buckets of a rollup; only readers that asked for rollups get them. */
  readonly rolled?: Rolled;
};

/**
 * What one reader makes of the samples in each of its windows. `newest` is an instant selector, whose window is the lookback;
 * `increase` stands for every function of a counter's or gauge's change over a window; `other` for what no rollup can tell.
 */
export type Statistic = 'newest' | 'first' | 'last' | 'min' | 'max' | 'sum' | 'count' | 'avg' | 'increase' | 'other';

/** The windows `(end - rangeMs, end]` that a reader looks at: `end` is `firstEndMs + i * stepMs` (one window when the step is 0). */
export type RollupUse = {
  readonly statistic: Statistic;
  readonly firstEndMs: number;
  readonly stepMs: number;
  readonly rangeMs: number;
};

/**
 * Entries that are buckets: the part of a series up to some instant; each of the samples after it is an entry of its own. An
 * entry stands at the time of its last sample (with `first` at its first) and has as value what the statistic wants: the
 * bucket's least, greatest, sum (`sum`, `avg`), number of samples (`count`), first or last sample. There are no staleness
 * markers, except for `newest`.
 */
export type Rolled = {
  /** The coarsest buckets among the entries. */
  readonly resolutionMs: number;
  /** Every window asked for is made of whole buckets, so that nothing is lost by them. */
  readonly exact: boolean;
  /** Per entry its number of samples; for `avg` and `increase`. */
  readonly counts?: Float64Array;
  /** For `increase`: per entry its first sample, and the sum of the values before each fall inside. `values` are the last samples. */
  readonly firstTimes?: Float64Array;
  readonly firsts?: Float64Array;
  readonly lost?: Float64Array;
};

/** Matchers every read is forced through, on top of its own: what the reader may see. Empty means everything. */
export type Scope = { readonly matchers: readonly Matcher[] };
export const FULL_SCOPE: Scope = { matchers: [] };

/** Both ends inclusive, in Unix milliseconds. */
export type SelectRange = { readonly fromMs: number; readonly toMs: number };

/** All but the first two are hints that a store may leave unheeded. */
export type SelectOptions = {
  readonly scope?: Scope;
  readonly signal?: AbortSignal;
  /** The caller is done with the values of a series when it asks for the next one: their array may be used again. */
  readonly reuse?: boolean;
  /** What counts is where there are samples and staleness markers: any other value may stand for a number. */
  readonly presence?: boolean;
  /** Only the newest sample of each series counts: older ones may be missing. */
  readonly newest?: boolean;
  /** Called now and then while series are looked up; what it returns, if anything, is awaited. */
  readonly yieldNow?: () => Promise<void> | undefined;
  /** Told in a sentence, when a selection has been walked, of damage for which samples may be missing in it. */
  readonly onDamage?: (problem: string) => void;
  /** Lets the store answer from rollups: where windows are made of whole buckets, and where samples have expired. */
  readonly rollups?: RollupUse;
};

/** Series as they are decoded. `atMost` bounds how many there are, where the store knows before decoding any. */
export type Selection = Iterable<SeriesColumns> & { readonly atMost?: number };

/** Whether answers over the past still hold. A change is told in the same step in which it can be read, or later. */
export interface Past {
  /** Samples younger than this still come in as a matter of course. */
  readonly presentMs: number;
  /** Rises with every change of older ones. */
  readonly version: number;
  /** The earliest instant at which anything is not what it was at `version`: Infinity when nothing changed, -Infinity when that is forgotten. */
  earliestSince(version: number): number;
}

export interface Queryable {
  /** Absent when the store cannot tell. */
  readonly past?: Past;
  /**
   * The series that satisfy all matchers and have a sample in the range, each with its samples in the range, in no
   * particular order. Decoding happens as the iterable is walked; an aborted signal ends the walk by throwing its reason.
   */
  select(matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<Selection>;
  /** The label sets of the series with a sample in the range (to the precision of stored pages), sorted. */
  series(matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly Labels[]>;
  /** Sorted, no repeats. */
  labelNames(matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly string[]>;
  /** Sorted, no repeats, no empty value. */
  labelValues(name: string, matchers: readonly Matcher[], range: SelectRange, options?: SelectOptions): Promise<readonly string[]>;
}
