/** What is known of a followed query, as the stream tells it (docs/format/stream.md). Pure. */

export type Labels = Readonly<Record<string, string>>;
type Told = number | 'NaN' | '+Inf' | '-Inf';

/** One item of `values.changed`. */
export type ValueItem = {
  readonly query?: string;
  readonly key?: string;
  readonly start?: boolean;
  readonly at_ms?: number;
  readonly heard_at_ms?: number | null;
  readonly every_ms?: number | null;
  readonly series?: readonly (readonly [index: number, labels: Labels])[];
  readonly order?: readonly number[];
  readonly now?: readonly (readonly [index: number, value: Told])[];
  readonly from_ms?: number;
  readonly tail?: readonly (readonly [atMs: number, values: readonly (readonly [index: number, value: Told | null])[]])[];
  readonly error?: string;
  readonly unfit?: boolean;
};

type Points = readonly (readonly [atMs: number, value: number])[];
export type KnownSeries = { readonly labels: Labels; readonly points: Points };
type Series = { readonly labels: Labels; now: number | undefined; readonly points: Map<number, number> };

/** More instants than a panel has; the hook reads the stretch anew long before. */
const MOST_INSTANTS = 500;

const numberOf = (told: Told): number =>
  typeof told === 'number' ? told : told === '+Inf' ? Number.POSITIVE_INFINITY : told === '-Inf' ? Number.NEGATIVE_INFINITY : Number.NaN;
const toldOf = (value: number): Told => (Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf');

/** The present values and the points since `sinceMs` of one query. */
export class LivePicture {
  /** The server's instant of the present values; 0: none yet. */
  atMs = 0;
  /** This browser's instant at which they came. */
  receivedMs = 0;
  heardAtMs: number | null = null;
  everyMs: number | null = null;
  error: string | null = null;
  /** From here on all points are known; null for a query without points. */
  sinceMs: number | null = null;
  /** Rises with every change. */
  version = 0;
  readonly #series = new Map<number, Series>();
  #order: readonly number[] = [];

  apply(item: ValueItem, receivedMs: number): void {
    this.version++;
    if (item.start === true) {
      this.#series.clear();
      this.#order = [];
      this.sinceMs = item.from_ms ?? null;
    }
    this.error = item.error ?? null;
    if (item.at_ms !== undefined) {
      this.atMs = item.at_ms;
      this.receivedMs = receivedMs;
    }
    if (item.heard_at_ms !== undefined) this.heardAtMs = item.heard_at_ms;
    if (item.every_ms !== undefined) this.everyMs = item.every_ms;
    if (item.from_ms !== undefined) this.sinceMs ??= item.from_ms;
    for (const [index, labels] of item.series ?? []) this.#series.set(index, { labels, now: undefined, points: new Map() });
    this.#takeNow(item);
    this.#takeTail(item.tail ?? []);
  }

  /** The present values, in the query's order. */
  present(): readonly KnownSeries[] {
    return this.#order.flatMap((index) => {
      const series = this.#series.get(index);
      return series?.now === undefined ? [] : [{ labels: series.labels, points: [[this.atMs, series.now] as const] }];
    });
  }

  /** Points by series, the earliest first. */
  points(): readonly KnownSeries[] {
    return [...this.#series.values()].flatMap(({ labels, points }) =>
      points.size === 0 ? [] : [{ labels, points: [...points].sort(([a], [b]) => a - b) }],
    );
  }

  /** Everything, for another page. */
  whole(): ValueItem {
    const instants = new Map<number, (readonly [number, Told])[]>();
    for (const [index, { points }] of this.#series)
      for (const [atMs, value] of points) {
        const row = instants.get(atMs);
        if (row === undefined) instants.set(atMs, [[index, toldOf(value)]]);
        else row.push([index, toldOf(value)]);
      }
    return {
      start: true,
      ...(this.atMs > 0 && { at_ms: this.atMs }),
      heard_at_ms: this.heardAtMs,
      every_ms: this.everyMs,
      series: [...this.#series].map(([index, { labels }]) => [index, labels] as const),
      order: this.#order,
      now: [...this.#series].flatMap(([index, { now }]) => (now === undefined ? [] : [[index, toldOf(now)] as const])),
      ...(this.sinceMs !== null && { from_ms: this.sinceMs }),
      tail: [...instants].sort(([a], [b]) => a - b),
      ...(this.error !== null && { error: this.error }),
    };
  }

  #takeNow({ order, now }: ValueItem): void {
    for (const [index, value] of now ?? []) {
      const series = this.#series.get(index);
      if (series !== undefined) series.now = numberOf(value);
    }
    if (order === undefined) return;
    this.#order = order;
    const present = new Set(order);
    for (const [index, series] of this.#series) {
      if (present.has(index)) continue;
      series.now = undefined;
      if (series.points.size === 0) this.#series.delete(index);
    }
  }

  #takeTail(tail: NonNullable<ValueItem['tail']>): void {
    for (const [atMs, values] of tail)
      for (const [index, value] of values) {
        const points = this.#series.get(index)?.points;
        if (value === null) points?.delete(atMs);
        else points?.set(atMs, numberOf(value));
      }
    for (const { points } of this.#series.values())
      while (points.size > MOST_INSTANTS) {
        const oldest = Math.min(...points.keys());
        points.delete(oldest);
        this.sinceMs = Math.max(this.sinceMs ?? 0, oldest + 1);
      }
  }
}
