import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Db } from '../platform/db/open.ts';
import type { Entity } from '../platform/records/contract.ts';
import { findEntity, listEntities, retireEntity, upsertEntity } from '../platform/records/entities.ts';
import { createTurns } from '../platform/turns.ts';
import {
  WIDGET_CODES,
  type WidgetBody,
  type WidgetRevisionBody,
  type WidgetRevisionView,
  type WidgetSummary,
  type WidgetView,
  widgetBody,
} from './contract.ts';
import { findRevision, insertRevision, listRevisions, trimRevisions } from './store.ts';

const KIND = 'widget';
const MAX_WIDGETS = 200;

/** Versions of one widget that are kept. */
const MAX_REVISIONS = 50;

export type WidgetsDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  /** Dashboards with a panel that draws with the widget. */
  readonly usedBy: (widget: string) => Promise<WidgetView['used_by']>;
};

/** The widget kinds that administrators registered. */
export class Widgets {
  readonly #deps: WidgetsDeps;
  readonly #alone = createTurns();

  constructor(deps: WidgetsDeps) {
    this.#deps = deps;
  }

  /** By name. */
  async list(): Promise<readonly WidgetSummary[]> {
    const all = (await listEntities(this.#deps.db.kysely, { kind: KIND })).flatMap((one) => viewOf(one) ?? []);
    return all.map(({ source: _source, ...summary }) => summary).sort((a, b) => a.name.localeCompare(b.name));
  }

  /** `AppError` `widget_not_found`. */
  async get(id: string): Promise<WidgetView> {
    const found = await findEntity(this.#deps.db.kysely, KIND, id);
    const view = found === undefined || found.retiredAtMs !== null ? undefined : viewOf(found);
    if (view === undefined) throw notFound(id);
    return { ...view, used_by: await this.#deps.usedBy(id) };
  }

  /** Registers it, or puts another script in its place. `AppError` `too_many_widgets`. */
  put(id: string, body: WidgetBody, by: string): Promise<WidgetView> {
    return this.#alone(async () => {
      const { db, clock, ids } = this.#deps;
      const known = await listEntities(db.kysely, { kind: KIND });
      if (known.length >= MAX_WIDGETS && !known.some(({ slug }) => slug === id)) {
        const message = `there are ${MAX_WIDGETS} widgets; remove one that no panel draws with`;
        throw new AppError('conflict', WIDGET_CODES.tooMany, message);
      }
      const input = { kind: KIND, slug: id, name: body.name, origin: 'ui' as const, originPlace: '', spec: body };
      const before = await findEntity(db.kysely, KIND, id);
      await db.kysely.transaction().execute(async (trx) => {
        const { revision } = await upsertEntity(trx, input, { ids, nowMs: clock.now() });
        // What is the same as before is no new version.
        if (before?.retiredAtMs === null && before.revision === revision) return;
        const row = { widget_id: id, revision, at_ms: clock.now(), by_name: by, spec: JSON.stringify(body) };
        await insertRevision(trx, row);
        await trimRevisions(trx, id, MAX_REVISIONS);
      });
      return this.get(id);
    });
  }

  /** Versions, the newest first; also of one that was removed. `AppError` `widget_not_found`. */
  async history(id: string): Promise<readonly WidgetRevisionView[]> {
    const { kysely } = this.#deps.db;
    if ((await findEntity(kysely, KIND, id)) === undefined) throw notFound(id);
    return (await listRevisions(kysely, id, MAX_REVISIONS)).map((row) => ({
      revision: Number(row.revision),
      at_ms: Number(row.at_ms),
      by: row.by_name,
    }));
  }

  /** What a version held. `AppError` `widget_revision_not_found`. */
  async revision(id: string, revision: number): Promise<WidgetRevisionBody> {
    const row = await findRevision(this.#deps.db.kysely, id, revision);
    const read = row === undefined ? undefined : widgetBody.safeParse(JSON.parse(row.spec));
    if (row === undefined || read?.success !== true)
      throw new AppError('not_found', WIDGET_CODES.revisionNotFound, `there is no version ${revision} of the widget "${id}"`);
    return { revision, at_ms: Number(row.at_ms), by: row.by_name, ...read.data };
  }

  /** Panels that draw with it say that it is gone. `AppError` `widget_not_found`. */
  async remove(id: string): Promise<void> {
    await this.get(id);
    await retireEntity(this.#deps.db.kysely, { kind: KIND, slug: id }, this.#deps.clock.now());
  }
}

const notFound = (id: string): AppError =>
  new AppError('not_found', WIDGET_CODES.notFound, `there is no widget "${id}"; an administrator registers it`);

/** Undefined for what this server cannot read: a later one may have written it. */
function viewOf({ slug, revision, spec }: Entity): Omit<WidgetView, 'used_by'> | undefined {
  const read = widgetBody.safeParse(spec);
  return read.success ? { id: slug, revision, ...read.data } : undefined;
}
