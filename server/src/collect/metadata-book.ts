import type { MetricMetadata } from '@nines/model/metadata.ts';
import type { MetadataBook } from './contract.ts';

/** Most families that are remembered; Prometheus' own largest exporters describe about 2 000 each. */
export const MAX_FAMILIES = 50_000;

/** What a push may say about a metric beside type, help and unit. */
export type MetricAttributes = {
  readonly category?: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean | null>>;
};
export type BookEntry = MetricMetadata & MetricAttributes & { readonly source: string };

export type Metadata = MetadataBook & {
  record(family: string, metadata: MetricMetadata & MetricAttributes, source: string): void;
  get(family: string): BookEntry | undefined;
  /** The family that a series' name belongs to: itself, or without the suffix that counters, histograms and summaries add. */
  ofSeries(name: string): BookEntry | undefined;
  entries(): Iterable<readonly [family: string, entry: BookEntry]>;
};

const SUFFIXES = ['_total', '_bucket', '_sum', '_count', '_created', '_info'];

export function createMetadataBook(): Metadata {
  const book = new Map<string, BookEntry>();
  return {
    record(family, metadata, source) {
      const known = book.get(family);
      if (known === undefined && book.size >= MAX_FAMILIES) return;
      // What a later, poorer description does not say stays.
      const said = metadata.type === 'unknown' && known !== undefined ? { ...metadata, type: known.type } : metadata;
      const merged = {
        ...said,
        help: said.help === '' ? (known?.help ?? '') : said.help,
        unit: said.unit === '' ? (known?.unit ?? '') : said.unit,
      };
      book.set(family, { ...(known === undefined ? {} : attributesOf(known)), ...merged, source });
    },
    get: (family) => book.get(family),
    ofSeries(name) {
      const suffix = SUFFIXES.find((ending) => name.endsWith(ending));
      return book.get(name) ?? (suffix === undefined ? undefined : book.get(name.slice(0, -suffix.length)));
    },
    entries: () => book,
  };
}

function attributesOf({ category, attributes }: MetricAttributes): MetricAttributes {
  return { ...(category === undefined ? {} : { category }), ...(attributes === undefined ? {} : { attributes }) };
}
