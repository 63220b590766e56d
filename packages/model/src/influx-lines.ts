import { type Result, err, ok } from '@nines/base/result.ts';

/**
 * InfluxDB's line protocol: `measurement,tag=value field=1.5,other=2i 1700000000000000000`. One line at a time. Backslashes
 * escape commas, spaces and equals signs in names and tags, and quotes and backslashes in strings; any other backslash stays.
 * Source: docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol.
 */
export type InfluxPrecision = 'ns' | 'us' | 'ms' | 's' | 'm' | 'h';
export type InfluxField = { readonly key: string; readonly value: number };
export type InfluxLine = {
  readonly measurement: string;
  /** In the order of the line; without empty values. */
  readonly tags: readonly (readonly [name: string, value: string])[];
  /** Numbers; truth is 1 and 0. */
  readonly fields: readonly InfluxField[];
  /** Fields that hold text, which is no sample. */
  readonly strings: number;
  /** Unix milliseconds, rounded down; undefined when the line has no time. */
  readonly atMs: number | undefined;
};

/** How many units of a precision are a millisecond, or how many milliseconds a unit is. */
const TO_MS: Readonly<Record<InfluxPrecision, (time: bigint) => bigint>> = {
  ns: (time) => floorDivide(time, 1_000_000n),
  us: (time) => floorDivide(time, 1_000n),
  ms: (time) => time,
  s: (time) => time * 1_000n,
  m: (time) => time * 60_000n,
  h: (time) => time * 3_600_000n,
};

const floorDivide = (time: bigint, by: bigint): bigint => (time - (((time % by) + by) % by)) / by;

/** Tags of one line; more are a mistake, and each costs a label. */
const MAX_TAGS = 256;
const MAX_FIELDS = 10_000;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const TRUTH: ReadonlyMap<string, number> = new Map([
  ...['t', 'T', 'true', 'True', 'TRUE'].map((word): [string, number] => [word, 1]),
  ...['f', 'F', 'false', 'False', 'FALSE'].map((word): [string, number] => [word, 0]),
]);

/** A line; `undefined` for an empty one and for a comment. Refused with the reason. */
export function parseInfluxLine(line: string, precision: InfluxPrecision): Result<InfluxLine | undefined, string> {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return ok(undefined);
  const measurement = word(text, 0, ', ');
  if (measurement.text === '') return err('missing measurement');
  const tags = tagsOf(text, measurement.end);
  if (!tags.ok) return tags;
  const fields = fieldsOf(text, tags.value.end);
  if (!fields.ok) return fields;
  const time = timeOf(text.slice(fields.value.end).trim(), precision);
  if (!time.ok) return time;
  return ok({
    measurement: measurement.text,
    tags: tags.value.tags,
    fields: fields.value.fields,
    strings: fields.value.strings,
    atMs: time.value,
  });
}

type Word = { readonly text: string; readonly end: number };

/** Up to the first of `stops` that is not escaped, or the end. */
function word(text: string, from: number, stops: string): Word {
  let out = '';
  let at = from;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (char === '\\' && (next === ',' || next === ' ' || next === '=')) {
      out += next;
      at++;
    } else if (stops.includes(char)) break;
    else out += char;
  }
  return { text: out, end: at };
}

function tagsOf(text: string, from: number): Result<{ readonly tags: InfluxLine['tags']; readonly end: number }, string> {
  const tags: (readonly [string, string])[] = [];
  let at = from;
  while (text.charAt(at) === ',') {
    const key = word(text, at + 1, ',= ');
    if (key.text === '') return err('missing tag key');
    if (text.charAt(key.end) !== '=') return err(`missing tag value of "${key.text}"`);
    const value = word(text, key.end + 1, ', ');
    if (tags.length >= MAX_TAGS) return err(`more than ${MAX_TAGS} tags`);
    if (value.text !== '') tags.push([key.text, value.text]);
    at = value.end;
  }
  return ok({ tags, end: at });
}

type Fields = { readonly fields: readonly InfluxField[]; readonly strings: number; readonly end: number };

function fieldsOf(text: string, from: number): Result<Fields, string> {
  const fields: InfluxField[] = [];
  let strings = 0;
  let at = from;
  while (text.charAt(at) === ' ') at++;
  if (at >= text.length) return err('missing fields');
  for (;;) {
    const key = word(text, at, ',= ');
    if (key.text === '') return err('missing field key');
    if (text.charAt(key.end) !== '=') return err(`missing field value of "${key.text}"`);
    if (fields.length + strings >= MAX_FIELDS) return err(`more than ${MAX_FIELDS} fields`);
    if (text.charAt(key.end + 1) === '"') {
      const end = quoteEnd(text, key.end + 1);
      if (end < 0) return err(`unbalanced quotes in the value of "${key.text}"`);
      strings++;
      at = end + 1;
    } else {
      const value = word(text, key.end + 1, ', ');
      const number = numberOf(value.text);
      if (number === undefined) return err(`invalid value of field "${key.text}": "${value.text.slice(0, 40)}"`);
      fields.push({ key: key.text, value: number });
      at = value.end;
    }
    if (text.charAt(at) !== ',') break;
    at++;
  }
  if (at < text.length && text.charAt(at) !== ' ') return err(`unexpected "${text.slice(at, at + 40)}" after a string`);
  return ok({ fields, strings, end: at });
}

function quoteEnd(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text.charAt(i) === '\\') i++;
    else if (text.charAt(i) === '"') return i;
  }
  return -1;
}

function numberOf(text: string): number | undefined {
  const truth = TRUTH.get(text);
  if (truth !== undefined) return truth;
  if (/^[+-]?\d+i$/.test(text)) return within(text, -(2n ** 63n), 2n ** 63n - 1n);
  if (/^\d+u$/.test(text)) return within(text, 0n, 2n ** 64n - 1n);
  if (!FLOAT.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function within(text: string, least: bigint, most: bigint): number | undefined {
  if (text.length > 22) return undefined;
  const value = BigInt(text.slice(text.startsWith('+') ? 1 : 0, -1));
  return value < least || value > most ? undefined : Number(value);
}

function timeOf(text: string, precision: InfluxPrecision): Result<number | undefined, string> {
  if (text === '') return ok(undefined);
  if (!/^[+-]?\d{1,19}$/.test(text)) return err(`bad timestamp "${text.slice(0, 40)}"`);
  const atMs = Number(TO_MS[precision](BigInt(text.startsWith('+') ? text.slice(1) : text)));
  return Number.isSafeInteger(atMs) ? ok(atMs) : err(`timestamp ${text} is out of range for the precision ${precision}`);
}
