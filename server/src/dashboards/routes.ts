import { stringify } from 'yaml';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { dashboardSummary, dashboardView, differenceView, draftView, revisionView, unreadableDashboard } from './contract.ts';
import { dashboardSpec } from './model.ts';
import type { Dashboards } from './service.ts';

const MAX_NOTE_CHARS = 500;
const tags = ['dashboards'];
const byId = z.object({ id: z.string().max(63) });
const byRevision = byId.extend({ revision: z.coerce.number().int().min(1) });
const note = z.string().max(MAX_NOTE_CHARS).default('').meta({ description: 'what was changed and why, for the history' });
const scoped = { free: 'a dashboard holds no figures: its panels ask for them with the rights of the reader' } as const;

/** Dashboards, their history, and the drafts of whoever asks. */
export function dashboardRoutes(http: Http, dashboards: Dashboards): void {
  readRoutes(http, dashboards);
  writeRoutes(http, dashboards);
  draftRoutes(http, dashboards);
}

function readRoutes(http: Http, dashboards: Dashboards): void {
  const config = { permission: 'read' as const, scoped };
  http.get(
    '/api/dashboards',
    {
      config,
      schema: {
        summary: 'Dashboards by title, and those that are kept but cannot be shown',
        tags,
        response: { 200: z.object({ items: z.array(dashboardSummary), unreadable: z.array(unreadableDashboard) }) },
      },
    },
    async () => ({ items: [...(await dashboards.list())], unreadable: [...(await dashboards.unreadable())] }),
  );
  http.get(
    '/api/dashboards/:id',
    {
      config,
      schema: {
        summary: 'One dashboard; with `format=yaml` the document alone, as a file holds it',
        tags,
        params: byId,
        querystring: z.object({ format: z.enum(['json', 'yaml']).default('json') }),
        response: { 200: z.union([dashboardView, z.string()]) },
      },
    },
    async (request, reply) => {
      const view = await dashboards.get(request.params.id);
      if (request.query.format === 'json') return view;
      reply.header('content-disposition', `attachment; filename="${view.id}.yml"`);
      return reply.type('application/yaml; charset=utf-8').send(stringify(view.spec));
    },
  );
  http.get(
    '/api/dashboards/:id/history',
    {
      config,
      schema: { summary: 'What it was, newest first', tags, params: byId, response: { 200: z.object({ items: z.array(revisionView) }) } },
    },
    async (request) => ({ items: [...(await dashboards.history(request.params.id))] }),
  );
  http.get(
    '/api/dashboards/:id/history/:revision',
    { config, schema: { summary: 'A dashboard as it was', tags, params: byRevision, response: { 200: dashboardSpec } } },
    (request) => dashboards.revision(request.params.id, request.params.revision),
  );
  http.get(
    '/api/dashboards/:id/history/:revision/differences',
    {
      config,
      schema: {
        summary: 'What changed since then, or until the revision `to`',
        tags,
        params: byRevision,
        querystring: z.object({ to: z.coerce.number().int().min(1).optional() }),
        response: { 200: z.object({ items: z.array(differenceView) }) },
      },
    },
    async (request) => ({
      items: [...(await dashboards.differences(request.params.id, request.params.revision, request.query.to))],
    }),
  );
}

function writeRoutes(http: Http, dashboards: Dashboards): void {
  const config = { permission: 'operate' as const, scoped };
  const querystring = z.object({ note });
  http.post(
    '/api/dashboards',
    { config, schema: { summary: 'Make a dashboard', tags, querystring, body: dashboardSpec, response: { 201: dashboardView } } },
    async (request, reply) =>
      reply.code(201).send(await dashboards.create({ spec: request.body, note: request.query.note }, request.actor)),
  );
  http.put(
    '/api/dashboards/:id',
    {
      config,
      schema: {
        summary: 'Change a dashboard; with `revision` only when nobody else did meanwhile',
        tags,
        params: byId,
        querystring: querystring.extend({ revision: z.coerce.number().int().min(0).optional() }),
        body: dashboardSpec,
        response: { 200: dashboardView },
      },
    },
    (request) => dashboards.update(request.params.id, { spec: request.body, ...request.query }, request.actor),
  );
  http.delete(
    '/api/dashboards/:id',
    { config, schema: { summary: 'Remove a dashboard; its history stays and can be restored', tags, params: byId } },
    async (request, reply) => {
      await dashboards.remove(request.params.id, request.actor);
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/dashboards/:id/history/:revision/restore',
    {
      config,
      schema: { summary: 'Make it again what it was, as a new revision', tags, params: byRevision, response: { 200: dashboardView } },
    },
    (request) => dashboards.restore(request.params.id, request.params.revision, request.actor),
  );
}

function draftRoutes(http: Http, dashboards: Dashboards): void {
  const config = { permission: 'operate' as const, scoped };
  http.get(
    '/api/dashboards/:id/draft',
    {
      config,
      schema: {
        summary: 'What you were changing when you left',
        tags,
        params: byId,
        response: { 200: z.object({ draft: draftView.nullable() }) },
      },
    },
    async (request) => ({ draft: await dashboards.draft(request.params.id, request.actor) }),
  );
  http.put(
    '/api/dashboards/:id/draft',
    {
      config,
      schema: {
        summary: 'Keep what you are changing, for yourself',
        tags,
        params: byId,
        querystring: z.object({ base_revision: z.coerce.number().int().min(0) }),
        body: dashboardSpec,
      },
    },
    async (request, reply) => {
      await dashboards.keepDraft(request.params.id, { spec: request.body, base: request.query.base_revision }, request.actor);
      return reply.code(204).send();
    },
  );
  http.delete(
    '/api/dashboards/:id/draft',
    { config, schema: { summary: 'Discard your draft', tags, params: byId } },
    async (request, reply) => {
      await dashboards.dropDraft(request.params.id, request.actor);
      return reply.code(204).send();
    },
  );
}
