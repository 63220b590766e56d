import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import { ZodError } from 'zod';
import type { RecordAudit } from '../audit/contract.ts';
import type { Db } from '../platform/db/open.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor } from '../platform/http/contract.ts';
import { type Entity, fromJson, toJson } from '../platform/records/contract.ts';
import { findEntity, listEntities, retireEntity, updateEntity, upsertEntity } from '../platform/records/entities.ts';
import { createTurns } from '../platform/turns.ts';
import {
  DASHBOARD_CODES,
  type DashboardSummary,
  type DashboardView,
  type DifferenceView,
  type DraftView,
  type RevisionView,
  type UnreadableDashboard,
} from './contract.ts';
import { deliverySpec } from './deliveries/contract.ts';
import { deleteDeliveriesOf, everyDelivery } from './deliveries/store.ts';
import { differencesOf } from './differences.ts';
import type { DeclaredDashboard } from './files.ts';
import { readSpec } from './migrate.ts';
import type { DashboardSpec } from './model.ts';
import {
  countDrafts,
  deleteDraft,
  findDraft,
  findRevision,
  insertRevision,
  latestRevisions,
  listRevisions,
  saveDraft,
  trimRevisions,
} from './store.ts';

const KIND = 'dashboard';
const MAX_MADE = 2_000;
/** Older ones are forgotten. */
export const MAX_REVISIONS = 200;
const MAX_DRAFTS = 50;
/** A change made by another process on the same database is known here at most this much later. */
const FRESH_MS = 5 * SECOND_MS;

export type DashboardsDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  readonly logger: Logger;
  readonly shipped: readonly DashboardSpec[];
};

type Standing = {
  readonly spec: DashboardSpec;
  readonly origin: DashboardSummary['origin'];
  readonly place: string;
  readonly revision: number;
  readonly changed?: { readonly at_ms: number; readonly by_name: string } | undefined;
};

/** A change somebody asks for; with `revision` only when nobody else changed it meanwhile. */
export type DashboardChange = { readonly spec: DashboardSpec; readonly revision?: number | undefined; readonly note: string };

