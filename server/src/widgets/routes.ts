import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { slug } from '../platform/config/fields.ts';
import type { Http } from '../platform/http/contract.ts';
import { freshNonce } from '../platform/http/server.ts';
import { widgetBody, widgetRevisionBody, widgetRevisionView, widgetSummary, widgetView } from './contract.ts';
import { frameDocument, framePolicy, previewDocument } from './frame.ts';
import type { Widgets } from './service.ts';

const tags = ['dashboards'];
const byId = z.object({ id: slug });
const scoped = { free: 'a widget is a script: it holds no figures, and draws those that its reader asked for' } as const;

/** Never kept, and never more than its policy permits. */
const sendFrame = (reply: FastifyReply, nonce: string, text: string): FastifyReply =>
  reply
    .headers({ 'content-security-policy': framePolicy(nonce), 'cache-control': 'no-store', 'x-dns-prefetch-control': 'off' })
    .type('text/html; charset=utf-8')
    .send(text);

/** Widget kinds of one's own, and the frame in which each draws. */
export function widgetRoutes(http: Http, widgets: Widgets): void {
  const read = { permission: 'read' as const, scoped };
  const change = { permission: 'administer' as const, scoped, stepUp: true };
  http.get(
    '/api/widgets',
    { config: read, schema: { summary: 'Widget kinds by name', tags, response: { 200: z.object({ items: z.array(widgetSummary) }) } } },
    async () => ({ items: [...(await widgets.list())] }),
  );
  http.get(
    '/api/widgets/:id',
    { config: read, schema: { summary: 'One widget kind with its script', tags, params: byId, response: { 200: widgetView } } },
    (request) => widgets.get(request.params.id),
  );
  frameRoutes(http, widgets);
  historyRoutes(http, widgets);
  http.put(
    '/api/widgets/:id',
    {
      config: change,
      schema: {
        summary: 'Register a widget kind, or put another script in its place',
        tags,
        params: byId,
        body: widgetBody,
        response: { 200: widgetView },
      },
    },
    (request) => widgets.put(request.params.id, request.body, request.actor.name),
  );
  http.delete(
    '/api/widgets/:id',
    { config: change, schema: { summary: 'Remove a widget kind', tags, params: byId } },
    async (request, reply) => {
      await widgets.remove(request.params.id);
      return reply.code(204).send();
    },
  );
}

function historyRoutes(http: Http, widgets: Widgets): void {
  const read = { permission: 'read' as const, scoped };
  http.get(
    '/api/widgets/:id/history',
    {
      config: read,
      schema: {
        summary: 'Versions, the newest first',
        tags,
        params: byId,
        response: { 200: z.object({ items: z.array(widgetRevisionView) }) },
      },
    },
    async (request) => ({ items: [...(await widgets.history(request.params.id))] }),
  );
  http.get(
    '/api/widgets/:id/history/:revision',
    {
      config: read,
      schema: {
        summary: 'What a version held; register it again to put it back',
        tags,
        params: byId.extend({ revision: z.coerce.number().int().positive() }),
        response: { 200: widgetRevisionBody },
      },
    },
    (request) => widgets.revision(request.params.id, request.params.revision),
  );
}

/** The documents in which scripts run. */
function frameRoutes(http: Http, widgets: Widgets): void {
  const read = { permission: 'read' as const, scoped };
  http.get(
    '/api/widgets/:id/frame',
    {
      config: read,
      schema: {
        summary: 'The document in which it draws: no origin, no network, one script',
        tags,
        params: byId,
        response: { 200: z.string() },
      },
    },
    async (request, reply) => {
      const { source } = await widgets.get(request.params.id);
      const nonce = freshNonce();
      return sendFrame(reply, nonce, frameDocument(source, nonce));
    },
  );
  http.get(
    '/api/widget-preview',
    {
      config: read,
      schema: {
        summary: 'The same document for a script that the page hands over while it is written',
        tags,
        response: { 200: z.string() },
      },
    },
    async (_request, reply) => {
      const nonce = freshNonce();
      return sendFrame(reply, nonce, previewDocument(nonce));
    },
  );
}
