import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import { BlockIndex, type BlockSeries, ChunkFile, type Tombstone, readTombstones } from '@nines/model/prometheus/block.ts';
import { BadPrometheusData, type ByteSource } from '@nines/model/prometheus/reader.ts';
import { HISTOGRAM_ENCODINGS, type HistogramSample, decodeHistogramChunk } from '@nines/model/prometheus/histogram-chunk.ts';
import { XOR_ENCODING, decodeXorChunk } from '@nines/model/prometheus/xor-chunk.ts';
import { SampleColumns } from '@nines/model/sample-columns.ts';
import { encodeLabels } from '@nines/model/write-batch.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { FrameWriter } from './frames.ts';
import { type ImportSource, type Wanted, matches } from './source.ts';

/** A block of this length or less goes through at once; a longer one in slices, so that what is written together lies together. */
const SLICE_MS = 24 * 3_600_000;

type Block = { readonly dir: string; readonly fromMs: number; readonly toMs: number; readonly series: number };

/** The blocks of a directory: a data directory of Prometheus, a snapshot, or one block. Read only. */
export function prometheusBlocks(dir: string, wanted: Wanted): ImportSource {
  const blocks = findBlocks(dir).filter(({ fromMs, toMs }) => fromMs <= wanted.toMs && toMs >= wanted.fromMs);
  const state = { done: 0, unknownChunks: 0, faultCount: 0, faults: [] as string[] };
  return {
    body: readBlocks(blocks, wanted, state),
    done: () => state.done,
    total: blocks.reduce((sum, block) => sum + block.series * slicesOf(block).length, 0),
    remarks: () => [
      ...state.faults,
      ...(state.faultCount > state.faults.length ? [`${state.faultCount - state.faults.length} more damaged places were left out`] : []),
      ...(state.unknownChunks > 0 ? [`${state.unknownChunks} chunks have an encoding that this program does not know`] : []),
    ],
  };
}

type State = { done: number; unknownChunks: number; faultCount: number; readonly faults: string[] };

/** Damage named one by one; more is counted. */
const MAX_FAULTS = 20;

function noteFault(state: State, fault: string): void {
  state.faultCount++;
  if (state.faults.length < MAX_FAULTS) state.faults.push(fault);
}

function findBlocks(dir: string): readonly Block[] {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) throw new CliFailure(EXIT.notFound, `${dir} is no directory`);
  const dirs = existsSync(join(dir, 'meta.json')) ? [dir] : readdirSync(dir).map((name) => join(dir, name));
  const blocks = dirs.filter((one) => existsSync(join(one, 'meta.json')) && existsSync(join(one, 'index'))).map(readMeta);
  if (blocks.length === 0) {
    const hint = existsSync(join(dir, 'wal'))
      ? ' yet: what Prometheus holds in memory comes through a snapshot (POST /api/v1/admin/tsdb/snapshot) or from its URL'
      : '';
    throw new CliFailure(EXIT.badInput, `${dir} holds no blocks of Prometheus${hint}`);
  }
  return blocks.sort((a, b) => a.fromMs - b.fromMs);
}

function readMeta(dir: string): Block {
  const file = join(dir, 'meta.json');
  try {
    const { minTime, maxTime, stats } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly minTime?: unknown;
      readonly maxTime?: unknown;
      readonly stats?: { readonly numSeries?: unknown };
    };
    if (typeof minTime !== 'number' || typeof maxTime !== 'number') throw new Error('minTime and maxTime are no numbers');
    return { dir, fromMs: minTime, toMs: maxTime - 1, series: Number(stats?.numSeries ?? 0) };
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `${file} cannot be read: ${messageOf(thrown)}`);
  }
}

function slicesOf({ fromMs, toMs }: Block): readonly { readonly fromMs: number; readonly toMs: number }[] {
  const slices: { readonly fromMs: number; readonly toMs: number }[] = [];
  for (let from = Math.floor(fromMs / SLICE_MS) * SLICE_MS; from <= toMs; from += SLICE_MS)
    slices.push({ fromMs: Math.max(from, fromMs), toMs: Math.min(from + SLICE_MS - 1, toMs) });
  return toMs - fromMs < SLICE_MS ? [{ fromMs, toMs }] : slices;
}

