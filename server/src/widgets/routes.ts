import { z } from 'zod';
import { slug } from '../platform/config/fields.ts';
import type { Http } from '../platform/http/contract.ts';
import { freshNonce } from '../platform/http/server.ts';
import { widgetBody, widgetSummary, widgetView } from './contract.ts';
import { frameDocument, framePolicy } from './frame.ts';
import type { Widgets } from './service.ts';

const tags = ['dashboards'];
const byId = z.object({ id: slug });
const scoped = { free: 'a widget is a script: it holds no figures, and draws those that its reader asked for' } as const;

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
      reply.headers({ 'content-security-policy': framePolicy(nonce), 'cache-control': 'no-store', 'x-dns-prefetch-control': 'off' });
      return reply.type('text/html; charset=utf-8').send(frameDocument(source, nonce));
    },
  );
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
    (request) => widgets.put(request.params.id, request.body),
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
