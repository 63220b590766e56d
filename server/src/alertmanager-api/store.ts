import { epochMs } from '@nines/base/units.ts';
import { labelsOf, labelsToRecord } from '@nines/model/labels.ts';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/db/schema.ts';
import type { Received } from './received.ts';

/** Rows in one statement, below the number of values that every database takes. */
const ROWS = 500;

export async function loadReceived(db: Kysely<Database>): Promise<ReadonlyMap<string, Received>> {
  const rows = await db.selectFrom('received_alerts').selectAll().execute();
  return new Map(
    rows.map((row) => [
      row.fingerprint,
      {
        labels: labelsOf(JSON.parse(row.labels) as Record<string, string>),
        annotations: JSON.parse(row.annotations) as Record<string, string>,
        generatorUrl: row.generator_url,
        startsAtMs: epochMs(row.starts_at_ms),
        endsAtMs: epochMs(row.ends_at_ms),
        isTimeout: row.is_timeout === 1,
        updatedAtMs: epochMs(row.updated_at_ms),
      },
    ]),
  );
}

export async function saveReceived(db: Kysely<Database>, received: ReadonlyMap<string, Received>): Promise<void> {
  const rows = Array.from(received, ([fingerprint, alert]) => ({
    fingerprint,
    labels: JSON.stringify(labelsToRecord(alert.labels)),
    annotations: JSON.stringify(alert.annotations),
    generator_url: alert.generatorUrl,
    starts_at_ms: alert.startsAtMs,
    ends_at_ms: alert.endsAtMs,
    is_timeout: alert.isTimeout ? 1 : 0,
    updated_at_ms: alert.updatedAtMs,
  }));
  await db.transaction().execute(async (trx) => {
    for (let from = 0; from < rows.length; from += ROWS) {
      await trx
        .insertInto('received_alerts')
        .values(rows.slice(from, from + ROWS))
        .onConflict((conflict) =>
          conflict.column('fingerprint').doUpdateSet((row) => ({
            annotations: row.ref('excluded.annotations'),
            generator_url: row.ref('excluded.generator_url'),
            starts_at_ms: row.ref('excluded.starts_at_ms'),
            ends_at_ms: row.ref('excluded.ends_at_ms'),
            is_timeout: row.ref('excluded.is_timeout'),
            updated_at_ms: row.ref('excluded.updated_at_ms'),
          })),
        )
        .execute();
    }
  });
}

export async function forgetReceived(db: Kysely<Database>, fingerprints: readonly string[]): Promise<void> {
  for (let from = 0; from < fingerprints.length; from += ROWS) {
    await db
      .deleteFrom('received_alerts')
      .where('fingerprint', 'in', fingerprints.slice(from, from + ROWS))
      .execute();
  }
}
