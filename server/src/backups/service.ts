import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Gauge, SelfMetrics } from '../collect/contract.ts';
import type { PartHealth } from '../ops/contract.ts';
import {
  BACKUP_CODES,
  type BackupRunView,
  type BackupsConfig,
  type ExaminationView,
  MAX_LISTED_RUNS,
  type StoredBackupView,
} from './contract.ts';
import { createBackup } from './create.ts';
import { expired, isDue, standingOf } from './evaluate.ts';
import type { Sources } from './sources.ts';
import { listBackups, nameAt, removeBackup, removeUnfinished } from './store.ts';

export type BackupsDeps = {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
  readonly version: string;
  readonly dataDir: string;
  readonly sources: Sources;
  readonly config: BackupsConfig;
  /** Opens everything in a finished backup. Runs elsewhere, because it reads and decodes for minutes. */
  readonly verify: (dir: string, signal: AbortSignal) => Promise<ExaminationView>;
};

export type StartBackup = { readonly to?: string | undefined; readonly verify: boolean; readonly scheduled: boolean };
type Run = { -readonly [K in keyof BackupRunView]: BackupRunView[K] };

/** Backups of this server, one at a time. */
export class Backups implements AsyncDisposable {
  readonly #deps: BackupsDeps;
  readonly #runs: Run[] = [];
  readonly #stopping = new AbortController();
  readonly #startedAtMs: number;
  readonly #figures: BackupFigures;
  #config: BackupsConfig;
  #running: Promise<void> | undefined;
  #lastFailureAtMs: number | undefined;
  #lastError: string | undefined;
  #damaged: string | undefined;
  #tidied = false;

  constructor(deps: BackupsDeps) {
    this.#deps = deps;
    this.#config = deps.config;
    this.#startedAtMs = deps.clock.now();
    this.#figures = new BackupFigures(deps.metrics);
  }

  configure(config: BackupsConfig): void {
    this.#config = config;
  }

