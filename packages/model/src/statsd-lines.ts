import { type Result, err, ok } from '@nines/base/result.ts';

/**
 * StatsD's lines: `name:value|type[|@rate][|#tag:value,…]`, several samples behind one name, several values in one sample, and tags in
 * the name as Librato, InfluxDB and SignalFx write them. Sources: github.com/statsd/statsd docs/metric_types.md, DogStatsD's
 * datagram format, prometheus/statsd_exporter pkg/line.
 */
export type StatsdSample = { readonly name: string; readonly tags: ReadonlyMap<string, string> } & StatsdValue;
export type StatsdValue =
  /** What is added; the sample rate is in it. */
  | { readonly kind: 'counter'; readonly value: number }
  | { readonly kind: 'gauge'; readonly value: number; readonly isRelative: boolean }
  /** One observation that stands for `weight`; milliseconds of timers are seconds here. */
  | { readonly kind: 'observation'; readonly value: number; readonly weight: number }
  | { readonly kind: 'set'; readonly member: string };

/** Why a line, a sample of it or a tag was left out. */
export type StatsdFault =
  | 'malformed_line'
  | 'malformed_sample'
  | 'malformed_value'
  | 'malformed_rate'
  | 'malformed_tag'
  | 'negative_counter'
  | 'unknown_type'
  | 'limit';

export type StatsdSink = { sample(sample: StatsdSample): void; fault(reason: StatsdFault): void };

export const MAX_STATSD_LINE_CHARS = 8_192;
export const MAX_STATSD_NAME_CHARS = 512;
export const MAX_STATSD_TAGS = 30;
export const MAX_STATSD_TAG_CHARS = 1_024;
/** Observations that one sampled one may stand for. */
const MAX_WEIGHT = 1_000_000;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** Reads one line without its newline. What is good in it is taken, whatever stands around it. */
export function readStatsdLine(line: string, sink: StatsdSink): void {
  if (line.length > MAX_STATSD_LINE_CHARS) return sink.fault('limit');
  const named = splitName(line);
  if (named === undefined || named.rest === '') return sink.fault('malformed_line');
  const { name, rest, tags } = named;
  if (name.length > MAX_STATSD_NAME_CHARS) return sink.fault('limit');
  // Tags behind the samples may hold colons; then there is only one sample, and colons before its type part its values.
  const samples = rest.includes('|#') ? [rest] : rest.split(/:(?=[^|:]*\|)/);
  for (const written of samples) readSample({ name, tags, written }, sink);
}

type Named = { readonly name: string; readonly rest: string; readonly tags: readonly string[] };

/** The name up to its colon; tags in it are apart, as `key=value`. */
function splitName(line: string): Named | undefined {
  const bracket = line.indexOf('[');
  const close = line.indexOf(']');
  const first = line.indexOf(':');
  if (bracket >= 0 && bracket < first && close > bracket) {
    const colon = line.indexOf(':', close);
    if (colon < 0) return undefined;
    const name = line.slice(0, bracket) + line.slice(close + 1, colon);
    return name === '' ? undefined : { name, rest: line.slice(colon + 1), tags: line.slice(bracket + 1, close).split(',') };
  }
  if (first <= 0) return undefined;
  const [name = '', ...tags] = line.slice(0, first).split(/[#,]/);
  return name === '' ? undefined : { name, rest: line.slice(first + 1), tags };
}

function readSample(
  { name, tags: nameTags, written }: { readonly name: string; readonly tags: readonly string[]; readonly written: string },
  sink: StatsdSink,
): void {
  const [values = '', type = '', ...more] = written.split('|');
  const tags = new Map<string, string>();
  for (const tag of nameTags) readTag(tag, '=', tags, sink);
  let rate = 1;
  for (const part of more) {
    if (part.startsWith('@')) {
      rate = NUMBER.test(part.slice(1)) ? Number(part.slice(1)) : Number.NaN;
      if (!(rate > 0 && rate <= 1)) return sink.fault('malformed_rate');
    } else if (part.startsWith('#')) {
      for (const tag of part.slice(1).split(',')) readTag(tag, ':', tags, sink);
    } else if (!/^(?:c:|T\d|e:|card:)/.test(part)) return sink.fault('malformed_sample');
  }
  if (tags.size > MAX_STATSD_TAGS) return sink.fault('limit');
  for (const value of type === 's' ? [values] : values.split(':')) {
    const read = readValue(type, value, rate);
    if (read.ok) sink.sample({ name, tags, ...read.value });
    else sink.fault(read.error);
  }
}

function readTag(tag: string, separator: string, tags: Map<string, string>, sink: StatsdSink): void {
  const at = tag.indexOf(separator);
  if (at <= 0 || at === tag.length - 1) sink.fault('malformed_tag');
  else if (tag.length > MAX_STATSD_TAG_CHARS) sink.fault('limit');
  else tags.set(tag.slice(0, at), tag.slice(at + 1));
}

function readValue(type: string, written: string, rate: number): Result<StatsdValue, StatsdFault> {
  if (type === 's') return written === '' ? err('malformed_value') : ok({ kind: 'set', member: written });
  if (type !== 'c' && type !== 'g' && type !== 'ms' && type !== 'h' && type !== 'd')
    return err(type === '' ? 'malformed_sample' : 'unknown_type');
  const value = NUMBER.test(written) ? Number(written) : Number.NaN;
  if (!Number.isFinite(value)) return err('malformed_value');
  if (type === 'g') return ok({ kind: 'gauge', value, isRelative: /^[+-]/.test(written) });
  if (type === 'c') return value < 0 ? err('negative_counter') : ok({ kind: 'counter', value: value / rate });
  const weight = Math.min(MAX_WEIGHT, Math.max(1, Math.floor(1 / rate)));
  return ok({ kind: 'observation', value: type === 'ms' ? value / 1000 : value, weight });
}

/** A name as Prometheus has it: what cannot stand there becomes an underscore, as does what precedes a leading digit. */
export function statsdMetricName(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_:]/g, '_');
  return /^\d/.test(plain) ? `_${plain}` : plain;
}

export function statsdLabelName(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_]/g, '_');
  // Names with two underscores in front are nobody's to give.
  return /^\d/.test(plain) ? `_${plain}` : plain.replace(/^__+/, '_');
}
