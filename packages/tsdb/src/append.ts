import type { Result } from '@nines/base/result.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { type Labels, formatLabels } from '@nines/model/labels.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { bitsOf } from '@nines/model/stale.ts';
import { type AppendOutcome, NO_SERIES, type Refusal, type RefusalReason, type WriteBatch } from '@nines/model/storage.ts';
import { labelBytesOf } from '@nines/model/write-batch.ts';
import { MAX_AHEAD_MS, MAX_LISTED_REFUSALS } from './contract.ts';
import { type Head, READ_AHEAD } from './head/head.ts';
import { encodeLabels, parseLabels } from './head/label-bytes.ts';
import type { SeriesGate } from './head/new-series.ts';
import { NONE } from './head/series-index.ts';
import type { FrameBuffer } from './log/frame.ts';
import { writeHistograms, writeSamples, writeSeries } from './log/records.ts';

/**
 * One batch on its way in, in two steps. `prepare` finds or makes the series and refuses what can be refused at once; what is
 * left goes to the log. `apply` runs when the log is durable and puts the samples into the head, which alone decides about
 * instants that are already there. So nothing is visible that a crash could take back.
 */
export type AppendLimits = {
  readonly gate: SeriesGate;
  readonly outOfOrderWindowMs: number;
  readonly retentionMs: number;
  /** Nothing before this instant is taken: retention removed it. */
  readonly retainedFromMs: number;
};

/** The samples of a series in its batch, the instants that may be taken, and who decides about a new one. */
type Bounds = {
  readonly from: number;
  readonly to: number;
  readonly earliest: number;
  readonly latest: number;
  readonly nowMs: EpochMs;
  readonly gate: SeriesGate;
};

const CONFLICT = 'the series has another value at this instant';

/** References this close share lines of memory. */
const NEAR = 8;

export class BatchAppend {
  readonly #head: Head;
  readonly #batch: WriteBatch;
  readonly #refs: Uint32Array;
  /** Samples for the log: their series and their place in the batch. */
  readonly #logRefs: Uint32Array;
  readonly #logIndexes: Uint32Array;
  readonly #logSeries: Uint32Array;
  #logCount = 0;
  readonly #histograms: { readonly ref: number; readonly time: number; readonly histogram: Histogram; readonly series: number }[] = [];
  readonly #undefined: number[] = [];
  readonly #refused: Refusal[] = [];
  #refusedCount = 0;
  readonly #refusedBy: Partial<Record<RefusalReason, number>> = {};
  #accepted = 0;

  constructor(head: Head, batch: WriteBatch) {
    const samples = batch.samplesFrom[batch.seriesCount] ?? 0;
    this.#head = head;
    this.#batch = batch;
    this.#refs = new Uint32Array(batch.seriesCount).fill(NO_SERIES);
    this.#logRefs = new Uint32Array(samples);
    this.#logIndexes = new Uint32Array(samples);
    this.#logSeries = new Uint32Array(samples);
  }

  /** Whether anything must go to the log. */
  get isEmpty(): boolean {
    return this.#logCount === 0 && this.#histograms.length === 0;
  }

  prepare(nowMs: EpochMs, limits: AppendLimits): void {
    const { seriesCount, samplesFrom, times, histograms, onlyNewer = false } = this.#batch;
    const isPlain = histograms === undefined && !onlyNewer;
    const aliases = this.#head.beginAliases(this.#batch);
    const latest = nowMs + MAX_AHEAD_MS;
    const earliest = Math.max(nowMs - limits.retentionMs, limits.retainedFromMs, 0);
    for (let series = 0; series < seriesCount; series++) {
      const from = samplesFrom[series] ?? 0;
      const to = samplesFrom[series + 1] ?? 0;
      let ref = aliases.find(series);
      if (ref === NONE || !this.#head.index.isLive(ref)) {
        const known = ref !== NONE;
        ref = this.#resolve(series, { from, to, earliest, latest, nowMs, gate: limits.gate });
        if (ref === NONE) continue;
        if (known) aliases.repoint(ref);
        else aliases.add(series, ref);
      }
      const tooOld = Math.max(earliest, this.#head.newestOf(ref) - limits.outOfOrderWindowMs);
      // Nearly every series of nearly every request: one number, neither too old nor too far ahead. Without an object, as that would be most of the garbage.
      const time = Math.floor(times[from] ?? 0);
      if (isPlain && to - from === 1 && time >= tooOld && time <= latest) {
        this.#log(series, ref, from);
        if (!this.#head.isDefined(ref)) this.#undefined.push(ref);
      } else this.#take(series, ref, { from, to, tooOld, latest });
    }
    aliases.end();
  }

  /** The aliases do not know the labels: read them. Makes no series for samples that are refused anyway. */
  #resolve(series: number, bounds: Bounds): number {
    const { times } = this.#batch;
    const labels = this.#labelsOf(series);
    if (!labels.ok) {
      for (let i = bounds.from; i < bounds.to; i++) this.#refuse(series, times[i] ?? 0, 'invalid_labels', labels.error);
      return NONE;
    }
    const { index } = this.#head;
    let ref = index.find(labels.value);
    if (ref === NONE) {
      const some = times.subarray(bounds.from, bounds.to).some((time) => time >= bounds.earliest && time <= bounds.latest);
      if (!some) {
        this.#take(series, NONE, { from: bounds.from, to: bounds.to, tooOld: bounds.earliest, latest: bounds.latest });
        return NONE;
      }
      const refusal = bounds.gate.admit(labels.value, bounds.to - bounds.from, bounds.nowMs);
      if (refusal !== undefined) {
        for (let i = bounds.from; i < bounds.to; i++) this.#refuse(series, times[i] ?? 0, refusal.reason, refusal.detail);
        return NONE;
      }
      ref = this.#head.addSeries(labels.value);
    }
    return ref;
  }

  #labelsOf(series: number): Result<Labels, string> {
    const { bytes, from, to } = labelBytesOf(this.#batch, series);
    return parseLabels(bytes, from, to);
  }

  #take(
    series: number,
    ref: number,
    { from, to, tooOld, latest }: { readonly from: number; readonly to: number; readonly tooOld: number; readonly latest: number },
  ): void {
    const { times, histograms, onlyNewer = false } = this.#batch;
    const newest = onlyNewer && ref !== NONE ? this.#head.newestOf(ref) : Number.NEGATIVE_INFINITY;
    const before = this.#logCount + this.#histograms.length;
    for (let i = from; i < to; i++) {
      const time = Math.floor(times[i] ?? 0);
      const histogram = histograms?.[i];
      if (time <= newest) continue;
      // Written so that NaN is refused too.
      if (!(time <= latest)) this.#refuse(series, time, 'too_far_ahead', 'more than 10 minutes ahead');
      else if (time < tooOld)
        this.#refuse(series, time, 'too_old', `before ${new Date(tooOld).toISOString()}, the oldest time taken for this series`);
      else if (histogram !== undefined) this.#histograms.push({ ref, time, histogram, series });
      else this.#log(series, ref, i);
    }
    if (this.#logCount + this.#histograms.length > before && !this.#head.isDefined(ref)) this.#undefined.push(ref);
  }

  #log(series: number, ref: number, index: number): void {
    const at = this.#logCount++;
    this.#logRefs[at] = ref;
    this.#logIndexes[at] = index;
    this.#logSeries[at] = series;
  }