  /** Begins a backup and returns at once. `AppError` `backup_running`, `backup_target_missing`. */
  start({ to, verify, scheduled }: StartBackup): BackupRunView {
    const { clock, ids } = this.#deps;
    if (this.#running !== undefined) throw new AppError('conflict', BACKUP_CODES.running, 'a backup is being made; wait for its end');
    const folder = this.#config.to;
    if (to === undefined && folder === undefined)
      throw new AppError('bad_input', BACKUP_CODES.noTarget, 'name a directory ("to"), or configure backups.to', { field: 'to' });
    const nowMs = clock.now();
    const run: Run = {
      id: ids.uuid(),
      status: 'running',
      dir: to ?? join(folder ?? '', nameAt(nowMs)),
      scheduled,
      started_at_ms: nowMs,
      finished_at_ms: null,
      complete_until_ms: null,
      done_bytes: 0,
      total_bytes: 0,
      verified: null,
      error: null,
    };
    this.#runs.unshift(run);
    this.#runs.length = Math.min(this.#runs.length, MAX_LISTED_RUNS);
    this.#running = this.#make(run, verify).finally(() => {
      this.#running = undefined;
    });
    return { ...run };
  }

  async #make(run: Run, verify: boolean): Promise<void> {
    const { clock, version, dataDir, sources, logger } = this.#deps;
    const fromMs = clock.monotonic();
    try {
      const { signal } = this.#stopping;
      const onProgress = ({ doneBytes, totalBytes }: { readonly doneBytes: number; readonly totalBytes: number }): void => {
        run.done_bytes = doneBytes;
        run.total_bytes = totalBytes;
      };
      const report = await createBackup({ clock, version, dataDir, sources }, { to: run.dir, onProgress, signal });
      run.complete_until_ms = report.manifest.complete_until_ms;
      const durationMs = clock.monotonic() - fromMs;
      if (verify) await this.#verify(run);
      run.status = 'done';
      this.#lastError = undefined;
      this.#lastFailureAtMs = undefined;
      this.#figures.succeeded({ atMs: report.manifest.complete_until_ms, bytes: report.bytes, durationMs });
      logger.info('a backup was made', { dir: run.dir, bytes: report.bytes, duration_ms: Math.round(durationMs), verified: run.verified });
    } catch (thrown) {
      this.#lastError = messageOf(thrown);
      this.#lastFailureAtMs = clock.now();
      run.status = 'failed';
      run.error = messageOf(thrown);
      this.#figures.failed();
      logger.error('a backup failed', { dir: run.dir, error: messageOf(thrown) });
    } finally {
      run.finished_at_ms = clock.now();
    }
  }

  /** Throws when the backup cannot be relied on. */
  async #verify(run: Run): Promise<void> {
    run.status = 'verifying';
    const { findings, sound } = await this.#deps.verify(run.dir, this.#stopping.signal);
    run.verified = sound;
    const [first] = findings.filter(({ severity }) => severity === 'damage');
    this.#damaged = sound ? undefined : `${run.dir}: ${first?.place ?? ''}: ${first?.problem ?? ''}`;
    this.#figures.verified(sound);
    if (!sound) throw new Error(`it was made but is not sound: ${this.#damaged ?? ''}`);
  }

  /** Newest first. */
  runs(): readonly BackupRunView[] {
    return this.#runs.map((run) => ({ ...run }));
  }

  /** `AppError` `backup_not_found`. */
  run(id: string): BackupRunView {
    const found = this.#runs.find((run) => run.id === id);
    if (found === undefined) throw new AppError('not_found', BACKUP_CODES.notFound, `this server made no backup ${id}`);
    return { ...found };
  }

  async stored(): Promise<readonly StoredBackupView[]> {
    return this.#config.to === undefined ? [] : listBackups(this.#config.to);
  }

  /** Begins the scheduled backup when it is due; removes old ones and what earlier processes left unfinished. */
  async step(nowMs: number): Promise<void> {
    const { to, every, keep } = this.#config;
    if (to === undefined || this.#running !== undefined) return;
    if (!this.#tidied) await removeUnfinished(to);
    const views = await listBackups(to);
    const stored = views.map(storedOf);
    const newest = views.at(-1);
    if (!this.#tidied && newest !== undefined) this.#figures.known(newest);
    this.#tidied = true;
    for (const name of expired(stored, { keepMs: keep, nowMs })) await removeBackup(to, name);
    if (isDue({ stored, lastFailureAtMs: this.#lastFailureAtMs, everyMs: every }, nowMs)) this.start({ verify: true, scheduled: true });
  }

  async health(): Promise<PartHealth> {
    const { to, every } = this.#config;
    return standingOf(
      {
        everyMs: to === undefined ? undefined : every,
        startedAtMs: this.#startedAtMs,
        stored: (await this.stored()).map(storedOf),
        lastError: this.#lastError,
        damaged: this.#damaged,
      },
      this.#deps.clock.now(),
    );
  }

  /** Resolves when no backup is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the server is stopping'));
    await this.#running;
  }
}

const storedOf = ({ name, complete_until_ms }: StoredBackupView): { readonly name: string; readonly completeUntilMs: number } => ({
  name,
  completeUntilMs: complete_until_ms,
});

class BackupFigures {
  readonly #runs;
  readonly #lastSuccess: Gauge;
  readonly #size: Gauge;
  readonly #duration: Gauge;
  readonly #verified: Gauge;

  constructor(metrics: SelfMetrics) {
    this.#runs = metrics.counter('nines_backup_runs_total', 'Backups by outcome.');
    this.#lastSuccess = metrics.gauge(
      'nines_backup_last_success_timestamp_seconds',
      'Instant up to which the newest good backup is complete.',
    );
    this.#size = metrics.gauge('nines_backup_size_bytes', 'Size of the newest good backup.');
    this.#duration = metrics.gauge('nines_backup_duration_seconds', 'Time the last backup took, without its verification.');
    this.#verified = metrics.gauge('nines_backup_verified', '1 when the last verification found the backup sound, else 0.');
  }

  succeeded({ atMs, bytes, durationMs }: { readonly atMs: number; readonly bytes: number; readonly durationMs: number }): void {
    this.#runs.add(1, { outcome: 'done' });
    this.#lastSuccess.set(atMs / 1000);
    this.#size.set(bytes);
    this.#duration.set(durationMs / 1000);
  }

  /** From an earlier process. */
  known({ complete_until_ms, bytes }: StoredBackupView): void {
    this.#lastSuccess.set(complete_until_ms / 1000);
    this.#size.set(bytes);
  }

  failed(): void {
    this.#runs.add(1, { outcome: 'failed' });
  }

  verified(sound: boolean): void {
    this.#verified.set(sound ? 1 : 0);
  }
}
