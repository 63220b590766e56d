import { csvField, csvText } from '@nines/base/csv.ts';
import { isoText } from '@nines/base/iso-text.ts';
import { type Matcher, mustMatcher } from '@nines/base/matcher.ts';
import type { ExpositionFormat } from '@nines/model/exposition.ts';
import { headLines, printSeries, printValue, sampleLine } from '@nines/model/exposition-print.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { type Labels, METRIC_NAME, compareText, labelValue, labelPairs, labelsFrom, labelsKey } from '@nines/model/labels.ts';
import type { MetricMetadata, MetricType } from '@nines/model/metadata.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import type { Queryable, SelectOptions, SelectRange, SeriesColumns } from '@nines/model/storage.ts';
import { formatValue } from '@nines/promql/value.ts';
import { encodeLabels, formatTime } from './encode.ts';
import { encodeHistogram } from './encode-histogram.ts';

/**
 * Stored samples as a file: JSON, CSV, or one of the text expositions. Metric by metric in order of names, each series decoded
 * when its turn comes, so that memory holds one series and one piece of text whatever is asked for.
 */
export const EXPORT_FORMATS = ['json', 'csv', 'prometheus', 'openmetrics'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export type ExportAsk = {
  readonly selectors: readonly (readonly Matcher[])[];
  /** Both ends inclusive. */
  readonly span: SelectRange;
  /** Only the newest sample of each series, unless the series has ended. */
  readonly newest: boolean;
};
type Reading = Pick<SelectOptions, 'scope' | 'signal' | 'yieldNow'>;
export type ExportSource = {
  readonly queryable: Queryable;
  readonly metadata: { get(family: string): MetricMetadata | undefined };
};

/** Characters handed on at a time. */
const PIECE_CHARS = 64 * 1024;
/** Samples that are printed at a time. */
const PIECE_SAMPLES = 1_000;

/** Turns the series that come by into text. `series` is called for each series with samples, in order of metric names. */
type Printer = {
  readonly before: string;
  readonly after: string;
  series(columns: SeriesColumns): Generator<string>;
};

export async function* exportText(source: ExportSource, ask: ExportAsk, format: ExportFormat, reading: Reading): AsyncGenerator<string> {
  const printer = printerOf(source, format);
  let piece = printer.before;
  for await (const columns of exported(source, ask, reading)) {
    for (const text of printer.series(columns)) {
      piece += text;
      if (piece.length < PIECE_CHARS) continue;
      yield piece;
      piece = '';
    }
    await reading.yieldNow?.();
    reading.signal?.throwIfAborted();
  }
  yield piece + printer.after;
}

function printerOf({ metadata }: ExportSource, format: ExportFormat): Printer {
  if (format === 'json') return new JsonPrinter();
  if (format === 'csv') return csvPrinter;
  return new ExpositionPrinter(metadata, format === 'prometheus' ? 'text' : 'openmetrics');
}

/** The selected series, each once, ordered by family and metric name, without staleness markers. */
async function* exported(
  { queryable, metadata }: ExportSource,
  { selectors, span, newest }: ExportAsk,
  reading: Reading,
): AsyncGenerator<SeriesColumns> {
  const names = new Set<string>();
  for (const matchers of selectors) for (const name of await queryable.labelValues(METRIC_NAME, matchers, span, reading)) names.add(name);
  const family = new Map(Array.from(names, (name) => [name, familyOf(metadata, name).name]));
  const inOrder = [...names].sort((a, b) => compareText(family.get(a) ?? a, family.get(b) ?? b) || compareText(a, b));
  for (const name of inOrder) {
    const seen = selectors.length > 1 ? new Set<string>() : undefined;
    const named = mustMatcher(METRIC_NAME, '=', name);
    for (const matchers of selectors) {
      for (const columns of await queryable.select([...matchers, named], span, { ...reading, newest, reuse: true })) {
        const key = seen === undefined ? '' : labelsKey(columns.labels);
        if (seen?.has(key) === true) continue;
        seen?.add(key);
        const kept = newest ? lastOf(columns) : unmarked(columns);
        if (kept.times.length > 0) yield kept;
      }
    }
  }
}

/** Nothing when the newest is a staleness marker. */
function lastOf({ labels, times, values, histograms }: SeriesColumns): SeriesColumns {
  const last = times.length - 1;
  const histogram = histograms?.[last];
  const from = histogram === undefined && isStale(bitsOf(values), last) ? times.length : last;
  const part = { labels, times: times.slice(Math.max(from, 0)), values: values.slice(Math.max(from, 0)) };
  return histogram === undefined ? part : { ...part, histograms: [histogram] };
}

function unmarked(columns: SeriesColumns): SeriesColumns {
  const { times, values, histograms } = columns;
  const bits = bitsOf(values);
  const isMarker = (i: number): boolean => histograms?.[i] === undefined && isStale(bits, i);
  let markers = 0;
  for (let i = 0; i < times.length; i++) if (isMarker(i)) markers++;
  if (markers === 0) return columns;
  const kept = Array.from(times.keys()).filter((i) => !isMarker(i));
  return {
    labels: columns.labels,
    times: Float64Array.from(kept, (i) => times[i] ?? 0),
    values: Float64Array.from(kept, (i) => values[i] ?? Number.NaN),
    ...(histograms === undefined ? {} : { histograms: kept.map((i) => histograms[i]) }),
  };
}

/** Places of the samples that `wanted` is true for, printed and joined in pieces. */
function* joined(count: number, wanted: (i: number) => boolean, print: (i: number) => string): Generator<string> {
  let text = '';
  let some = 0;
  for (let i = 0; i < count; i++) {
    if (!wanted(i)) continue;
    text += some++ === 0 ? print(i) : `,${print(i)}`;
    if (some % PIECE_SAMPLES !== 0) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** `{"series":[{"metric":{…},"values":[[seconds,"value"],…],"histograms":[[seconds,{…}],…]},…]}`: the elements of Prometheus' matrices. */
class JsonPrinter implements Printer {
  readonly before = '{"series":[';
  readonly after = ']}\n';
  #separator = '\n';

  *series({ labels, times, values, histograms }: SeriesColumns): Generator<string> {
    const at = (i: number): string => formatTime(times[i] ?? 0);
    yield `${this.#separator}{"metric":${encodeLabels(labels)},"values":[`;
    this.#separator = ',\n';
    const isFloat = (i: number): boolean => histograms?.[i] === undefined;
    yield* joined(times.length, isFloat, (i) => `[${at(i)},"${formatValue(values[i] ?? Number.NaN)}"]`);
    if (histograms !== undefined) {
      yield '],"histograms":[';
      const print = (i: number): string => `[${at(i)},${encodeHistogram(histograms[i] as Histogram)}]`;
      yield* joined(times.length, (i) => !isFloat(i), print);
    }
    yield ']}';
  }
}

const CSV_HEADER = ['metric', 'labels', 'time', 'value'];

/** A row per sample; a native histogram's value is its JSON. */
const csvPrinter: Printer = {
  before: csvText([CSV_HEADER]),
  after: '',
  *series({ labels, times, values, histograms }) {
    const of = `${csvField(labelValue(labels, METRIC_NAME))},${csvField(printSeries(withoutName(labels)).slice(1, -1))},`;
    for (let from = 0; from < times.length; from += PIECE_SAMPLES) {
      let text = '';
      for (let i = from; i < Math.min(times.length, from + PIECE_SAMPLES); i++) {
        const histogram = histograms?.[i];
        const value = histogram === undefined ? printValue(values[i] ?? Number.NaN) : csvField(encodeHistogram(histogram));
        text += `${of}${isoText(times[i] ?? 0)},${value}\r\n`;
      }
      yield text;
    }
  },
};

const withoutName = (labels: Labels): Labels => labelsFrom([...labelPairs(labels)].filter(([name]) => name !== METRIC_NAME));

/** Native histograms, which these texts cannot hold, are left out. */
class ExpositionPrinter implements Printer {
  readonly before = '';
  readonly after: string;
  readonly #metadata: ExportSource['metadata'];
  readonly #format: ExpositionFormat;
  #family: string | undefined;

  constructor(metadata: ExportSource['metadata'], format: ExpositionFormat) {
    this.#metadata = metadata;
    this.#format = format;
    this.after = format === 'openmetrics' ? '# EOF\n' : '';
  }

  *series({ labels, times, values, histograms }: SeriesColumns): Generator<string> {
    const isFloat = (i: number): boolean => histograms?.[i] === undefined;
    if (histograms !== undefined && !times.some((_atMs, i) => isFloat(i))) return;
    const family = familyOf(this.#metadata, labelValue(labels, METRIC_NAME));
    if (family.name !== this.#family) yield `${headLines(family, this.#format).join('\n')}\n`;
    this.#family = family.name;
    const series = printSeries(labels);
    let text = '';
    for (let i = 0; i < times.length; i++) {
      if (isFloat(i)) text += `${sampleLine(series, { value: values[i] ?? Number.NaN, atMs: times[i] }, this.#format)}\n`;
      if (text.length < PIECE_CHARS) continue;
      yield text;
      text = '';
    }
    yield text;
  }
}

type Family = MetricMetadata & { readonly name: string };

/** Counters and gauges are families under their own names; the parts of a histogram or summary are one together. */
function familyOf(metadata: ExportSource['metadata'], name: string): Family {
  const own = metadata.get(name);
  if (own !== undefined) return { ...own, type: PLAIN_TYPES.has(own.type) ? own.type : 'unknown', name };
  const suffix = SUFFIXES.find((ending) => name.endsWith(ending)) ?? '';
  const base = name.slice(0, name.length - suffix.length);
  const known = suffix === '' ? undefined : metadata.get(base);
  if (known?.type === 'counter' && suffix === '_total') return { ...known, name };
  if (suffix !== '_total' && known !== undefined && PARTED_TYPES.has(known.type)) return { ...known, name: base };
  return { type: 'unknown', help: '', unit: '', name };
}

const SUFFIXES = ['_total', '_bucket', '_sum', '_count'];
const PARTED_TYPES: ReadonlySet<MetricType> = new Set(['histogram', 'summary']);
const PLAIN_TYPES: ReadonlySet<MetricType> = new Set(['counter', 'gauge', ...PARTED_TYPES]);
