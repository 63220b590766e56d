import { z } from 'zod';
import type { Http } from '../../platform/http/contract.ts';
import { reportTemplateConfig } from './template.ts';
import type { ReportTemplates } from './templates.ts';

/** How reports are laid out: listed, made, changed and taken away. */
export function reportTemplateRoutes(http: Http, { templates }: { readonly templates: ReportTemplates }): void {
  const write = { config: { permission: 'operate' as const } };
  const params = z.object({ id: z.string() });
  http.get(
    '/api/report-templates',
    {
      config: { permission: 'read', scoped: { free: 'how reports look' } },
      schema: { summary: 'Templates of reports, each with its digest', tags: ['slas'] },
    },
    async () => ({ items: templates.list() }),
  );
  http.put(
    '/api/report-templates/:id',
    { ...write, schema: { summary: 'Make a template of reports or replace it', tags: ['slas'], params, body: reportTemplateConfig } },
    async (request) => templates.save({ ...request.body, id: request.params.id }, request.actor.name),
  );
  http.delete(
    '/api/report-templates/:id',
    { ...write, schema: { summary: 'Take a template away; issued reports stay as they are', tags: ['slas'], params } },
    async (request, reply) => {
      await templates.remove(request.params.id);
      return reply.code(204).send();
    },
  );
}
