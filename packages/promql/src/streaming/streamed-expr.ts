import type { Matcher } from '@nines/base/matcher.ts';
import type { Labels } from '@nines/model/labels.ts';
import { METRIC_NAME, withLabels } from '@nines/model/labels.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import type { SeriesColumns } from '@nines/model/storage.ts';
import { type Engine, createEngine } from '../engine.ts';
import { MemoryQueryable } from '../memory-queryable.ts';
import { PartState, type StreamedElement, type Unknown } from './part-state.ts';
import { type Streamed, nameOfPart } from './plan.ts';
import { ringOf } from './slots.ts';

export type { StreamedElement, Unknown } from './part-state.ts';

export type StreamedOptions = {
  readonly intervalMs: number;
  /** How long after its end an interval is evaluated. */
  readonly delayMs: number;
  /** Most series of one part; `MAX_CELLS` may allow fewer. */
  readonly maxSeries: number;
  readonly lookbackMs: number;
};

/** Reads a part's series from the store: samples after `afterMs`, without end. */
export type ReadSeries = (matchers: readonly Matcher[], afterMs: number) => Promise<AsyncIterable<SeriesColumns> | Iterable<SeriesColumns>>;

export type StreamedValue =
  | { readonly kind: 'known'; readonly elements: readonly (StreamedElement & { readonly histogram?: Histogram })[] }
  | { readonly kind: 'unknown'; readonly why: Unknown };

/** Intervals that the state of one part may hold over all its series: at most some 100 MB. */
export const MAX_CELLS = 2_000_000;
/** Intervals beyond those that a delay needs, for samples that are a little ahead and evaluations that are a little late. */
const SPARE_INTERVALS = 3;

/** An expression that is kept up to date as its samples come. Evaluations must not overlap. */
export class StreamedExpr {
  readonly parts: readonly PartState[];
  readonly #streamed: Streamed;
  readonly #options: StreamedOptions;
  readonly #engine: Engine;
  /** Readings of the store since the beginning. */
  readings = 0;
  /** Values that were asked for, and those of them that only a query could tell. */
  values = { asked: 0, unknown: 0 };

  constructor(streamed: Streamed, options: StreamedOptions) {
    this.#streamed = streamed;
    this.#options = options;
    this.#engine = createEngine({ limits: { lookbackMs: options.lookbackMs } });
    const { intervalMs } = options;
    const ahead = Math.ceil(options.delayMs / intervalMs) + SPARE_INTERVALS;
    this.parts = streamed.parts.map((part) => {
      const maxSeries = Math.max(1, Math.min(options.maxSeries, Math.floor(MAX_CELLS / ringOf(part.inner, { intervalMs, ahead }))));
      return new PartState(part, { intervalMs, ahead, maxSeries });
    });
  }

  /** The value at the end of interval `k`, later than all before. Rejects as `read` does; the next call reads again. */
  async valueAt(k: number, read: ReadSeries): Promise<StreamedValue> {
    for (const part of this.parts) if (part.needsRead(k)) await this.#read(part, k, read);
    const values: (readonly StreamedElement[])[] = [];
    let unknown: Unknown | undefined;
    for (const part of this.parts) {
      const value = part.valueAt(k);
      if (value.kind === 'unknown') unknown ??= value.why;
      else values.push(value.elements);
    }
    this.values.asked++;
    if (unknown !== undefined) this.values.unknown++;
    if (unknown !== undefined) return { kind: 'unknown', why: unknown };
    const [only] = values;
    if (values.length === 1 && only !== undefined && this.#streamed.alone) return { kind: 'known', elements: only };
    return { kind: 'known', elements: await this.#above(values, k * this.#options.intervalMs) };
  }

  async #read(part: PartState, k: number, read: ReadSeries): Promise<void> {
    this.readings++;
    part.beginRead(k);
    let whole = false;
    try {
      for await (const series of await read(part.part.matchers, part.readAfterMs(k))) part.load(series);
      whole = true;
    } finally {
      part.endRead(whole);
    }
  }

  /** What stands above the parts, over their results. Throws with the engine's message. */
  async #above(values: readonly (readonly StreamedElement[])[], atMs: number): Promise<readonly StreamedElement[]> {
    const queryable = new MemoryQueryable();
    values.forEach((elements, part) => {
      for (const { labels, value } of elements) {
        const named: Labels = withLabels(labels, { [METRIC_NAME]: nameOfPart(part) });
        queryable.addColumns({ labels: named, times: Float64Array.of(atMs), values: Float64Array.of(value) });
      }
    });
    const found = await this.#engine.instant(this.#streamed.expr, { queryable, atMs });
    if (!found.ok) throw new Error(found.error.message);
    const { value } = found.value;
    if (value.kind === 'vector') return value.elements;
    if (value.kind === 'scalar') return [{ labels: [], value: value.value }];
    throw new Error(`BUG: expected a vector, found a ${value.kind}`);
  }
}