  /** The series that wait for the log: they must not be forgotten meanwhile. */
  get pendingRefs(): Uint32Array {
    const refs = this.#logRefs.subarray(0, this.#logCount);
    return this.#histograms.length === 0 ? refs : Uint32Array.of(...refs, ...this.#histograms.map(({ ref }) => ref));
  }

  /** Writes the frames of what `prepare` let through. */
  write(frames: FrameBuffer): void {
    const { index } = this.#head;
    if (this.#undefined.length > 0) {
      frames.frame((writer) => writeSeries(writer, this.#undefined, (ref) => encodeLabels(index.labelsOf(ref))));
    }
    const { times, values } = this.#batch;
    const list = { refs: this.#logRefs, indexes: this.#logIndexes, count: this.#logCount, times, values };
    if (this.#logCount > 0) frames.frame((writer) => writeSamples(writer, list));
    if (this.#histograms.length > 0) frames.frame((writer) => writeHistograms(writer, this.#histograms));
  }

  /** Puts the samples into the head and tells the outcome. */
  apply(): AppendOutcome {
    const { times, values } = this.#batch;
    const bits = bitsOf(values);
    for (const ref of this.#undefined) this.#head.markLogged(ref);
    for (let i = 0; i < this.#logCount; i++) {
      if (i % READ_AHEAD === 0) this.#readAhead(i);
      const ref = this.#logRefs[i] ?? 0;
      const index = this.#logIndexes[i] ?? 0;
      const series = this.#logSeries[i] ?? 0;
      const time = Math.floor(times[index] ?? 0);
      if (this.#head.insert(ref, time, bits, index) === 'conflict') {
        this.#refuse(series, time, 'duplicate', CONFLICT);
      } else {
        this.#accepted++;
        this.#refs[series] = ref;
      }
    }
    const histograms = this.#applyHistograms();
    // Stable, so within a series the order of the samples stays.
    this.#refused.sort((a, b) => a.series - b.series);
    return {
      accepted: this.#accepted,
      histograms,
      refusedCount: this.#refusedCount,
      refusedBy: this.#refusedBy,
      refused: this.#refused,
      refs: this.#refs,
    };
  }

  /** Behind the other samples, as in the log, so that a replay decides alike. Returns how many were accepted. */
  #applyHistograms(): number {
    let accepted = 0;
    for (const { ref, time, histogram, series } of this.#histograms) {
      if (this.#head.insertHistogram(ref, time, histogram) === 'conflict') {
        this.#refuse(series, time, 'duplicate', CONFLICT);
        continue;
      }
      accepted++;
      this.#refs[series] = ref;
    }
    this.#accepted += accepted;
    return accepted;
  }

  /** Series in the order in which they were made stand side by side, and need no reading ahead. */
  #readAhead(from: number): void {
    const to = Math.min(from + READ_AHEAD, this.#logCount);
    let apart = 0;
    for (let i = from + 1; i < to; i++) if (((this.#logRefs[i] ?? 0) - (this.#logRefs[i - 1] ?? 0)) >>> 0 > NEAR) apart++;
    if (apart * 2 > to - from) this.#head.readAhead(this.#logRefs, from, to);
  }

  #refuse(series: number, atMs: number, reason: RefusalReason, detail: string): void {
    this.#refusedCount++;
    this.#refusedBy[reason] = (this.#refusedBy[reason] ?? 0) + 1;
    if (this.#refused.length >= MAX_LISTED_REFUSALS) return;
    const labels = this.#labelsOf(series);
    this.#refused.push({ series, labels: labels.ok ? formatLabels(labels.value) : '', atMs, reason, detail });
  }
}
