import type { Sql } from '../platform/records/contract.ts';
import { resultView } from './contract.ts';
import type { FailureStore, KeptFailure } from './failures.ts';

/** Kept of one check: the newest. */
export const MAX_FAILURES_PER_CHECK = 100;
/** Kept of all checks together, 1 to 12 KB each. */
const MAX_FAILURES = 50_000;
/** Rows of one statement: what a database takes as parameters is bounded. */
const ROWS_PER_STATEMENT = 100;

/** Table `check_failures`. */
export const createFailureStore = (db: Sql): FailureStore => ({
  async list(check, { fromMs, toMs, limit }) {
    const rows = await db
      .selectFrom('check_failures')
      .select('result')
      .where('check_id', '=', check)
      .where('at_ms', '>=', fromMs)
      .where('at_ms', '<=', toMs)
      .orderBy('at_ms', 'desc')
      .orderBy('location')
      .limit(limit)
      .execute();
    return rows.map(({ result }) => resultView.parse(JSON.parse(result)));
  },
  add: (failures) =>
    db.transaction().execute(async (trx) => {
      for (let at = 0; at < failures.length; at += ROWS_PER_STATEMENT) {
        await trx
          .insertInto('check_failures')
          .values(failures.slice(at, at + ROWS_PER_STATEMENT).map(rowOf))
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
      for (const check of new Set(failures.map((failure) => failure.check))) {
        const oldest = await trx
          .selectFrom('check_failures')
          .select('at_ms')
          .where('check_id', '=', check)
          .orderBy('at_ms', 'desc')
          .offset(MAX_FAILURES_PER_CHECK - 1)
          .limit(1)
          .executeTakeFirst();
        if (oldest !== undefined)
          await trx.deleteFrom('check_failures').where('check_id', '=', check).where('at_ms', '<', oldest.at_ms).execute();
      }
      const oldest = await trx
        .selectFrom('check_failures')
        .select('at_ms')
        .orderBy('at_ms', 'desc')
        .offset(MAX_FAILURES - 1)
        .limit(1)
        .executeTakeFirst();
      if (oldest !== undefined) await trx.deleteFrom('check_failures').where('at_ms', '<', oldest.at_ms).execute();
    }),
});

const rowOf = ({ check, location, atMs, result }: KeptFailure) => ({
  check_id: check,
  location,
  at_ms: atMs,
  result: JSON.stringify(result),
});
