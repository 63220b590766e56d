import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Sql } from '../../platform/records/contract.ts';
import type { Beat } from '../kinds/heartbeat/due.ts';
import type { BeatStore } from './service.ts';

/** Table `heartbeats`. */
export const createBeatStore = (sql: Sql): BeatStore => ({
  async load() {
    const rows = await sql.selectFrom('heartbeats').selectAll().execute();
    return new Map(
      rows.map(({ check_id, since_ms, run_since_ms }): [string, Beat] => [
        check_id,
        { sinceMs: epochMs(since_ms), runSinceMs: run_since_ms === null ? undefined : (run_since_ms as EpochMs) },
      ]),
    );
  },
  async save(check, { sinceMs, runSinceMs }) {
    const changing = { since_ms: sinceMs, run_since_ms: runSinceMs ?? null };
    await sql
      .insertInto('heartbeats')
      .values({ check_id: check, ...changing })
      .onConflict((conflict) => conflict.column('check_id').doUpdateSet(changing))
      .execute();
  },
});
