import type { Histogram } from '@nines/model/histogram.ts';
import { type Labels, METRIC_NAME, labelsKey } from '@nines/model/labels.ts';
import { PromqlFailure } from './promql-error.ts';

/**
 * The currency of evaluation: one series over all steps of a query. Expressions push rows one after another into a sink, so
 * that `sum(rate(x[5m]))` over 100 000 series holds one of them at a time.
 */
export type Row = {
  readonly labels: Labels;
  /** The metric's name is still among the labels but goes away at the end (delayed name removal). */
  readonly dropName: boolean;
  /** One value per step; what stands at an absent step means nothing. */
  readonly values: Float64Array;
  /** 1 where there is a value; null when there is one at every step. */
  readonly has: Uint8Array | null;
};

/**
 * The native histograms of one series over all steps, undefined where there is none. Its floats come in a row of their own, so
 * whatever knows floats only stays as it is.
 */
export type HistogramRow = {
  readonly labels: Labels;
  readonly dropName: boolean;
  readonly histograms: readonly (Histogram | undefined)[];
};

/**
 * Where rows go. During `row` the sink may overwrite the arrays; afterwards they belong to the producer again, unless the
 * sink `keeps`, for which a producer makes fresh arrays. A label set may come more than once, but never twice at one step.
 */
export type Sink = {
  readonly keeps: boolean;
  /** Set when the sink looks at where there are values, never at the values, so that nobody needs to decode them. */
  readonly presence?: boolean;
  row(row: Row): void;
  /** A sink without it has no use for histograms and is not given any. */
  histograms?(row: HistogramRow): void;
};

const SAME_LABELSET = 'vector cannot contain metrics with the same labelset';

/** Labels that describe the metric rather than the series: they go whenever the name goes. */
export const isMetadataLabel = (name: string): boolean => name === METRIC_NAME || name === '__type__' || name === '__unit__';

/** The labels without the metric's name and other metadata; the same array when there is none. */
export function withoutName(labels: Labels): Labels {
  for (let i = 0; i < labels.length; i += 2) {
    if (!isMetadataLabel(labels[i] as string)) continue;
    const rest = labels.slice(0, i);
    for (let j = i + 2; j < labels.length; j += 2)
      if (!isMetadataLabel(labels[j] as string)) rest.push(labels[j] as string, labels[j + 1] as string);
    return rest;
  }
  return labels;
}

/** 1 where the row has a histogram. */
export const presenceOf = ({ histograms }: HistogramRow): Uint8Array => Uint8Array.from(histograms, (each) => (each === undefined ? 0 : 1));

export const hasHistogram = ({ histograms }: HistogramRow): boolean => histograms.some((each) => each !== undefined);

export const isPresent = (row: Row, step: number): boolean => row.has === null || row.has[step] === 1;

type Seen = { readonly labels: Labels; has: Uint8Array | null; readonly next: Seen | undefined };

/**
 * Refuses the same labels at the same step, and notes when labels come again at other steps. Every row of a query passes here
 * when names are dropped from several metrics, so labels are hashed as they are instead of being joined to a key.
 */
export class UniqueGuard {
  readonly #seen = new Map<number, Seen>();
  readonly #onRepeat: () => void;

  constructor(onRepeat: () => void) {
    this.#onRepeat = onRepeat;
  }

  check({ labels, values, has }: Row): void {
    this.#note(labels, has === null ? null : has.subarray(0, values.length));
  }

  checkHistograms(row: HistogramRow): void {
    this.#note(row.labels, presenceOf(row));
  }

  #note(labels: Labels, has: Uint8Array | null): void {
    const hash = hashOf(labels);
    const chain = this.#seen.get(hash);
    let earlier = chain;
    while (earlier !== undefined && !sameLabels(earlier.labels, labels)) earlier = earlier.next;
    if (earlier === undefined) {
      this.#seen.set(hash, { labels, has: has === null ? null : has.slice(), next: chain });
      return;
    }
    this.#onRepeat();
    const taken = earlier.has;
    if (taken === null || has === null) throw new PromqlFailure('execution', SAME_LABELSET);
    for (let i = 0; i < taken.length; i++) {
      if (has[i] !== 1) continue;
      if (taken[i] === 1) throw new PromqlFailure('execution', SAME_LABELSET);
      taken[i] = 1;
    }
  }
}

