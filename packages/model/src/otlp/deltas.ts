import { type Histogram, added } from '../histogram.ts';

/**
 * Sums of delta streams: OTLP's senders may report what was added since their last report, the store keeps totals. A total lives
 * in memory; where it begins (a new stream, a restart, an hour without points) the series gets a 0 first, which readers see as a
 * counter reset, so that no increase is lost or counted twice.
 */

/** Streams that are remembered. The points of further ones are refused. */
export const MAX_DELTA_STREAMS = 100_000;
/** Buckets of all streams together; 16 MB. */
export const MAX_DELTA_BUCKETS = 2_000_000;
/** A stream without points for so long is forgotten. */
export const DELTA_IDLE_MS = 3_600_000;

export type Total =
  | { readonly kind: 'number'; readonly value: number }
  | {
      readonly kind: 'buckets';
      readonly count: number;
      readonly sum: number | undefined;
      readonly bucketCounts: readonly number[];
      readonly bounds: readonly number[];
    }
  | { readonly kind: 'native'; readonly histogram: Histogram };

type Stream = { readonly total: Total; readonly startMs: number; readonly atMs: number; readonly touchedMs: number };

export type DeltaTimes = { readonly startMs: number; readonly atMs: number; readonly nowMs: number };

export type Accumulated =
  /** `begins` when nothing was known of the stream before. */
  | { readonly kind: 'total'; readonly total: Total; readonly begins: boolean }
  /** The point was sent before. */
  | { readonly kind: 'repeated' }
  | { readonly kind: 'refused'; readonly reason: 'delta_out_of_order' | 'delta_stream_limit'; readonly message: string };

export class DeltaStreams {
  /** The stream touched longest ago comes first. */
  readonly #streams = new Map<string, Stream>();
  /** What the request under way replaced. */
  #before = new Map<string, Stream | undefined>();
  #buckets = 0;

  get size(): number {
    return this.#streams.size;
  }

  /** Starts a request: what was added before is final. */
  begin(nowMs: number): void {
    this.#before = new Map();
    for (const [key, { touchedMs }] of this.#streams) {
      if (nowMs - touchedMs <= DELTA_IDLE_MS) break;
      this.#set(key, undefined);
    }
  }

  /** Takes back what the request under way added, as its samples could not be stored and will be sent again. */
  rollBack(): void {
    for (const [key, stream] of this.#before) this.#set(key, stream);
    this.#before = new Map();
  }

  /** `delta` is what was added from `startMs` to `atMs`. */
  add(key: string, delta: Total, { startMs, atMs, nowMs }: DeltaTimes): Accumulated {
    const known = this.#streams.get(key);
    if (known !== undefined && atMs === known.atMs && startMs === known.startMs) return { kind: 'repeated' };
    if (known !== undefined && atMs < known.atMs)
      return { kind: 'refused', reason: 'delta_out_of_order', message: 'a delta older than one that is added already' };
    const sum = known === undefined ? undefined : summed(known.total, delta);
    const total = sum ?? delta;
    const grows = bucketsOf(total) - (known === undefined ? 0 : bucketsOf(known.total));
    if ((known === undefined && this.#streams.size >= MAX_DELTA_STREAMS) || this.#buckets + grows > MAX_DELTA_BUCKETS)
      return {
        kind: 'refused',
        reason: 'delta_stream_limit',
        message: `more than ${MAX_DELTA_STREAMS} delta streams or ${MAX_DELTA_BUCKETS} buckets; send cumulative temporality`,
      };
    if (!this.#before.has(key)) this.#before.set(key, known);
    this.#set(key, { total, startMs, atMs, touchedMs: nowMs });
    return { kind: 'total', total, begins: sum === undefined };
  }

  /** Moves the stream to the end. */
  #set(key: string, stream: Stream | undefined): void {
    const old = this.#streams.get(key);
    if (old !== undefined) this.#buckets -= bucketsOf(old.total);
    this.#streams.delete(key);
    if (stream === undefined) return;
    this.#streams.set(key, stream);
    this.#buckets += bucketsOf(stream.total);
  }
}

const bucketsOf = (total: Total): number => {
  if (total.kind === 'number') return 0;
  if (total.kind === 'buckets') return total.bucketCounts.length + total.bounds.length;
  return 2 * (total.histogram.positive.indexes.length + total.histogram.negative.indexes.length);
};

/** Undefined when the two cannot be added, as a histogram's buckets are others now: the stream then begins anew. */
function summed(total: Total, delta: Total): Total | undefined {
  if (total.kind === 'number' && delta.kind === 'number') return { kind: 'number', value: total.value + delta.value };
  if (total.kind === 'native' && delta.kind === 'native') {
    const histogram = added(total.histogram, delta.histogram);
    return histogram === undefined ? undefined : { kind: 'native', histogram };
  }
  if (total.kind !== 'buckets' || delta.kind !== 'buckets') return undefined;
  if (total.bounds.length !== delta.bounds.length || total.bounds.some((bound, i) => bound !== delta.bounds[i])) return undefined;
  return {
    kind: 'buckets',
    count: total.count + delta.count,
    sum: total.sum === undefined || delta.sum === undefined ? undefined : total.sum + delta.sum,
    bucketCounts: total.bucketCounts.map((count, i) => count + (delta.bucketCounts[i] ?? 0)),
    bounds: total.bounds,
  };
}
