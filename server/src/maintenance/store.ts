import type { EpochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { MaintenanceVersionRow } from '../platform/db/migrations/0012-maintenance.ts';
import type { Database } from '../platform/db/schema.ts';
import type { MaintenanceSpec } from './contract.ts';
import type { MaintenanceCorrection, MaintenanceVersion } from './evaluate.ts';

/** All versions, also of windows that are over, in the order in which they were recorded. */
export async function maintenanceVersions(db: Kysely<Database>): Promise<readonly MaintenanceVersion[]> {
  const rows = await db.selectFrom('maintenance_versions').selectAll().orderBy('recorded_at_ms').orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    spec: JSON.parse(row.spec) as MaintenanceSpec,
    place: row.place,
    announcedAtMs: row.announced_at_ms as EpochMs,
    recordedAtMs: row.recorded_at_ms as EpochMs,
    endedAtMs: row.ended_at_ms as EpochMs | null,
  }));
}

/** What was said afterwards of windows, in the order in which it was said. */
export async function maintenanceCorrections(db: Kysely<Database>): Promise<readonly MaintenanceCorrection[]> {
  const rows = await db.selectFrom('maintenance_corrections').selectAll().orderBy('recorded_at_ms').orderBy('id').execute();
  return rows.map((row) => ({
    window: row.slug,
    fromMs: row.from_ms as EpochMs,
    toMs: row.to_ms as EpochMs,
    recordedAtMs: row.recorded_at_ms as EpochMs,
  }));
}

export async function insertCorrection(
  db: Kysely<Database>,
  { window, fromMs, toMs, recordedAtMs }: MaintenanceCorrection,
  said: { readonly id: string; readonly note: string; readonly by: string },
): Promise<void> {
  const row = {
    id: said.id,
    slug: window,
    from_ms: fromMs,
    to_ms: toMs,
    note: said.note,
    recorded_by: said.by,
    recorded_at_ms: recordedAtMs,
  };
  await db.insertInto('maintenance_corrections').values(row).execute();
}

/** Ends versions and records others, together or not at all. */
export async function saveMaintenance(
  db: Kysely<Database>,
  { ended, recorded }: { readonly ended: readonly MaintenanceVersion[]; readonly recorded: readonly MaintenanceVersion[] },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (const { id, endedAtMs } of ended) {
      await trx.updateTable('maintenance_versions').set({ ended_at_ms: endedAtMs }).where('id', '=', id).execute();
    }
    for (const version of recorded) {
      const row: MaintenanceVersionRow = {
        id: version.id,
        slug: version.spec.id,
        spec: JSON.stringify(version.spec),
        place: version.place,
        announced_at_ms: version.announcedAtMs,
        recorded_at_ms: version.recordedAtMs,
        ended_at_ms: version.endedAtMs,
      };
      await trx.insertInto('maintenance_versions').values(row).execute();
    }
  });
}
