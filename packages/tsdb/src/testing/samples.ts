import type { Logger } from '@nines/base/logger.ts';
import { mustMatcher } from '@nines/base/matcher.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { labelsKey, labelsOf } from '@nines/model/labels.ts';
import type { AppendOutcome, Queryable, WriteBatch } from '@nines/model/storage.ts';
import { encodeLabels } from '@nines/model/write-batch.ts';
import { KEY_BYTES, createCipher } from '../cipher.ts';
import type { Cipher, Store, StoreOptions } from '../contract.ts';
import { openStore } from '../store.ts';
import type { FaultDisk } from './fault-disk.ts';

/** Samples in tests: a value is its 64 bits, so that NaNs and zeros can be told apart, or a histogram. */
export type Sample = {
  readonly series: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly bits: bigint;
  readonly histogram?: Histogram;
};

const scratch = new Float64Array(1);
const scratchBits = new BigUint64Array(scratch.buffer);

export function bitsOfNumber(value: number): bigint {
  scratch[0] = value;
  return scratchBits[0] ?? 0n;
}

export const STALE_BITS = 0x7ff0000000000002n;

/** A batch with a series entry per sample. */
export function batchOf(samples: readonly Sample[]): WriteBatch {
  const labels = samples.map(({ series }) => encodeLabels(labelsOf(series)));
  const bytes = new Uint8Array(labels.reduce((sum, part) => sum + part.length, 0));
  const labelsFrom = new Uint32Array(samples.length);
  const labelsTo = new Uint32Array(samples.length);
  const values = new Float64Array(samples.length);
  const bits = new BigUint64Array(values.buffer);
  let at = 0;
  labels.forEach((part, i) => {
    bytes.set(part, at);
    labelsFrom[i] = at;
    at += part.length;
    labelsTo[i] = at;
    bits[i] = samples[i]?.bits ?? 0n;
  });
  const histograms = samples.map(({ histogram }) => histogram);
  return {
    ...(histograms.some((histogram) => histogram !== undefined) ? { histograms } : {}),
    bytes,
    seriesCount: samples.length,
    labelsFrom,
    labelsTo,
    samplesFrom: Uint32Array.from({ length: samples.length + 1 }, (_, i) => i),
    times: Float64Array.from(samples, ({ atMs }) => atMs),
    values,
  };
}

export const append = (store: Store, samples: readonly Sample[], nowMs: EpochMs): Promise<AppendOutcome> =>
  store.append(batchOf(samples), nowMs);

export type Contents = Map<string, Map<number, bigint>>;

/** Everything a store holds. Throws when a series comes twice or its times do not ascend. */
export async function contentsOf(store: Queryable): Promise<Contents> {
  const contents: Contents = new Map();
  const everything = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
  for (const { labels, times, values } of await store.select([mustMatcher('__name__', '!=', '')], everything)) {
    const key = labelsKey(labels);
    if (contents.has(key)) throw new Error(`the series ${key} came twice`);
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    const samples = new Map<number, bigint>();
    times.forEach((time, i) => {
      if (i > 0 && time <= (times[i - 1] ?? 0)) throw new Error(`the times of ${key} do not ascend`);
      samples.set(time, bits[i] ?? 0n);
    });
    contents.set(key, samples);
  }
  return contents;
}

export const keyOf = (series: Readonly<Record<string, string>>): string => labelsKey(labelsOf(series));

/** A logger that collects the messages of warnings. */
export function collectingLogger(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = [];
  const logger = {
    warnings,
    debug: () => {},
    info: () => {},
    warn: (message: string) => warnings.push(message),
    error: (message: string) => warnings.push(message),
    child: () => logger,
  };
  return logger;
}

export const DAY = 86_400_000;
/** The start of a window. */
export const T0 = epochMs(Math.floor(1_750_000_000_000 / 7_200_000) * 7_200_000);

/** With this variable set every store of a test is encrypted: `store-encrypted.test.ts` runs the suites that way too. */
export const ENCRYPTED_VARIABLE = 'NINES_TEST_ENCRYPTED';
export const testCipher = (): Cipher | undefined =>
  process.env[ENCRYPTED_VARIABLE] === '1' ? createCipher(new Uint8Array(KEY_BYTES).fill(7)) : undefined;

export const openOnFaultDisk = (disk: FaultDisk, options: Partial<StoreOptions> = {}): Promise<Store> =>
  openStore({
    dir: 'memory',
    retentionMs: 30 * DAY,
    logger: collectingLogger(),
    cipher: testCipher(),
    ...options,
    disk,
    pageStore: disk.pageStore,
  });
