import { z } from 'zod';
import type { Http } from '../../platform/http/contract.ts';
import { type QuestionDeps, periodQuery, questionOf } from './question.ts';
import type { Statements } from './service.ts';

const byId = z.object({ id: z.string() });

/** From a figure to what decided it: how each stretch of a period counts, its days, what was left of the budget, and how it came there. */
export function accountRoutes(http: Http, deps: QuestionDeps & { readonly statements: Statements }): void {
  const of = (summary: string) => ({
    config: { permission: 'read' as const, scoped: { names: { params: { id: 'sla' } } } as const },
    schema: { summary, tags: ['slas'], params: byId, querystring: periodQuery.omit({ customer: true }) },
  });
  const { statements } = deps;
  http.get(
    '/api/slas/:id/timeline',
    of('How the contract counts each stretch of a period, with what decided it; the stretches add up to the period'),
    async (request) => statements.account(questionOf(deps, request.params.id, request.query)),
  );
  http.get(
    '/api/slas/:id/days',
    of('The days of a period in a time zone: the worst state, its time by state, what was attained'),
    async (request) => ({
      items: await statements.days(questionOf(deps, request.params.id, request.query)),
    }),
  );
  http.get('/api/slas/:id/burn-down', of('What was left of the error budget as a period went on'), async (request) =>
    statements.burnDown(questionOf(deps, request.params.id, request.query)),
  );
  http.get(
    '/api/slas/:id/trend',
    of('What was attained and left of the budget at 121 instants of a stretch, from the ledger'),
    async (request) => statements.trend(questionOf(deps, request.params.id, request.query)),
  );
}
