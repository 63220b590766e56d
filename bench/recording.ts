/**
 * Real scrapes on disk: one file `<unix ms>-<job>.prom.zst` each, the exposition text as the target sent it. So every peer can be
 * given the same samples, and a figure can be measured again after a change without waiting another hour.
 */
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { walkExposition } from '../packages/model/src/exposition.ts';
import { METRIC_NAME, labelPairs, labelsFrom } from '../packages/model/src/labels.ts';
import { parseSeriesText } from '../packages/model/src/series-text.ts';
import { type BatchBuilder, createBatchBuilder, encodeLabels } from '../packages/model/src/write-batch.ts';

/** A scrape may begin this much after its tick and still gets the tick's instant, as Prometheus and vmagent do it. */
const TOLERANCE_MS = 10;

export type Target = { readonly job: string; readonly url: string };

/** Scrapes every target into `dir`, on the grid of `intervalMs`, until the signal aborts. */
export async function record(
  dir: string,
  { targets, intervalMs, signal }: { readonly targets: readonly Target[]; readonly intervalMs: number; readonly signal: AbortSignal },
): Promise<void> {
  fs.mkdirSync(dir, { recursive: true });
  for (let tick = Math.ceil(Date.now() / intervalMs) * intervalMs; !signal.aborted; ) {
    const now = Date.now();
    if (now < tick) {
      await new Promise((resolve) => setTimeout(resolve, tick - now));
      continue;
    }
    for (const { job, url } of targets) {
      const response = await fetch(url, { signal: AbortSignal.timeout(intervalMs) });
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
      const text = Buffer.from(await response.arrayBuffer());
      fs.writeFileSync(path.join(dir, `${now}-${job}.prom.zst`), zlib.zstdCompressSync(text));
    }
    tick = Math.ceil(Date.now() / intervalMs) * intervalMs;
  }
}

/** Hands the scrapes to `take` in the order of time, every `every`-th of each job. What `take` gets is valid until it resolves. */
export async function replay(
  dir: string,
  { every, intervalMs }: { readonly every: number; readonly intervalMs: number },
  take: (batch: BatchBuilder, atMs: number) => Promise<void>,
): Promise<void> {
  const scrapes = fs
    .readdirSync(dir)
    .flatMap((file) => {
      const [, ms, job] = /^(\d+)-(.+)\.prom\.zst$/.exec(file) ?? [];
      return ms === undefined || job === undefined ? [] : [{ file, job, ms: Number(ms) }];
    })
    .sort((a, b) => a.ms - b.ms);
  const known = new Map<string, Uint8Array>();
  const seen = new Map<string, number>();
  const batch = createBatchBuilder();
  for (const { file, job, ms } of scrapes) {
    const count = seen.get(job) ?? 0;
    seen.set(job, count + 1);
    if (count % every !== 0) continue;
    const offset = ms % intervalMs;
    const atMs = offset <= TOLERANCE_MS ? ms - offset : ms;
    batch.reset();
    readScrape(zlib.zstdDecompressSync(fs.readFileSync(path.join(dir, file))).toString(), { job, atMs, known, batch });
    await take(batch, atMs);
  }
}

function readScrape(
  text: string,
  into: { readonly job: string; readonly atMs: number; readonly known: Map<string, Uint8Array>; readonly batch: BatchBuilder },
): void {
  const { job, atMs, known, batch } = into;
  const fault = walkExposition(text, 'text', {
    sample(series, value) {
      const key = `${job} ${series}`;
      let labels = known.get(key);
      if (labels === undefined) {
        const parsed = parseSeriesText(series);
        if (!parsed.ok) return parsed.error;
        labels = encodeLabels(labelsFrom([...labelPairs(parsed.value.labels), ['job', job], ['instance', `127.0.0.1:${job}`]]));
        known.set(key, labels);
      }
      batch.add(labels, atMs, value);
      return undefined;
    },
    describe() {},
  });
  if (fault !== undefined) throw new Error(`${job} at ${atMs}, line ${fault.line}: ${fault.message}`);
  if (batch.seriesCount === 0) throw new Error(`${job} at ${atMs} has no sample of ${METRIC_NAME}`);
}
