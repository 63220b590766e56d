import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import { stringify } from 'yaml';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';
import type { Actor, Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import {
  DASHBOARD_CODES,
  dashboardSummary,
  dashboardView,
  differenceView,
  draftView,
  importView,
  revisionView,
  unreadableDashboard,
} from './contract.ts';
import { exportGrafana } from './grafana/export.ts';
import { importGrafana } from './grafana/import.ts';
import { type DashboardSpec, dashboardSpec } from './model.ts';
import type { Drawer } from './drawn/drawer.ts';
import type { Dashboards } from './service.ts';

const MAX_NOTE_CHARS = 500;
/** The largest public ones have two. */
const MAX_IMPORT_BYTES = 8 * 1024 * 1024;
const tags = ['dashboards'];
const byId = z.object({ id: z.string().max(63) });
const byRevision = byId.extend({ revision: z.coerce.number().int().min(1) });
const note = z.string().max(MAX_NOTE_CHARS).default('').meta({ description: 'what was changed and why, for the history' });
const scoped = { free: 'a dashboard holds no figures: its panels ask for them with the rights of the reader' } as const;

/** How dashboards are drawn here, and whose figures go into a drawing. */
export type Drawings = { readonly drawer: Drawer; readonly kindsFor: (actor: Actor) => ReadonlySet<string> };

/** Dashboards, their history, and the drafts of whoever asks. */
export function dashboardRoutes(http: Http, dashboards: Dashboards, drawings: Drawings): void {
  oneRoute(http, dashboards, drawings);
  readRoutes(http, dashboards);
  writeRoutes(http, dashboards);
  importRoute(http, dashboards);
  draftRoutes(http, dashboards);
}

/** `{"host":["a","b"]}`: values of variables by name. */
const written = z
  .string()
  .max(20_000)
  .optional()
  .transform((text, context) => {
    const read = z.record(z.string().max(63), z.array(z.string().max(200)).max(1_000)).safeParse(jsonOf(text));
    if (read.success) return read.data;
    context.addIssue({ code: 'custom', message: 'write values as {"name":["value"]}' });
    return z.NEVER;
  });

function jsonOf(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const drawn = z.object({
  format: z.enum(['json', 'yaml', 'grafana', 'pdf']).default('json'),
  vars: written.meta({ description: 'of a PDF: values of variables, as JSON' }),
  last: z
    .string()
    .refine((text) => duration({ minMs: MINUTE_MS, maxMs: 3_660 * DAY_MS }).safeParse(text).success, 'write a length of time such as 1h')
    .optional()
    .meta({ description: 'of a PDF: how far back' }),
  from: instant.optional().meta({ description: 'of a PDF, with `to`: of which time' }),
  to: instant.optional(),
});

function oneRoute(http: Http, dashboards: Dashboards, { drawer, kindsFor }: Drawings): void {
  http.get(
    '/api/dashboards/:id',
    {
      config: { permission: 'read', scoped: 'handler' },
      schema: {
        summary:
          'One dashboard; with `format=yaml` the document alone, as a file holds it, with `format=grafana` as Grafana imports it, with `format=pdf` what it shows, drawn',
        tags,
        params: byId,
        querystring: drawn,
        response: { 200: z.union([dashboardView, z.string(), z.instanceof(Uint8Array)]) },
      },
    },
    async (request, reply) => {
      const view = await dashboards.get(request.params.id);
      const { format, vars, last, from, to } = request.query;
      if (format === 'json') return view;
      if (format === 'grafana') {
        reply.header('content-disposition', `attachment; filename="${view.id}.grafana.json"`);
        return reply.type('application/json; charset=utf-8').send(JSON.stringify(exportGrafana(view.spec), null, 2));
      }
      reply.header('content-disposition', `attachment; filename="${view.id}.${format === 'pdf' ? 'pdf' : 'yml'}"`);
      if (format === 'yaml') return reply.type('application/yaml; charset=utf-8').send(stringify(view.spec));
      const kinds = kindsFor(request.actor);
      const span = from === undefined || to === undefined ? undefined : spanOf(from, to);
      const ask = { given: vars, scope: request.actor.scope, reads: (kind: string) => kinds.has(kind), range: last, span };
      return reply.type('application/pdf').send(Buffer.from(await drawer.paper(view.spec, ask, request.actor.id)));
    },
  );
}

function spanOf(fromMs: number, toMs: number): { readonly fromMs: number; readonly toMs: number } {
  if (toMs - fromMs < MINUTE_MS)
    throw new AppError('bad_input', 'bad_range', '"to" must be at least a minute after "from"', { field: 'to' });
  return { fromMs, toMs };
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

function importRoute(http: Http, dashboards: Dashboards): void {
  const querystring = z.object({
    dry_run: z.stringbool().default(false).meta({ description: 'only tell what it would become and what is lost' }),
    id: dashboardSpec.shape.id.optional().meta({ description: 'its id here; a free one made of its title when left out' }),
  });
  http.post(
    '/api/dashboards/import',
    {
      config: { permission: 'operate', scoped },
      bodyLimit: MAX_IMPORT_BYTES,
      schema: {
        summary: 'Import a dashboard of Grafana (Classic, V1, V2); every loss is told',
        tags,
        querystring,
        body: z.record(z.string(), z.unknown()).meta({ description: 'the file as Grafana exports it, or as its API answers it' }),
        response: { 200: importView, 201: importView },
      },
    },
    async (request, reply) => {
      const read = importGrafana(request.body);
      if (!read.ok) {
        const { place, message } = read.error;
        throw new AppError('bad_input', DASHBOARD_CODES.notImportable, place === '' ? message : `${place}: ${message}`, { field: place });
      }
      const { spec, schema, losses, found, converted } = read.value;
      const dashboard = { ...spec, id: request.query.id ?? (await freeId(dashboards, spec)) };
      const answer = { dashboard, schema, panels: { found, converted }, losses: [...losses] };
      if (request.query.dry_run) return { ...answer, saved: false };
      await dashboards.create({ spec: dashboard, note: `imported from Grafana (${schema}), ${losses.length} losses` }, request.actor);
      return reply.code(201).send({ ...answer, saved: true });
    },
  );
}

/** Its own id, or the first with a number behind it that nobody has. */
async function freeId(dashboards: Dashboards, { id }: DashboardSpec): Promise<string> {
  const taken = new Set((await dashboards.list()).map((one) => one.id));
  let free = id;
  for (let at = 2; taken.has(free); at++) free = `${id.slice(0, 57)}-${at}`;
  return free;
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
