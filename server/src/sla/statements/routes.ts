import type { Clock } from '@nines/base/clock.ts';
import { z } from 'zod';
import type { FastifyReply } from 'fastify';
import type { Http, ScopedThings } from '../../platform/http/contract.ts';
import { instant } from '../../platform/http/fields.ts';
import type { SigningKeys } from '../../platform/signing/signing-keys.ts';
import { combinedReportRoutes } from '../reports/report-routes.ts';
import type { Reports } from '../reports/service.ts';
import { reportTemplateRoutes } from '../reports/template-routes.ts';
import type { ReportTemplates } from '../reports/templates.ts';
import type { SlaService } from '../service.ts';
import type { Exclusions } from './exclusion-service.ts';
import { type Decision, exclusionDecision, exclusionRequest, exclusionToWire, exclusionView } from './exclusions.ts';
import { accountRoutes } from './account-routes.ts';
import type { Question } from './gather.ts';
import { FORMS, type Form, MEDIA_TYPES, statementIn } from './forms.ts';
import { STATEMENT_CSP } from './html.ts';
import { periodQuery, questionOf } from './question.ts';
import type { StatementSender } from './sender.ts';
import { type Rendered, type Statements, issuedToWire, rendered } from './service.ts';
import { whatIfTerms } from './what-if.ts';

const OF_SLA: ScopedThings = { names: { params: { id: 'sla' } } };

const byId = z.object({ id: z.string() });
const reportQuery = periodQuery.extend({
  format: z.enum(FORMS).default('json'),
  known_at: instant.optional(),
  revision: z.coerce.number().int().positive().optional(),
});

export type StatementRouteDeps = {
  readonly slas: SlaService;
  readonly statements: Statements;
  readonly exclusions: Exclusions;
  readonly reports: Reports;
  readonly templates: ReportTemplates;
  readonly sender: Pick<StatementSender, 'list'>;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  /** The name that people know a service by. */
  readonly serviceName: (id: string) => string;
};

/** Statements: asked for, issued, listed; what is taken out of them; the keys that they are signed with. */
export function statementRoutes(http: Http, deps: StatementRouteDeps): void {
  reportRoutes(http, deps);
  accountRoutes(http, deps);
  issueRoutes(http, deps);
  whatIfRoute(http, deps);
  exclusionRoutes(http, deps);
  keyRoutes(http, deps);
  combinedReportRoutes(http, deps);
  reportTemplateRoutes(http, deps);
}

function reportRoutes(http: Http, deps: StatementRouteDeps): void {
  const read = { config: { permission: 'read' as const } };
  http.get(
    '/api/slas/:id/report',
    {
      config: { ...read.config, scoped: OF_SLA },
      schema: {
        summary: 'The signed statement of a period: JSON, HTML, PDF, CSV or Markdown',
        tags: ['slas'],
        params: byId,
        querystring: reportQuery,
      },
    },
    async (request, reply) => {
      const { format, known_at: knownAtMs, revision, ...asked } = request.query;
      const question: Question = { ...questionOf(deps, request.params.id, asked), ...(knownAtMs === undefined ? {} : { knownAtMs }) };
      const found = revision === undefined ? await deps.statements.report(question) : await deps.statements.revision(question, revision);
      return send(reply, found, { format, deps });
    },
  );
  http.get(
    '/api/statements/:id',
    {
      config: { ...read.config, scoped: { names: { params: { id: 'statement' } } } },
      schema: {
        summary: 'One revision of an issued statement, byte for byte as it was issued',
        tags: ['slas'],
        params: byId,
        querystring: z.object({ format: z.enum(FORMS).default('json') }),
      },
    },
    async (request, reply) => send(reply, rendered(await deps.statements.find(request.params.id)), { format: request.query.format, deps }),
  );
}

function send(reply: FastifyReply, found: Rendered, as: { readonly format: Form; readonly deps: StatementRouteDeps }) {
  const { statement } = found;
  if (as.format === 'html') reply.header('content-security-policy', STATEMENT_CSP);
  else reply.header('content-disposition', `attachment; filename="${statement.id}.${as.format}"`);
  return reply.type(MEDIA_TYPES[as.format]).send(statementIn(as.format, found, as.deps.serviceName(statement.service)));
}

