import { epochMs } from '@nines/base/units.ts';
import type { SliceRun, SliceState } from '@nines/maths/slo/slices.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { SlaSliceRunRow } from '../platform/db/migrations/0004-sla.ts';
import type { SlaSliceUndoRow } from '../platform/db/migrations/0014-sla-late-slices.ts';
import type { Database } from '../platform/db/schema.ts';
import type { SliceUndo } from './late.ts';

/** Verdicts of slices, and what they were before samples came late. */

/** Rows of one insert; PostgreSQL takes at most 65 535 parameters in a statement. */
const INSERT_ROWS = 500;

/** Runs of one SLA that end after `fromMs`, ascending. */
export async function sliceRuns(db: Kysely<Database>, sla: string, fromMs: number): Promise<readonly SliceRun[]> {
  const rows = await db
    .selectFrom('sla_slice_runs')
    .selectAll()
    .where('sla', '=', sla)
    .where('to_ms', '>', fromMs)
    .orderBy('from_ms')
    .execute();
  return rows.map(toRun);
}

/** Writes new runs and lengthens known ones, in one transaction. A run is known by its start. */
export async function saveSliceRuns(
  db: Kysely<Database>,
  sla: string,
  change: { readonly runs: readonly SliceRun[]; readonly contractVersion: number },
): Promise<void> {
  if (change.runs.length === 0) return;
  await db.transaction().execute((trx) => writeRuns(trx, sla, change));
}

async function writeRuns(
  trx: Transaction<Database>,
  sla: string,
  change: { readonly runs: readonly SliceRun[]; readonly contractVersion: number },
): Promise<void> {
  const rows = change.runs.map(
    (run) =>
      ({
        sla,
        from_ms: run.fromMs,
        to_ms: run.toMs,
        state: run.state,
        samples: run.samples,
        worst: run.worst,
        last: run.last,
        good: run.good ?? null,
        total: run.total ?? null,
        contract_version: change.contractVersion,
      }) satisfies SlaSliceRunRow,
  );
  for (let i = 0; i < rows.length; i += INSERT_ROWS) {
    await trx
      .insertInto('sla_slice_runs')
      .values(rows.slice(i, i + INSERT_ROWS))
      .onConflict((conflict) =>
        conflict.columns(['sla', 'from_ms']).doUpdateSet((row) => ({
          to_ms: row.ref('excluded.to_ms'),
          samples: row.ref('excluded.samples'),
          worst: row.ref('excluded.worst'),
          last: row.ref('excluded.last'),
          good: row.ref('excluded.good'),
          total: row.ref('excluded.total'),
        })),
      )
      .execute();
  }
}

/** Puts other runs in the place of those that overlap `span`; `runs` cover all that goes. `undo`: what is to be known of it later. */
export async function replaceSliceRuns(
  db: Kysely<Database>,
  sla: string,
  change: { readonly span: Span; readonly runs: readonly SliceRun[]; readonly contractVersion: number; readonly undo?: SliceUndo },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .deleteFrom('sla_slice_runs')
      .where('sla', '=', sla)
      .where('to_ms', '>', change.span.fromMs)
      .where('from_ms', '<', change.span.toMs)
      .execute();
    await writeRuns(trx, sla, change);
    if (change.undo === undefined) return;
    const { atMs, span, runs } = change.undo;
    const row: SlaSliceUndoRow = { sla, at_ms: atMs, from_ms: span.fromMs, to_ms: span.toMs, runs: JSON.stringify(runs) };
    await trx.insertInto('sla_slice_undos').values(row).execute();
  });
}

/** What was replaced after `knownAtMs`, newest first. */
export async function sliceUndos(db: Kysely<Database>, sla: string, knownAtMs: number): Promise<readonly SliceUndo[]> {
  const rows = await db
    .selectFrom('sla_slice_undos')
    .selectAll()
    .where('sla', '=', sla)
    .where('at_ms', '>', knownAtMs)
    .orderBy('at_ms', 'desc')
    .orderBy('from_ms', 'desc')
    .execute();
  return rows.map((row) => ({
    atMs: epochMs(row.at_ms),
    span: { fromMs: epochMs(row.from_ms), toMs: epochMs(row.to_ms) },
    runs: JSON.parse(row.runs) as readonly SliceRun[],
  }));
}

const toRun = (row: Selectable<SlaSliceRunRow>): SliceRun => ({
  fromMs: epochMs(row.from_ms),
  toMs: epochMs(row.to_ms),
  state: row.state as SliceState,
  samples: row.samples,
  worst: row.worst,
  last: row.last,
  ...(row.good === null || row.total === null ? {} : { good: row.good, total: row.total }),
});
