import type { Logger } from '@nines/base/logger.ts';
import { Columns } from '../codec/columns.ts';
import { DecodedPage, readRefs } from '../codec/page.ts';
import { CorruptData, type Damage, type PageHead, type PageStore, windowOf } from '../contract.ts';
import { reportDamage } from '../damage.ts';

/** Unpacked pages, the last used ones kept up to a number of bytes. A damaged page is reported once and then left out. */
export const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;

export class PageReader {
  readonly #store: PageStore;
  readonly #damage: Damage;
  readonly #logger: Logger;
  readonly #limit: number;
  /** In the order of last use. */
  readonly #pages = new Map<number, DecodedPage>();
  /** The page used last, which is the newest of `#pages`: series after series lies on it. */
  #last: { readonly id: number; readonly page: DecodedPage } | undefined;
  readonly #corrupt = new Set<number>();
  #bytes = 0;

  constructor(
    store: PageStore,
    { damage, logger, cacheBytes }: { readonly damage: Damage; readonly logger: Logger; readonly cacheBytes: number },
  ) {
    this.#store = store;
    this.#damage = damage;
    this.#logger = logger;
    this.#limit = cacheBytes;
  }

  get hasDamage(): boolean {
    return this.#corrupt.size > 0;
  }

  /** Known since it was last asked for. */
  isDamaged(id: number): boolean {
    return this.#corrupt.has(id);
  }

  /** The page, or undefined when it is damaged. */
  open(head: PageHead): DecodedPage | undefined {
    if (this.#last?.id === head.id) return this.#last.page;
    const known = this.#pages.get(head.id);
    if (known !== undefined) {
      this.#pages.delete(head.id);
      this.#pages.set(head.id, known);
      this.#last = { id: head.id, page: known };
      return known;
    }
    if (this.#corrupt.has(head.id)) return undefined;
    try {
      const data = this.#store.read(head.id);
      if (data === undefined) throw new CorruptData('the row is gone');
      const page = new DecodedPage(head.refs, data);
      this.#keep(head.id, page);
      this.#last = { id: head.id, page };
      return page;
    } catch (thrown) {
      if (!(thrown instanceof CorruptData)) throw thrown;
      this.report(head, thrown);
      return undefined;
    }
  }

  /** The times of a series on a page, shared by the series of one scrape; undefined when the page is damaged. */
  timesOf(head: PageHead, index: number): Float64Array | undefined {
    return this.#guarded(head, (page) => page.timesOf(index));
  }

  /** Whether every value of a series on a page is sure to be a finite number; told without decoding. */
  isUsual(head: PageHead, index: number): boolean {
    return this.#guarded(head, (page) => page.isUsual(index)) ?? false;
  }

  /** Appends all values of a series to `out`, whose times there mean nothing; false when the page is damaged. */
  readValues(head: PageHead, index: number, out: Columns): boolean {
    const before = out.length;
    const done = this.#guarded(head, (page) => {
      page.readValues(index, out);
      return true;
    });
    if (done !== true) out.length = before;
    return done === true;
  }

  #guarded<T>(head: PageHead, read: (page: DecodedPage) => T): T | undefined {
    const page = this.open(head);
    if (page === undefined) return undefined;
    try {
      return read(page);
    } catch (thrown) {
      if (!(thrown instanceof CorruptData)) throw thrown;
      this.report(head, thrown);
      return undefined;
    }
  }

  /** The references a page holds; none when its list is damaged. */
  refsOf(head: PageHead): Uint32Array {
    const known = this.#pages.get(head.id);
    if (known !== undefined) return known.refs;
    try {
      return readRefs(head.refs);
    } catch (thrown) {
      if (!(thrown instanceof CorruptData)) throw thrown;
      this.report(head, thrown);
      return new Uint32Array(0);
    }
  }

  /** Appends a series' samples in the range to `out`; nothing when the page is damaged. */
  read(head: PageHead, index: number, range: { readonly fromMs: number; readonly toMs: number }, out: Columns): void {
    const before = out.length;
    const done = this.#guarded(head, (page) => {
      page.read(index, range, out, scratch);
      return true;
    });
    if (done !== true) out.length = before;
  }

  /** Whether the instant stands on a page of the metric, and with the same bits. */
  lookup(query: {
    readonly ref: number;
    readonly metric: string;
    readonly time: number;
    readonly low: number;
    readonly high: number;
  }): 'absent' | 'same' | 'other' {
    const { ref, metric, time } = query;
    const heads = this.#store.find({ fromMs: time, toMs: time, metricFrom: metric, metricTo: metric });
    for (const head of heads) {
      if (head.windowMs !== windowOf(time)) continue;
      const index = this.refsOf(head).indexOf(ref);
      if (index < 0) continue;
      instant.clear();
      this.read(head, index, { fromMs: time, toMs: time }, instant);
      if (instant.length > 0) return instant.bits[0] === query.low && instant.bits[1] === query.high ? 'same' : 'other';
    }
    return 'absent';
  }

  forget(id: number): void {
    if (this.#last?.id === id) this.#last = undefined;
    const page = this.#pages.get(id);
    if (page === undefined) return;
    this.#pages.delete(id);
    this.#bytes -= page.size;
  }

  #keep(id: number, page: DecodedPage): void {
    this.#pages.set(id, page);
    this.#bytes += page.size;
    for (const [oldest, old] of this.#pages) {
      if (this.#bytes <= this.#limit || oldest === id) break;
      this.#pages.delete(oldest);
      this.#bytes -= old.size;
    }
  }

  report(head: PageHead, problem: CorruptData): void {
    this.forget(head.id);
    if (this.#corrupt.has(head.id)) return;
    this.#corrupt.add(head.id);
    this.#damage.corruptPages++;
    reportDamage(this.#damage, this.#logger, { place: `page ${head.id}`, problem: problem.message });
  }
}

const scratch = new Columns();
const instant = new Columns(1);
