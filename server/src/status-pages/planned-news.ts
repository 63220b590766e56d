import { DAY_MS, type EpochMs, SECOND_MS, epochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { Maintenance } from '../maintenance/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Outbox } from '../platform/records/outbox.ts';
import { type StatusPageSpec, servicesOf } from './contract.ts';
import type { About } from './deliveries.ts';
import { nextOfEach } from './evaluate.ts';
import { type Told, allTold, insertTold } from './store.ts';

/** How often `step` is to be called. */
export const PLANNED_STEP_MS = 10 * SECOND_MS;
/** Maintenance that begins later is told when it comes nearer. */
const AHEAD_MS = 60 * DAY_MS;

export type PlannedNewsDeps = {
  readonly db: Kysely<Database>;
  readonly maintenance: Maintenance;
  readonly pages: () => readonly StatusPageSpec[];
  readonly outbox: () => Pick<Outbox, 'wake'>;
  readonly tellPage: (trx: Sql, page: string, what: About) => Promise<void>;
};

/** Tells the subscribers of pages of planned maintenance, once for each plan that is announced: of windows that come again the next time. */
export class PlannedNews {
  readonly #deps: PlannedNewsDeps;
  readonly #told = new Set<string>();

  constructor(deps: PlannedNewsDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    for (const told of await allTold(this.#deps.db)) this.#told.add(keyOf(told));
  }

  /** Steps must not overlap. */
  async step(nowMs: EpochMs): Promise<void> {
    const { db, maintenance, pages, outbox, tellPage } = this.#deps;
    const coming = nextOfEach(maintenance.occurrences({ fromMs: nowMs, toMs: epochMs(nowMs + AHEAD_MS) }));
    for (const page of pages()) {
      if (!page.subscriptions.maintenance) continue;
      const shown = new Set(servicesOf(page).map(({ service }) => service));
      for (const one of coming) {
        const told: Told = { page: page.id, window: one.window, announcedAtMs: one.announcedAtMs };
        if (this.#told.has(keyOf(told)) || !one.services.some((id) => shown.has(id))) continue;
        const what: About = { kind: 'maintenance', window: one.window, planned_from_at_ms: one.fromMs, announced_at_ms: one.announcedAtMs };
        await db.transaction().execute(async (trx) => {
          if (await insertTold(trx, told, nowMs)) await tellPage(trx, page.id, what);
        });
        this.#told.add(keyOf(told));
        outbox().wake();
      }
    }
  }
}

const keyOf = ({ page, window, announcedAtMs }: Told): string => `${page} ${window} ${announcedAtMs}`;
