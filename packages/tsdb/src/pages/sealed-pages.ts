import { compareText } from '@nines/model/labels.ts';
import { SEAL_BYTES, seal } from '../cipher.ts';
import { ByteReader, ByteWriter } from '../codec/bytes.ts';
import {
  type Cipher,
  CorruptData,
  type HeldFile,
  type NewPage,
  type PageChange,
  type PageHead,
  type PageQuery,
  type PageStore,
  type PageTotals,
  RESOLUTIONS,
  type Resolution,
  type SealingKey,
} from '../contract.ts';
import { otherEncryption } from '../unavailable.ts';
import { WindowCache } from './window-cache.ts';

/**
 * Pages whose rows are sealed one by one; drawn in docs/format/keys.md. SQLite sees times, counts and sealed bytes: metric names
 * stand in the sealed list of references, so a search by name happens here, on the opened heads of the windows in question.
 */
export const SEALED_KEY = 'sealed';

/** The store as it is, when it has no sealed rows. Throws `StoreUnavailable` otherwise. */
export function refuseSealedPages(rows: PageStore): PageStore {
  if (rows.meta(SEALED_KEY) === undefined) return rows;
  rows.close();
  throw otherEncryption('The page store', true);
}

/** A page store that is empty or was sealed from its first row. Throws `StoreUnavailable` when it has plain rows. */
export function openSealedPages(rows: PageStore, cipher: Cipher): PageStore {
  if (rows.meta(SEALED_KEY) === undefined && !isEmpty(rows)) {
    rows.close();
    throw otherEncryption('The page store', false);
  }
  return new SealedPages(rows, cipher);
}

/** Says in the rows that all of them are sealed. To be done before the first write, and after the log was seen to be encrypted too. */
export function markSealed(pages: PageStore): void {
  if (pages.meta(SEALED_KEY) === undefined) pages.commit({ meta: { [SEALED_KEY]: '1' } });
}

function isEmpty(rows: PageStore): boolean {
  for (const _ of rows.labels()) return false;
  return RESOLUTIONS.every((resolutionMs) => rows.totals(resolutionMs).pages === 0);
}

type Names = { readonly metricFrom: string; readonly metricTo: string; readonly refs: Uint8Array };

class SealedPages implements PageStore {
  readonly #rows: PageStore;
  readonly #codec: PageSealer;
  readonly #windows: WindowCache;

  constructor(rows: PageStore, cipher: Cipher) {
    this.#rows = rows;
    this.#codec = new PageSealer(cipher);
    this.#windows = new WindowCache((range) => this.#open(rows.find(range)));
  }

  *labels(): Generator<{ readonly id: number; readonly block: Uint8Array }> {
    for (const { id, block } of this.#rows.labels()) yield { id, block: this.#codec.openLabels(block) };
  }

  spans(): ReturnType<PageStore['spans']> {
    return this.#rows.spans();
  }

  find({ metricFrom, metricTo, ...range }: PageQuery): readonly PageHead[] {
    return this.#windows.find(
      range,
      (head) =>
        (metricTo === undefined || compareText(head.metricFrom, metricTo) <= 0) &&
        (metricFrom === undefined || compareText(head.metricTo, metricFrom) >= 0),
    );
  }

  findAfterSegment(segment: number): readonly PageHead[] {
    return this.#open(this.#rows.findAfterSegment(segment));
  }

  small(beforeMs: number, bytes: number): ReadonlyMap<number, readonly PageHead[]> {
    return new Map(Array.from(this.#rows.small(beforeMs, bytes), ([windowMs, heads]) => [windowMs, this.#open(heads)]));
  }

  next(afterId: number): PageHead | undefined {
    const row = this.#rows.next(afterId);
    return row === undefined ? undefined : { ...row, ...this.#codec.openHead(row) };
  }

  lastId(): number {
    return this.#rows.lastId();
  }

  /** Throws `CorruptData` when the row does not open. */
  read(id: number): Uint8Array | undefined {
    const data = this.#rows.read(id);
    return data === undefined ? undefined : this.#codec.openData(data);
  }

  commit(change: PageChange): void {
    this.#rows.commit({
      ...change,
      ...(change.addLabels === undefined
        ? {}
        : { addLabels: { ...change.addLabels, block: this.#codec.sealLabels(change.addLabels.block) } }),
      ...(change.addPages === undefined ? {} : { addPages: change.addPages.map((page) => this.#codec.sealPage(page)) }),
    });
    this.#windows.forget(change);
  }

  meta(key: string): string | undefined {
    return this.#rows.meta(key);
  }

  windows(resolutionMs: Resolution): ReturnType<PageStore['windows']> {
    return this.#rows.windows(resolutionMs);
  }

  days(): ReturnType<PageStore['days']> {
    return this.#rows.days();
  }

  totals(resolutionMs: Resolution): PageTotals {
    return this.#rows.totals(resolutionMs);
  }

  hold(): readonly HeldFile[] {
    return this.#rows.hold();
  }

  close(): void {
    this.#rows.close();
  }

  #open(rows: readonly PageHead[]): readonly PageHead[] {
    return rows.map((row) => ({ ...row, ...this.#codec.openHead(row) }));
  }
}

const NOTHING = new Uint8Array(0);
/** A head that does not open matches every name, and reading its references reports it as damaged. */
const DAMAGED: Names = { metricFrom: '', metricTo: '\u{10ffff}', refs: Uint8Array.of(0x80) };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Turns the rows of a page store into sealed ones and back. */
export class PageSealer {
  readonly #pages: SealingKey;
  readonly #labels: SealingKey;

  constructor(cipher: Cipher) {
    this.#pages = cipher.key('pages');
    this.#labels = cipher.key('labels');
  }

  sealLabels(block: Uint8Array): Uint8Array {
    return seal(this.#labels, block, NOTHING);
  }

  /** Bytes that do not open come back as they are: no label block, so they are reported as damaged. */
  openLabels(sealed: Uint8Array): Uint8Array {
    return this.#labels.open(sealed, NOTHING) ?? sealed;
  }

  sealPage(page: NewPage): NewPage {
    const plain = new ByteWriter(SEAL_BYTES + page.refs.length + 64);
    for (const name of [page.metricFrom, page.metricTo]) {
      const bytes = encoder.encode(name);
      plain.varint(bytes.length);
      plain.raw(bytes);
    }
    plain.raw(page.refs);
    return {
      ...page,
      metricFrom: '',
      metricTo: '',
      refs: seal(this.#pages, plain.written(), boundOf(page)),
      data: seal(this.#pages, page.data, NOTHING),
    };
  }

  openHead(row: PageHead): Names {
    const plain = this.#pages.open(row.refs, boundOf(row));
    if (plain === undefined) return DAMAGED;
    const reader = new ByteReader(plain);
    const metricFrom = decoder.decode(reader.raw(reader.varint()));
    const metricTo = decoder.decode(reader.raw(reader.varint()));
    return { metricFrom, metricTo, refs: reader.raw(reader.left) };
  }

  openData(sealed: Uint8Array): Uint8Array {
    const plain = this.#pages.open(sealed, NOTHING);
    if (plain === undefined) throw new CorruptData('it does not decrypt');
    return plain;
  }
}

/** A sealed list of references holds only beside the times and the count it was written with. */
function boundOf({ resolutionMs, windowMs, fromMs, toMs, samples }: Omit<NewPage, 'data'>): Uint8Array {
  const bound = new Float64Array([resolutionMs, windowMs, fromMs, toMs, samples]);
  return new Uint8Array(bound.buffer);
}
