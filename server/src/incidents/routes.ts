import { AppError } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import { DAY_MS, epochMs } from '@nines/base/units.ts';
import { isFull } from '@nines/model/scope.ts';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SEVERITIES } from '../alerting/contract.ts';
import type { Http, ScopedThings } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { seesServices } from '../platform/http/scoped.ts';
import {
  CATEGORIES,
  INCIDENT_CODES,
  type IncidentView,
  LINK_KINDS,
  actionEdit,
  actionView,
  incidentDetail,
  incidentEdit,
  incidentView,
  newAction,
  newComment,
  newIncident,
  newLink,
  postMortemEdit,
  postMortemView,
  stateChange,
  statisticsView,
} from './contract.ts';
import { type RulesPreview, rulesPreview } from './preview.ts';
import { type IncidentRules, incidentRules } from './rules.ts';
import type { IncidentService } from './service.ts';
import type { Sees } from './sight.ts';

const OF_INCIDENT: ScopedThings = { names: { params: { id: 'incident' } } };
/** One about no service would be seen by none of those who open it. */
const OPENED: ScopedThings = { names: { body: { services: 'service', alerts: 'alert' } }, needs: ['services'], id: 'incident' };
const INCIDENTS: ScopedThings = { ...OF_INCIDENT, id: 'incident' };

const MAX_PAGE = 500;
const DEFAULT_PAGE = 100;
/** What statistics look at when nobody says it. */
const DEFAULT_RANGE_MS = 30 * DAY_MS;

type Deps = {
  readonly incidents: IncidentService;
  readonly preview: (rules: IncidentRules) => Promise<RulesPreview>;
  readonly clock: Pick<Clock, 'now'>;
};

const tags = ['incidents'];
const read = { permission: 'read' as const };
const operate = { permission: 'operate' as const };
const byId = z.object({ id: z.string() });

const severities = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (Array.isArray(given) ? given : [given]).flatMap((text) => text.split(',')).filter((text) => text !== ''))
  .pipe(z.array(z.enum(SEVERITIES)));

const listQuery = z.object({
  status: z.enum(['open', 'resolved', 'all']).default('open'),
  severity: severities.default([]),
  category: z.enum(CATEGORIES).optional(),
  service: z.string().optional(),
  /** An alert's id: those that it is linked to, or that its problem is. */
  alert: z.string().optional(),
  from: instant.optional(),
  to: instant.optional(),
  cursor: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
});

/** Incidents: lists, one with its time line, what people do, post-mortems, statistics and the rules. `{id}` is an id or a number (`12`, `INC-12`). */
export function incidentRoutes(http: Http, deps: Deps): void {
  readRoutes(http, deps);
  workRoutes(http, deps);
  changeRoutes(http, deps);
  documentRoutes(http, deps);
  ruleRoutes(http, deps);
}

const seenBy = (request: Pick<FastifyRequest, 'actor' | 'sees'>): Sees | undefined =>
  isFull(request.actor.scope) ? undefined : (service) => request.sees({ service });

function readRoutes(http: Http, { incidents, clock }: Deps): void {
  http.get(
    '/api/incidents',
    {
      config: { ...read, scoped: INCIDENTS },
      schema: {
        summary: 'Incidents, newest first',
        tags,
        querystring: listQuery,
        response: { 200: z.object({ items: z.array(incidentView), next: z.string().nullable() }) },
      },
    },
    (request) => {
      const { severity, from: fromMs, to: toMs, category, service, alert, cursor, ...query } = request.query;
      const sees = isFull(request.actor.scope) ? undefined : (one: IncidentView) => seesServices(request, one.services);
      return incidents.list({ ...query, severities: severity, category, service, alert, fromMs, toMs, cursor, sees });
    },
  );
  http.get(
    '/api/incidents/statistics',
    {
      config: read,
      schema: {
        summary: 'How fast incidents of [from, to) were detected, acknowledged and ended; the last 30 days by default',
        tags,
        querystring: z.object({
          from: instant.optional(),
          to: instant.optional(),
          by: z.enum(['service', 'category', 'team', 'severity']).default('service'),
        }),
        response: { 200: statisticsView },
      },
    },
    (request) => {
      const toMs = request.query.to ?? epochMs(clock.now() + 1);
      const fromMs = request.query.from ?? epochMs(toMs - DEFAULT_RANGE_MS);
      if (fromMs >= toMs) throw new AppError('bad_input', INCIDENT_CODES.invalid, 'from must be before to', { field: 'from' });
      return incidents.statistics({ fromMs, toMs, by: request.query.by });
    },
  );
  http.get(
    '/api/incidents/:id',
    {
      config: { ...read, scoped: INCIDENTS },
      schema: { summary: 'One incident with its time line', tags, params: byId, response: { 200: incidentDetail } },
    },
    (request) => incidents.get(request.params.id, seenBy(request)),
  );
}

