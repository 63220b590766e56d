import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Sql } from '../platform/records/contract.ts';
import { createTurns } from '../platform/turns.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import {
  type Announcement,
  type AnnouncementUpdate,
  type NewAnnouncement,
  type NewUpdate,
  STATUS_PAGE_CODES,
  announcementToWire,
  isOpen,
  latest,
} from './contract.ts';
import { allAnnouncements, insertAnnouncement, insertUpdate, markWithdrawn } from './store.ts';

export type AnnouncementDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly services: Pick<ServiceCatalogue, 'get'>;
  readonly hasPage: (id: string) => boolean;
  /** Puts what subscribers must be told into the outbox, in the transaction of the update. */
  readonly tell: (trx: Sql, announcement: Announcement, update: AnnouncementUpdate) => Promise<void>;
  /** Called when a change is durable, before whoever made it is answered. */
  readonly onChange: (pages: readonly string[]) => Promise<void>;
};

/** Clocks of people and servers differ by a little. */
const MAX_AHEAD_MS = MINUTE_MS;

/** What people say on status pages. Updates are never changed; an announcement that should not have been made is withdrawn and kept. */
export class Announcements {
  readonly #deps: AnnouncementDeps;
  readonly #alone = createTurns();
  #all: readonly Announcement[] = [];

  constructor(deps: AnnouncementDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    this.#all = await allAnnouncements(this.#deps.db);
  }

  /** Withdrawn ones too. */
  all(): readonly Announcement[] {
    return this.#all;
  }

  /** Newest first, without withdrawn ones. */
  list(filter: { readonly page?: string; readonly state?: 'open' | 'all' }): readonly Announcement[] {
    return this.#all
      .filter(
        (one) =>
          one.withdrawnAtMs === null &&
          (filter.page === undefined || one.pages.includes(filter.page)) &&
          (filter.state !== 'open' || isOpen(one)),
      )
      .toSorted((a, b) => latest(b).atMs - latest(a).atMs || (a.id < b.id ? 1 : -1));
  }

  /** `AppError` `announcement_not_found`. */
  find(id: string): Announcement {
    const found = this.#all.find((one) => one.id === id);
    if (found === undefined) throw new AppError('not_found', STATUS_PAGE_CODES.announcementNotFound, `there is no announcement ${id}`);
    return found;
  }

  /** `AppError` `announcement_invalid` names what is not there. */
  create(wanted: NewAnnouncement, by: string): Promise<Announcement> {
    return this.#alone(async () => {
      const { title, pages, services } = wanted;
      for (const page of pages) if (!this.#deps.hasPage(page)) throw refused(`there is no status page "${page}"`, 'pages');
      for (const service of services)
        if (this.#deps.services.get(service) === undefined) throw refused(`there is no service "${service}"`, 'services');
      const update = this.#update(wanted, by, 0);
      const unique = (ids: readonly string[]): readonly string[] => [...new Set(ids)];
      const made: Announcement = {
        id: this.#deps.ids.uuid(),
        title,
        pages: unique(pages),
        services: unique(services),
        updates: [update],
        withdrawnAtMs: null,
        withdrawnBy: null,
      };
      await this.#deps.db.transaction().execute(async (trx) => {
        await insertAnnouncement(trx, made);
        await insertUpdate(trx, made.id, update);
        if (wanted.notify) await this.#deps.tell(trx, made, update);
      });
      await this.#replace(made, 'announced');
      return made;
    });
  }

  /** `AppError` `announcement_not_found`, `announcement_invalid`. */
  update(id: string, wanted: NewUpdate, by: string): Promise<Announcement> {
    return this.#alone(async () => {
      const before = this.find(id);
      if (before.withdrawnAtMs !== null) throw refused('this announcement was withdrawn; make another one', 'id');
      const update = this.#update(wanted, by, latest(before).atMs);
      const after = { ...before, updates: [...before.updates, update] };
      await this.#deps.db.transaction().execute(async (trx) => {
        await insertUpdate(trx, id, update);
        if (wanted.notify) await this.#deps.tell(trx, after, update);
      });
      await this.#replace(after, 'updated');
      return after;
    });
  }

  /** Takes it off the pages; what was said, and who took it back, is kept. `AppError` `announcement_not_found`. */
  withdraw(id: string, by: string): Promise<void> {
    return this.#alone(async () => {
      const before = this.find(id);
      if (before.withdrawnAtMs !== null) return;
      const atMs = this.#deps.clock.now();
      await markWithdrawn(this.#deps.db, id, { atMs, by });
      await this.#replace({ ...before, withdrawnAtMs: atMs, withdrawnBy: by }, 'withdrawn');
    });
  }

  #update({ state, text, at_ms: wantedMs }: NewUpdate, by: string, afterMs: number): AnnouncementUpdate {
    const nowMs = this.#deps.clock.now();
    const atMs = wantedMs ?? Math.max(nowMs, afterMs);
    if (atMs > nowMs + MAX_AHEAD_MS) throw refused('an update cannot be of a time that is still to come', 'at_ms');
    if (atMs < afterMs) throw refused('an update cannot be older than the one before it', 'at_ms');
    return { id: this.#deps.ids.uuid(), state, text, atMs, recordedAtMs: nowMs, by };
  }

  async #replace(one: Announcement, what: 'announced' | 'updated' | 'withdrawn'): Promise<void> {
    this.#all = [...this.#all.filter(({ id }) => id !== one.id), one];
    await this.#deps.onChange(one.pages);
    this.#deps.bus.publish({
      topic: 'services',
      type: `announcement.${what}`,
      atMs: this.#deps.clock.now(),
      data: announcementToWire(one),
    });
  }
}

const refused = (message: string, field: string): AppError =>
  new AppError('bad_input', STATUS_PAGE_CODES.announcementInvalid, message, { field });
