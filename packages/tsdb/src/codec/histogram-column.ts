import { CorruptData } from '../contract.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { Columns } from './columns.ts';
import { HistogramReader, HistogramWriter } from './histogram-code.ts';
import { readValues, writeValues } from './value-column.ts';

/** The value column of a series with native histograms, drawn in docs/format/pages.md: which samples are some, the numbers, the histograms. */
const HISTOGRAMS = 7;

export const isHistogramColumn = (kind: number | undefined): boolean => kind === HISTOGRAMS;

/** Writes the values of `columns`, at least one. */
export function writeHistogramColumn(writer: ByteWriter, columns: Columns): void {
  const { length, times, bits, histograms } = columns;
  const coder = new HistogramWriter();
  numbers.clear();
  writer.byte(HISTOGRAMS);
  for (let from = 0; from < length; from += 8) {
    let which = 0;
    for (let i = from; i < Math.min(from + 8, length); i++) if (histograms?.has(times[i] ?? 0) === true) which |= 1 << (i - from);
    writer.byte(which);
  }
  for (let i = 0; i < length; i++)
    if (histograms?.has(times[i] ?? 0) !== true) numbers.push(times[i] ?? 0, bits[2 * i] ?? 0, bits[2 * i + 1] ?? 0);
  if (numbers.length > 0) writeValues(writer, numbers);
  for (let i = 0; i < length; i++) {
    const histogram = histograms?.get(times[i] ?? 0);
    if (histogram !== undefined) coder.write(writer, histogram);
  }
}

/** Appends the samples of the column to `out`. Throws `CorruptData`. */
export function readHistogramColumn(reader: ByteReader, times: Float64Array, out: Columns): void {
  if (!isHistogramColumn(reader.byte())) throw new CorruptData('no column of histograms');
  const which = reader.raw(Math.ceil(times.length / 8));
  const isHistogram = (i: number): boolean => ((which[i >>> 3] ?? 0) & (1 << (i & 7))) !== 0;
  let histogramCount = 0;
  for (let i = 0; i < times.length; i++) if (isHistogram(i)) histogramCount++;
  if (histogramCount > reader.left) throw new CorruptData(`${histogramCount} histograms in ${reader.left} bytes`);
  numbers.clear();
  const numberCount = times.length - histogramCount;
  if (numberCount > 0) {
    numbers.ensure(numberCount);
    readValues(reader, numberCount, numbers);
  }
  const coder = new HistogramReader();
  let next = 0;
  for (let i = 0; i < times.length; i++) {
    if (isHistogram(i)) out.pushHistogram(times[i] ?? 0, coder.read(reader));
    else {
      out.push(times[i] ?? 0, numbers.bits[2 * next] ?? 0, numbers.bits[2 * next + 1] ?? 0);
      next++;
    }
  }
}

const numbers = new Columns();