function workRoutes(http: Http, { incidents }: Deps): void {
  http.post(
    '/api/incidents/:id/state',
    {
      config: { ...operate, scoped: INCIDENTS },
      schema: {
        summary: 'Move an incident on: acknowledged, investigating, mitigated, resolved, closed',
        tags,
        params: byId,
        body: stateChange,
        response: { 200: incidentView },
      },
    },
    (request) => incidents.changeState(request.params.id, request.body, request.actor),
  );
  http.post(
    '/api/incidents/:id/comments',
    {
      config: { ...operate, scoped: INCIDENTS },
      schema: { summary: 'Write into the time line', tags, params: byId, body: newComment, response: { 200: incidentView } },
    },
    (request) => incidents.comment(request.params.id, request.body.text, request.actor),
  );
  http.post(
    '/api/incidents/:id/links',
    {
      config: operate,
      schema: {
        summary: 'Link an alert, a service, an SLA or a change',
        tags,
        params: byId,
        body: newLink,
        response: { 200: incidentView },
      },
    },
    (request) => incidents.link(request.params.id, request.body, request.actor),
  );
  http.delete(
    '/api/incidents/:id/links/:kind/:ref',
    {
      config: { ...operate, scoped: INCIDENTS },
      schema: {
        summary: 'Take a link away; the time line keeps that it was',
        tags,
        params: z.object({ id: z.string(), kind: z.enum(LINK_KINDS).exclude(['problem']), ref: z.string() }),
      },
    },
    async (request, reply) => {
      const { id, ...link } = request.params;
      await incidents.unlink(id, link, request.actor);
      return reply.code(204).send();
    },
  );
}

function changeRoutes(http: Http, { incidents }: Deps): void {
  http.post(
    '/api/incidents',
    {
      config: { ...operate, scoped: OPENED },
      schema: { summary: 'Open an incident by hand', tags, body: newIncident, response: { 201: incidentView } },
    },
    async (request, reply) => reply.code(201).send(await incidents.create(request.body, request.actor)),
  );
  http.patch(
    '/api/incidents/:id',
    {
      config: { ...operate, scoped: INCIDENTS },
      schema: {
        summary: 'Change title, summary, severity, category, roles',
        tags,
        params: byId,
        body: incidentEdit,
        response: { 200: incidentView },
      },
    },
    (request) => incidents.edit(request.params.id, request.body, request.actor),
  );
  http.delete(
    '/api/incidents/:id',
    {
      config: { permission: 'administer', stepUp: true },
      schema: {
        summary: 'Remove an incident that was opened by mistake, with its time line; the audit keeps that it was',
        tags,
        params: byId,
        querystring: z.object({ revision: z.coerce.number().int() }),
      },
    },
    async (request, reply) => {
      await incidents.remove(request.params.id, request.query.revision, request.actor);
      return reply.code(204).send();
    },
  );
}

function documentRoutes(http: Http, { incidents }: Deps): void {
  http.post(
    '/api/incidents/:id/actions',
    {
      config: { ...operate, scoped: OF_INCIDENT },
      schema: { summary: 'Add an action item', tags, params: byId, body: newAction, response: { 201: actionView } },
    },
    async (request, reply) => reply.code(201).send(await incidents.addAction(request.params.id, request.body, request.actor)),
  );
  http.patch(
    '/api/incidents/:id/actions/:action',
    {
      config: { ...operate, scoped: OF_INCIDENT },
      schema: {
        summary: 'Change an action item, or say that it is done',
        tags,
        params: z.object({ id: z.string(), action: z.string() }),
        body: actionEdit,
        response: { 200: actionView },
      },
    },
    (request) => incidents.editAction(request.params.id, request.params.action, request.body, request.actor),
  );
  http.get(
    '/api/incidents/:id/post-mortem',
    {
      config: { ...read, scoped: OF_INCIDENT },
      schema: {
        summary: 'The post-mortem in Markdown, or a draft from the time line',
        tags,
        params: byId,
        response: { 200: postMortemView },
      },
    },
    (request) => incidents.postMortem(request.params.id, seenBy(request)),
  );
  http.put(
    '/api/incidents/:id/post-mortem',
    {
      config: { ...operate, scoped: OF_INCIDENT },
      schema: {
        summary: 'Save the post-mortem; revision 0 for the first time',
        tags,
        params: byId,
        body: postMortemEdit,
        response: { 200: postMortemView },
      },
    },
    (request) => incidents.savePostMortem(request.params.id, request.body, request.actor),
  );
}

function ruleRoutes(http: Http, { incidents, preview }: Deps): void {
  const rulesView = z.object({ rules: incidentRules, revision: z.number() });
  http.get(
    '/api/incident-rules',
    {
      config: read,
      schema: { summary: 'What opens incidents, how they are classified, and who is told when', tags, response: { 200: rulesView } },
    },
    () => Promise.resolve(incidents.rules()),
  );
  http.post(
    '/api/incident-rules/preview',
    {
      config: read,
      schema: {
        summary: 'What of the last 30 days would have opened an incident by these rules',
        tags,
        body: z.strictObject({ rules: incidentRules }),
        response: { 200: rulesPreview },
      },
    },
    (request) => preview(request.body.rules),
  );
  http.put(
    '/api/incident-rules',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Replace the rules of incidents; revision 0 for the first time',
        tags,
        body: z.strictObject({ rules: incidentRules, revision: z.number().int() }),
        response: { 200: rulesView },
      },
    },
    (request) => incidents.changeRules(request.body.rules, request.body.revision, request.actor),
  );
}
