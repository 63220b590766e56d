import type { Matcher } from '@nines/base/matcher.ts';
import { type Exemplar, compareExemplars, isOverLabelLimit } from './exemplar.ts';
import { type Labels, compareLabels, labelValue, labelsKey } from './labels.ts';

/**
 * The newest exemplars of all series together: a ring in which each new one takes the place of the oldest. Within a series they
 * come in order of time; what is older than its newest one is refused, and a repetition of it is passed over. Source of the rules:
 * prometheus tsdb/exemplar.go.
 */
export type ExemplarVerdict = 'stored' | 'duplicate' | 'out_of_order' | 'label_limit' | 'disabled';
export type SeriesExemplars = { readonly labels: Labels; readonly exemplars: readonly Exemplar[] };
export type ExemplarRange = { readonly fromMs: number; readonly toMs: number };

type Entry = { readonly series: Held; readonly exemplar: Exemplar; next: Entry | undefined };
type Held = { readonly key: string; readonly labels: Labels; oldest: Entry | undefined; newest: Entry | undefined };

export class ExemplarRing {
  readonly #entries: (Entry | undefined)[];
  readonly #series = new Map<string, Held>();
  /** How many are held at most; 0 for none. */
  readonly capacity: number;
  #next = 0;
  #size = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#entries = Array.from({ length: capacity }, () => undefined);
  }

  get size(): number {
    return this.#size;
  }

  get seriesCount(): number {
    return this.#series.size;
  }

  add(labels: Labels, exemplar: Exemplar): ExemplarVerdict {
    if (this.capacity === 0) return 'disabled';
    if (isOverLabelLimit(exemplar.labels)) return 'label_limit';
    const key = labelsKey(labels);
    const newest = this.#series.get(key)?.newest;
    if (newest !== undefined) {
      const order = compareExemplars(exemplar, newest.exemplar);
      if (order === 0) return 'duplicate';
      if (order < 0) return 'out_of_order';
    }
    this.#evict();
    this.#append(key, labels, exemplar);
    return 'stored';
  }

  #append(key: string, labels: Labels, exemplar: Exemplar): void {
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { key, labels, oldest: undefined, newest: undefined };
      this.#series.set(key, series);
    }
    const entry: Entry = { series, exemplar, next: undefined };
    if (series.newest === undefined) series.oldest = entry;
    else series.newest.next = entry;
    series.newest = entry;
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % this.capacity;
    this.#size++;
  }

  /** Makes the place free where the next one goes. What lies there is the oldest of its series, because each comes behind the ones before. */
  #evict(): void {
    const gone = this.#entries[this.#next];
    if (gone === undefined) return;
    this.#entries[this.#next] = undefined;
    this.#size--;
    const { series } = gone;
    series.oldest = gone.next;
    if (gone.next === undefined) this.#series.delete(series.key);
  }

  /** Of the series that satisfy every matcher of some selector, sorted by labels; both ends of the range inclusive. */
  select(selectors: readonly (readonly Matcher[])[], { fromMs, toMs }: ExemplarRange): readonly SeriesExemplars[] {
    const found: SeriesExemplars[] = [];
    for (const { labels, oldest, newest } of this.#series.values()) {
      if ((oldest?.exemplar.atMs ?? 0) > toMs || (newest?.exemplar.atMs ?? 0) < fromMs) continue;
      if (!selectors.some((matchers) => matchers.every(({ name, matches }) => matches(labelValue(labels, name))))) continue;
      const exemplars: Exemplar[] = [];
      for (let entry = oldest; entry !== undefined && entry.exemplar.atMs <= toMs; entry = entry.next)
        if (entry.exemplar.atMs >= fromMs) exemplars.push(entry.exemplar);
      if (exemplars.length > 0) found.push({ labels, exemplars });
    }
    return found.sort((a, b) => compareLabels(a.labels, b.labels));
  }
}
