/**
 * How test scripts and unit tests of rules write series: labels and their samples at equal distances. `1+2x3` is 1 3 5 7, `_`
 * a gap, `_x3` three, `stale` a staleness marker, `{{…}}` a native histogram. Source: prometheus promql/promqltest/README.md.
 */
import { METRIC_NAME, type Labels, labelsFrom } from '@nines/model/labels.ts';
import { type WrittenHistogram, expandHistogram } from './histogram-notation.ts';
import { unquote } from './strings.ts';

/** What stands in a series: histograms with whether their hint was written out. */
export type Written = number | 'stale' | WrittenHistogram;
export type NotedSeries = { readonly labels: Labels; readonly samples: readonly (Written | undefined)[] };

/** Most samples of one `a+bxN`: a typing error must not fill the memory. */
const MAX_REPEATS = 1_000_000;

const SERIES = /^([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*(\{(?!\{)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^}"'])*\})?\s*(.*)$/;
const LABEL = /\s*(?:([a-zA-Z_][a-zA-Z0-9_]*)|("(?:[^"\\]|\\.)*"))\s*(?:=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))?\s*(?:,|$)/y;

/** `name{label="value"} 1+2x5 _ stale {{schema:0 …}}`. Throws an error that names what is not understood. */
export function parseSeries(text: string): NotedSeries {
  const [, name, braces, values = ''] = SERIES.exec(text) ?? [];
  if (name === undefined && braces === undefined) throw new Error(`not a series: ${text}`);
  const pairs: (readonly [string, string])[] = name === undefined ? [] : [[METRIC_NAME, name]];
  const inside = (braces ?? '{}').slice(1, -1);
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < inside.trimEnd().length) {
    const found = LABEL.exec(inside);
    if (found === null) throw new Error(`not a label set: ${braces}`);
    const [, bare, quoted, value] = found;
    const label = bare ?? plain(quoted ?? '""');
    pairs.push(value === undefined ? [METRIC_NAME, label] : [label, plain(value)]);
  }
  return { labels: labelsFrom(pairs), samples: samplesOf(values) };
}

function plain(literal: string): string {
  const value = unquote(literal);
  if (!value.ok) throw new Error(value.error);
  return value.value;
}

const NUMBER = '(?:\\d+\\.?\\d*(?:[eE][+-]?\\d+)?|\\.\\d+(?:[eE][+-]?\\d+)?|[iI][nN][fF]|[nN][aA][nN])';
const ITEM = new RegExp(`^([+-]?${NUMBER})(?:([+-])(${NUMBER}))?(?:x(\\d+))?$`);

const SAMPLES = /\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x(\d+))?|\S+/g;

/** The samples of a series; a place without one is undefined. */
export function samplesOf(text: string): readonly (Written | undefined)[] {
  return Array.from(text.matchAll(SAMPLES)).flatMap(([item]) => (item.startsWith('{{') ? expandHistogram(item) : samplesOfItem(item)));
}

function samplesOfItem(item: string): readonly (Written | undefined)[] {
  if (item === 'stale') return ['stale'];
  const gap = /^_(?:x(\d+))?$/.exec(item);
  if (gap !== null) return Array.from({ length: Number(gap[1] ?? 1) }, () => undefined);
  const [, first, sign, change, times] = ITEM.exec(item) ?? [];
  if (first === undefined) throw new Error(`not a sample: ${item}`);
  if (Number(times ?? 0) > MAX_REPEATS) throw new Error(`more than ${MAX_REPEATS} samples: ${item}`);
  const start = numberOf(first);
  const delta = change === undefined ? 0 : numberOf(change) * (sign === '-' ? -1 : 1);
  const samples: number[] = [];
  let value = start;
  for (let i = 0; i <= Number(times ?? 0); i++) {
    samples.push(value);
    value += delta;
  }
  return samples;
}

/** A number, `Inf` or `NaN` in any case, with a sign or without. */
export function numberOf(text: string): number {
  const special = /^([+-]?)(inf|nan)$/i.exec(text);
  if (special !== null)
    return special[2]?.toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (value !== value) throw new Error(`not a number: ${text}`);
  return value;
}
