import type { EpochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { LedgerImportRow } from '../../platform/db/migrations/0017-ledger-imports.ts';
import type { Database } from '../../platform/db/schema.ts';
import type { DowntimeReason } from '../contract.ts';
import type { ImportView, ReadRow, StoredSpan } from './contract.ts';

const ROWS_PER_INSERT = 500;

export type ImportStore = ReturnType<typeof createImportStore>;

/** SQL of imports. */
export function createImportStore(db: Kysely<Database>) {
  return {
    save: (made: LedgerImportRow, rows: readonly ReadRow[]) => saveImport(db, made, rows),
    withdraw: (id: string, by: string, nowMs: EpochMs) => withdraw(db, { id, by, nowMs }),
    standing: () => spans(db, { withdrawn: false }),
    spansOf: (service: string, window: KnownWindow) => spans(db, { service, ...window }),
    list: () => listImports(db),
  };
}

async function saveImport(db: Kysely<Database>, made: LedgerImportRow, rows: readonly ReadRow[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.insertInto('ledger_imports').values(made).execute();
    const written = rows.map((one, position) => ({
      import_id: made.id,
      position,
      row: one.row,
      service: one.service,
      from_ms: one.fromMs,
      to_ms: one.toMs,
      state: one.state,
      detail: one.detail,
      reason: one.reason,
    }));
    for (let i = 0; i < written.length; i += ROWS_PER_INSERT) {
      await trx
        .insertInto('ledger_imported_spans')
        .values(written.slice(i, i + ROWS_PER_INSERT))
        .execute();
    }
  });
}

/** False when there is no such import, or it was withdrawn before. */
async function withdraw(
  db: Kysely<Database>,
  { id, by, nowMs }: { readonly id: string; readonly by: string; readonly nowMs: EpochMs },
): Promise<boolean> {
  const updated = await db
    .updateTable('ledger_imports')
    .set({ withdrawn_at_ms: nowMs, withdrawn_by: by })
    .where('id', '=', id)
    .where('withdrawn_at_ms', 'is', null)
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

type KnownWindow = { readonly fromMs: EpochMs; readonly toMs: EpochMs; readonly knownAtMs?: EpochMs };
type Wanted = ({ readonly service: string } & KnownWindow) | { readonly withdrawn: false };

async function spans(db: Kysely<Database>, wanted: Wanted): Promise<readonly StoredSpan[]> {
  const all = db
    .selectFrom('ledger_imported_spans as s')
    .innerJoin('ledger_imports as i', 'i.id', 's.import_id')
    .select(['s.import_id', 's.row', 's.service', 's.from_ms', 's.to_ms', 's.state', 's.detail', 's.reason', 'i.source'])
    .orderBy('s.from_ms')
    .orderBy('s.import_id');
  const knownAtMs = 'service' in wanted ? wanted.knownAtMs : undefined;
  const known =
    knownAtMs === undefined
      ? all.where('i.withdrawn_at_ms', 'is', null)
      : all
          .where('i.imported_at_ms', '<=', knownAtMs)
          .where((row) => row.or([row('i.withdrawn_at_ms', 'is', null), row('i.withdrawn_at_ms', '>', knownAtMs)]));
  const within =
    'service' in wanted
      ? known.where('s.service', '=', wanted.service).where('s.from_ms', '<', wanted.toMs).where('s.to_ms', '>', wanted.fromMs)
      : known;
  return (await within.execute()).map((row) => ({
    importId: row.import_id,
    source: row.source,
    row: row.row,
    service: row.service,
    fromMs: row.from_ms as EpochMs,
    toMs: row.to_ms as EpochMs,
    state: row.state as StoredSpan['state'],
    detail: row.detail,
    reason: row.reason as DowntimeReason | null,
  }));
}

/** Imports listed at once, newest first. */
const MAX_LISTED = 1_000;

async function listImports(db: Kysely<Database>): Promise<readonly ImportView[]> {
  const imports = await db
    .selectFrom('ledger_imports')
    .selectAll()
    .orderBy('imported_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(MAX_LISTED)
    .execute();
  const counts = await db
    .selectFrom('ledger_imported_spans')
    .select(({ fn }) => ['import_id', 'service', fn.countAll().as('rows')])
    .groupBy(['import_id', 'service'])
    .orderBy('service')
    .execute();
  const byImport = Map.groupBy(counts, (row) => row.import_id);
  return imports.map((row) => {
    const mine = byImport.get(row.id) ?? [];
    return { ...row, rows: mine.reduce((sum, one) => sum + Number(one.rows), 0), services: mine.map((one) => one.service) };
  });
}
