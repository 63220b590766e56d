import {
  EMPTY_HISTOGRAM,
  type Histogram,
  type ResetHint,
  added,
  bucketsFrom,
  hasCustomBuckets,
  isKnownSchema,
  subtracted,
} from '@nines/model/histogram.ts';

/**
 * Histograms in test scripts: `{{schema:0 sum:5 count:4 buckets:[1 2 1]}}`. Keys: schema, sum, count, z_bucket, z_bucket_w,
 * buckets, offset, n_buckets, n_offset, custom_values, counter_reset_hint.
 */
export type WrittenHistogram = {
  readonly histogram: Histogram /** The hint was written out, so it is expected. */;
  readonly hintWritten: boolean;
};

const FIELD = /\s*([a-z_]+)\s*:\s*(\[[^\]]*\]|[^\s\]]+)\s*/y;
const HINTS: ReadonlySet<string> = new Set<ResetHint>(['unknown', 'reset', 'not_reset', 'gauge']);

/** Throws an error that names what is not understood. */
export function parseHistogram(literal: string): WrittenHistogram {
  const inside = literal.replace(/^\{\{|\}\}$/g, '');
  const fields = new Map<string, string>();
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < inside.trimEnd().length) {
    const [, key = '', value = ''] = FIELD.exec(inside) ?? [];
    if (key === '') throw new Error(`not a histogram: ${literal}`);
    fields.set(key, value);
  }
  const one = (key: string): number => numberOf(fields.get(key) ?? '0', literal);
  const list = (key: string): number[] =>
    (fields.get(key) ?? '[]')
      .slice(1, -1)
      .split(/\s+/)
      .filter((each) => each !== '')
      .map((each) => numberOf(each, literal));
  const schema = one('schema');
  if (!isKnownSchema(schema)) throw new Error(`unknown schema ${schema}: ${literal}`);
  const hint = fields.get('counter_reset_hint') ?? 'unknown';
  if (!HINTS.has(hint)) throw new Error(`unknown counter reset hint ${hint}: ${literal}`);
  const histogram: Histogram = {
    ...EMPTY_HISTOGRAM,
    schema,
    count: one('count'),
    sum: one('sum'),
    zeroCount: one('z_bucket'),
    zeroThreshold: one('z_bucket_w'),
    positive: bucketsFrom(list('buckets'), one('offset')),
    negative: bucketsFrom(list('n_buckets'), one('n_offset')),
    bounds: list('custom_values'),
    hint: hint as ResetHint,
  };
  return { histogram, hintWritten: fields.has('counter_reset_hint') };
}

function numberOf(text: string, literal: string): number {
  const special = /^([+-]?)(inf|nan)$/i.exec(text);
  if (special !== null)
    return special[2]?.toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new Error(`not a number: ${text} in ${literal}`);
  return value;
}

/** `{{…}}+{{…}}x10`: the first, then the second added (or taken away) ten times over; without a second the first again and again. */
export function expandHistogram(item: string): readonly WrittenHistogram[] {
  const [, first = '', sign, change, times = '0'] = /^(\{\{.*?\}\})(?:([+-])(\{\{.*?\}\}))?(?:x(\d+))?$/.exec(item) ?? [];
  if (first === '') throw new Error(`not a histogram: ${item}`);
  const start = parseHistogram(first);
  const delta = change === undefined ? undefined : parseHistogram(change).histogram;
  const written: WrittenHistogram[] = [start];
  let last = start.histogram;
  for (let i = 0; i < Number(times); i++) {
    if (delta !== undefined) {
      const fitting = hasCustomBuckets(last) && !hasCustomBuckets(delta) ? { ...delta, schema: last.schema, bounds: last.bounds } : delta;
      const next = sign === '-' ? subtracted(last, fitting) : added(last, fitting);
      if (next === undefined) throw new Error(`cannot be added: ${item}`);
      last = { ...next, hint: last.hint };
    }
    written.push({ ...start, histogram: last });
  }
  return written;
}
