import { type NewPage, type PageChange, type PageHead, type PageQuery, type Resolution, ROLLUP_WINDOW_MS, WINDOW_MS } from '../contract.ts';

/**
 * The page heads of whole windows, opened once and kept: a dashboard asks for the same day again and again, and opening a sealed
 * head costs a hundred times a look at it. A window is forgotten when its pages change.
 */

/** Some 500 bytes each, kept only as queries ask for them: a day of 250 000 series. */
const MAX_KEPT_HEADS = 32 * 1024;
/** Windows without a page are kept too, or they would be looked for at every query. */
const MAX_KEPT_WINDOWS = 4096;
/** A longer range is not worth keeping: it would push everything else out. */
const MAX_WINDOWS = 100;

type Window = { readonly resolutionMs: Resolution; readonly windowMs: number; readonly heads: readonly PageHead[] };

export class WindowCache {
  /** Opens the heads of a range. */
  readonly #load: (range: PageQuery) => readonly PageHead[];
  /** In the order of last use. */
  readonly #windows = new Map<string, Window>();
  readonly #windowOfPage = new Map<number, string>();

  constructor(load: (range: PageQuery) => readonly PageHead[]) {
    this.#load = load;
  }

  /** Ascending by id; `wanted` decides by the head alone. */
  find(query: PageQuery, wanted: (head: PageHead) => boolean): readonly PageHead[] {
    const { resolutionMs = 0, fromMs, toMs, passing = false } = query;
    const lengthMs = lengthOf(resolutionMs);
    const first = Math.floor(fromMs / lengthMs) * lengthMs - lengthMs;
    if (passing || !((toMs - first) / lengthMs <= MAX_WINDOWS)) return this.#load(query).filter(wanted);
    const found: PageHead[] = [];
    for (let windowMs = first; windowMs <= toMs; windowMs += lengthMs) {
      for (const head of this.#window(resolutionMs, windowMs)) {
        if (head.toMs >= fromMs && head.fromMs <= toMs && wanted(head)) found.push(head);
      }
    }
    return found.sort((a, b) => a.id - b.id);
  }

  /** To be called after the change is made. */
  forget({ addPages = [], removePages = [], beginDay, endDay }: PageChange): void {
    for (const page of addPages) this.#drop(keyOf(page));
    for (const id of removePages) this.#drop(this.#windowOfPage.get(id));
    // These remove rollup pages that the change does not name.
    if (beginDay === undefined && endDay === undefined) return;
    for (const [key, { resolutionMs }] of this.#windows) if (resolutionMs !== 0) this.#drop(key);
  }

  #window(resolutionMs: Resolution, windowMs: number): readonly PageHead[] {
    const key = keyOf({ resolutionMs, windowMs });
    const known = this.#windows.get(key);
    if (known !== undefined) {
      this.#windows.delete(key);
      this.#windows.set(key, known);
      return known.heads;
    }
    // A window's pages may reach up to the first instant of the next one, and those of its neighbours into it.
    const range = { resolutionMs, fromMs: windowMs, toMs: windowMs + lengthOf(resolutionMs) };
    const heads = this.#load(range).filter((head) => head.windowMs === windowMs);
    this.#keep(key, { resolutionMs, windowMs, heads });
    return heads;
  }

  #keep(key: string, window: Window): void {
    this.#windows.set(key, window);
    for (const { id } of window.heads) this.#windowOfPage.set(id, key);
    for (const oldest of this.#windows.keys()) {
      const isFull = this.#windowOfPage.size > MAX_KEPT_HEADS || this.#windows.size > MAX_KEPT_WINDOWS;
      if (!isFull || oldest === key) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string | undefined): void {
    if (key === undefined) return;
    for (const { id } of this.#windows.get(key)?.heads ?? []) this.#windowOfPage.delete(id);
    this.#windows.delete(key);
  }
}

const lengthOf = (resolutionMs: Resolution): number => (resolutionMs === 0 ? WINDOW_MS : ROLLUP_WINDOW_MS);
const keyOf = ({ resolutionMs, windowMs }: Pick<NewPage, 'resolutionMs' | 'windowMs'>): string => `${resolutionMs} ${windowMs}`;
