import type { Kysely } from 'kysely';

/**
 * The records that every domain shares: entities of the catalogue, events, jobs, documents, and the outbox. They come
 * first because all later tables point at them.
 */
export type RecordTables = {
  entities: EntityRow;
  events: EventRow;
  jobs: JobRow;
  documents: DocumentRow;
  outbox: OutboxRow;
};

/** A thing that records point at: service, host, check, sla, rule, channel. `slug` is unique per kind. */
export type EntityRow = {
  id: string;
  kind: string;
  slug: string;
  name: string;
  team_id: string;
  /** `file` or `ui`. */
  origin: string;
  /** `nines.yml:12` for file-owned entities, else ''. */
  origin_place: string;
  /** The kind's own fields as JSON. */
  spec: string;
  created_at_ms: number;
  /** Set when it left its file or was deleted; its history stays. */
  retired_at_ms: number | null;
  revision: number;
};

/** Something that happened. Append-only; `(kind, dedup_key)` is unique. */
export type EventRow = {
  id: string;
  kind: string;
  dedup_key: string;
  entity_id: string | null;
  team_id: string;
  at_ms: number;
  recorded_at_ms: number;
  /** Decides how long it is kept: `operational`, `audit`, `personal`. */
  retention_class: string;
  data: string;
  /** Personal data, apart so that it can be erased; null when there is none. */
  personal: string | null;
};

/** Work with a schedule, a lease, steps, tries and an outcome. */
export type JobRow = {
  id: string;
  kind: string;
  entity_id: string | null;
  team_id: string;
  /** `queued`, `running`, `done`, `failed`. */
  state: string;
  run_at_ms: number;
  lease_owner: string | null;
  /** Rises with every claim: a worker whose number is old must not write. */
  fence: number;
  lease_until_ms: number | null;
  tries: number;
  max_tries: number;
  input: string;
  /** JSON: what has been done, so that a second try goes on where the first ended. */
  steps: string;
  outcome: string | null;
  created_at_ms: number;
  finished_at_ms: number | null;
  revision: number;
};

/** Bytes with a hash, an author and an expiry. The bytes lie in the documents folder under their hash. */
export type DocumentRow = {
  id: string;
  kind: string;
  entity_id: string | null;
  team_id: string;
  name: string;
  media_type: string;
  sha256: string;
  size_bytes: number;
  author: string;
  created_at_ms: number;
  expires_at_ms: number | null;
};

/** What must happen because of a change, written in the change's transaction. */
export type OutboxRow = {
  id: string;
  topic: string;
  /** Deliveries with one key go out in order and carry it as idempotency key. */
  key: string;
  /** JSON, sealed as a whole: links and addresses may stand in it. */
  payload: string;
  /** `queued`, `sending`, `done`, `dead`. */
  state: string;
  tries: number;
  next_at_ms: number;
  lease_until_ms: number | null;
  last_error: string | null;
  receipt: string | null;
  created_at_ms: number;
  finished_at_ms: number | null;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await makeEntities(db);
  await makeEvents(db);
  await makeJobs(db);
  await makeDocuments(db);
  await makeOutbox(db);
}

async function makeEntities(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('entities')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('slug', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('origin_place', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('retired_at_ms', 'bigint')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('entities_kind_slug', ['kind', 'slug'])
    .execute();
}

async function makeEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('events')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('dedup_key', 'text', (column) => column.notNull())
    .addColumn('entity_id', 'text', (column) => column.references('entities.id'))
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('recorded_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('retention_class', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('personal', 'text')
    .addUniqueConstraint('events_kind_dedup_key', ['kind', 'dedup_key'])
    .execute();
  await db.schema.createIndex('events_kind_at').on('events').columns(['kind', 'at_ms']).execute();
  await db.schema.createIndex('events_entity_at').on('events').columns(['entity_id', 'at_ms']).execute();
}

async function makeJobs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('entity_id', 'text', (column) => column.references('entities.id'))
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('run_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('fence', 'bigint', (column) => column.notNull())
    .addColumn('lease_until_ms', 'bigint')
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('max_tries', 'integer', (column) => column.notNull())
    .addColumn('input', 'text', (column) => column.notNull())
    .addColumn('steps', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('finished_at_ms', 'bigint')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('jobs_state_run_at').on('jobs').columns(['state', 'run_at_ms']).execute();
}

async function makeDocuments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('documents')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('entity_id', 'text', (column) => column.references('entities.id'))
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('media_type', 'text', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('size_bytes', 'bigint', (column) => column.notNull())
    .addColumn('author', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('documents_sha256').on('documents').columns(['sha256']).execute();
  await db.schema.createIndex('documents_expires').on('documents').columns(['expires_at_ms']).execute();
}

async function makeOutbox(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('outbox')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('next_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('lease_until_ms', 'bigint')
    .addColumn('last_error', 'text')
    .addColumn('receipt', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('finished_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('outbox_state_next').on('outbox').columns(['state', 'next_at_ms']).execute();
  await db.schema.createIndex('outbox_topic_key').on('outbox').columns(['topic', 'key', 'id']).execute();
}
