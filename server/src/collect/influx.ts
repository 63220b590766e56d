import { type InfluxPrecision, parseInfluxLine } from '@nines/model/influx-lines.ts';
import { METRIC_NAME, labelsFrom } from '@nines/model/labels.ts';
import { createBatchBuilder, encodeLabels } from '@nines/model/write-batch.ts';
import type { Ingest } from './contract.ts';

/** InfluxDB's line protocol as samples: `measurement_field` with the tags as labels, in the alphabet of classic names. */

/** Faults that an answer names. */
const MAX_LISTED = 20;
/** Characters of a line; longer ones are refused one by one. */
const MAX_LINE_CHARS = 1024 * 1024;

export type InfluxWrite = {
  readonly text: string;
  readonly precision: InfluxPrecision;
  /** The label `db` of every series without a tag of that name; '' for none. */
  readonly db: string;
  readonly nowMs: number;
};
export type InfluxOutcome = {
  readonly stored: number;
  /** Lines that could not be read, and samples that the store refused. */
  readonly refused: number;
  /** What was refused, at most `MAX_LISTED` sentences: `line 3: …`. */
  readonly faults: readonly string[];
  /** Fields of text, which are left out. */
  readonly strings: number;
};

/** Stores what is good. Lines count from 1. */
export async function writeInflux({ text, precision, db, nowMs }: InfluxWrite, ingest: Ingest): Promise<InfluxOutcome> {
  const builder = createBatchBuilder();
  const lineOfSeries: number[] = [];
  const faults: string[] = [];
  let refused = 0;
  let strings = 0;
  const refuse = (line: number, reason: string, count = 1): void => {
    refused += count;
    if (faults.length < MAX_LISTED) faults.push(`line ${line}: ${reason}`);
  };
  let line = 0;
  for (let from = 0; from < text.length; ) {
    line++;
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    const read =
      end - from > MAX_LINE_CHARS
        ? ({ ok: false, error: `more than ${MAX_LINE_CHARS} characters` } as const)
        : parseInfluxLine(text.slice(from, end), precision);
    from = end + 1;
    if (!read.ok) refuse(line, read.error);
    if (!read.ok || read.value === undefined) continue;
    const { measurement, tags, fields, atMs } = read.value;
    strings += read.value.strings;
    const common: (readonly [string, string])[] = [['db', db], ...tags.map(([name, value]) => [classic(name, false), value] as const)];
    for (const { key, value } of fields) {
      builder.add(encodeLabels(labelsFrom([...common, [METRIC_NAME, classic(`${measurement}_${key}`, true)]])), atMs ?? nowMs, value);
      lineOfSeries.push(line);
    }
  }
  if (builder.seriesCount === 0) return { stored: 0, refused, faults, strings };
  const outcome = await ingest.append(builder.batch());
  for (const { series, labels, detail } of outcome.refused) refuse(lineOfSeries[series] ?? 0, `${labels}: ${detail}`, 0);
  return { stored: outcome.accepted, refused: refused + outcome.refusedCount, faults, strings };
}

/** The name with everything but letters, digits and underscores (in metrics colons too) as underscores. */
function classic(name: string, isMetric: boolean): string {
  const plain = name.replace(isMetric ? /[^a-zA-Z0-9_:]/g : /[^a-zA-Z0-9_]/g, '_');
  return /^\d/.test(plain) ? `_${plain}` : plain;
}
