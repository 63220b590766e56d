import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { roleBody, roleView } from './contract.ts';
import type { Roles } from './service.ts';

const tags = ['access'];
const params = z.object({ id: z.string() });
const querystring = z.object({ revision: z.coerce.number().int().min(0).optional() });

/** Which roles there are, what each permits, and who holds it. */
export function roleRoutes(http: Http, roles: Roles): void {
  const schema = { tags, params };
  http.get(
    '/api/roles',
    {
      config: { permission: 'read' },
      schema: { summary: 'Roles, what they permit and who holds them', tags, response: { 200: z.object({ items: z.array(roleView) }) } },
    },
    async () => ({ items: [...(await roles.list())] }),
  );
  http.post(
    '/api/roles',
    {
      config: { permission: 'administer', stepUp: true },
      schema: { summary: 'Make a role', tags, body: roleBody, response: { 201: roleView } },
    },
    async (request, reply) => reply.code(201).send(await roles.create(request.body, request.actor)),
  );
  http.put(
    '/api/roles/:id',
    {
      config: { permission: 'administer', stepUp: true },
      schema: {
        ...schema,
        summary: 'Change a role; with `revision` only when nobody else did meanwhile. Its holders have the new permits at once',
        querystring,
        body: roleBody,
        response: { 200: roleView },
      },
    },
    (request) => roles.update(request.params.id, { spec: request.body, revision: request.query.revision }, request.actor),
  );
  http.delete(
    '/api/roles/:id',
    { config: { permission: 'administer', stepUp: true }, schema: { ...schema, summary: 'Remove a role that nobody holds' } },
    async (request, reply) => {
      await roles.remove(request.params.id, request.actor);
      return reply.code(204).send();
    },
  );
}