async function* readBlocks(blocks: readonly Block[], wanted: Wanted, state: State): AsyncGenerator<Uint8Array> {
  const frames = new FrameWriter();
  for (const block of blocks) {
    const files = new OpenFiles();
    try {
      const index = new BlockIndex(files.open(join(block.dir, 'index')));
      const tombstones = existsSync(join(block.dir, 'tombstones')) ? readTombstones(files.open(join(block.dir, 'tombstones'))) : new Map();
      const chunks = new Chunks(files, join(block.dir, 'chunks'));
      for (const slice of slicesOf(block)) {
        const range = { fromMs: Math.max(slice.fromMs, wanted.fromMs), toMs: Math.min(slice.toMs, wanted.toMs) };
        for (const ref of index.refs) {
          state.done++;
          if (range.fromMs > range.toMs) continue;
          const read = seriesIn(index, ref, state);
          if (read === undefined || !matches(read.labels, wanted.matchers)) continue;
          readSamples(chunks, read, { range, deleted: tombstones.get(ref) ?? [] }, state);
          const labels = encodeLabels(read.labels);
          if (columns.length > 0) yield* frames.add(labels, columns);
          if (histograms.length > 0) yield* frames.addHistograms(labels, histograms);
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof BadPrometheusData)) throw thrown;
      noteFault(state, `${thrown.message}; the rest of the block ${block.dir} is left out`);
    } finally {
      files.close();
    }
  }
  yield* frames.end();
}

/** A damaged series costs only itself. */
function seriesIn(index: BlockIndex, ref: number, state: State): BlockSeries | undefined {
  try {
    return index.series(ref);
  } catch (thrown) {
    if (!(thrown instanceof BadPrometheusData)) throw thrown;
    noteFault(state, thrown.message);
    return undefined;
  }
}

const columns = new SampleColumns();
let histograms: HistogramSample[] = [];

type Part = { readonly range: { readonly fromMs: number; readonly toMs: number }; readonly deleted: readonly Tombstone[] };

/** Fills `columns` and `histograms` with the samples of a series in the range that were not deleted. A damaged chunk costs only itself. */
function readSamples(chunks: Chunks, series: BlockSeries, { range, deleted }: Part, state: State): void {
  columns.clear();
  histograms = [];
  for (const place of series.chunks) {
    if (place.toMs < range.fromMs || place.fromMs > range.toMs) continue;
    const before = columns.length;
    const histogramsBefore = histograms.length;
    try {
      const { encoding, bytes } = chunks.read(place.file, place.offset);
      if (encoding === XOR_ENCODING) decodeXorChunk(bytes, columns);
      else if (HISTOGRAM_ENCODINGS.has(encoding)) decodeHistogramChunk(bytes, encoding, histograms, columns);
      else state.unknownChunks++;
    } catch (thrown) {
      if (!(thrown instanceof BadPrometheusData)) throw thrown;
      columns.length = before;
      histograms.length = histogramsBefore;
      noteFault(state, thrown.message);
    }
  }
  const isWanted = (atMs: number): boolean =>
    atMs >= range.fromMs && atMs <= range.toMs && !deleted.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs);
  columns.keep(isWanted);
  histograms = histograms.filter(({ atMs }) => isWanted(atMs));
}

class Chunks {
  readonly #files: OpenFiles;
  readonly #dir: string;
  readonly #open = new Map<number, ChunkFile>();

  constructor(files: OpenFiles, dir: string) {
    this.#files = files;
    this.#dir = dir;
  }

  read(file: number, offset: number): ReturnType<ChunkFile['read']> {
    let chunks = this.#open.get(file);
    if (chunks === undefined) {
      const path = join(this.#dir, String(file + 1).padStart(6, '0'));
      if (!existsSync(path)) throw new BadPrometheusData(`${path} is missing`);
      chunks = new ChunkFile(this.#files.open(path));
      this.#open.set(file, chunks);
    }
    return chunks.read(offset);
  }
}

class OpenFiles {
  readonly #open: number[] = [];

  open(path: string): ByteSource {
    const file = openSync(path, 'r');
    this.#open.push(file);
    return {
      name: path,
      size: statSync(path).size,
      read(from, length) {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const read = readSync(file, bytes, done, length - done, from + done);
          if (read === 0) throw new BadPrometheusData(`${path} became shorter while it was read`);
          done += read;
        }
        return bytes;
      },
    };
  }

  close(): void {
    for (const file of this.#open) closeSync(file);
  }
}
