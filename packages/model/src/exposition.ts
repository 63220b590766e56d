import { type Result, err, ok } from '@nines/base/result.ts';
import type { ExposedExemplar } from './exemplar.ts';
import type { Histogram } from './histogram.ts';
import { isMetricType, type MetricMetadata, type MetricType } from './metadata.ts';
import { type SeriesText, parseSeriesText, seriesTextEnd, skipBlanks, unescapeText } from './series-text.ts';

/**
 * The two text formats in which metrics are offered: Prometheus' text 0.0.4 (with UTF-8 names in quotes, as version 1.0.0 has
 * them) and OpenMetrics 1.0. One pass over lines hands each sample to a sink together with the raw text of its series, so
 * that whoever knows that text already need not read its labels again.
 * Sources: prometheus.io/docs/instrumenting/exposition_formats, github.com/prometheus/OpenMetrics specification 1.0.
 */
export type ExpositionFormat = 'text' | 'openmetrics';

export type ExpositionFault = { readonly line: number; readonly message: string };

export type ExpositionSink = {
  /**
   * One sample. `series` is its text up to the value (`up{job="a"}`), not yet read: see `parseSeriesText`. `atMs` is undefined
   * when the line has no timestamp. A returned text refuses the line.
   */
  sample(series: string, value: number, atMs: number | undefined): string | undefined;
  /** A native histogram, which only the format in protobuf has; as `sample` otherwise. Without it they are left out. */
  histogram?(series: string, histogram: Histogram, atMs: number | undefined): string | undefined;
  /** An exemplar of the sample or histogram that comes next. */
  exemplar?(exemplar: ExposedExemplar): void;
  /** A `HELP`, `TYPE` or `UNIT` line. `family` is the name as written there. */
  describe(family: string, part: Partial<MetricMetadata>): void;
};

const TYPE_WORDS: ReadonlyMap<string, MetricType> = new Map([['untyped', 'unknown']]);
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Walks the whole text; the first fault ends the walk. What the sink got before it must be thrown away by the caller. */
export function walkExposition(text: string, format: ExpositionFormat, sink: ExpositionSink): ExpositionFault | undefined {
  const last = walkExpositionInSteps({ text, format, sink }, Number.POSITIVE_INFINITY).next();
  return last.done === true ? last.value : undefined;
}

/** As `walkExposition`, but stops after every `stepLines` lines, so that other work gets a turn within a long text. */
export function* walkExpositionInSteps(walk: ExpositionWalk, stepLines: number): Generator<undefined, ExpositionFault | undefined> {
  const { text, format } = walk;
  let line = 0;
  let ended = false;
  for (let at = 0; at < text.length; ) {
    line++;
    const newline = text.indexOf('\n', at);
    const stop = newline < 0 ? text.length : newline;
    const fault = ended ? 'text after # EOF' : walkLine(walk, at, stop);
    if (fault === END) ended = true;
    else if (fault !== undefined) return { line, message: fault };
    if (newline < 0 && format === 'openmetrics' && !ended) return { line, message: 'the last line is not # EOF' };
    at = stop + 1;
    if (line % stepLines === 0) yield undefined;
  }
  return format === 'openmetrics' && !ended ? { line: line + 1, message: 'the last line is not # EOF' } : undefined;
}

/** Walks one line, without its newline, of a text that comes in pieces: what is wrong with it, `end` when it is `# EOF`, or nothing. */
export function walkExpositionLine(text: string, format: ExpositionFormat, sink: ExpositionSink): 'end' | ExpositionFault | undefined {
  const fault = walkLine({ text, format, sink }, 0, text.length);
  if (fault === END) return 'end';
  return fault === undefined ? undefined : { line: 1, message: fault };
}

export type ExpositionWalk = { readonly text: string; readonly format: ExpositionFormat; readonly sink: ExpositionSink };
/** What a line says instead of a fault when it is `# EOF`. No message of a fault looks like it. */
const END = '\u0000eof';

function walkLine(walk: ExpositionWalk, from: number, stop: number): string | undefined {
  const { text, format } = walk;
  const end = text.charCodeAt(stop - 1) === 13 && stop > from ? stop - 1 : stop;
  const at = skipBlanks(text, from, end);
  if (at === end) return format === 'openmetrics' ? 'empty line' : undefined;
  if (text.charCodeAt(at) === 35) return walkComment(walk, at + 1, end);
  return walkSample(walk, at, end);
}

function walkComment({ text, format, sink }: ExpositionWalk, from: number, end: number): string | undefined {
  const body = text.slice(from, end);
  if (format === 'openmetrics' && body === ' EOF') return END;
  const found = /^[ \t]+(HELP|TYPE|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|[^ \t]+)(?:[ \t]+(.*))?$/.exec(body);
  if (found === null) return format === 'openmetrics' ? `not a HELP, TYPE, UNIT or EOF line: "#${body.slice(0, 80)}"` : undefined;
  const [, keyword, written = '', rest = ''] = found;
  const family = written.startsWith('"') ? unescapeText(written.slice(1, -1), true) : written;
  if (keyword === 'HELP') sink.describe(family, { help: unescapeText(rest, format === 'openmetrics') });
  else if (keyword === 'UNIT') {
    if (format === 'openmetrics') sink.describe(family, { unit: rest.trim() });
  } else {
    const word = rest.trim();
    const type = TYPE_WORDS.get(word) ?? word;
    if (!isMetricType(type)) return `unknown type "${word}" of ${family}`;
    sink.describe(family, { type });
  }
  return undefined;
}