/** FNV-1a over the UTF-16 units, a separator behind each text. Collisions are sorted out by comparing. */
function hashOf(labels: Labels): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < labels.length; i++) {
    const text = labels[i] as string;
    for (let k = 0; k < text.length; k++) hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193);
    hash = Math.imul(hash ^ 0xffff, 0x01000193);
  }
  return hash;
}

function sameLabels(a: Labels, b: Labels): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Joins rows of equal labels (and equal pending name removal). Fails when two have a value at the same step. */
export function mergeRows(rows: readonly Row[]): readonly Row[] {
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const key = labelsKey(row.labels);
    const earlier = byKey.get(key);
    byKey.set(key, earlier === undefined ? row : merged(earlier, row));
  }
  return [...byKey.values()];
}

function merged(a: Row, b: Row): Row {
  if (a.has === null || b.has === null) throw new PromqlFailure('execution', SAME_LABELSET);
  const values = a.values.slice();
  const has = a.has.slice();
  for (let i = 0; i < has.length; i++) {
    if (b.has[i] !== 1) continue;
    if (has[i] === 1) throw new PromqlFailure('execution', SAME_LABELSET);
    has[i] = 1;
    values[i] = b.values[i] ?? Number.NaN;
  }
  return { labels: a.labels, dropName: a.dropName || b.dropName, values, has };
}

/** The same for histograms. */
export function mergeHistogramRows(rows: readonly HistogramRow[]): readonly HistogramRow[] {
  const byKey = new Map<string, HistogramRow>();
  for (const row of rows) {
    const key = labelsKey(row.labels);
    const earlier = byKey.get(key);
    if (earlier === undefined) {
      byKey.set(key, row);
      continue;
    }
    const histograms = earlier.histograms.map((each, i) => {
      const other = row.histograms[i];
      if (each !== undefined && other !== undefined) throw new PromqlFailure('execution', SAME_LABELSET);
      return each ?? other;
    });
    byKey.set(key, { labels: row.labels, dropName: earlier.dropName || row.dropName, histograms });
  }
  return [...byKey.values()];
}

/** Values per slab: rows that are kept share arrays of this size, since making one array costs as much as filling it. */
const SLAB_VALUES = 16_384;

/** Arrays for the rows that a producer makes: reused while the sink does not keep them. */
export class RowBuffer {
  readonly #count: number;
  readonly #keeps: boolean;
  readonly #has: Uint8Array;
  #slab: Float64Array;
  #used = 0;

  constructor(count: number, sink: Sink) {
    this.#count = count;
    this.#keeps = sink.keeps;
    this.#has = new Uint8Array(count);
    this.#slab = new Float64Array(count);
  }

  /** `count` values with unspecified content. Called anew for each row. */
  values(): Float64Array {
    if (!this.#keeps) return this.#slab;
    if (this.#used + this.#count > this.#slab.length) {
      this.#slab = new Float64Array(this.#count * Math.max(1, Math.floor(SLAB_VALUES / this.#count)));
      this.#used = 0;
    }
    this.#used += this.#count;
    return this.#slab.subarray(this.#used - this.#count, this.#used);
  }

  /** `count` flags with unspecified content, valid until the next call. */
  has(): Uint8Array {
    return this.#has;
  }

  /** Takes back the values handed out last: they did not become a row. */
  release(): void {
    if (this.#keeps) this.#used -= this.#count;
  }

  /** What to put into a row whose flags stand in `has()` and have `present` ones. */
  flags(present: number): Uint8Array | null {
    if (present === this.#count) return null;
    return this.#keeps ? this.#has.slice() : this.#has;
  }
}
