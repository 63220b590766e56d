/**
 * Backups of the whole data directory while it is in use: made, verified, restored, on a schedule. A backup holds everything acknowledged before it
 * began, or it is not called one: the manifest is written last. Copied files are as they are on disk, so what is encrypted stays so.
 * Must never hold up ingest, write into the data directory, or follow a path of a manifest out of the directory it was given. Format: docs/format/backup.md.
 */
import { HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';

const DEFAULT_EVERY = '24h';
const DEFAULT_KEEP = '30d';

/** Scheduled backups; without `to` there are none. */
export const backupsConfig = z
  .strictObject({
    /** The directory that receives them, each in a folder of its own, named by its instant. */
    to: z.string().min(1).optional(),
    every: duration({ minMs: MINUTE_MS }).prefault(DEFAULT_EVERY),
    /** Older ones are removed, never the newest. */
    keep: duration({ minMs: HOUR_MS }).prefault(DEFAULT_KEEP),
  })
  .prefault({});
export type BackupsConfig = z.output<typeof backupsConfig>;

export const MANIFEST = 'manifest.json';
/** Stands in the manifest's place while the backup is being made. */
export const PARTIAL_MANIFEST = 'manifest.json.partial';
/** In a data directory whose restore has not finished; a server does not start on it. */
export const RESTORE_MARK = 'RESTORE-UNFINISHED';
/** Where a forced restore puts what was there: `before-restore-<instant>`. */
export const ASIDE_PREFIX = 'before-restore-';

/** Files of one backup. The list is held in memory, some hundred bytes each. */
export const MAX_FILES = 1_000_000;
const MAX_PATH_CHARS = 500;
/** Parts of letters, digits, `.`, `_`, `-`; none is `.` or `..`, so a path never leaves its directory. */
const SAFE_PATH = /^(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'no SHA-256');
export const manifestFile = z.strictObject({
  path: z
    .string()
    .max(MAX_PATH_CHARS)
    .regex(SAFE_PATH, 'a path that could lead out of the backup, or with other characters than A-Z a-z 0-9 . _ - /'),
  bytes: z.int().min(0),
  sha256,
});
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  version: z.string().max(100),
  started_at_ms: z.int(),
  finished_at_ms: z.int(),
  complete_until_ms: z.int(),
  state: z.enum(['sqlite', 'postgresql']),
  files: z.array(manifestFile).max(MAX_FILES),
  digest: sha256,
});
export type ManifestFile = z.infer<typeof manifestFile>;
export type Manifest = z.infer<typeof manifestSchema>;

export const BACKUP_CODES = {
  running: 'backup_running',
  badTarget: 'backup_target_unusable',
  noSpace: 'backup_no_space',
  notABackup: 'not_a_backup',
  damaged: 'backup_damaged',
  notFound: 'backup_not_found',
  noTarget: 'backup_target_missing',
  restoreRefused: 'restore_refused',
  restoreUnfinished: 'restore_unfinished',
} as const;

/** Bytes done of all, as often as a piece is done. */
export type OnProgress = (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;

export type BackupReport = { readonly dir: string; readonly manifest: Manifest; readonly bytes: number };

/** One thing that is not as it should be, in words for the operator. `damage` has a cost or keeps the server from working; `info` needs nothing. */
export const findingView = z.object({
  severity: z.enum(['damage', 'warning', 'info']),
  place: z.string(),
  problem: z.string(),
  advice: z.string(),
});
export type Finding = z.infer<typeof findingView>;

/** What `nines backup verify --json` and `nines doctor --json` print, and the server answers. */
export const examinationView = z.object({
  dir: z.string(),
  /** No damage. */
  sound: z.boolean(),
  encrypted: z.boolean(),
  series: z.int(),
  pages: z.int(),
  samples: z.int(),
  findings: z.array(findingView),
});
export type ExaminationView = z.infer<typeof examinationView>;

export const RUN_STATUSES = ['running', 'verifying', 'done', 'failed'] as const;
/** A run of this process. `verified` is null until its verification ended, or when there was none. */
export const backupRunView = z.object({
  id: z.string(),
  status: z.enum(RUN_STATUSES),
  dir: z.string(),
  scheduled: z.boolean(),
  started_at_ms: z.int(),
  finished_at_ms: z.int().nullable(),
  complete_until_ms: z.int().nullable(),
  done_bytes: z.int(),
  total_bytes: z.int(),
  verified: z.boolean().nullable(),
  error: z.string().nullable(),
});
export type BackupRunView = z.infer<typeof backupRunView>;

/** A finished backup in the configured directory. */
export const storedBackupView = z.object({
  name: z.string(),
  dir: z.string(),
  complete_until_ms: z.int(),
  bytes: z.int(),
  files: z.int(),
  version: z.string(),
});
export type StoredBackupView = z.infer<typeof storedBackupView>;

/** A directory on the server's machine, new or empty; without one a new folder in the configured directory. */
export const backupBody = z.strictObject({ to: z.string().min(1).max(4_096).optional(), verify: z.boolean().default(false) });

/** A backup that is this much older than its schedule asks is stale. */
export const STALE_AFTER_MISSED = 2;
export const MAX_LISTED_RUNS = 50;
export const WORKER_STEP_MS = MINUTE_MS;
/** A failed scheduled backup is tried again after this long, not only at its next turn. */
export const RETRY_MS = HOUR_MS;
