import type { Kysely } from 'kysely';

/** People's work on problems. The time line is append-only: nothing in `incident_entries` is ever changed. */
export type IncidentTables = {
  incidents: IncidentRow;
  incident_entries: IncidentEntryRow;
  incident_links: IncidentLinkRow;
  incident_actions: IncidentActionRow;
  incident_post_mortems: IncidentPostMortemRow;
  incident_rules: IncidentRulesRow;
};

export type IncidentRow = {
  id: string;
  number: number;
  title: string;
  summary: string;
  state: string;
  severity: string;
  severity_why: string;
  category: string;
  category_why: string;
  /** JSON object of the roles that are taken. */
  roles: string;
  /** Who owns the first service. */
  team: string;
  opened_by: string;
  started_at_ms: number;
  opened_at_ms: number;
  acknowledged_at_ms: number | null;
  mitigated_at_ms: number | null;
  resolved_at_ms: number | null;
  closed_at_ms: number | null;
  /** When it resolves by itself unless an alert returns before. */
  resolves_at_ms: number | null;
  merged_into: string | null;
  /** JSON array: the steps of escalation that were taken, with who was told. */
  escalated: string;
  revision: number;
};

export type IncidentEntryRow = {
  id: string;
  incident_id: string;
  at_ms: number;
  kind: string;
  text: string;
  actor: string;
  /** JSON object. */
  data: string;
};

/** `kind`: problem, alert, service, sla, change. */
export type IncidentLinkRow = { incident_id: string; kind: string; ref: string; text: string; at_ms: number; added_by: string };

export type IncidentActionRow = {
  id: string;
  incident_id: string;
  text: string;
  owner: string;
  due_at_ms: number | null;
  done_at_ms: number | null;
  created_by: string;
  created_at_ms: number;
  revision: number;
};

export type IncidentPostMortemRow = { incident_id: string; markdown: string; author: string; saved_at_ms: number; revision: number };

/** One row, with the id `rules`. */
export type IncidentRulesRow = { id: string; spec: string; changed_by: string; changed_at_ms: number; revision: number };

export async function up(db: Kysely<unknown>): Promise<void> {
  await createIncidents(db);
  await db.schema
    .createTable('incident_entries')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('incident_id', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('incident_entries_by_incident').on('incident_entries').columns(['incident_id', 'id']).execute();
  await db.schema
    .createTable('incident_links')
    .addColumn('incident_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('ref', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('added_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('incident_links_key', ['incident_id', 'kind', 'ref'])
    .execute();
  await db.schema.createIndex('incident_links_by_ref').on('incident_links').columns(['kind', 'ref']).execute();
  await createDocuments(db);
}

async function createIncidents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('incidents')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('number', 'bigint', (column) => column.notNull().unique())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('summary', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('severity_why', 'text', (column) => column.notNull())
    .addColumn('category', 'text', (column) => column.notNull())
    .addColumn('category_why', 'text', (column) => column.notNull())
    .addColumn('roles', 'text', (column) => column.notNull())
    .addColumn('team', 'text', (column) => column.notNull())
    .addColumn('opened_by', 'text', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('opened_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('acknowledged_at_ms', 'bigint')
    .addColumn('mitigated_at_ms', 'bigint')
    .addColumn('resolved_at_ms', 'bigint')
    .addColumn('closed_at_ms', 'bigint')
    .addColumn('resolves_at_ms', 'bigint')
    .addColumn('merged_into', 'text')
    .addColumn('escalated', 'text', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('incidents_by_start').on('incidents').columns(['opened_at_ms', 'id']).execute();
}

async function createDocuments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('incident_actions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('incident_id', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('due_at_ms', 'bigint')
    .addColumn('done_at_ms', 'bigint')
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('incident_actions_by_incident').on('incident_actions').columns(['incident_id', 'id']).execute();
  await db.schema
    .createTable('incident_post_mortems')
    .addColumn('incident_id', 'text', (column) => column.primaryKey())
    .addColumn('markdown', 'text', (column) => column.notNull())
    .addColumn('author', 'text', (column) => column.notNull())
    .addColumn('saved_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('incident_rules')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('changed_by', 'text', (column) => column.notNull())
    .addColumn('changed_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
}
