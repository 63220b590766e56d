import type { Kysely } from 'kysely';

/**
 * Contracts, the verdicts of their slices, and their violations. A contract is never changed in place: each change is a
 * version with the instant from which it holds, so that a statement can say what was promised then. Verdicts of slices are
 * kept as runs, so that a threshold objective still answers when the samples behind it are gone.
 */
export type SlaTables = {
  sla_contracts: SlaContractRow;
  sla_slice_runs: SlaSliceRunRow;
  sla_violations: SlaViolationRow;
};

/** One version of one contract. The newest version holds now, unless the SLA's entity is retired. */
export type SlaContractRow = {
  id: string;
  /** The SLA's stable id, which is its entity's slug. */
  sla: string;
  version: number;
  team_id: string;
  /** Canonical JSON of the terms. */
  spec: string;
  effective_from_ms: number;
  recorded_at_ms: number;
};

/** Slices in a row with one verdict, `[from_ms, to_ms)`. */
export type SlaSliceRunRow = {
  sla: string;
  from_ms: number;
  to_ms: number;
  /** `up`, `down`, `unknown`. */
  state: string;
  samples: number;
  /** The reduced value farthest on the wrong side; null when the slices were empty. */
  worst: number | null;
  last: number | null;
  /** Of a slice of events (0010): how many were good, of how many. */
  good: number | null;
  total: number | null;
  /** The version whose terms decided. */
  contract_version: number;
};

export type SlaViolationRow = {
  id: string;
  sla: string;
  service: string;
  team_id: string;
  contract_version: number;
  /** The violation's key while it is open, null afterwards: unique, so that one is never opened twice. */
  open_key: string | null;
  /** `budget` or `burn`. */
  kind: string;
  /** Of the burn pair; null for the budget. */
  long_ms: number | null;
  short_ms: number | null;
  factor: number | null;
  /** `minor`, `major`, `critical`; a burn pair's own `warning` or `critical`. */
  severity: string;
  opened_at_ms: number;
  closed_at_ms: number | null;
  /** Why it was opened, in words. */
  reason: string;
  /** The figures at its worst, as JSON. */
  figures: string;
  revision: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sla_contracts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sla', 'text', (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('effective_from_ms', 'bigint', (column) => column.notNull())
    .addColumn('recorded_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('sla_contracts_version', ['sla', 'version'])
    .execute();
  await db.schema
    .createTable('sla_slice_runs')
    .addColumn('sla', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('samples', 'bigint', (column) => column.notNull())
    .addColumn('worst', 'double precision')
    .addColumn('last', 'double precision')
    .addColumn('contract_version', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('sla_slice_runs_key', ['sla', 'from_ms'])
    .execute();
  await createViolations(db);
}

async function createViolations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sla_violations')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sla', 'text', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('contract_version', 'bigint', (column) => column.notNull())
    .addColumn('open_key', 'text', (column) => column.unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('long_ms', 'bigint')
    .addColumn('short_ms', 'bigint')
    .addColumn('factor', 'double precision')
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('opened_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('closed_at_ms', 'bigint')
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('figures', 'text', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('sla_violations_by_sla').on('sla_violations').columns(['sla', 'opened_at_ms']).execute();
}
