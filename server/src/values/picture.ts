/** What is known of a followed query, and what changed in it. Pure. */
import { type Labels, labelsKey, labelsToRecord } from '@nines/model/labels.ts';

/** The answer of one evaluation. */
export type Seen = {
  /** The instant of the present values. */
  readonly atMs: number;
  /** Present values, in the query's order. */
  readonly now: readonly { readonly labels: Labels; readonly value: number }[];
  /** Points at the instants of the tail, whose first is `fromMs`; null for a query without points. */
  readonly tail: { readonly fromMs: number; readonly series: readonly Column[] } | null;
};
type Column = { readonly labels: Labels; readonly times: ArrayLike<number>; readonly values: ArrayLike<number> };

type Series = { readonly labels: string; now: number | undefined; readonly points: Map<number, number> };
type Indexed = readonly [index: number, text: string];

/** JSON knows no other numbers than finite ones. */
export const numberJson = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? '"NaN"' : value > 0 ? '"+Inf"' : '"-Inf"';

const list = (name: string, parts: readonly string[]): string => (parts.length === 0 ? '' : `,"${name}":[${parts.join(',')}]`);
const pairs = (name: string, parts: readonly Indexed[]): string =>
  list(
    name,
    parts.map(([index, text]) => `[${index},${text}]`),
  );

/** The present values and the tail of one query. Series have indexes for as long as they have any value; none is given twice. */
export class Picture {
  readonly #series = new Map<number, Series>();
  readonly #indexes = new Map<string, number>();
  #next = 0;
  #order: readonly number[] = [];
  #fromMs: number | null = null;

  /** How many series have a value. */
  get size(): number {
    return this.#series.size;
  }

  /** Takes an answer and tells what changed, as fields of an item that follow others. */
  take({ now, tail }: Seen): string {
    const named: Indexed[] = [];
    const indexOf = (labels: Labels): number => this.#indexOf(labels, named);
    const order = now.map(({ labels }) => indexOf(labels));
    const present = new Set(order);
    const changed: Indexed[] = [];
    now.forEach(({ value }, at) => {
      const index = order[at] ?? 0;
      const series = this.#series.get(index);
      if (series === undefined || Object.is(series.now, value)) return;
      series.now = value;
      changed.push([index, numberJson(value)]);
    });
    for (const [index, series] of this.#series) if (!present.has(index)) series.now = undefined;
    const reordered = order.length !== this.#order.length || order.some((index, at) => index !== this.#order[at]);
    this.#order = order;
    const points = tail === null ? '' : this.#takeTail(tail, indexOf);
    this.#forget();
    return pairs('series', named) + (reordered ? `,"order":[${order.join(',')}]` : '') + pairs('now', changed) + points;
  }

  /** Everything, in the same form. */
  whole(): string {
    const all = [...this.#series];
    const instants = new Map<number, string[]>();
    for (const [index, { points }] of all)
      for (const [atMs, value] of points) {
        const row = instants.get(atMs);
        if (row === undefined) instants.set(atMs, [`[${index},${numberJson(value)}]`]);
        else row.push(`[${index},${numberJson(value)}]`);
      }
    return (
      pairs(
        'series',
        all.map(([index, { labels }]) => [index, labels]),
      ) +
      `,"order":[${this.#order.join(',')}]` +
      pairs(
        'now',
        all.flatMap(([index, { now }]) => (now === undefined ? [] : [[index, numberJson(now)] as const])),
      ) +
      (this.#fromMs === null ? '' : `,"from_ms":${this.#fromMs}`) +
      list(
        'tail',
        [...instants].sort(([a], [b]) => a - b).map(([atMs, row]) => `[${atMs},[${row.join(',')}]]`),
      )
    );
  }

  #indexOf(labels: Labels, named: Indexed[]): number {
    const key = labelsKey(labels);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.#next++;
    const text = JSON.stringify(labelsToRecord(labels));
    this.#indexes.set(key, index);
    this.#series.set(index, { labels: text, now: undefined, points: new Map() });
    named.push([index, text]);
    return index;
  }

  #takeTail({ fromMs, series }: NonNullable<Seen['tail']>, indexOf: (labels: Labels) => number): string {
    const rows = new Map<number, string[]>();
    const note = (atMs: number, text: string): void => {
      const row = rows.get(atMs);
      if (row === undefined) rows.set(atMs, [text]);
      else row.push(text);
    };
    const found = new Map<number, Map<number, number>>();
    for (const { labels, times, values } of series) {
      const points = new Map<number, number>();
      for (let i = 0; i < times.length; i++) points.set(times[i] ?? 0, values[i] ?? Number.NaN);
      found.set(indexOf(labels), points);
    }
    for (const [index, { points }] of this.#series) {
      const seen = found.get(index);
      for (const atMs of points.keys()) {
        if (atMs >= fromMs && seen?.has(atMs) === true) continue;
        points.delete(atMs);
        if (atMs >= fromMs) note(atMs, `[${index},null]`);
      }
      for (const [atMs, value] of seen ?? []) {
        if (Object.is(points.get(atMs), value)) continue;
        points.set(atMs, value);
        note(atMs, `[${index},${numberJson(value)}]`);
      }
    }
    const moved = fromMs === this.#fromMs ? '' : `,"from_ms":${fromMs}`;
    this.#fromMs = fromMs;
    return (
      moved +
      list(
        'tail',
        [...rows].sort(([a], [b]) => a - b).map(([atMs, row]) => `[${atMs},[${row.join(',')}]]`),
      )
    );
  }

  /** Series without any value come again under another index, so that ones that come and go take no room. */
  #forget(): void {
    for (const [key, index] of this.#indexes) {
      const series = this.#series.get(index);
      if (series === undefined || series.now !== undefined || series.points.size > 0) continue;
      this.#series.delete(index);
      this.#indexes.delete(key);
    }
  }
}
