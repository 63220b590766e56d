import type { EpochMs } from '@nines/base/units.ts';
import type { CompositeRule } from '@nines/maths/slo/composite.ts';
import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../platform/db/schema.ts';
import type { Composite } from './evaluate.ts';

/** The services that consist of others, as they were decided last. */
export async function loadComposites(db: Kysely<Database>): Promise<ReadonlyMap<string, Composite>> {
  const rows = await db.selectFrom('ledger_composites').selectAll().execute();
  return new Map(rows.map((row) => [row.service, { rule: JSON.parse(row.rule) as CompositeRule, fromMs: row.from_ms as EpochMs }]));
}

export async function saveComposites(trx: Transaction<Database>, composed: ReadonlyMap<string, Composite | undefined>): Promise<void> {
  for (const [service, composite] of composed) {
    await trx.deleteFrom('ledger_composites').where('service', '=', service).execute();
    if (composite === undefined) continue;
    await trx
      .insertInto('ledger_composites')
      .values({ service, rule: JSON.stringify(composite.rule), from_ms: composite.fromMs })
      .execute();
  }
}
