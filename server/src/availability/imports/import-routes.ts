import { z } from 'zod';
import type { Http } from '../../platform/http/contract.ts';
import { IMPORT_LIMITS, importBody, importReport, importView } from './contract.ts';
import type { Imports } from './service.ts';

/** What other monitors saw: taken in, listed, withdrawn. */
export function importRoutes(http: Http, { imports }: { readonly imports: Imports }): void {
  const tags = ['downtime'];
  http.get(
    '/api/availability/imports',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Imports of what other monitors saw, newest first',
        tags,
        response: { 200: z.object({ items: z.array(importView) }) },
      },
    },
    async () => ({ items: [...(await imports.list())] }),
  );
  http.post(
    '/api/availability/imports',
    {
      config: { permission: 'operate' },
      bodyLimit: IMPORT_LIMITS.bodyBytes,
      schema: {
        summary: 'Import up and down intervals of another monitor; all rows or none',
        tags,
        body: importBody,
        response: { 200: importReport },
      },
    },
    (request) => imports.take(request.body, request.actor.name),
  );
  http.delete(
    '/api/availability/imports/:id',
    {
      config: { permission: 'operate' },
      schema: { summary: 'Withdraw an import; that it was is kept', tags, params: z.object({ id: z.string() }) },
    },
    async (request, reply) => {
      await imports.withdraw(request.params.id, request.actor.name);
      return reply.code(204).send();
    },
  );
}
