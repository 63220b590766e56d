/**
 * Time that another monitor watched. It stands where our own checks saw nothing, never against what they saw, and says whose it is. Imports are
 * taken whole or not at all; the same rows again change nothing; one that was wrong is withdrawn, and both stay on record.
 */
import { SECOND_MS, DAY_MS, type EpochMs } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, slug } from '../../platform/config/fields.ts';
import { DOWNTIME_REASONS, type DowntimeReason } from '../contract.ts';

export const IMPORT_CODES = { notFound: 'import_not_found', refused: 'import_refused' } as const;

/** Bounds of one request and of one installation: what is imported is kept in memory. */
export const IMPORT_LIMITS = { bodyBytes: 32 * 1024 * 1024, rows: 100_000, kept: 500_000, refusalsTold: 100, detailChars: 1_000 } as const;

export const IMPORTED_STATES = ['up', 'degraded', 'down'] as const;

const row = z.strictObject({
  service: z.string(),
  from: z.union([z.string(), z.number()]),
  to: z.union([z.string(), z.number()]),
  state: z.string().optional(),
  detail: z.string().max(IMPORT_LIMITS.detailChars).optional(),
  reason: z.string().optional(),
});
/** One row as it is written; instants as RFC 3339 or Unix seconds. */
export type WrittenRow = z.infer<typeof row>;

const source = z.string().min(1).max(100);
const text = z.string().min(1);
/** Which service each monitor of the other system is: its id, name, `job`, `instance` or `target` to a service. */
const services = z.record(z.string(), slug).default({});
/** How often the other monitor looked; absent: the usual distance of its results. */
const interval = duration({ minMs: SECOND_MS, maxMs: DAY_MS }).optional();

/** `POST /api/availability/imports`. */
export const importBody = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal('intervals'), source, rows: z.array(row).max(IMPORT_LIMITS.rows) }),
  /** Columns `service`, `from`, `to`, and optionally `state` (default down), `detail`, `reason`. */
  z.strictObject({ format: z.literal('csv'), source, text }),
  /** Rows of the table `heartbeat` (CSV or JSON), or an object with `heartbeatList` and `monitorList`. */
  z.strictObject({ format: z.literal('uptime-kuma'), source: source.default('uptime-kuma'), text, services, interval }),
  /** The answer of Prometheus' `query_range` or `query` for `probe_success`. */
  z.strictObject({ format: z.literal('probe-success'), source: source.default('blackbox_exporter'), text, services, interval }),
]);
export type ImportBody = z.output<typeof importBody>;

/** A stretch as it was read, not judged yet. `row` is the place to name when it is refused: a line of the text, or an index from 1. */
export type ReadRow = {
  readonly row: number;
  readonly service: string;
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  readonly state: (typeof IMPORTED_STATES)[number];
  readonly detail: string;
  readonly reason: DowntimeReason | null;
};
export type Refusal = { readonly row: number; readonly message: string };
export type ReadRows = { readonly rows: readonly ReadRow[]; readonly refused: readonly Refusal[] };

/** What was taken of an import. */
export const importView = z.object({
  id: z.string(),
  source: z.string(),
  format: z.string(),
  imported_at_ms: z.number(),
  imported_by: z.string(),
  withdrawn_at_ms: z.number().nullable(),
  withdrawn_by: z.string().nullable(),
  rows: z.number(),
  services: z.array(z.string()),
});
export type ImportView = z.infer<typeof importView>;

export const importReport = z.object({
  /** Null when every row had been imported before. */
  import: importView.nullable(),
  taken: z.number(),
  known: z.number(),
});
export type ImportReport = z.infer<typeof importReport>;

/** The shape of `imported` beside a timeline: what other monitors saw of its window, also where our own saw it too. */
export const importedView = z.object({
  import: z.string(),
  source: z.string(),
  row: z.number(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  state: z.enum(IMPORTED_STATES),
  detail: z.string(),
  reason: z.enum(DOWNTIME_REASONS).nullable(),
});
export type ImportedView = z.infer<typeof importedView>;

/** A stretch that was taken, with its import. */
export type StoredSpan = ReadRow & { readonly importId: string; readonly source: string };

export const importedToWire = (span: StoredSpan): ImportedView => ({
  import: span.importId,
  source: span.source,
  row: span.row,
  from_at_ms: span.fromMs,
  to_at_ms: span.toMs,
  state: span.state,
  detail: span.detail,
  reason: span.reason,
});

/** Reads what other monitors saw. */
export interface ImportedEvidence {
  /** Stretches that overlap `[fromMs, toMs)`, ascending, as they were known at an instant. */
  imported(
    service: string,
    window: { readonly fromMs: EpochMs; readonly toMs: EpochMs; readonly knownAtMs?: EpochMs },
  ): Promise<readonly StoredSpan[]>;
}
