import type { MetricMetadata } from '@nines/model/metadata.ts';
import type { MetadataBook } from './contract.ts';

/** Most families that are remembered; Prometheus' own largest exporters describe about 2 000 each. */
export const MAX_FAMILIES = 50_000;

/** A longer help is cut: it is a sentence, and fifty thousand of them are kept. */
const MAX_HELP_CHARS = 4_096;

/** What a push may say about a metric beside type, help and unit. */
export type MetricAttributes = {
  readonly category?: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean | null>>;
};
export type BookEntry = MetricMetadata & MetricAttributes & { readonly source: string };

export type Metadata = Omit<MetadataBook, 'get' | 'record'> & {
  record(family: string, metadata: MetricMetadata & MetricAttributes, source: string): void;
  get(family: string): BookEntry | undefined;
  /** The family that a series' name belongs to: itself, or without the suffix that counters, histograms and summaries add. */
  ofSeries(name: string): BookEntry | undefined;
  entries(): Iterable<readonly [family: string, entry: BookEntry]>;
  /** Puts back what was known before a restart; what has been recorded since is newer. */
  restore(family: string, entry: BookEntry): void;
  /** The families that were recorded since the last call, and whether that changed what is known of them. */
  takeRecorded(): ReadonlyMap<string, boolean>;
  /** The next `takeRecorded` has it as changed. */
  markChanged(family: string): void;
};

const SUFFIXES = ['_total', '_bucket', '_sum', '_count', '_created', '_info'];

export function createMetadataBook(): Metadata {
  const book = new Map<string, BookEntry>();
  let recorded = new Map<string, boolean>();
  return {
    record(family, metadata, source) {
      const known = book.get(family);
      if (known === undefined && book.size >= MAX_FAMILIES) return;
      // What a later, poorer description does not say stays.
      const said = metadata.type === 'unknown' && known !== undefined ? { ...metadata, type: known.type } : metadata;
      const merged = {
        ...said,
        help: said.help === '' ? (known?.help ?? '') : said.help.slice(0, MAX_HELP_CHARS),
        unit: said.unit === '' ? (known?.unit ?? '') : said.unit,
      };
      const entry: BookEntry = { ...(known === undefined ? {} : attributesOf(known)), ...merged, source };
      book.set(family, entry);
      recorded.set(family, recorded.get(family) === true || known === undefined || !same(known, entry));
    },
    get: (family) => book.get(family),
    ofSeries(name) {
      const suffix = SUFFIXES.find((ending) => name.endsWith(ending));
      return book.get(name) ?? (suffix === undefined ? undefined : book.get(name.slice(0, -suffix.length)));
    },
    entries: () => book,
    restore(family, entry) {
      if (!book.has(family) && book.size < MAX_FAMILIES) book.set(family, entry);
    },
    takeRecorded() {
      const taken = recorded;
      recorded = new Map();
      return taken;
    },
    markChanged: (family) => void recorded.set(family, true),
  };
}

function attributesOf({ category, attributes }: MetricAttributes): MetricAttributes {
  return { ...(category === undefined ? {} : { category }), ...(attributes === undefined ? {} : { attributes }) };
}

/** Who said it does not count: two jobs that expose the same metric would take turns for ever. */
function same(a: BookEntry, b: BookEntry): boolean {
  if (a.type !== b.type || a.help !== b.help || a.unit !== b.unit || a.category !== b.category) return false;
  return a.attributes === b.attributes || JSON.stringify(a.attributes) === JSON.stringify(b.attributes);
}
