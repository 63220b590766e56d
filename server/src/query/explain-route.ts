import { AppError } from '@nines/base/errors.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { askingOf } from './asking.ts';
import { type QueryDeps, explanationView } from './contract.ts';
import type { QueryService } from './service.ts';

/** Longer than what anybody reads as a tree. */
const MAX_QUERY_CHARS = 10_000;

const asked = z.object({
  query: z.string().min(1).max(MAX_QUERY_CHARS),
  /** Now when absent. */
  time: instant.optional(),
});

/** `GET /api/metrics/explain`: the tree of a query with what each part gives, and why the whole gives nothing. */
export function explainRoute(http: Http, service: QueryService, deps: QueryDeps): void {
  const summary = 'What each part of a PromQL query gives at an instant, and why the whole gives nothing';
  http.get(
    '/api/metrics/explain',
    {
      config: { permission: 'read', scoped: 'handler' },
      schema: { summary, tags: ['query'], querystring: asked, response: { 200: explanationView } },
    },
    async (request, reply) => {
      const { query, time } = request.query;
      const asking = askingOf(request as FastifyRequest, reply as unknown as FastifyReply);
      const found = await service.explain(query, time ?? deps.clock.now(), { ...asking, ...deps });
      if (found.ok) return found.value;
      const { type, message } = found.error;
      if (type === 'unavailable') throw new AppError('unavailable', 'too_many_queries', message);
      throw new AppError('bad_input', type === 'timeout' ? 'query_timeout' : 'bad_query', message, { field: 'query' });
    },
  );
}
