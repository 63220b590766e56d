import { z } from 'zod';
import type { Http, ScopedThings } from '../platform/http/contract.ts';
import {
  type StatusPageView,
  announcementToWire,
  announcementView,
  newAnnouncement,
  newUpdate,
  pagePath,
  servicesOf,
  statusPageSchema,
  statusPageView,
} from './contract.ts';
import { type StandingPage, shownOf } from './pages.ts';
import type { OpenedStatusPages } from './start.ts';
import { type Visitors, visitorRoutes } from './visitor-routes.ts';
import { passOf } from './visits.ts';

const PAGES: ScopedThings = { names: { params: { id: 'status_page' } }, id: 'status_page' };

type Deps = OpenedStatusPages & Visitors;

const byId = z.object({ id: z.string() });
const pageTags = ['status pages'];
const announcementTags = ['announcements'];
const read = { permission: 'read' as const };
const operate = { permission: 'operate' as const };
const administer = { permission: 'administer' as const };

/** Status pages and what is announced on them: for those who run them, and for visitors. */
export function statusPageRoutes(http: Http, deps: Deps): void {
  readPages(http, deps);
  writePages(http, deps);
  subscriberRoutes(http, deps);
  readAnnouncements(http, deps);
  writeAnnouncements(http, deps);
  visitorRoutes(http, deps);
}

async function viewsOf(deps: Deps, pages: readonly StandingPage[]): Promise<StatusPageView[]> {
  const counts = await deps.subscriptions.counts();
  const open = deps.announcements.list({ state: 'open' });
  return pages.map(({ spec, place }) => {
    const written = deps.board.written(spec.id);
    const count = (kind: string): number => counts.find((one) => one.page === spec.id && one.kind === kind)?.count ?? 0;
    return {
      id: spec.id,
      title: spec.title,
      url: deps.urlOf(spec),
      path: pagePath(spec),
      private: spec.private !== undefined,
      domain: spec.domain ?? null,
      services: servicesOf(spec).map(({ service }) => service),
      state: written?.state ?? 'unknown',
      written_at_ms: written?.atMs ?? null,
      open_announcements: open.filter((one) => one.pages.includes(spec.id)).length,
      subscribers: { email: count('email'), webhook: count('webhook') },
      origin: place ?? 'ui',
      spec: shownOf(spec),
    };
  });
}

async function viewOf(deps: Deps, page: StandingPage): Promise<StatusPageView> {
  const [view] = await viewsOf(deps, [page]);
  if (view === undefined) throw new Error('one page has one view, found none');
  return view;
}

function readPages(http: Http, deps: Deps): void {
  http.get(
    '/api/status-pages',
    {
      config: { ...read, scoped: PAGES },
      schema: { summary: 'Status pages', tags: pageTags, response: { 200: z.object({ items: z.array(statusPageView) }) } },
    },
    async () => ({ items: await viewsOf(deps, deps.pages.list()) }),
  );
  http.get(
    '/api/status-pages/:id',
    {
      config: { ...read, scoped: PAGES },
      schema: { summary: 'One status page', tags: pageTags, params: byId, response: { 200: statusPageView } },
    },
    (request) => viewOf(deps, deps.pages.find(request.params.id)),
  );
  http.post(
    '/api/status-pages/:id/link',
    {
      config: { ...read, scoped: PAGES, audit: 'read' },
      schema: {
        summary: 'A link that opens the page, also a private one; it holds for five minutes',
        tags: pageTags,
        params: byId,
        response: { 200: z.object({ path: z.string() }) },
      },
    },
    (request) => {
      const { spec } = deps.pages.find(request.params.id);
      const path = pagePath(spec);
      return Promise.resolve({ path: spec.private === undefined ? path : `${path}?pass=${passOf(deps.links, spec, deps.clock.now())}` });
    },
  );
}