function walkSample({ text, format, sink }: ExpositionWalk, from: number, end: number): string | undefined {
  const seriesEnd = seriesTextEnd(text, from, end);
  if (seriesEnd < 0) return 'label set without its closing brace';
  if (seriesEnd === from) return `not a metric name: "${text.slice(from, Math.min(end, from + 40))}"`;
  const valueFrom = skipBlanks(text, seriesEnd, end);
  const valueEnd = wordEnd(text, valueFrom, end);
  const value = parseSampleValue(text.slice(valueFrom, valueEnd));
  if (value === undefined) return valueFrom === end ? 'value missing' : `not a number: "${text.slice(valueFrom, valueEnd)}"`;
  let at = skipBlanks(text, valueEnd, end);
  let atMs: number | undefined;
  if (at < end && text.charCodeAt(at) !== 35) {
    const stampEnd = wordEnd(text, at, end);
    const stamp = text.slice(at, stampEnd);
    atMs = parseStamp(stamp, format);
    if (atMs === undefined) return `not a timestamp: "${stamp}"`;
    at = skipBlanks(text, stampEnd, end);
  }
  if (at < end) {
    if (format !== 'openmetrics') return `unexpected "${text.slice(at, Math.min(end, at + 40))}"`;
    const exemplar = readExemplar(text, at, end);
    if (!exemplar.ok) return exemplar.error;
    sink.exemplar?.(exemplar.value);
  }
  return sink.sample(text.slice(from, seriesEnd), value, atMs);
}

function wordEnd(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) !== 32 && text.charCodeAt(at) !== 9) at++;
  return at;
}

/** A number as Go writes it; `undefined` for anything else. */
export function parseSampleValue(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text);
  switch (text.toLowerCase()) {
    case 'nan':
    case '+nan':
    case '-nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

/** Milliseconds from the text format's integer milliseconds or OpenMetrics' decimal seconds. */
function parseStamp(text: string, format: ExpositionFormat): number | undefined {
  if (format === 'text') return /^[+-]?\d{1,16}$/.test(text) ? Number(text) : undefined;
  const seconds = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(seconds) ? Math.round(seconds * 1000) : undefined;
}

/** `# {trace_id="x"} 0.5 [seconds]`. */
function readExemplar(text: string, from: number, end: number): Result<ExposedExemplar, string> {
  const open = skipBlanks(text, from + 1, end);
  if (text.charCodeAt(from) !== 35 || text.charAt(open) !== '{') return err(`unexpected "${text.slice(from, Math.min(end, from + 40))}"`);
  const close = seriesTextEnd(text, open, end);
  if (close < 0) return err('exemplar without its closing brace');
  const parsed = parseSeriesText(text.slice(open, close));
  if (!parsed.ok) return err(`exemplar: ${parsed.error}`);
  const words = text.slice(close, end).trim();
  const [written = '', stamp, ...more] = words.split(/[ \t]+/);
  const value = parseSampleValue(written);
  const atMs = stamp === undefined ? undefined : parseStamp(stamp, 'openmetrics');
  if (value === undefined || more.length > 0 || (stamp !== undefined && atMs === undefined))
    return err(`exemplar: not a value and a timestamp: "${words}"`);
  return ok({ labels: parsed.value.labels, value, atMs });
}

/** A read sample: `series.labels` sorted, metric name included. */
export type ExpositionSample = SeriesText & {
  readonly value: number;
  /** Then the value means nothing. */
  readonly histogram?: Histogram;
  readonly atMs: number | undefined;
  readonly exemplars: readonly ExposedExemplar[];
};
export type Exposition = { readonly samples: readonly ExpositionSample[]; readonly metadata: ReadonlyMap<string, MetricMetadata> };

/** Reads a whole text at once, for texts small enough to be held as objects. */
export function parseExposition(text: string, format: ExpositionFormat): Result<Exposition, ExpositionFault> {
  const collected = collectExposition();
  const fault = walkExposition(text, format, collected.sink);
  return fault === undefined ? ok(collected.exposition) : err(fault);
}

/** A sink that keeps everything, and what it has kept. */
export function collectExposition(): { readonly sink: ExpositionSink; readonly exposition: Exposition } {
  const samples: ExpositionSample[] = [];
  const metadata = new Map<string, MetricMetadata>();
  let exemplars: ExposedExemplar[] = [];
  const keep = (series: string, sample: Pick<ExpositionSample, 'value' | 'histogram' | 'atMs'>): string | undefined => {
    const parsed = parseSeriesText(series);
    if (!parsed.ok) return parsed.error;
    if (parsed.value.name === '') return 'metric name missing';
    samples.push({ ...parsed.value, ...sample, exemplars });
    exemplars = [];
    return undefined;
  };
  const sink: ExpositionSink = {
    sample: (series, value, atMs) => keep(series, { value, atMs }),
    histogram: (series, histogram, atMs) => keep(series, { value: Number.NaN, histogram, atMs }),
    exemplar: (exemplar) => void exemplars.push(exemplar),
    describe(family, part) {
      metadata.set(family, { type: 'unknown', help: '', unit: '', ...metadata.get(family), ...part });
    },
  };
  return { sink, exposition: { samples, metadata } };
}
