import { COMMAND_LINE } from '@nines/server/access/contract.ts';
import type { Actor } from '@nines/server/platform/http/contract.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { RecordAudit } from '@nines/server/audit/contract.ts';
import { openKeyBook } from '@nines/server/audit/keys.ts';
import { createRecorder } from '@nines/server/audit/service.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import type { Db } from '@nines/server/platform/db/open.ts';
import { createIds } from '@nines/server/platform/ids.ts';
import { AUDIT_SEALING_KEY } from '@nines/server/platform/signing/audit-key.ts';
import type { StateFlags } from './state-flags.ts';
import { keysOf, openState } from './state.ts';

export type Recorded = {
  readonly db: Db;
  readonly clock: typeof realClock;
  readonly ids: Ids;
  readonly record: RecordAudit;
  /** Whoever may write the data directory needs no credential. */
  readonly by: Actor;
};

/**
 * The state with its audit log, for commands that change it beside a running server: SQLite and PostgreSQL both take a second writer.
 * The caller closes `db`.
 */
export async function openRecorded({ data, config }: StateFlags): Promise<Recorded> {
  const clock = realClock;
  const db = await openState({ data, config }, clock.now());
  const sealing = (await keysOf(data, config))?.cipher.key(AUDIT_SEALING_KEY);
  const keys = await openKeyBook({ db, clock, dataDir: data, sealing });
  return { db, clock, ids: createIds(clock), record: createRecorder({ keys, clock }), by: COMMAND_LINE };
}
