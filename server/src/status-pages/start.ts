import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Cipher } from '@nines/tsdb/contract.ts';
import type { Kysely } from 'kysely';
import type { Ledger } from '../availability/contract.ts';
import type { Maintenance } from '../maintenance/contract.ts';
import type { Mailer } from '../notify/contract.ts';
import type { Breath } from '../platform/breath.ts';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Outbound } from '../platform/fetch/outbound.ts';
import { startLoop } from '../platform/loop.ts';
import type { OutboxHandler } from '../platform/records/contract.ts';
import type { Outbox } from '../platform/records/outbox.ts';
import type { Secrets } from '../platform/secrets/contract.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { Announcements } from './announcements.ts';
import { BOARD_STEP_MS, Board } from './board.ts';
import { type StatusPageSpec, pagePath } from './contract.ts';
import { Deliveries, STATUS_TOPICS } from './deliveries.ts';
import { rewriteOf } from './hosts.ts';
import { Links } from './links.ts';
import { StatusPages } from './pages.ts';
import { PLANNED_STEP_MS, PlannedNews } from './planned-news.ts';
import { PAGES_KEY, openShelf } from './shelf.ts';
import { linkSecret } from './store.ts';
import { Subscriptions } from './subscriptions.ts';

export type StatusPagesDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly ledger: Pick<Ledger, 'timeline' | 'current' | 'version'>;
  readonly maintenance: Maintenance;
  readonly services: Pick<ServiceCatalogue, 'get' | 'list'>;
  readonly yieldNow: Breath;
  readonly outbox: () => Pick<Outbox, 'enqueue' | 'wake'>;
  readonly mailer: (channel: string) => Mailer | undefined;
  readonly request: Outbound['request'];
  /** How people reach the server from outside; a page with a domain of its own is reached under that name, otherwise the same way. */
  readonly externalUrl: string;
  /** Where written pages are kept, and what they are sealed with where the data directory is encrypted. */
  readonly dataDir: string;
  readonly keys: Cipher | undefined;
  readonly secrets: Secrets;
};

const SECRET_BYTES = 32;

/** Status pages with all that belongs to them. Nothing is shown before `pages.declare`, nothing goes on before `run`. */
export async function openStatusPages(deps: StatusPagesDeps) {
  const { db, clock, ids, logger, dataDir, keys, secrets } = deps;
  const links = new Links(await linkSecret(db, { secrets, fresh: ids.secret(SECRET_BYTES), nowMs: clock.now() }));
  const urlOf = (spec: StatusPageSpec): string => publicUrl(deps.externalUrl, spec);
  const board = new Board({ ...deps, announcements: () => announcements.all(), shelf: openShelf(dataDir, keys?.key(PAGES_KEY)), urlOf });
  const pages = new StatusPages({
    ...deps,
    hasMailer: (channel) => deps.mailer(channel) !== undefined,
    onChange: () => board.configure(pages.list()),
  });
  const subscriptions = new Subscriptions({ ...deps, links });
  await subscriptions.load();
  const deliveries = new Deliveries({
    ...deps,
    page: (id) => pages.get(id),
    announcement: (id) => announcements.all().find((one) => one.id === id),
    subscriptions,
    urlOf,
  });
  const announcements = new Announcements({
    ...deps,
    hasPage: (id) => pages.get(id) !== undefined,
    tell: (trx, ...told) => deliveries.tell(trx, ...told),
    onChange: async (changed) => {
      deps.outbox().wake();
      await board.refreshOnly(changed);
    },
  });
  await announcements.load();
  const planned = new PlannedNews({
    ...deps,
    pages: () => pages.list().map(({ spec }) => spec),
    tellPage: (trx, ...told) => deliveries.tellPage(trx, ...told),
  });
  await planned.load();

  /** Keeps the pages current from now on; at the end they are put on the disk once more. */
  const run = (): AsyncDisposable => {
    const ending = new AsyncDisposableStack();
    ending.defer(() => board.keep(clock.now()));
    ending.use(startLoop({ clock, logger, name: 'status pages', everyMs: BOARD_STEP_MS, step: (nowMs) => board.step(nowMs) }));
    const telling = startLoop({ clock, logger, name: 'planned news', everyMs: PLANNED_STEP_MS, step: (nowMs) => planned.step(nowMs) });
    ending.use(telling);
    ending.use(
      deps.bus.subscribe(({ type }) => {
        if (!type.startsWith('maintenance.')) return;
        board.wake();
        telling.poke();
      }),
    );
    return ending;
  };
  return {
    pages,
    board,
    announcements,
    subscriptions,
    links,
    urlOf,
    planned,
    handlers: deliveries.handlers,
    rewrite: rewriteOf(pages),
    run,
  };
}

export type OpenedStatusPages = Awaited<ReturnType<typeof openStatusPages>>;

/** For the outbox, which is there before the pages are. */
export const statusHandlers = (opened: () => OpenedStatusPages): Readonly<Record<string, OutboxHandler>> =>
  Object.fromEntries(STATUS_TOPICS.map((topic) => [topic, (message, context) => opened().handlers[topic](message, context)]));

/** The address of a page, without a slash at the end. */
function publicUrl(externalUrl: string, spec: StatusPageSpec): string {
  const url = new URL(externalUrl);
  if (spec.domain === undefined) return `${url.origin}${pagePath(spec)}`;
  url.hostname = spec.domain;
  return url.origin;
}
