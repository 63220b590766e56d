import type { OutboxRow } from '../db/migrations/0001-records.ts';
import { type OutboxMessage, type OutboxVerdict, type Sql, keepable } from './contract.ts';

/** A claimed row: the message, and the fence (`tries`) under which its verdict may be written. */
const toMessage = (row: OutboxRow, cutOff: boolean): OutboxMessage =>
  ({
    id: row.id,
    topic: row.topic,
    key: row.key,
    payload: row.payload,
    tries: row.tries,
    createdAtMs: row.created_at_ms,
    cutOff,
  }) satisfies OutboxMessage;

/**
 * Takes up to `limit` rows that are due (or whose lease has lapsed) and are the first open row of their key. Each is taken
 * by compare-and-set, so several processes never take the same one.
 */
export async function claimDue(
  sql: Sql,
  claim: { readonly topics: readonly string[]; readonly limit: number; readonly leaseMs: number },
  nowMs: number,
): Promise<readonly OutboxMessage[]> {
  if (claim.topics.length === 0 || claim.limit <= 0) return [];
  const due = await sql
    .selectFrom('outbox')
    .selectAll()
    .where('topic', 'in', claim.topics)
    .where((row) =>
      row.or([
        row.and([row('state', '=', 'queued'), row('next_at_ms', '<=', nowMs)]),
        row.and([row('state', '=', 'sending'), row('lease_until_ms', '<=', nowMs)]),
      ]),
    )
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom('outbox as earlier')
            .select('earlier.id')
            .whereRef('earlier.topic', '=', 'outbox.topic')
            .whereRef('earlier.key', '=', 'outbox.key')
            .whereRef('earlier.id', '<', 'outbox.id')
            .where('earlier.state', 'in', ['queued', 'sending']),
        ),
      ),
    )
    .orderBy('next_at_ms')
    .orderBy('id')
    .limit(claim.limit)
    .execute();
  const taken: OutboxMessage[] = [];
  for (const row of due) {
    const next = { ...row, state: 'sending', tries: row.tries + 1, lease_until_ms: nowMs + claim.leaseMs };
    const result = await sql
      .updateTable('outbox')
      .set({ state: next.state, tries: next.tries, lease_until_ms: next.lease_until_ms })
      .where('id', '=', row.id)
      .where('state', '=', row.state)
      .where('tries', '=', row.tries)
      .executeTakeFirst();
    if (result.numUpdatedRows > 0n) taken.push(toMessage(next, row.state === 'sending'));
  }
  return taken;
}

/** Ends every lease at `nowMs`. Only for a process that knows that no other sends from this database. */
export async function endLeases(sql: Sql, nowMs: number): Promise<void> {
  await sql.updateTable('outbox').set({ lease_until_ms: nowMs }).where('state', '=', 'sending').execute();
}

/** Writes what became of an attempt. False when the lease was lost to another process, whose attempt counts instead. */
export async function settleRow(
  sql: Sql,
  message: OutboxMessage,
  outcome: { readonly verdict: OutboxVerdict; readonly nextAtMs: number; readonly nowMs: number },
): Promise<boolean> {
  const result = await sql
    .updateTable('outbox')
    .set(changeFor(outcome))
    .where('id', '=', message.id)
    .where('state', '=', 'sending')
    .where('tries', '=', message.tries)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

function changeFor({
  verdict,
  nextAtMs,
  nowMs,
}: {
  readonly verdict: OutboxVerdict;
  readonly nextAtMs: number;
  readonly nowMs: number;
}): Partial<OutboxRow> {
  switch (verdict.kind) {
    case 'done':
      return { state: 'done', receipt: keepable(verdict.receipt), last_error: null, finished_at_ms: nowMs, lease_until_ms: null };
    case 'dead':
      return { state: 'dead', last_error: keepable(verdict.error), finished_at_ms: nowMs, lease_until_ms: null };
    case 'retry':
      return { state: 'queued', last_error: keepable(verdict.error), next_at_ms: nextAtMs, lease_until_ms: null };
  }
}

/** What the outbox holds: open rows, dead ones, and since when the oldest open one waits (null when none does). */
export type OutboxStatus = { readonly open: number; readonly dead: number; readonly oldestOpenAtMs: number | null };

export async function outboxStatus(sql: Sql): Promise<OutboxStatus> {
  const rows = await sql
    .selectFrom('outbox')
    .select((row) => ['state', row.fn.countAll<number>().as('count'), row.fn.min('created_at_ms').as('oldest')])
    .where('state', 'in', ['queued', 'sending', 'dead'])
    .groupBy('state')
    .execute();
  const open = rows.filter((row) => row.state !== 'dead');
  const oldest = open.map((row) => Number(row.oldest)).sort((a, b) => a - b)[0];
  return {
    open: open.reduce((sum, row) => sum + Number(row.count), 0),
    dead: rows.filter((row) => row.state === 'dead').reduce((sum, row) => sum + Number(row.count), 0),
    oldestOpenAtMs: oldest ?? null,
  };
}

/** Removes rows that were done before `doneBeforeMs` or given up before `deadBeforeMs`. */
export async function purgeOutbox(sql: Sql, limits: { readonly doneBeforeMs: number; readonly deadBeforeMs: number }): Promise<void> {
  await sql.deleteFrom('outbox').where('state', '=', 'done').where('finished_at_ms', '<', limits.doneBeforeMs).execute();
  await sql.deleteFrom('outbox').where('state', '=', 'dead').where('finished_at_ms', '<', limits.deadBeforeMs).execute();
}
