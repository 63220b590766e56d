import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { actionView, runRequest, runToWire, runView } from './contract.ts';
import type { Recovery } from './service.ts';

const MAX_LISTED = 1_000;
const DEFAULT_LISTED = 100;

const byId = z.object({ id: z.string() });

/** What is done about checks that are down: actions with what is decided now, their runs, and running one by hand. */
export function recoveryRoutes(http: Http, { recovery }: { readonly recovery: Recovery }): void {
  const config = { permission: 'read' as const };
  const tags = ['recovery'];
  http.get(
    '/api/recovery/actions',
    {
      config,
      schema: {
        summary: 'Recovery actions, each with what would be decided now and its last run',
        tags,
        querystring: z.object({ check: z.string().optional() }),
        response: { 200: z.object({ items: z.array(actionView) }) },
      },
    },
    async (request) => ({ items: [...(await recovery.actions(request.query))] }),
  );
  http.get(
    '/api/recovery/runs',
    {
      config,
      schema: {
        summary: 'Runs of recovery actions that began in [from, to), newest first',
        tags,
        querystring: z.object({
          action: z.string().optional(),
          check: z.string().optional(),
          service: z.string().optional(),
          from: instant.optional(),
          to: instant.optional(),
          limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(DEFAULT_LISTED),
        }),
        response: { 200: z.object({ items: z.array(runView) }) },
      },
    },
    async (request) => {
      const { from: fromMs, to: toMs, ...filter } = request.query;
      return { items: (await recovery.runs({ ...filter, fromMs, toMs })).map(runToWire) };
    },
  );
  http.get(
    '/api/recovery/runs/:id',
    { config, schema: { summary: 'One run with what the program said', tags, params: byId, response: { 200: runView } } },
    async (request) => runToWire(await recovery.get(request.params.id)),
  );
  http.post(
    '/api/recovery/actions/:id/run',
    {
      config: { permission: 'operate' },
      schema: {
        summary: 'Run a recovery action now, or say what it would do; answers as soon as it has begun',
        tags,
        params: byId,
        body: runRequest,
        response: { 202: runView },
      },
    },
    async (request, reply) => {
      const { dry_run: dryRun, reason } = request.body;
      const run = await recovery.run(request.params.id, { by: request.actor.name, reason, dryRun });
      return reply.code(202).send(runToWire(run));
    },
  );
}
