import { isFull } from '@nines/model/scope.ts';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { feedbackBody, insightView, listQuery, listView, muteBody, muteView, statusView } from './contract.ts';
import type { Asking, InsightService } from './service.ts';

const tags = ['analytics'];
const read = { permission: 'read', scoped: 'handler' } as const;
const operate = { permission: 'operate', scoped: 'handler' } as const;
const byId = z.object({ id: z.string() });

type Deps = {
  readonly insights: InsightService;
  /** Has everything examined soon. */
  readonly runSoon: () => void;
};

const askingOf = (request: Pick<FastifyRequest, 'actor' | 'sees'>): Asking => ({
  actor: request.actor,
  full: isFull(request.actor.scope),
  sees: (labels) => request.sees(labels),
});

/** `/api/insights/…`: the feed, what people say of it, and what they do not want to hear. */
export function insightRoutes(http: Http, deps: Deps): void {
  readRoutes(http, deps);
  changeRoutes(http, deps);
}

function readRoutes(http: Http, { insights }: Deps): void {
  http.get(
    '/api/insights',
    {
      config: read,
      schema: {
        summary: 'What the stored figures say by themselves, in sentences with evidence: open ones by rank, all of them newest first',
        tags,
        querystring: listQuery,
        response: { 200: listView },
      },
    },
    (request) => insights.list(request.query, askingOf(request)),
  );
  http.get(
    '/api/insights/status',
    {
      config: { permission: 'read', scoped: { free: 'counts without names' } },
      schema: {
        summary: 'When insights were looked for last, what was examined, and why nothing came of the rest',
        tags,
        response: { 200: statusView },
      },
    },
    () => insights.status(),
  );
  http.get(
    '/api/insights/mutes',
    { config: read, schema: { summary: 'Mutes in force', tags, response: { 200: z.object({ items: z.array(muteView) }) } } },
    async (request) => ({ items: await insights.mutes(askingOf(request)) }),
  );
  http.get(
    '/api/insights/:id',
    { config: read, schema: { summary: 'One insight', tags, params: byId, response: { 200: insightView } } },
    (request) => insights.get(request.params.id, askingOf(request)),
  );
}

function changeRoutes(http: Http, { insights, runSoon }: Deps): void {
  http.post(
    '/api/insights/:id/feedback',
    {
      config: operate,
      schema: {
        summary: 'Say that an insight is useful or wrong, or take it back',
        tags,
        params: byId,
        body: feedbackBody,
        response: { 200: insightView },
      },
    },
    (request) => insights.feedback(request.params.id, request.body, askingOf(request)),
  );
  http.post(
    '/api/insights/:id/mute',
    {
      config: operate,
      schema: {
        summary: 'Hide this finding, its subject or its kind for a while',
        tags,
        params: byId,
        body: muteBody,
        response: { 201: muteView },
      },
    },
    async (request, reply) => reply.code(201).send(await insights.mute(request.params.id, request.body, askingOf(request))),
  );
  http.delete(
    '/api/insights/mutes/:id',
    { config: operate, schema: { summary: 'End a mute', tags, params: byId } },
    async (request, reply) => {
      await insights.unmute(request.params.id, askingOf(request));
      return reply.code(204).send();
    },
  );
  http.post(
    '/api/insights/run',
    { config: { permission: 'operate' }, schema: { summary: 'Look for insights now', tags, response: { 202: statusView } } },
    async (_request, reply) => {
      runSoon();
      return reply.code(202).send(insights.status());
    },
  );
}