function writePages(http: Http, deps: Deps): void {
  http.post(
    '/api/status-pages',
    { config: administer, schema: { summary: 'Make a status page', tags: pageTags, body: statusPageSchema } },
    async (request, reply) => reply.code(201).send(await viewOf(deps, await deps.pages.create(request.body, request.actor.name))),
  );
  http.put(
    '/api/status-pages/:id',
    {
      config: administer,
      schema: { summary: 'Change a status page that was made here', tags: pageTags, params: byId, body: statusPageSchema },
    },
    async (request) => viewOf(deps, await deps.pages.update(request.params.id, request.body, request.actor.name)),
  );
  http.delete(
    '/api/status-pages/:id',
    { config: administer, schema: { summary: 'Take a status page away', tags: pageTags, params: byId } },
    async (request, reply) => {
      await deps.pages.remove(request.params.id);
      return reply.code(204).send();
    },
  );
}

const subscriberView = z.object({ id: z.string(), kind: z.enum(['email', 'webhook']), address: z.string(), confirmed_at_ms: z.number() });

function subscriberRoutes(http: Http, { pages, subscriptions }: Deps): void {
  http.get(
    '/api/status-pages/:id/subscribers',
    {
      config: { ...administer, audit: 'read' },
      schema: {
        summary: 'Who is told of announcements',
        tags: pageTags,
        params: byId,
        response: { 200: z.object({ items: z.array(subscriberView) }) },
      },
    },
    async (request) => {
      const { spec } = pages.find(request.params.id);
      const all = await subscriptions.list(spec.id);
      return { items: all.map(({ id, kind, address, confirmedAtMs }) => ({ id, kind, address, confirmed_at_ms: confirmedAtMs })) };
    },
  );
  http.delete(
    '/api/status-pages/:id/subscribers/:subscriber',
    {
      config: administer,
      schema: { summary: 'Forget a subscriber', tags: pageTags, params: z.object({ id: z.string(), subscriber: z.string() }) },
    },
    async (request, reply) => {
      const { spec } = pages.find(request.params.id);
      await subscriptions.end(request.params.subscriber, spec.id);
      return reply.code(204).send();
    },
  );
}

function readAnnouncements(http: Http, { announcements }: Deps): void {
  const query = z.object({ page: z.string().optional(), state: z.enum(['open', 'all']).default('all') });
  http.get(
    '/api/announcements',
    {
      config: { ...read, scoped: { names: { query: { page: 'status_page' } } } },
      schema: {
        summary: 'What was announced on status pages, newest first',
        tags: announcementTags,
        querystring: query,
        response: { 200: z.object({ items: z.array(announcementView) }) },
      },
    },
    (request) => {
      const { page, state } = request.query;
      return Promise.resolve({ items: announcements.list({ state, ...(page === undefined ? {} : { page }) }).map(announcementToWire) });
    },
  );
  http.get(
    '/api/announcements/:id',
    {
      config: { ...read, scoped: {} },
      schema: { summary: 'One announcement', tags: announcementTags, params: byId, response: { 200: announcementView } },
    },
    (request) => Promise.resolve(announcementToWire(announcements.find(request.params.id))),
  );
}

function writeAnnouncements(http: Http, { announcements }: Deps): void {
  http.post(
    '/api/announcements',
    {
      config: operate,
      schema: { summary: 'Announce something on status pages; subscribers are told', tags: announcementTags, body: newAnnouncement },
    },
    async (request, reply) => reply.code(201).send(announcementToWire(await announcements.create(request.body, request.actor.name))),
  );
  http.post(
    '/api/announcements/:id/updates',
    {
      config: operate,
      schema: {
        summary: 'Say more about what was announced, or that it is resolved',
        tags: announcementTags,
        params: byId,
        body: newUpdate,
      },
    },
    async (request, reply) =>
      reply.code(201).send(announcementToWire(await announcements.update(request.params.id, request.body, request.actor.name))),
  );
  http.delete(
    '/api/announcements/:id',
    {
      config: operate,
      schema: { summary: 'Withdraw an announcement: it leaves the pages, and is kept', tags: announcementTags, params: byId },
    },
    async (request, reply) => {
      await announcements.withdraw(request.params.id, request.actor.name);
      return reply.code(204).send();
    },
  );
}
