import { type Result, err, ok } from '@nines/base/result.ts';
import { type Labels, labelPairs, labelsFrom } from './labels.ts';
import { bitsOf, isStale, setStale } from './stale.ts';

/**
 * VictoriaMetrics' lines of JSON, as its `/api/v1/export` writes and its `/api/v1/import` reads them: one series (or a part of one)
 * per line, `{"metric":{"__name__":"up","job":"a"},"values":[1,0],"timestamps":[1700000000000,1700000015000]}`.
 * JSON has no infinities and no NaN: they are `"Infinity"`, `"-Infinity"`, `"NaN"`, and a staleness marker is `null`.
 * Source: VictoriaMetrics app/vmselect/prometheus/export.qtpl and lib/protoparser/vmimport.
 */
export type VmLine = { readonly labels: Labels; readonly times: Float64Array; readonly values: Float64Array };

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['infinity', Number.POSITIVE_INFINITY],
  ['+infinity', Number.POSITIVE_INFINITY],
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['nan', Number.NaN],
]);

/** Reads one line. Refused with the reason, which names the field. Times are Unix milliseconds in the order of the line. */
export function parseVmLine(text: string): Result<VmLine, string> {
  const line = jsonOf(text) ?? jsonOf(quoteSpecial(text));
  if (line === undefined) return err(`not JSON: "${text.slice(0, 40)}"`);
  if (typeof line !== 'object' || line === null) return err('not an object with metric, values and timestamps');
  const { metric, values, timestamps } = line as Readonly<Record<string, unknown>>;
  if (typeof metric !== 'object' || metric === null || Array.isArray(metric)) return err('metric: not an object of labels');
  const pairs = Object.entries(metric as Readonly<Record<string, unknown>>);
  for (const [name, value] of pairs) if (typeof value !== 'string') return err(`metric: the value of "${name}" is not a text`);
  if (!Array.isArray(values)) return err('values: not a list');
  if (!Array.isArray(timestamps)) return err('timestamps: not a list');
  if (values.length !== timestamps.length) return err(`${values.length} values for ${timestamps.length} timestamps`);
  const columns = { times: new Float64Array(values.length), values: new Float64Array(values.length) };
  for (let i = 0; i < values.length; i++) {
    const time: unknown = timestamps[i];
    if (typeof time !== 'number' || !Number.isFinite(time)) return err(`timestamps[${i}]: not a number of milliseconds`);
    columns.times[i] = time;
    const value: unknown = values[i];
    const number = typeof value === 'string' ? SPECIAL.get(value.toLowerCase()) : value;
    if (number === null) setStale(columns.values, i);
    else if (typeof number === 'number') columns.values[i] = number;
    else return err(`values[${i}]: not a number, null, "Infinity", "-Infinity" or "NaN"`);
  }
  return ok({ labels: labelsFrom(pairs as [string, string][]), ...columns });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Versions of VictoriaMetrics before 1.80 write infinities without quotes, and a staleness marker that comes first in an answer as a
 * plain `NaN`; they store no other NaN, so that one is a marker. The quotes around the key cannot stand within a text, so nothing but
 * the list of values is touched.
 */
function quoteSpecial(text: string): string {
  const from = text.indexOf('"values":[');
  const to = text.indexOf(']', from);
  if (from < 0 || to < 0) return text;
  const values = text
    .slice(from, to)
    .replace(/([[,])(?:([+-]?inf(?:inity)?)|nan)(?=,|$)/gi, (_, before: string, infinity?: string) =>
      infinity === undefined ? `${before}null` : `${before}"${infinity}"`,
    );
  return text.slice(0, from) + values + text.slice(to);
}

/** Writes `[from, to)` of a series as a line, newline included. Every value but the payload of a NaN comes back bit by bit. */
export function printVmLine({ labels, times, values }: VmLine, from = 0, to = times.length): string {
  const bits = bitsOf(values);
  const metric = Array.from(labelPairs(labels), ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const written: string[] = [];
  for (let i = from; i < to; i++) written.push(isStale(bits, i) ? 'null' : numberText(values[i] ?? 0));
  return `{"metric":{${metric.join(',')}},"values":[${written.join(',')}],"timestamps":[${times.subarray(from, to).join(',')}]}\n`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return '"NaN"';
  if (!Number.isFinite(value)) return value > 0 ? '"Infinity"' : '"-Infinity"';
  return Object.is(value, -0) ? '-0' : String(value);
}
