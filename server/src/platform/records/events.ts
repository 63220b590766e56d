import type { Ids } from '@nines/base/ids.ts';
import type { EventRow } from '../db/migrations/0001-records.ts';
import { DEFAULT_TEAM, fromJson, type RetentionClass, type Sql, type StoredEvent, toJson } from './contract.ts';

const toEvent = (row: EventRow): StoredEvent =>
  ({
    id: row.id,
    kind: row.kind,
    dedupKey: row.dedup_key,
    entityId: row.entity_id,
    teamId: row.team_id,
    atMs: row.at_ms,
    recordedAtMs: row.recorded_at_ms,
    retentionClass: row.retention_class as RetentionClass,
    data: fromJson(row.data),
    personal: row.personal === null ? null : fromJson(row.personal),
  }) satisfies StoredEvent;

export type EventInput = {
  readonly kind: string;
  /** Two events of one kind with the same key are one; the first stays. */
  readonly dedupKey: string;
  readonly atMs: number;
  readonly data: unknown;
  readonly entityId?: string | null;
  readonly teamId?: string;
  readonly retentionClass?: RetentionClass;
  readonly personal?: unknown;
};

/** Appends an event. False when one of this kind and key is there already. */
export async function appendEvent(sql: Sql, input: EventInput, at: { readonly ids: Ids; readonly nowMs: number }): Promise<boolean> {
  const row: EventRow = {
    id: at.ids.uuid(),
    kind: input.kind,
    dedup_key: input.dedupKey,
    entity_id: input.entityId ?? null,
    team_id: input.teamId ?? DEFAULT_TEAM,
    at_ms: input.atMs,
    recorded_at_ms: at.nowMs,
    retention_class: input.retentionClass ?? 'operational',
    data: toJson(input.data),
    personal: input.personal === undefined ? null : toJson(input.personal),
  };
  const result = await sql
    .insertInto('events')
    .values(row)
    .onConflict((conflict) => conflict.columns(['kind', 'dedup_key']).doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export type EventFilter = {
  readonly kind?: string;
  readonly entityId?: string;
  /** Half-open: `[fromMs, toMs)`. */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly limit: number;
};

/** Events in order of their instant, oldest first. */
export async function listEvents(sql: Sql, filter: EventFilter): Promise<readonly StoredEvent[]> {
  const { kind, entityId, fromMs, toMs } = filter;
  let query = sql.selectFrom('events').selectAll();
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (entityId !== undefined) query = query.where('entity_id', '=', entityId);
  if (fromMs !== undefined) query = query.where('at_ms', '>=', fromMs);
  if (toMs !== undefined) query = query.where('at_ms', '<', toMs);
  return (await query.orderBy('at_ms').orderBy('id').limit(filter.limit).execute()).map(toEvent);
}