/** Which dashboards there are. A file wins over one that people made under the same id, both over a shipped one. */
export class Dashboards {
  readonly #deps: DashboardsDeps;
  readonly #alone = createTurns();
  #declared: readonly DeclaredDashboard[] = [];
  #inForce: ReadonlyMap<string, Standing> = new Map();
  /** Those that people made, as they were read: one that did not change since is not parsed again. */
  #made: ReadonlyMap<string, Pick<Standing, 'spec' | 'revision'>> = new Map();
  /** Kept, but not to be read by this server; by id. Nothing is made in their place. */
  #unreadable: ReadonlyMap<string, UnreadableDashboard> = new Map();
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: DashboardsDeps) {
    this.#deps = deps;
  }

  /** Makes the files' dashboards the whole set of declared ones. */
  declare(declared: readonly DeclaredDashboard[]): Promise<void> {
    return this.#alone(async () => {
      this.#declared = declared;
      await this.#read();
    });
  }

  async list(): Promise<readonly DashboardSummary[]> {
    await this.#refresh();
    return [...this.#inForce.values()].map(summaryOf).sort((a, b) => a.title.localeCompare(b.title) || (a.id < b.id ? -1 : 1));
  }

  /** Dashboards with a panel that a widget draws, by title. */
  async drawnWith(widget: string): Promise<readonly { readonly id: string; readonly title: string }[]> {
    await this.#refresh();
    return [...this.#inForce.values()]
      .filter(({ spec }) => Object.values(spec.panels).some((panel) => panel.kind === 'custom' && panel.widget === widget))
      .map(({ spec }) => ({ id: spec.id, title: spec.title }))
      .sort((a, b) => a.title.localeCompare(b.title));
  }

  /** The channels that deliveries name, those that rest among them; not of dashboards that are gone. */
  async sentThrough(): Promise<readonly { readonly dashboard: string; readonly title: string; readonly channel: string }[]> {
    await this.#refresh();
    return (await everyDelivery(this.#deps.db.kysely)).flatMap(({ dashboard, spec }) => {
      const { channel } = deliverySpec.parse(JSON.parse(spec));
      const title = this.#inForce.get(dashboard)?.spec.title ?? this.#unreadable.get(dashboard)?.title;
      return channel === undefined || title === undefined ? [] : [{ dashboard, title, channel }];
    });
  }

  /** What is kept and cannot be shown by this server, with why. */
  async unreadable(): Promise<readonly UnreadableDashboard[]> {
    await this.#refresh();
    return [...this.#unreadable.values()];
  }

  /** `AppError` `dashboard_not_found`, `dashboard_schema_newer` for one that cannot be read. */
  async get(id: string): Promise<DashboardView> {
    await this.#refresh();
    return viewOf(this.#standing(id));
  }

  /** `AppError` `dashboard_exists`, `too_many_dashboards`. */
  create({ spec, note }: Omit<DashboardChange, 'revision'>, actor: Actor): Promise<DashboardView> {
    return this.#alone(async () => {
      await this.#read();
      const known = this.#inForce.get(spec.id);
      if (known !== undefined) {
        const message = `there is a dashboard "${spec.id}" already (${known.spec.title}); choose another id`;
        throw new AppError('conflict', DASHBOARD_CODES.exists, message, { field: 'id' });
      }
      const unreadable = this.#unreadable.get(spec.id);
      if (unreadable !== undefined) throw cannotRead(unreadable);
      await this.#deps.db.kysely.transaction().execute(async (trx) => {
        if ((await listEntities(trx, { kind: KIND })).length >= MAX_MADE)
          throw new AppError('conflict', DASHBOARD_CODES.tooMany, `there are ${MAX_MADE} dashboards; remove one that nobody needs`);
        const input = { kind: KIND, slug: spec.id, name: spec.title, origin: 'ui' as const, originPlace: '', spec };
        const made = await upsertEntity(trx, input, { ids: this.#deps.ids, nowMs: this.#deps.clock.now() });
        await this.#keep(trx, { made, note: note === '' ? 'made' : note, actor, action: 'dashboard.created' });
        // One of this id that left with its file may have had some.
        await this.#dropDeliveries(trx, spec.id, actor);
        await deleteDraft(trx, spec.id, actor.id);
      });
      return this.#readView(spec.id);
    });
  }

  /** `AppError` `dashboard_not_found`, `dashboard_owned_elsewhere`, `revision_conflict`. */
  update(id: string, { spec, revision, note }: DashboardChange, actor: Actor): Promise<DashboardView> {
    return this.#alone(async () => {
      const { spec: before } = await this.#own(id);
      if (spec.id !== id) {
        const message = `the id stays "${id}", because links name it; save a copy under another one`;
        throw new AppError('bad_input', DASHBOARD_CODES.ownedElsewhere, message, { field: 'id' });
      }
      await this.#deps.db.kysely.transaction().execute(async (trx) => {
        const read = await findEntity(trx, KIND, id);
        if (read === undefined || read.retiredAtMs !== null) throw notFound(id);
        const made = await updateEntity(trx, { ...read, revision: revision ?? read.revision }, { name: spec.title, spec });
        await this.#keep(trx, { made, note: note === '' ? 'changed' : note, actor, action: 'dashboard.changed', before });
        await deleteDraft(trx, id, actor.id);
      });
      return this.#readView(id);
    });
  }

  /** `AppError` `dashboard_not_found`, `dashboard_owned_elsewhere`. What it was stays in its history: `restore` brings it back, without its deliveries. */
  remove(id: string, actor: Actor): Promise<void> {
    return this.#alone(async () => {
      const { spec: before } = await this.#own(id);
      const { db, clock, record } = this.#deps;
      await db.kysely.transaction().execute(async (trx) => {
        await retireEntity(trx, { kind: KIND, slug: id }, clock.now());
        const gone = await findEntity(trx, KIND, id);
        if (gone !== undefined) await insertRevision(trx, this.#revisionOf(gone, { note: 'removed', actor, spec: null }));
        await record(trx, { actor, action: 'dashboard.removed', object: { kind: 'dashboards', id }, phase: 'done', before });
        await this.#dropDeliveries(trx, id, actor);
      });
      await this.#read();
    });
  }

  /** Newest first; of shipped dashboards and those of files there is none. `AppError` `dashboard_not_found`. */
  async history(id: string): Promise<readonly RevisionView[]> {
    const rows = await listRevisions(this.#deps.db.kysely, id, MAX_REVISIONS);
    if (rows.length === 0) await this.get(id);
    return rows.map(({ revision, at_ms, by_name: by, note }) => ({ revision, at_ms, by, note }));
  }

  /** A dashboard as it was. `AppError` `dashboard_revision_not_found`. */
  async revision(id: string, revision: number): Promise<DashboardSpec> {
    const row = await findRevision(this.#deps.db.kysely, id, revision);
    if (row === undefined || row.spec === null) {
      const message = `the dashboard "${id}" has no revision ${revision} that can be shown; its history names those there are`;
      throw new AppError('not_found', DASHBOARD_CODES.revisionNotFound, message);
    }
    return readSpec(fromJson(row.spec));
  }

  /** What is different from `revision` now, or from `revision` to `to`. */
  async differences(id: string, revision: number, to?: number): Promise<readonly DifferenceView[]> {
    const after = to === undefined ? (await this.get(id)).spec : await this.revision(id, to);
    return differencesOf(await this.revision(id, revision), after);
  }

  /** Makes a dashboard again what it was, as a new revision; also one that was removed. */
  async restore(id: string, revision: number, actor: Actor): Promise<DashboardView> {
    const spec = await this.revision(id, revision);
    const note = `restored from revision ${revision}`;
    await this.#refresh();
    return this.#inForce.has(id) ? this.update(id, { spec, note }, actor) : this.create({ spec, note }, actor);
  }

  /** What somebody was changing when they left, if it is still there and can be read. */
  async draft(id: string, actor: Actor): Promise<DraftView | null> {
    const row = await findDraft(this.#deps.db.kysely, id, actor.id);
    if (row === undefined) return null;
    const read = tryRead(fromJson(row.spec));
    return 'why' in read ? null : { base_revision: row.base_revision, at_ms: row.at_ms, spec: read.spec };
  }

  /** `AppError` `too_many_dashboards`. */
  async keepDraft(id: string, draft: { readonly spec: DashboardSpec; readonly base: number }, actor: Actor): Promise<void> {
    const { db, clock } = this.#deps;
    if ((await findDraft(db.kysely, id, actor.id)) === undefined && (await countDrafts(db.kysely, actor.id)) >= MAX_DRAFTS) {
      const message = `you keep ${MAX_DRAFTS} drafts already; save or discard one`;
      throw new AppError('conflict', DASHBOARD_CODES.tooMany, message);
    }
    const row = { dashboard_id: id, person_id: actor.id, base_revision: draft.base, at_ms: clock.now(), spec: toJson(draft.spec) };
    await saveDraft(db.kysely, row);
  }

  async dropDraft(id: string, actor: Actor): Promise<void> {
    await deleteDraft(this.#deps.db.kysely, id, actor.id);
  }

  async #keep(
    trx: Transaction<Database>,
    { made, note, actor, action, before }: { made: Entity; note: string; actor: Actor; action: string; before?: DashboardSpec },
  ): Promise<void> {
    const spec = made.spec as DashboardSpec;
    await insertRevision(trx, this.#revisionOf(made, { note, actor, spec }));
    await trimRevisions(trx, made.slug, MAX_REVISIONS);
    const object = { kind: 'dashboards', id: made.slug };
    await this.#deps.record(trx, { actor, action, object, phase: 'done', ...(before === undefined ? {} : { before }), after: spec });
  }

  #revisionOf({ slug, revision }: Entity, { note, actor, spec }: { note: string; actor: Actor; spec: DashboardSpec | null }) {
    const kept = spec === null ? null : toJson(spec);
    return { dashboard_id: slug, revision, at_ms: this.#deps.clock.now(), by_name: actor.name, note, spec: kept };
  }

  async #refresh(): Promise<void> {
    const isFresh = (): boolean => Math.abs(this.#deps.clock.now() - this.#readAtMs) < FRESH_MS;
    if (isFresh()) return;
    await this.#alone(async () => {
      if (!isFresh()) await this.#read();
    });
  }

  async #read(): Promise<void> {
    const { db, clock, shipped } = this.#deps;
    const readAtMs = clock.now();
    const changes = await latestRevisions(db.kysely);
    const inForce = new Map<string, Standing>();
    for (const spec of shipped) inForce.set(spec.id, { spec, origin: 'shipped', place: '', revision: 0 });
    const made = new Map<string, Pick<Standing, 'spec' | 'revision'>>();
    const unreadable = new Map<string, UnreadableDashboard>();
    for (const { slug, name, spec, revision } of await listEntities(db.kysely, { kind: KIND })) {
      const before = this.#made.get(slug);
      const found = before?.revision === revision ? before : tryRead(spec);
      if ('why' in found) {
        unreadable.set(slug, { id: slug, title: name, why: found.why });
        continue;
      }
      const read = { spec: found.spec, revision };
      made.set(slug, read);
      inForce.set(slug, { ...read, origin: 'ui', place: '', changed: changes.get(slug) });
    }
    for (const { spec, place } of this.#declared) inForce.set(spec.id, { spec, origin: 'file', place, revision: 0 });
    for (const [id, { why }] of unreadable)
      if (!this.#unreadable.has(id)) this.#deps.logger.warn('a dashboard that is kept cannot be shown', { dashboard: id, why });
    this.#unreadable = unreadable;
    this.#made = made;
    this.#inForce = inForce;
    this.#readAtMs = readAtMs;
  }

  /** By id; what of them waits in the outbox finds them gone. */
  async #dropDeliveries(trx: Transaction<Database>, dashboard: string, actor: Actor): Promise<void> {
    const gone = (await deleteDeliveriesOf(trx, dashboard)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    for (const { id, spec } of gone) {
      const before = { dashboard, ...(JSON.parse(spec) as object) };
      const object = { kind: 'dashboards/deliveries', id };
      await this.#deps.record(trx, { actor, action: 'dashboard.delivery_removed', object, phase: 'done', before });
    }
  }

  async #readView(id: string): Promise<DashboardView> {
    await this.#read();
    return viewOf(this.#standing(id));
  }

  #standing(id: string): Standing {
    const found = this.#inForce.get(id);
    if (found !== undefined) return found;
    const unreadable = this.#unreadable.get(id);
    throw unreadable === undefined ? notFound(id) : cannotRead(unreadable);
  }

  async #own(id: string): Promise<Standing> {
    await this.#read();
    const found = this.#standing(id);
    const reason = reasonToKeep(found);
    if (reason !== '') throw new AppError('conflict', DASHBOARD_CODES.ownedElsewhere, reason, { details: { origin: found.origin } });
    return found;
  }
}

