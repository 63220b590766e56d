import { isFull } from '@nines/model/scope.ts';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { seesServices } from '../platform/http/scoped.ts';
import { type ProblemView, problemAlertView, problemView, servicesNamedBy } from './contract.ts';
import type { ProblemService } from './service.ts';

const MAX_PAGE = 500;
const DEFAULT_PAGE = 100;

const listQuery = z.object({
  status: z.enum(['open', 'resolved', 'all']).default('open'),
  /** 2 leaves out alerts that are alone. */
  min_alerts: z.coerce.number().int().min(1).max(1_000_000).default(1),
  service: z.string().optional(),
  from: instant.optional(),
  to: instant.optional(),
  cursor: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
});

/** Problems: alerts that belong together, and what probably caused them. */
export function problemRoutes(http: Http, { problems }: { readonly problems: ProblemService }): void {
  const config = { permission: 'read' as const };
  const tags = ['alerts'];
  http.get(
    '/api/problems',
    {
      config: { ...config, scoped: { id: 'problem' } },
      schema: {
        summary: 'Problems, newest first: alerts close in time and by service, dependency or label, with probable causes',
        tags,
        querystring: listQuery,
        response: { 200: z.object({ items: z.array(problemView), next: z.string().nullable() }) },
      },
    },
    async (request) => {
      const { min_alerts: minAlerts, from: fromMs, to: toMs, service, cursor, ...query } = request.query;
      const sees = isFull(request.actor.scope) ? undefined : (one: ProblemView) => seesServices(request, servicesNamedBy(one));
      const { items, next } = await problems.list({ ...query, minAlerts, service, fromMs, toMs, cursor, sees });
      return { items: [...items], next };
    },
  );
  http.get(
    '/api/problems/:id',
    {
      config: { ...config, scoped: { names: { params: { id: 'problem' } }, id: 'problem' } },
      schema: {
        summary: 'One problem with its alerts and why each is in it',
        tags,
        params: z.object({ id: z.string() }),
        response: { 200: problemView.extend({ members: z.array(problemAlertView) }) },
      },
    },
    async (request) => {
      const { problem, alerts } = await problems.detail(request.params.id);
      return { ...problem, members: [...alerts] };
    },
  );
}