function issueRoutes(http: Http, deps: StatementRouteDeps): void {
  http.get(
    '/api/slas/:id/statements',
    {
      config: { permission: 'read', scoped: OF_SLA },
      schema: { summary: 'Issued statements with all their revisions, newest period first', tags: ['slas'], params: byId },
    },
    async (request) => ({ items: (await deps.statements.list({ sla: request.params.id })).map(issuedToWire) }),
  );
  http.get(
    '/api/statements',
    {
      config: { permission: 'read', scoped: { names: { query: { sla: 'sla' } } } },
      schema: {
        summary: 'Issued statements of all SLAs with their revisions, newest period first; by `sla` or `customer`',
        tags: ['slas'],
        querystring: z.object({ sla: z.string().optional(), customer: z.string().optional() }),
      },
    },
    async (request) => {
      const { sla, customer } = request.query;
      const filter = { ...(sla === undefined ? {} : { sla }), ...(customer === undefined ? {} : { customer }) };
      return { items: (await deps.statements.list(filter)).map(issuedToWire) };
    },
  );
  http.get(
    '/api/statement-schedules',
    {
      config: { permission: 'read' },
      schema: { summary: 'Statements that are sent by themselves: what, when next, and what was sent', tags: ['slas'] },
    },
    async () => ({ items: await deps.sender.list(deps.clock.now()) }),
  );
  http.post(
    '/api/slas/:id/statements',
    {
      config: { permission: 'operate', scoped: OF_SLA },
      schema: {
        summary: 'Issue the statement of a period that is over; it is kept, and restated when what decided it changes',
        tags: ['slas'],
        params: byId,
        body: periodQuery,
      },
    },
    async (request, reply) => {
      const question = questionOf(deps, request.params.id, request.body);
      return reply.code(201).send(issuedToWire(await deps.statements.issue(question, request.actor.name)));
    },
  );
}

function whatIfRoute(http: Http, deps: StatementRouteDeps): void {
  http.post(
    '/api/slas/:id/what-if',
    {
      config: { permission: 'read', scoped: OF_SLA },
      schema: {
        summary: 'The verdict about a past window under another target, calendar, treatment of unknown time or exclusions; nothing is kept',
        tags: ['slas'],
        params: byId,
        body: periodQuery.extend(whatIfTerms.shape),
      },
    },
    async (request) => {
      const { target, unknown, hours, maintenance, exclude, keep_exclusions, ...asked } = request.body;
      const terms = { target, unknown, hours, maintenance, exclude, keep_exclusions };
      return deps.statements.whatIf({ ...questionOf(deps, request.params.id, asked), terms });
    },
  );
}

const ACTIONS = {
  approve: 'approved',
  reject: 'rejected',
  withdraw: 'withdrawn',
  revoke: 'revoked',
} as const satisfies Readonly<Record<string, Decision>>;

function exclusionRoutes(http: Http, { exclusions }: StatementRouteDeps): void {
  http.get(
    '/api/slas/:id/exclusions',
    {
      config: { permission: 'read', scoped: OF_SLA },
      schema: {
        summary: 'Time that people took out of a contract, with who asked, who decided and why',
        tags: ['slas'],
        params: byId,
        response: { 200: z.object({ items: z.array(exclusionView) }) },
      },
    },
    async (request) => ({ items: (await exclusions.list(request.params.id)).map(exclusionToWire) }),
  );
  http.post(
    '/api/slas/:id/exclusions',
    {
      config: { permission: 'operate', scoped: OF_SLA },
      schema: {
        summary: 'Ask for time to be taken out of a contract',
        tags: ['slas'],
        params: byId,
        body: exclusionRequest,
        response: { 201: exclusionView },
      },
    },
    async (request, reply) => {
      const { from, to, reason, note } = request.body;
      const span = { fromMs: from, toMs: to };
      return reply
        .code(201)
        .send(exclusionToWire(await exclusions.request({ sla: request.params.id, span, reason, note, by: request.actor.name })));
    },
  );
  http.post(
    '/api/slas/:id/exclusions/:exclusion/:action',
    {
      config: { permission: 'operate', scoped: OF_SLA },
      schema: {
        summary: `Decide about an exclusion: ${Object.keys(ACTIONS).join(', ')}; whoever asked withdraws. Where credits hang on the contract, another person approves than the one who asked`,
        tags: ['slas'],
        params: byId.extend({ exclusion: z.string(), action: z.enum(['approve', 'reject', 'withdraw', 'revoke']) }),
        body: exclusionDecision,
        response: { 200: exclusionView },
      },
    },
    async (request) => {
      const { id, exclusion, action } = request.params;
      return exclusionToWire(
        await exclusions.decide({ sla: id, id: exclusion, decision: ACTIONS[action], note: request.body.note, by: request.actor.name }),
      );
    },
  );
}

const publishedKey = z.object({
  key_id: z.string(),
  public_key: z.string(),
  created_at_ms: z.number(),
  retired_at_ms: z.number().nullable(),
});

function keyRoutes(http: Http, { keys, clock }: StatementRouteDeps): void {
  http.get(
    '/api/statement-keys',
    {
      // Whoever holds a statement may check it.
      config: { permission: 'public' },
      schema: {
        summary: 'The public keys that statements are and were signed with, the present one first',
        tags: ['slas'],
        response: { 200: z.object({ items: z.array(publishedKey) }) },
      },
    },
    async () => ({ items: [...keys.published()] }),
  );
  http.post(
    '/api/statement-keys/rotate',
    {
      config: { permission: 'administer', stepUp: true },
      schema: {
        summary: 'Sign with another key from now on; what the old one signed still verifies',
        tags: ['slas'],
        response: { 200: publishedKey },
      },
    },
    async () => keys.rotate(clock.now()),
  );
}
