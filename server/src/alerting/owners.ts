import type { Kysely } from 'kysely';
import { chunksOf } from '../platform/db/chunks.ts';
import type { Database } from '../platform/db/schema.ts';

const MAX_IDS_PER_STATEMENT = 1_000;

/** What says whose alerts are, by id: their labels, with the service that they are about. Unknown ones are missing. One look-up for many. */
export async function ownersOf(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const found = new Map<string, Readonly<Record<string, string>>>();
  for (const some of chunksOf([...new Set(ids)], MAX_IDS_PER_STATEMENT)) {
    const rows = await db.selectFrom('alerts').select(['id', 'labels', 'service']).where('id', 'in', some).execute();
    for (const row of rows)
      found.set(row.id, {
        ...(row.service === null ? {} : { service: row.service }),
        ...(JSON.parse(row.labels) as Record<string, string>),
      });
  }
  return found;
}