const notFound = (id: string): AppError => new AppError('not_found', DASHBOARD_CODES.notFound, `there is no dashboard "${id}"`);

const cannotRead = ({ title, why }: UnreadableDashboard): AppError =>
  new AppError('conflict', DASHBOARD_CODES.newer, `${title} is kept but cannot be shown: ${why}`);

/** One that cannot be read stops nothing but itself. */
function tryRead(written: unknown): { readonly spec: DashboardSpec } | { readonly why: string } {
  try {
    return { spec: readSpec(written) };
  } catch (thrown) {
    if (thrown instanceof AppError) return { why: thrown.message };
    const [issue] = thrown instanceof ZodError ? thrown.issues : [];
    return { why: issue === undefined ? messageOf(thrown) : `${issue.path.join('.')}: ${issue.message}` };
  }
}

/** Why nobody changes it here; empty when people may. */
function reasonToKeep({ origin, place, spec }: Standing): string {
  if (origin === 'ui') return '';
  const from = origin === 'shipped' ? 'comes with Nines' : `is declared at ${place} and is changed there`;
  return `${spec.title} ${from}; save a copy under another id`;
}

const summaryOf = ({ spec, origin, place, revision, changed }: Standing): DashboardSummary => ({
  id: spec.id,
  title: spec.title,
  description: spec.description,
  tags: [...spec.tags],
  folder: spec.folder,
  panels: Object.keys(spec.panels).length,
  origin,
  place,
  revision,
  changed_at_ms: changed?.at_ms ?? null,
  changed_by: changed?.by_name ?? null,
});

function viewOf(standing: Standing): DashboardView {
  const { panels: _panels, ...summary } = summaryOf(standing);
  const reason = reasonToKeep(standing);
  return { ...summary, spec: standing.spec, editable: { allowed: reason === '', reason } };
}
