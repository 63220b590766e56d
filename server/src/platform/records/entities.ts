import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { EntityRow } from '../db/migrations/0001-records.ts';
import { expectUpdated } from '../db/revision.ts';
import { DEFAULT_TEAM, type Entity, fromJson, type OriginKind, type Sql, toJson } from './contract.ts';

const toEntity = (row: EntityRow): Entity =>
  ({
    id: row.id,
    kind: row.kind,
    slug: row.slug,
    name: row.name,
    teamId: row.team_id,
    origin: row.origin as OriginKind,
    originPlace: row.origin_place,
    spec: fromJson(row.spec),
    createdAtMs: row.created_at_ms,
    retiredAtMs: row.retired_at_ms,
    revision: row.revision,
  }) satisfies Entity;

export type EntityInput = {
  readonly kind: string;
  readonly slug: string;
  readonly name: string;
  readonly origin: OriginKind;
  /** `nines.yml:12`; for what was made in the UI '', or who made it where that decides something. */
  readonly originPlace: string;
  readonly spec: unknown;
  readonly teamId?: string;
};

/**
 * Makes the entity or brings it up to date, keeping its id for ever: an entity that comes back after it was retired is the
 * same one with its history. Nothing is written when nothing changed. `AppError` `entity_owned_elsewhere` when a live entity
 * of that slug has the other origin.
 */
export async function upsertEntity(sql: Sql, input: EntityInput, at: { readonly ids: Ids; readonly nowMs: number }): Promise<Entity> {
  const known = await sql
    .selectFrom('entities')
    .selectAll()
    .where('kind', '=', input.kind)
    .where('slug', '=', input.slug)
    .executeTakeFirst();
  const fields = { name: input.name, origin: input.origin, origin_place: input.originPlace, spec: toJson(input.spec) };
  if (known === undefined) {
    const row: EntityRow = {
      id: at.ids.uuid(),
      kind: input.kind,
      slug: input.slug,
      team_id: input.teamId ?? DEFAULT_TEAM,
      ...fields,
      created_at_ms: at.nowMs,
      retired_at_ms: null,
      revision: 1,
    };
    await sql.insertInto('entities').values(row).execute();
    return toEntity(row);
  }
  if (known.retired_at_ms === null && known.origin !== input.origin) throw ownedElsewhere(known);
  const row: EntityRow = { ...known, ...fields, retired_at_ms: null };
  const same = known.retired_at_ms === null && Object.entries(fields).every(([name, value]) => known[name as keyof EntityRow] === value);
  if (same) return toEntity(known);
  await saveGuarded(sql, row);
  return toEntity({ ...row, revision: row.revision + 1 });
}

function ownedElsewhere(row: EntityRow): AppError {
  const owner =
    row.origin === 'file' ? `declared in ${row.origin_place}; change it there, or save a copy under another id` : 'made in the UI';
  return new AppError('conflict', 'entity_owned_elsewhere', `${row.kind} ${row.slug} is ${owner}`, {
    details: { origin: row.origin, place: row.origin_place },
  });
}

/** Names a live entity; with `revision` only as it was read. */
export type RetiredEntity = Pick<Entity, 'kind' | 'slug'> & { readonly revision?: number | undefined };

/**
 * Marks one entity as gone; its history stays. False when it was not there or gone already; with `revision` that is, like any other
 * change since it was read, `AppError` `revision_conflict`.
 */
export async function retireEntity(sql: Sql, { kind, slug, revision }: RetiredEntity, nowMs: number): Promise<boolean> {
  const live = sql
    .updateTable('entities')
    .set((row) => ({ retired_at_ms: nowMs, revision: row('revision', '+', 1) }))
    .where('kind', '=', kind)
    .where('slug', '=', slug)
    .where('retired_at_ms', 'is', null);
  const result = await (revision === undefined ? live : live.where('revision', '=', revision)).executeTakeFirst();
  if (revision !== undefined) expectUpdated(result, `${kind} ${slug}`);
  return result.numUpdatedRows > 0n;
}

/** Retires the live entities of a kind and origin whose slug is not in `keep`, as after reading a file again. Returns their slugs. */
export async function retireMissing(
  sql: Sql,
  owned: { readonly kind: string; readonly origin: OriginKind; readonly keep: readonly string[] },
  nowMs: number,
): Promise<readonly string[]> {
  const live = await listEntities(sql, { kind: owned.kind });
  const gone = live.filter((entity) => entity.origin === owned.origin && !owned.keep.includes(entity.slug));
  for (const entity of gone) await retireEntity(sql, { kind: entity.kind, slug: entity.slug }, nowMs);
  return gone.map((entity) => entity.slug);
}

/** Live entities of a kind, by slug; with `retired` also those that are gone. */
export async function listEntities(sql: Sql, filter: { readonly kind: string; readonly retired?: boolean }): Promise<readonly Entity[]> {
  const rows = await sql
    .selectFrom('entities')
    .selectAll()
    .where('kind', '=', filter.kind)
    .$if(filter.retired !== true, (query) => query.where('retired_at_ms', 'is', null))
    .orderBy('slug')
    .execute();
  return rows.map(toEntity);
}

export async function findEntity(sql: Sql, kind: string, slug: string): Promise<Entity | undefined> {
  const row = await sql.selectFrom('entities').selectAll().where('kind', '=', kind).where('slug', '=', slug).executeTakeFirst();
  return row === undefined ? undefined : toEntity(row);
}

/** Writes name and spec of an entity as it was read; `AppError` `revision_conflict` when it was changed meanwhile. */
export async function updateEntity(sql: Sql, read: Entity, change: { readonly name: string; readonly spec: unknown }): Promise<Entity> {
  const result = await sql
    .updateTable('entities')
    .set({ name: change.name, spec: toJson(change.spec), revision: read.revision + 1 })
    .where('id', '=', read.id)
    .where('revision', '=', read.revision)
    .executeTakeFirst();
  expectUpdated(result, `${read.kind} ${read.slug}`);
  return { ...read, ...change, revision: read.revision + 1 };
}

async function saveGuarded(sql: Sql, row: EntityRow): Promise<void> {
  const { id, revision, ...fields } = row;
  const result = await sql
    .updateTable('entities')
    .set({ ...fields, revision: revision + 1 })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .executeTakeFirst();
  expectUpdated(result, `${row.kind} ${row.slug}`);
}
