import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Http } from '../../platform/http/contract.ts';
import { embedView, newEmbed } from './contract.ts';
import { NOTHING_HERE, pageHtml, policyOf } from './page.ts';
import type { Embeds, Opened } from './service.ts';
import type { Written } from './written.ts';

const tags = ['dashboards'];
const byId = z.object({ id: z.string().max(63) });

/** Making and revoking links, and the pages behind them, which nobody signs in for. */
export function embedRoutes(http: Http, embeds: Embeds): void {
  const scoped = { free: 'a link shows what its maker sees, to whoever has it' } as const;
  http.get(
    '/api/dashboards/:id/embeds',
    {
      config: { permission: 'operate', scoped: 'handler' },
      schema: {
        summary: 'Links to it for pages of others, newest first',
        tags,
        params: byId,
        response: { 200: z.object({ items: z.array(embedView) }) },
      },
    },
    async (request) => ({ items: [...(await embeds.list(request.params.id, request.actor))] }),
  );
  http.post(
    '/api/dashboards/:id/embeds',
    {
      config: { permission: 'operate', scoped },
      schema: { summary: 'Make a link for pages of others', tags, params: byId, body: newEmbed, response: { 201: embedView } },
    },
    async (request, reply) => reply.code(201).send(await embeds.make(request.params.id, request.body, request.actor)),
  );
  http.delete(
    '/api/dashboards/:id/embeds/:embed',
    {
      config: { permission: 'operate', scoped: 'handler' },
      schema: {
        summary: 'Revoke a link; pages that show it now show nothing within seconds',
        tags,
        params: byId.extend({ embed: z.string().max(63) }),
      },
    },
    async (request, reply) => {
      await embeds.revoke(request.params.id, request.params.embed, request.actor);
      return reply.code(204).send();
    },
  );
  visitorRoutes(http, embeds);
}

const PUBLIC = { config: { permission: 'public' as const, undocumented: true } };

function visitorRoutes(http: Http, embeds: Embeds): void {
  const answer = async (request: unknown, reply: unknown, textOf: (opened: Opened, written: Written) => string): Promise<FastifyReply> => {
    const [asked, answered] = [request as FastifyRequest, reply as FastifyReply];
    const { token } = asked.params as { readonly token: string };
    const opened = await embeds.open(token);
    // The address is the key: nobody learns it from where a reader came.
    answered.header('referrer-policy', 'no-referrer').header('x-robots-tag', 'noindex');
    if (opened === undefined) {
      answered.headers({ 'cache-control': 'no-store', 'content-security-policy': NOTHING_HERE.policy });
      return answered.code(NOTHING_HERE.status).type('text/html; charset=utf-8').send(NOTHING_HERE.text);
    }
    const text = textOf(opened, await embeds.written(opened));
    // Of all that is sent: a kept page of an earlier version would stand under a policy that forbids its script.
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
    answered.headers({ 'cache-control': 'private, no-cache', etag, 'content-security-policy': policyOf(opened.link) });
    if (asked.headers['if-none-match']?.split(/\s*,\s*/).includes(etag) === true) return answered.code(304).send();
    return answered.type('text/html; charset=utf-8').send(text);
  };
  http.get('/embed/:token', PUBLIC, (request, reply) => answer(request, reply, (opened, { html }) => pageHtml(opened, html)));
  http.get('/embed/:token/board', PUBLIC, (request, reply) => answer(request, reply, (_opened, { html }) => html));
}
