import { ByteBuffer } from '@nines/model/byte-buffer.ts';
import { BadPrometheusData } from '@nines/model/prometheus/reader.ts';
import {
  STREAMED_TYPE,
  type StreamedSeries,
  encodeReadRequest,
  readResults,
  readStreamedSeries,
  takeFrame,
} from '@nines/model/prometheus/remote-read.ts';
import { HISTOGRAM_ENCODINGS, type HistogramSample, decodeHistogramChunk } from '@nines/model/prometheus/histogram-chunk.ts';
import { XOR_ENCODING, decodeXorChunk } from '@nines/model/prometheus/xor-chunk.ts';
import { SampleColumns } from '@nines/model/sample-columns.ts';
import { decodeSnappy, encodeSnappy } from '@nines/model/snappy.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { FrameWriter, frameOf } from './frames.ts';
import { askSource, below } from './http-source.ts';
import type { ImportSource, Wanted } from './source.ts';

/** Asked for at a time: the store's own window, so that each answer makes whole pages. */
const SLICE_MS = 2 * 3_600_000;
/** The longest answer that is not streamed, decoded, and the longest frame of one that is. */
const MAX_ANSWER_BYTES = 1024 * 1024 * 1024;
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** What a running Prometheus (or anything else that speaks remote read) has, slice by slice, newest last. */
export function prometheusRemote(base: string, wanted: Wanted): ImportSource {
  const url = below(base, '/api/v1/read');
  const state = { atMs: wanted.fromMs };
  return {
    body: readSlices(url, wanted, state),
    done: () => state.atMs - wanted.fromMs,
    total: wanted.toMs - wanted.fromMs,
    remarks: () => [],
  };
}

type State = { atMs: number };

async function* readSlices(url: URL, wanted: Wanted, state: State): AsyncGenerator<Uint8Array> {
  while (state.atMs <= wanted.toMs) {
    const fromMs = state.atMs;
    const toMs = Math.min(Math.floor(fromMs / SLICE_MS) * SLICE_MS + SLICE_MS - 1, wanted.toMs);
    const body = encodeSnappy(encodeReadRequest({ fromMs, toMs, matchers: wanted.matchers }));
    const response = await askSource(url, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-read-version': '0.1.0' },
    });
    try {
      if ((response.headers.get('content-type') ?? '').startsWith(STREAMED_TYPE)) yield* streamed(response, { fromMs, toMs });
      else yield* whole(new Uint8Array(await response.arrayBuffer()));
    } catch (thrown) {
      if (thrown instanceof BadPrometheusData)
        throw new CliFailure(EXIT.remote, `${url.origin} answered with what is no remote read: ${thrown.message}`);
      throw thrown;
    }
    state.atMs = toMs + 1;
  }
}

/** The results are bodies of remote write as they are. */
function* whole(packed: Uint8Array): Generator<Uint8Array> {
  const decoded = decodeSnappy(packed, new ByteBuffer(), MAX_ANSWER_BYTES);
  if (!decoded.ok) throw new BadPrometheusData(decoded.error.message);
  for (const result of readResults(decoded.value)) if (result.length > 0) yield frameOf(result);
}

async function* streamed(response: Response, range: { readonly fromMs: number; readonly toMs: number }): AsyncGenerator<Uint8Array> {
  const frames = new FrameWriter();
  let held = new Uint8Array(0);
  for await (const piece of response.body ?? []) {
    const joined = new Uint8Array(held.length + piece.length);
    joined.set(held);
    joined.set(piece, held.length);
    held = joined;
    for (;;) {
      const taken = takeFrame(held, MAX_FRAME_BYTES);
      if (!taken.ok) throw new BadPrometheusData(taken.error);
      if (taken.value === undefined) break;
      for (const series of readStreamedSeries(taken.value.frame)) {
        const histograms = samplesOf(series, range);
        if (columns.length > 0) yield* frames.add(series.labels, columns);
        if (histograms.length > 0) yield* frames.addHistograms(series.labels, histograms);
      }
      held = held.subarray(taken.value.used);
    }
  }
  if (held.length > 0) throw new BadPrometheusData('the answer ends within a frame');
  yield* frames.end();
}

const columns = new SampleColumns();

/** Fills `columns` and returns the native histograms. Chunks reach beyond what was asked for. */
function samplesOf(
  { chunks }: StreamedSeries,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): readonly HistogramSample[] {
  columns.clear();
  const histograms: HistogramSample[] = [];
  for (const { encoding, bytes } of chunks) {
    if (encoding === XOR_ENCODING) decodeXorChunk(bytes, columns);
    else if (HISTOGRAM_ENCODINGS.has(encoding)) decodeHistogramChunk(bytes, encoding, histograms, columns);
    else throw new BadPrometheusData(`a chunk of unknown encoding ${encoding}`);
  }
  const isWanted = (atMs: number): boolean => atMs >= fromMs && atMs <= toMs;
  columns.keep(isWanted);
  return histograms.filter(({ atMs }) => isWanted(atMs));
}
