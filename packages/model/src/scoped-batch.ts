import { formatLabels } from './labels.ts';
import { entering } from './scope.ts';
import { type AppendOutcome, NO_SERIES, type Refusal, type RefusalReason, type Scope, type WriteBatch } from './storage.ts';
import { decodeLabels, encodeLabels, labelBytesOf } from './write-batch.ts';

/**
 * What a sender with a scope may write of a batch. The labels that the scope demands by `=` are added to series without them; series
 * that carry others are taken out and refused by name, so that each protocol tells its sender in its own manner.
 */
export type ScopedBatch = {
  /** Its samples are copies; valid as long as the given batch. */
  readonly batch: WriteBatch;
  /** Per series of `batch` its place in the given one. */
  readonly places: readonly number[];
  /** At most `MAX_LISTED`, one per series, in the order of the given batch. */
  readonly refused: readonly Refusal[];
  /** Samples. */
  readonly refusedBy: Readonly<Partial<Record<RefusalReason, number>>>;
};

/** As many as a store lists of one batch. */
const MAX_LISTED = 100;

export function scopedBatch(given: WriteBatch, scope: Scope): ScopedBatch {
  const { seriesCount, samplesFrom, times, values, histograms } = given;
  const places: number[] = [];
  const encoded: Uint8Array[] = [];
  const refused: Refusal[] = [];
  const refusedBy: Partial<Record<RefusalReason, number>> = {};
  const refuse = (series: number, reason: RefusalReason, labels: string, detail: string): void => {
    const first = samplesFrom[series] ?? 0;
    const count = (samplesFrom[series + 1] ?? first) - first;
    refusedBy[reason] = (refusedBy[reason] ?? 0) + count;
    if (count > 0 && refused.length < MAX_LISTED) refused.push({ series, labels, atMs: times[first] ?? 0, reason, detail });
  };
  for (let series = 0; series < seriesCount; series++) {
    const { bytes, from, to } = labelBytesOf(given, series);
    const labels = decodeLabels(bytes, from, to);
    const entered = labels.ok ? entering(scope, labels.value) : labels;
    if (entered.ok) {
      places.push(series);
      encoded.push(encodeLabels(entered.value));
    } else if (labels.ok) refuse(series, 'outside_scope', formatLabels(labels.value), entered.error);
    else refuse(series, 'invalid_labels', '', labels.error);
  }
  const at = new Map(places.map((place, series) => [place, series]));
  const exemplars = given.exemplars?.flatMap((one) => {
    const series = at.get(one.series);
    return series === undefined ? [] : [{ ...one, series }];
  });
  const batch: WriteBatch = {
    ...joined(encoded),
    seriesCount: places.length,
    ...samplesAt(places, { samplesFrom, times, values, histograms }),
    ...(given.onlyNewer === undefined ? {} : { onlyNewer: given.onlyNewer }),
    ...(exemplars === undefined ? {} : { exemplars }),
  };
  return { batch, places, refused, refusedBy };
}

function joined(encoded: readonly Uint8Array[]): Pick<WriteBatch, 'bytes' | 'labelsFrom' | 'labelsTo'> {
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + length, 0));
  const labelsFrom = new Uint32Array(encoded.length);
  const labelsTo = new Uint32Array(encoded.length);
  let used = 0;
  encoded.forEach((one, series) => {
    bytes.set(one, used);
    labelsFrom[series] = used;
    used += one.length;
    labelsTo[series] = used;
  });
  return { bytes, labelsFrom, labelsTo };
}

type Samples = Pick<WriteBatch, 'samplesFrom' | 'times' | 'values'> & { readonly histograms?: WriteBatch['histograms'] | undefined };

function samplesAt(places: readonly number[], given: Samples): Samples & Pick<WriteBatch, 'histograms'> {
  const samplesFrom = new Uint32Array(places.length + 1);
  places.forEach((place, series) => {
    samplesFrom[series + 1] = (samplesFrom[series] ?? 0) + (given.samplesFrom[place + 1] ?? 0) - (given.samplesFrom[place] ?? 0);
  });
  const count = samplesFrom[places.length] ?? 0;
  const times = new Float64Array(count);
  const values = new Float64Array(count);
  const histograms: NonNullable<WriteBatch['histograms']>[number][] = [];
  places.forEach((place, series) => {
    const [from, to, into] = [given.samplesFrom[place] ?? 0, given.samplesFrom[place + 1] ?? 0, samplesFrom[series] ?? 0];
    times.set(given.times.subarray(from, to), into);
    // Between arrays of one kind these are bytes: a NaN keeps its payload.
    values.set(given.values.subarray(from, to), into);
    if (given.histograms !== undefined) for (let i = from; i < to; i++) histograms.push(given.histograms[i]);
  });
  return { samplesFrom, times, values, ...(given.histograms === undefined ? {} : { histograms }) };
}

/** What became of the given batch, when `outcome` is what became of the scoped one (undefined when nothing was left of it). */
export function scopedOutcome(given: WriteBatch, { places, refused, refusedBy }: ScopedBatch, outcome?: AppendOutcome): AppendOutcome {
  const refs = new Uint32Array(given.seriesCount).fill(NO_SERIES);
  places.forEach((place, series) => {
    refs[place] = outcome?.refs[series] ?? NO_SERIES;
  });
  const byStore = outcome?.refused.map((one) => ({ ...one, series: places[one.series] ?? 0 })) ?? [];
  return {
    ...outcome,
    accepted: outcome?.accepted ?? 0,
    refusedCount: (outcome?.refusedCount ?? 0) + countOf(refusedBy),
    refusedBy: summed(outcome?.refusedBy ?? {}, refusedBy),
    refused: [...refused, ...byStore].sort((a, b) => a.series - b.series).slice(0, MAX_LISTED),
    refs,
  };
}

type Counts = AppendOutcome['refusedBy'];

export const countOf = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

export function summed(one: Counts, other: Counts): Counts {
  const sum: Partial<Record<RefusalReason, number>> = { ...one };
  for (const [reason, count] of Object.entries(other)) sum[reason as RefusalReason] = (sum[reason as RefusalReason] ?? 0) + count;
  return sum;
}
