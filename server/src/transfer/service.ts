import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { isFull } from '@nines/model/scope.ts';
import { FULL_SCOPE, type Scope, StoreUnavailable } from '@nines/model/storage.ts';
import type { BackfillReport, Store } from '@nines/tsdb/contract.ts';
import type { SelfMetrics } from '../collect/contract.ts';
import { type ImportFormat, type ImportReport, MAX_IMPORTS } from './contract.ts';
import { within } from './scoped-session.ts';
import { type Progress, type Reader, newProgress, readFrames, readOpenMetrics, readVmLines } from './readers.ts';

export type TransferDeps = {
  readonly store: Pick<Store, 'backfill'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
};

const READERS: Readonly<Record<ImportFormat, Reader>> = { openmetrics: readOpenMetrics, vmjson: readVmLines, 'remote-write': readFrames };
/** What a sender that is turned away waits. */
const RETRY_MS = 5_000;
/** Samples after which everybody else has a turn, whatever else happens: a few milliseconds of reading. */
const SAMPLES_PER_TURN = 20_000;

/** `scope` is the sender's, full when absent. */
export type Sent = { readonly encoding?: string | undefined; readonly scope?: Scope };

export class TransferService {
  readonly #deps: TransferDeps;
  readonly #imported: ReturnType<SelfMetrics['counter']>;
  #running = 0;

  constructor(deps: TransferDeps) {
    this.#deps = deps;
    this.#imported = deps.metrics.counter(
      'nines_import_samples_total',
      'Samples of imports by outcome: stored, repeated, refused or, of senders with a scope, outside of it.',
    );
    deps.metrics.watch('nines_imports_running', 'Imports under way.', () => this.#running);
  }

  /** Reads the body to its end. What was read is stored even when the body breaks off or cannot be read further. */
  async import(format: ImportFormat, body: Readable, { encoding, scope = FULL_SCOPE }: Sent = {}): Promise<ImportReport> {
    if (this.#running >= MAX_IMPORTS)
      throw new AppError('limited', 'too_many_imports', `${MAX_IMPORTS} imports are under way; try again when one has ended`, {
        retryAfterMs: RETRY_MS,
      });
    this.#running++;
    try {
      return await this.#import(format, plain(body, encoding), scope);
    } catch (thrown) {
      if (thrown instanceof StoreUnavailable)
        throw new AppError('unavailable', 'store_unavailable', thrown.message, { cause: thrown, retryAfterMs: RETRY_MS });
      throw thrown;
    } finally {
      this.#running--;
    }
  }

  async #import(format: ImportFormat, stream: AsyncIterable<Uint8Array>, scope: Scope): Promise<ImportReport> {
    const { store, clock, logger } = this.#deps;
    const whole = store.backfill(clock.now());
    const session = isFull(scope) ? whole : within(whole, scope);
    const progress = newProgress();
    let since = 0;
    let broken: unknown;
    try {
      await READERS[format](stream, progress, async (batch) => {
        await session.add(batch);
        since += batch.samplesFrom[batch.seriesCount] ?? 0;
        if (since < SAMPLES_PER_TURN) return;
        since = 0;
        await clock.sleep(0);
      });
    } catch (thrown) {
      if (thrown instanceof StoreUnavailable) throw thrown;
      broken = thrown;
    }
    const report = await session.finish();
    this.#imported.add(report.stored, { outcome: 'stored' });
    this.#imported.add(report.repeated, { outcome: 'repeated' });
    const outside = report.refusedBy.outside_scope ?? 0;
    this.#imported.add(report.refusedCount - outside, { outcome: 'refused' });
    this.#imported.add(outside, { outcome: 'outside_scope' });
    const { samples, stored, repeated, refusedCount } = report;
    logger.info('samples were imported', { format, lines: progress.lines, samples, stored, repeated, refused: refusedCount });
    if (broken !== undefined) throw asBadBody(broken, report);
    return reportOf(format, progress, report);
  }
}

/** The body without its compression. */
function plain(body: Readable, encoding = 'identity'): AsyncIterable<Uint8Array> {
  if (encoding === 'identity') return body;
  if (encoding !== 'gzip')
    throw new AppError('unsupported', 'unsupported_encoding', `Content-Encoding ${encoding} is not supported; send gzip or none`);
  const gunzip = createGunzip();
  // A sender that hangs up must end the reading too; pipe alone would leave it waiting.
  body.once('error', (thrown) => gunzip.destroy(thrown));
  body.once('close', () => {
    if (!body.readableEnded) gunzip.destroy(new Error('the body broke off'));
  });
  return body.pipe(gunzip);
}

function asBadBody(thrown: unknown, { stored }: BackfillReport): AppError {
  if (thrown instanceof AppError)
    return new AppError(thrown.kind, thrown.code, `${thrown.message}; ${stored} samples before that are stored`, { cause: thrown });
  const { code = '' } = thrown as { readonly code?: string };
  const isBroken =
    code.startsWith('Z_') || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || messageOf(thrown) === 'aborted';
  if (!isBroken && !messageOf(thrown).includes('broke off')) throw thrown;
  return new AppError('bad_input', 'broken_body', `the body broke off: ${messageOf(thrown)}; ${stored} samples before that are stored`, {
    cause: thrown,
  });
}

function reportOf(format: ImportFormat, progress: Progress, report: BackfillReport): ImportReport {
  return {
    format,
    lines: progress.lines,
    samples: report.samples,
    stored: report.stored,
    repeated: report.repeated,
    refused: report.refusedCount,
    refused_by: { ...report.refusedBy },
    refused_listed: report.refused.map(({ labels, atMs, reason, detail }) => ({ series: labels, at_ms: atMs, reason, detail })),
    bad_lines: progress.badLines,
    bad_lines_listed: [...progress.listed],
    skipped: { exemplars: progress.exemplars, histograms: progress.histograms },
  };
}
