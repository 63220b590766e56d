import { epochMs } from '@nines/base/units.ts';
import type { Kysely, Transaction } from 'kysely';
import type { Severity } from '../alerting/contract.ts';
import type { IncidentActionRow, IncidentEntryRow, IncidentLinkRow, IncidentRow } from '../platform/db/migrations/0039-incidents.ts';
import { expectUpdated } from '../platform/db/revision.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Cursor } from '../platform/http/cursor.ts';
import type { ActionView, Category, EntryView, IncidentState, LinkKind, LinkView } from './contract.ts';
import type { Incident, Told } from './evaluate.ts';

type Sql = Kysely<Database> | Transaction<Database>;

const toRow = (incident: Incident): IncidentRow =>
  ({
    id: incident.id,
    number: incident.number,
    title: incident.title,
    summary: incident.summary,
    state: incident.state,
    severity: incident.severity,
    severity_why: incident.severityWhy,
    category: incident.category,
    category_why: incident.categoryWhy,
    roles: JSON.stringify(incident.roles),
    team: incident.team,
    opened_by: incident.openedBy,
    started_at_ms: incident.startedAtMs,
    opened_at_ms: incident.openedAtMs,
    acknowledged_at_ms: incident.acknowledgedAtMs,
    mitigated_at_ms: incident.mitigatedAtMs,
    resolved_at_ms: incident.resolvedAtMs,
    closed_at_ms: incident.closedAtMs,
    resolves_at_ms: incident.resolvesAtMs,
    merged_into: incident.mergedInto,
    escalated: JSON.stringify(incident.escalated),
    revision: incident.revision,
  }) satisfies IncidentRow;

const instant = (value: number | null) => (value === null ? null : epochMs(value));

const fromRow = (row: IncidentRow): Incident => ({
  id: row.id,
  number: row.number,
  title: row.title,
  summary: row.summary,
  state: row.state as IncidentState,
  severity: row.severity as Severity,
  severityWhy: row.severity_why,
  category: row.category as Category,
  categoryWhy: row.category_why,
  roles: JSON.parse(row.roles) as Incident['roles'],
  team: row.team,
  openedBy: row.opened_by,
  startedAtMs: epochMs(row.started_at_ms),
  openedAtMs: epochMs(row.opened_at_ms),
  acknowledgedAtMs: instant(row.acknowledged_at_ms),
  mitigatedAtMs: instant(row.mitigated_at_ms),
  resolvedAtMs: instant(row.resolved_at_ms),
  closedAtMs: instant(row.closed_at_ms),
  resolvesAtMs: instant(row.resolves_at_ms),
  mergedInto: row.merged_into,
  escalated: JSON.parse(row.escalated) as Told[],
  revision: row.revision,
});

export async function nextNumber(db: Sql): Promise<number> {
  const row = await db.selectFrom('incidents').select('number').orderBy('number', 'desc').limit(1).executeTakeFirst();
  return (row?.number ?? 0) + 1;
}

export async function insertIncident(trx: Transaction<Database>, incident: Incident): Promise<void> {
  await trx.insertInto('incidents').values(toRow(incident)).execute();
}

/** Writes over the revision it was read with; throws `revision_conflict` when another writer was faster. */
export async function updateIncident(trx: Transaction<Database>, incident: Incident): Promise<Incident> {
  const next = { ...incident, revision: incident.revision + 1 };
  const { id: _id, number: _number, ...columns } = toRow(next);
  const update = trx.updateTable('incidents').set(columns).where('id', '=', incident.id).where('revision', '=', incident.revision);
  expectUpdated(await update.executeTakeFirst(), `incident INC-${incident.number}`);
  return next;
}

export async function deleteIncident(trx: Transaction<Database>, id: string, revision: number): Promise<void> {
  const { numDeletedRows } = await trx.deleteFrom('incidents').where('id', '=', id).where('revision', '=', revision).executeTakeFirst();
  expectUpdated({ numUpdatedRows: numDeletedRows }, 'the incident');
  await deleteDetails(trx, [id]);
}

/** Removes at most `limit` incidents that were over before `beforeMs`. Returns which. */
export function purgeIncidents(db: Kysely<Database>, beforeMs: number, limit: number): Promise<readonly string[]> {
  return db.transaction().execute(async (trx) => {
    const over = trx
      .selectFrom('incidents')
      .select('id')
      .where('state', 'in', ['resolved', 'closed'])
      .where('resolved_at_ms', '<', beforeMs)
      .where((or) => or.or([or('closed_at_ms', 'is', null), or('closed_at_ms', '<', beforeMs)]));
    const ids = (await over.limit(limit).execute()).map((row) => row.id);
    if (ids.length === 0) return ids;
    await deleteDetails(trx, ids);
    await trx.deleteFrom('incidents').where('id', 'in', ids).execute();
    return ids;
  });
}

