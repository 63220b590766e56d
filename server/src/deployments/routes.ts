import { z } from 'zod';
import { isFull } from '@nines/model/scope.ts';
import type { FastifyRequest } from 'fastify';
import type { Http } from '../platform/http/contract.ts';
import { parseCursor } from '../platform/http/cursor.ts';
import { instant } from '../platform/http/fields.ts';
import { seesServices } from '../platform/http/scoped.ts';
import { deploymentView, toldDeployment } from './contract.ts';
import type { Deployments } from './service.ts';

const MAX_ITEMS = 500;
const tags = ['services'];
const byId = z.object({ id: z.string().max(100) });

const sees = (request: FastifyRequest) => (service: string) => seesServices(request, [service]);

/** Deployments: told by pipelines, shown behind charts. */
export function deploymentRoutes(http: Http, deployments: Deployments): void {
  http.post(
    '/api/deployments',
    {
      config: { permission: 'operate', scoped: { names: { body: { service: 'service' } } } },
      schema: {
        summary: 'Tell of a version that was put somewhere, or what became of it; the same told again is the same',
        tags,
        body: toldDeployment,
        response: { 200: deploymentView, 201: deploymentView },
      },
    },
    async (request, reply) => {
      const { deployment, isNew } = await deployments.tell(request.body, request.actor.name);
      return reply.code(isNew ? 201 : 200).send(deployment);
    },
  );
  http.get(
    '/api/deployments',
    {
      config: { permission: 'read', scoped: { names: { query: { service: 'service' } } } },
      schema: {
        summary: 'Deployments within [from, to), newest first',
        tags,
        querystring: z.object({
          service: z.union([z.string(), z.array(z.string()).max(100)]).optional(),
          environment: z.string().optional(),
          from: instant.optional(),
          to: instant.optional(),
          limit: z.coerce.number().int().min(1).max(MAX_ITEMS).default(100),
          cursor: z.string().optional(),
        }),
        response: { 200: z.object({ items: z.array(deploymentView), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { service, environment, from, to, limit, cursor } = request.query;
      const wanted = { services: [service ?? []].flat(), environment, fromMs: from, toMs: to };
      const all = isFull(request.actor.scope);
      const { items, next } = await deployments.list(wanted, { limit, after: parseCursor(cursor), sees: all ? undefined : sees(request) });
      return { items: [...items], next };
    },
  );
  http.get(
    '/api/deployments/:id',
    {
      config: { permission: 'read', scoped: 'handler' },
      schema: { summary: 'One deployment', tags, params: byId, response: { 200: deploymentView } },
    },
    (request) => deployments.get(request.params.id, sees(request)),
  );
  http.delete(
    '/api/deployments/:id',
    { config: { permission: 'operate', scoped: 'handler' }, schema: { summary: 'Take back what was told by mistake', tags, params: byId } },
    async (request, reply) => {
      await deployments.remove(request.params.id, sees(request));
      return reply.code(204).send();
    },
  );
}
