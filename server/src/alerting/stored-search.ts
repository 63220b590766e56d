import type { Kysely } from 'kysely';
import type { Database } from '../platform/db/schema.ts';
import type { Cursor } from '../platform/http/cursor.ts';
import type { AlertRecord } from './evaluate.ts';
import type { OpenBook } from './open-book.ts';
import { type AlertSearch, matchesSearch } from './search.ts';
import { type AlertFilter, listAlerts } from './store.ts';

/** Stored alerts that are read at a time when a search decides what the database cannot. */
const SCANNED_AT_A_TIME = 1_000;

/** Alerts that ended are in the database alone, and so are their problems. */
export type StoredQuery = AlertSearch & { readonly status: 'all' | 'resolved'; readonly after?: Cursor | undefined };

export type StoredDeps = {
  readonly db: Kysely<Database>;
  readonly open: Pick<OpenBook, 'find'>;
  readonly problemsOf: (alertIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
};

/** At most `limit` alerts, newest first. What the database cannot decide is decided here, some rows at a time. */
export async function searchStored(
  { db, open, problemsOf }: StoredDeps,
  query: StoredQuery,
  limit: number,
): Promise<readonly AlertRecord[]> {
  const { text, matchers, assigned, problem, sees, severities, rule, service, fromMs, toMs, status } = query;
  const bySql = [text, matchers, assigned, problem, sees].every((asked) => asked === undefined);
  const filter: Omit<AlertFilter, 'after'> = { status, severities, rule, service, fromMs, toMs, limit: bySql ? limit : SCANNED_AT_A_TIME };
  const found: AlertRecord[] = [];
  for (let { after } = query; found.length < limit; ) {
    const rows = await listAlerts(db, { ...filter, after });
    const known = problem === undefined ? undefined : await problemsOf(rows.map(({ id }) => id));
    for (const row of rows) {
      const record = open.find(row.id) ?? row;
      if (matchesSearch(record, query, (id) => known?.get(id))) found.push(record);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < filter.limit || bySql) break;
    after = { atMs: last.startsAtMs, id: last.id };
  }
  return found.slice(0, limit);
}