async function deleteDetails(trx: Transaction<Database>, ids: readonly string[]): Promise<void> {
  for (const table of ['incident_entries', 'incident_links', 'incident_actions', 'incident_post_mortems'] as const) {
    await trx
      .deleteFrom(table)
      .where('incident_id', 'in', [...ids])
      .execute();
  }
}

/** By id, or by number. */
export async function findIncident(db: Sql, key: string): Promise<Incident | undefined> {
  const number = /^(?:INC-)?(\d{1,9})$/i.exec(key)?.[1];
  const all = db.selectFrom('incidents').selectAll();
  const row = await (number === undefined ? all.where('id', '=', key) : all.where('number', '=', Number(number))).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** What is not over, and what ended at or after that instant and may come back. */
export async function livingIncidents(db: Sql, endedAfterMs: number): Promise<readonly Incident[]> {
  const living = db.selectFrom('incidents').selectAll().where('merged_into', 'is', null).where('state', '!=', 'closed');
  const rows = await living.where((or) => or.or([or('resolved_at_ms', 'is', null), or('resolved_at_ms', '>=', endedAfterMs)])).execute();
  return rows.map(fromRow);
}

/** Those that `by` opened at or after that instant, in the order in which they were opened. */
export async function openedSince(db: Sql, by: string, sinceMs: number): Promise<readonly Pick<Incident, 'id' | 'openedAtMs'>[]> {
  const opened = db.selectFrom('incidents').select(['id', 'opened_at_ms']).where('opened_by', '=', by).where('opened_at_ms', '>=', sinceMs);
  return (await opened.orderBy('number').execute()).map(({ id, opened_at_ms: atMs }) => ({ id, openedAtMs: epochMs(atMs) }));
}

export type IncidentFilter = {
  readonly status: 'open' | 'resolved' | 'all';
  readonly severities: readonly string[];
  readonly category: string | undefined;
  readonly service: string | undefined;
  /** Alerts and problems, any of which must be linked; none: all incidents. */
  readonly linked?: readonly string[];
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly after: Cursor | undefined;
  readonly limit: number;
};

/** Newest first, then by id. */
export async function listIncidents(db: Sql, filter: IncidentFilter): Promise<readonly Incident[]> {
  const { status, severities, category, service, linked = [], fromMs, toMs, after } = filter;
  let query = db.selectFrom('incidents').selectAll();
  if (status === 'open') query = query.where('state', 'not in', ['resolved', 'closed']);
  if (status === 'resolved') query = query.where('state', 'in', ['resolved', 'closed']);
  if (severities.length > 0) query = query.where('severity', 'in', [...severities]);
  if (category !== undefined) query = query.where('category', '=', category);
  if (fromMs !== undefined) query = query.where((or) => or.or([or('resolved_at_ms', 'is', null), or('resolved_at_ms', '>', fromMs)]));
  if (toMs !== undefined) query = query.where('opened_at_ms', '<', toMs);
  if (linked.length > 0) {
    query = query.where((or) =>
      or.exists(
        or
          .selectFrom('incident_links')
          .select('ref')
          .whereRef('incident_links.incident_id', '=', 'incidents.id')
          .where('incident_links.kind', 'in', ['alert', 'problem'])
          .where('incident_links.ref', 'in', [...linked]),
      ),
    );
  }
  if (service !== undefined) {
    query = query.where((or) =>
      or.exists(
        or
          .selectFrom('incident_links')
          .select('ref')
          .whereRef('incident_links.incident_id', '=', 'incidents.id')
          .where('incident_links.kind', '=', 'service')
          .where('incident_links.ref', '=', service),
      ),
    );
  }
  if (after !== undefined) {
    const { atMs, id } = after;
    query = query.where((or) => or.or([or('opened_at_ms', '<', atMs), or.and([or('opened_at_ms', '=', atMs), or('id', '<', id)])]));
  }
  return (await query.orderBy('opened_at_ms', 'desc').orderBy('id', 'desc').limit(filter.limit).execute()).map(fromRow);
}

export async function insertEntries(trx: Transaction<Database>, rows: readonly IncidentEntryRow[]): Promise<void> {
  if (rows.length > 0)
    await trx
      .insertInto('incident_entries')
      .values([...rows])
      .execute();
}

/** Oldest first. */
export async function entriesOf(db: Sql, incidentId: string): Promise<readonly EntryView[]> {
  const rows = await db
    .selectFrom('incident_entries')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('at_ms')
    .orderBy('id')
    .execute();
  return rows.map(({ id, at_ms, kind, text, actor, data }) => ({
    id,
    at_ms,
    kind,
    text,
    actor,
    data: JSON.parse(data) as Record<string, unknown>,
  }));
}

/** Links that are there already stay as they are. Returns those that are new. */
export async function insertLinks(trx: Transaction<Database>, rows: readonly IncidentLinkRow[]): Promise<readonly IncidentLinkRow[]> {
  const added: IncidentLinkRow[] = [];
  for (const row of rows) {
    const insert = trx.insertInto('incident_links').values(row);
    const result = await insert.onConflict((conflict) => conflict.columns(['incident_id', 'kind', 'ref']).doNothing()).executeTakeFirst();
    if ((result.numInsertedOrUpdatedRows ?? 0n) > 0n) added.push(row);
  }
  return added;
}

export async function deleteLink(trx: Transaction<Database>, row: Pick<IncidentLinkRow, 'incident_id' | 'kind' | 'ref'>): Promise<boolean> {
  const { incident_id: incident, kind, ref } = row;
  const gone = trx.deleteFrom('incident_links').where('incident_id', '=', incident).where('kind', '=', kind).where('ref', '=', ref);
  return (await gone.executeTakeFirst()).numDeletedRows > 0n;
}

/** By incident, in the order in which they were made. */
export async function linksOf(db: Sql, incidentIds: readonly string[], kind?: LinkKind): Promise<ReadonlyMap<string, readonly LinkView[]>> {
  const found = new Map<string, LinkView[]>();
  if (incidentIds.length === 0) return found;
  let query = db
    .selectFrom('incident_links')
    .selectAll()
    .where('incident_id', 'in', [...incidentIds]);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  for (const row of await query.orderBy('at_ms').orderBy('ref').execute()) {
    const links = found.get(row.incident_id) ?? [];
    links.push({ kind: row.kind as LinkKind, ref: row.ref, text: row.text, at_ms: row.at_ms, added_by: row.added_by });
    found.set(row.incident_id, links);
  }
  return found;
}

export async function actionsOf(db: Sql, incidentId: string): Promise<readonly ActionView[]> {
  const rows = await db
    .selectFrom('incident_actions')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
  return rows.map(({ incident_id: _incident, ...view }) => view);
}

export async function insertAction(trx: Transaction<Database>, row: IncidentActionRow): Promise<void> {
  await trx.insertInto('incident_actions').values(row).execute();
}

/** Throws `revision_conflict` when it was changed meanwhile, or is gone. */
export async function updateAction(trx: Transaction<Database>, incidentId: string, action: ActionView): Promise<void> {
  const { id, revision, text, owner, due_at_ms, done_at_ms } = action;
  const update = trx.updateTable('incident_actions').set({ text, owner, due_at_ms, done_at_ms, revision: revision + 1 });
  const result = await update
    .where('id', '=', id)
    .where('incident_id', '=', incidentId)
    .where('revision', '=', revision)
    .executeTakeFirst();
  expectUpdated(result, 'the action item');
}

export type SavedPostMortem = {
  readonly markdown: string;
  readonly author: string;
  readonly saved_at_ms: number;
  readonly revision: number;
};

export async function findPostMortem(db: Sql, incidentId: string): Promise<SavedPostMortem | undefined> {
  const columns = ['markdown', 'author', 'saved_at_ms', 'revision'] as const;
  return db.selectFrom('incident_post_mortems').select(columns).where('incident_id', '=', incidentId).executeTakeFirst();
}

/** `revision` is the one that was read, 0 for a draft. */
export async function savePostMortem(trx: Transaction<Database>, incidentId: string, saved: SavedPostMortem): Promise<void> {
  const { revision, ...columns } = saved;
  if (revision === 0) {
    const row = { incident_id: incidentId, ...columns, revision: 1 };
    const insert = trx
      .insertInto('incident_post_mortems')
      .values(row)
      .onConflict((conflict) => conflict.column('incident_id').doNothing());
    expectUpdated({ numUpdatedRows: (await insert.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n }, 'the post-mortem');
    return;
  }
  const update = trx.updateTable('incident_post_mortems').set({ ...columns, revision: revision + 1 });
  expectUpdated(await update.where('incident_id', '=', incidentId).where('revision', '=', revision).executeTakeFirst(), 'the post-mortem');
}

const RULES_ID = 'rules';

export async function findRules(db: Sql): Promise<{ readonly spec: string; readonly revision: number } | undefined> {
  return db.selectFrom('incident_rules').select(['spec', 'revision']).where('id', '=', RULES_ID).executeTakeFirst();
}

/** `revision` is the one that was read, 0 for the rules that are shipped. */
export async function saveRules(
  trx: Transaction<Database>,
  rules: { readonly spec: string; readonly by: string; readonly atMs: number; readonly revision: number },
): Promise<void> {
  const columns = { spec: rules.spec, changed_by: rules.by, changed_at_ms: rules.atMs, revision: rules.revision + 1 };
  if (rules.revision === 0) {
    const insert = trx
      .insertInto('incident_rules')
      .values({ id: RULES_ID, ...columns })
      .onConflict((conflict) => conflict.column('id').doNothing());
    expectUpdated({ numUpdatedRows: (await insert.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n }, 'the rules of incidents');
    return;
  }
  const update = trx.updateTable('incident_rules').set(columns).where('id', '=', RULES_ID).where('revision', '=', rules.revision);
  expectUpdated(await update.executeTakeFirst(), 'the rules of incidents');
}
