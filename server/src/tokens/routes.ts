import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { tokenBody, tokenView } from './contract.ts';
import type { Tokens } from './service.ts';

export function tokenRoutes(http: Http, tokens: Tokens): void {
  http.get(
    '/api/tokens',
    {
      config: { permission: 'administer', audit: 'read' },
      schema: { summary: 'API tokens', tags: ['access'], response: { 200: z.object({ items: z.array(tokenView) }) } },
    },
    async () => ({ items: [...(await tokens.list())] }),
  );
  http.post(
    '/api/tokens',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Create an API token; its secret is shown once',
        tags: ['access'],
        body: tokenBody,
        response: { 201: tokenView.extend({ token: z.string() }) },
      },
    },
    async (request, reply) => reply.code(201).send(await tokens.create(request.actor, request.body)),
  );
  http.delete(
    '/api/tokens/:id',
    {
      config: { permission: 'administer' },
      schema: { summary: 'Revoke an API token', tags: ['access'], params: z.object({ id: z.string() }) },
    },
    async (request, reply) => {
      await tokens.revoke(request.actor, request.params.id);
      return reply.code(204).send();
    },
  );
}
