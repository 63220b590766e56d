import { ByteBuffer } from '@nines/model/byte-buffer.ts';
import { walkExpositionLine } from '@nines/model/exposition.ts';
import { METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import { RemoteWriteDecoder } from '@nines/model/remote-write.ts';
import { parseSeriesText } from '@nines/model/series-text.ts';
import { decodeSnappy } from '@nines/model/snappy.ts';
import type { WriteBatch } from '@nines/model/storage.ts';
import { type VmLine, parseVmLine } from '@nines/model/vm-lines.ts';
import { createBatchBuilder, encodeLabels } from '@nines/model/write-batch.ts';
import { MAX_FRAME_BYTES, MAX_LINE_BYTES, MAX_LISTED_LINES } from './contract.ts';
import { framesOf } from './frames.ts';
import { linesOf } from './lines.ts';

/** How each format becomes batches. A line or frame that cannot be read is noted and left out; the others go on. */
export type Progress = {
  lines: number;
  badLines: number;
  readonly listed: { readonly line: number; readonly reason: string }[];
  exemplars: number;
  histograms: number;
};
export type Reader = (stream: AsyncIterable<Uint8Array>, progress: Progress, add: (batch: WriteBatch) => Promise<void>) => Promise<void>;

export const newProgress = (): Progress => ({ lines: 0, badLines: 0, listed: [], exemplars: 0, histograms: 0 });

function note(progress: Progress, reason: string): void {
  progress.badLines++;
  if (progress.listed.length < MAX_LISTED_LINES) progress.listed.push({ line: progress.lines, reason });
}

const TOO_LONG = `a line of more than ${MAX_LINE_BYTES} bytes; split it`;
/** Samples of a text gathered before they are handed on. */
const BATCH_SAMPLES = 5_000;
/** Texts of series whose labels are kept: a file that goes through all series at each instant has them again and again. */
const MAX_KNOWN_SERIES = 20_000;

/** OpenMetrics 1.0. Every sample needs its timestamp; nothing may follow `# EOF`, and a text without it may have been cut. */
export const readOpenMetrics: Reader = async (stream, progress, add) => {
  const builder = createBatchBuilder();
  const known = new Map<string, Uint8Array>();
  let last: string | undefined;
  let ended = false;
  const sink = {
    sample(series: string, value: number, atMs: number | undefined): string | undefined {
      if (atMs === undefined) return 'the sample has no timestamp';
      if (series === last) {
        builder.addSample(atMs, value);
        return undefined;
      }
      let labels = known.get(series);
      if (labels === undefined) {
        const parsed = parseSeriesText(series);
        if (!parsed.ok) return parsed.error;
        if (parsed.value.name === '') return 'metric name missing';
        labels = encodeLabels(parsed.value.labels);
        if (known.size >= MAX_KNOWN_SERIES) known.clear();
        known.set(series, labels);
      }
      builder.add(labels, atMs, value);
      last = series;
      return undefined;
    },
    exemplar: () => void progress.exemplars++,
    describe: () => undefined,
  };
  const hand = async (): Promise<void> => {
    if (builder.seriesCount > 0) await add(builder.batch());
    builder.reset();
    last = undefined;
  };
  for await (const line of linesOf(stream, MAX_LINE_BYTES)) {
    progress.lines++;
    if (ended) note(progress, 'text after # EOF');
    else if (line === undefined) note(progress, TOO_LONG);
    else {
      const found = walkExpositionLine(line.toString('utf8'), 'openmetrics', sink);
      if (found === 'end') ended = true;
      else if (found !== undefined) note(progress, found.message);
    }
    if (builder.sampleCount >= BATCH_SAMPLES) await hand();
  }
  if (!ended) {
    progress.lines++;
    note(progress, 'the text ends without # EOF; it may have been cut');
  }
  await hand();
};

/** VictoriaMetrics' lines. Empty ones are nothing. */
export const readVmLines: Reader = async (stream, progress, add) => {
  for await (const line of linesOf(stream, MAX_LINE_BYTES)) {
    progress.lines++;
    if (line === undefined) {
      note(progress, TOO_LONG);
      continue;
    }
    const text = line.toString('utf8').trim();
    if (text === '') continue;
    const read = parseVmLine(text);
    if (!read.ok) note(progress, read.error);
    else if (labelValue(read.value.labels, METRIC_NAME) === '') note(progress, `metric: ${METRIC_NAME} is missing`);
    else await add(batchOfOne(read.value));
  }
};

function batchOfOne({ labels, times, values }: VmLine): WriteBatch {
  const bytes = encodeLabels(labels);
  return {
    bytes,
    seriesCount: 1,
    labelsFrom: Uint32Array.of(0),
    labelsTo: Uint32Array.of(bytes.length),
    samplesFrom: Uint32Array.of(0, times.length),
    times,
    values,
  };
}

/** Frames of remote-write 1.0 bodies. Native histograms whose buckets make no sense are left out and counted. */
export const readFrames: Reader = async (stream, progress, add) => {
  const buffer = new ByteBuffer();
  const decoder = new RemoteWriteDecoder();
  for await (const frame of framesOf(stream, MAX_FRAME_BYTES)) {
    progress.lines++;
    const decoded = decodeSnappy(frame, buffer, MAX_FRAME_BYTES);
    if (!decoded.ok) {
      note(progress, decoded.error.message);
      continue;
    }
    const walked = decoder.decode(decoded.value);
    if (!walked.ok) {
      note(progress, `malformed request at byte ${walked.error.atByte}: ${walked.error.message}`);
      continue;
    }
    progress.histograms += walked.value.invalidHistograms.count;
    await add(walked.value.batch);
  }
};
