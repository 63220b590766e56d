import type { EpochMs } from '@nines/base/units.ts';
import type { Kysely, Transaction } from 'kysely';
import { expectUpdated } from '../platform/db/revision.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Downtime, DowntimeReason } from './contract.ts';
import type { Change, Part, StructureChange } from './parts.ts';

/** A part with what people said of it before, oldest first. */
export type StoredPart = Part & {
  readonly replaced: readonly (Pick<Part, 'reason' | 'note' | 'revision'> & { readonly replacedAtMs: number })[];
};
export type StoredStructure = { readonly log: readonly StructureChange[]; readonly parts: readonly StoredPart[] };

/** What people cut and joined of a service's downtimes, ever. */
export async function structureOf(db: Kysely<Database>, service: string): Promise<StoredStructure> {
  const log = await db
    .selectFrom('downtime_revisions as r')
    .innerJoin('downtimes as d', 'd.id', 'r.downtime_id')
    .select(['r.change', 'r.downtime_id', 'r.other_id', 'r.replaced_at_ms', 'r.revision'])
    .where('d.service', '=', service)
    .where('r.change', '<>', 'edited')
    .orderBy('r.replaced_at_ms')
    .orderBy('r.revision')
    .execute();
  if (log.length === 0) return { log: [], parts: [] };
  const rows = await db.selectFrom('downtimes').selectAll().where('service', '=', service).where('part_of', 'is not', null).execute();
  const ids = rows.map((row) => row.id);
  const said =
    ids.length === 0
      ? []
      : await db.selectFrom('downtime_revisions').selectAll().where('downtime_id', 'in', ids).orderBy('revision').execute();
  const byPart = Map.groupBy(said, (row) => row.downtime_id);
  return {
    log: log.map((row) => ({
      change: row.change as Change,
      downtime: row.downtime_id,
      other: row.other_id ?? '',
      atMs: row.replaced_at_ms as EpochMs,
    })),
    parts: rows.map((row) => ({
      id: row.id,
      partOf: row.part_of ?? '',
      fromMs: row.from_ms as EpochMs,
      reason: row.reason as DowntimeReason,
      note: row.note,
      revision: row.revision,
      replaced: (byPart.get(row.id) ?? []).map((one) => ({
        reason: one.reason as DowntimeReason,
        note: one.note,
        revision: one.revision,
        replacedAtMs: one.replaced_at_ms,
      })),
    })),
  };
}

/** Services of which people ever cut or joined a downtime. */
export async function restructuredServices(db: Kysely<Database>): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('downtime_revisions as r')
    .innerJoin('downtimes as d', 'd.id', 'r.downtime_id')
    .select('d.service')
    .where('r.change', '<>', 'edited')
    .distinct()
    .execute();
  return rows.map((row) => row.service);
}

/** One revision of a downtime: what it said before, what it says now, and what was cut or joined with it. */
export type StoredChange = {
  readonly before: Downtime;
  readonly after: Pick<Downtime, 'reason' | 'note'>;
  readonly change: Change;
  readonly other: string | null;
  /** A part that is new with this. */
  readonly part?: Part;
  readonly by: string;
  readonly nowMs: EpochMs;
};

export async function saveChange(trx: Transaction<Database>, stored: StoredChange): Promise<void> {
  const { before, after, change, other, part, by, nowMs } = stored;
  if (part !== undefined) await insertPart(trx, { part, service: before.service, nowMs });
  if (other !== null && (change === 'split' || change === 'rejoined')) {
    const retracted = change === 'rejoined' ? nowMs : null;
    await trx.updateTable('downtimes').set({ retracted_at_ms: retracted }).where('id', '=', other).execute();
  }
  await trx
    .insertInto('downtime_revisions')
    .values({
      downtime_id: before.id,
      revision: before.revision,
      reason: before.reason,
      note: before.note,
      replaced_at_ms: nowMs,
      replaced_by: by,
      change,
      other_id: other,
    })
    .execute();
  const updated = await trx
    .updateTable('downtimes')
    .set({ reason: after.reason, note: after.note, revision: before.revision + 1 })
    .where('id', '=', before.id)
    .where('revision', '=', before.revision)
    .executeTakeFirstOrThrow();
  expectUpdated(updated, `downtime ${before.id}`);
}

async function insertPart(
  trx: Transaction<Database>,
  { part, service, nowMs }: { readonly part: Part; readonly service: string; readonly nowMs: EpochMs },
): Promise<void> {
  await trx
    .insertInto('downtimes')
    .values({
      id: part.id,
      service,
      from_ms: part.fromMs,
      to_ms: part.fromMs,
      from_low_ms: part.fromMs,
      from_high_ms: part.fromMs,
      to_low_ms: part.fromMs,
      to_high_ms: part.fromMs,
      reason: part.reason,
      note: part.note,
      checks: '[]',
      evidence: '[]',
      excluded: 0,
      revision: part.revision,
      recorded_at_ms: nowMs,
      retracted_at_ms: null,
      part_of: part.partOf,
    })
    .execute();
}
