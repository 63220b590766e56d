import { createHash } from 'node:crypto';
import { AppError } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AlertView, Alerting } from '../alerting/contract.ts';
import { duration } from '../platform/config/fields.ts';
import type { Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { RULE_CODES } from './contract.ts';
import { judgedOf, pageOf, prometheusAlert, prometheusGroups } from './prometheus-view.ts';
import type { SavedRules } from './saved.ts';
import type { RulesService } from './service.ts';
import { type Judged, OUTSIDE, requireEverything, requireInside, sightOf } from './sight.ts';
import { type RuleDetailView, ruleDetailView, ruleView } from './view.ts';
import { ruleViews } from './views.ts';
import type { ReadRule } from './written-rule.ts';

const many = z.union([z.string().transform((text) => [text]), z.array(z.string())]).default([]);
const rulesQuery = z.object({
  type: z.enum(['alert', 'record', '']).optional(),
  'rule_name[]': many,
  'rule_group[]': many,
  'file[]': many,
  exclude_alerts: z.string().optional(),
  'match[]': many,
  group_limit: z.string().optional(),
  group_next_token: z.string().default(''),
});

const ruleList = z.object({ items: z.array(ruleView) });

export type RuleRouteDeps = { readonly rules: RulesService; readonly saved: SavedRules; readonly alerting: Alerting };

const byId = z.object({ id: z.string() });
/** As in the lists of `rules` with `kind` besides, or as in a rule file with `id` and what its group says: the rule itself is read by their code. */
const ruleBody = z.record(z.string(), z.unknown());
const ofRevision = z.object({ revision: z.coerce.number().int().min(0).optional() });
const tags = ['rules'];

const backtestBody = z.strictObject({
  id: z.string().optional(),
  rule: z.record(z.string(), z.unknown()).optional(),
  from: instant.optional(),
  /** Exclusive; now when absent. */
  to: instant.optional(),
  step: duration().optional(),
});
const backtestView = z.object({
  rule: z.string(),
  kind: z.string(),
  from_ms: z.number(),
  to_ms: z.number(),
  step_ms: z.number(),
  evaluations: z.number(),
  undecided: z.object({ evaluations: z.number(), reason: z.string() }).nullable(),
  tried_until_ms: z.number(),
  fired_total: z.number(),
  firing_ms: z.number(),
  items: z
    .array(
      z.object({
        labels: z.record(z.string(), z.string()),
        severity: z.string(),
        from_ms: z.number(),
        to_ms: z.number().nullable(),
        peak_value: z.number(),
        summary: z.string(),
      }),
    )
    .readonly(),
  days: z.array(z.object({ day: z.string(), fired: z.number(), firing_ms: z.number() })).readonly(),
  error: z.string().nullable(),
});

/** Rules as they run, in our own form and in Prometheus'. */
export function ruleRoutes(http: Http, deps: RuleRouteDeps): void {
  savedRoutes(http, deps);
  readRoutes(http, deps);
}

/** Rules that people save. */
function savedRoutes(http: Http, { rules, saved, alerting }: RuleRouteDeps): void {
  const detail = (request: FastifyRequest, id: string): RuleDetailView => {
    const sight = sightOf(request, (ruleId) => alerting.openOf(ruleId));
    const view = ruleViews(rules, sight).find((one) => one.id === id);
    if (view === undefined) throw new AppError('not_found', RULE_CODES.notFound, `there is no rule "${id}"`);
    const written = view.query === OUTSIDE ? null : (rules.savedOf(id)?.saved.written ?? null);
    return { ...view, written, editable: saved.editable(id) };
  };
  const judge = (request: FastifyRequest) => (read: ReadRule) => {
    requireInside(request, ...judgedOfRead(read, rules));
    if (saved.isShipped(read.id)) requireEverything(request, read.id);
  };
  /** A rule of somebody else's is not theirs to change, whatever they would make of it. */
  const requireTheirs = (request: FastifyRequest, id: string): void => {
    detail(request, id);
    const { read } = saved.requireOwn(id);
    if (read !== undefined) judge(request)(read);
  };
  const config = { permission: 'operate', scoped: 'handler' } as const;
  http.get(
    '/api/rules/:id',
    {
      config: { permission: 'read', scoped: 'handler' },
      schema: { summary: 'One rule, as it was saved where it was', tags, params: byId, response: { 200: ruleDetailView } },
    },
    async (request) => detail(request, request.params.id),
  );
  http.post(
    '/api/rules',
    { config, schema: { summary: 'Save a rule; one with the id of a shipped rule replaces it', tags, body: ruleBody } },
    async (request, reply) => reply.code(201).send(detail(request, await saved.create(request.body, judge(request)))),
  );
  http.put(
    '/api/rules/:id',
    {
      config,
      schema: {
        summary: 'Change a saved rule; with `revision` only when nobody else did meanwhile',
        tags,
        params: byId,
        querystring: ofRevision,
        body: ruleBody,
        response: { 200: ruleDetailView },
      },
    },
    async (request) => {
      const { id } = request.params;
      requireTheirs(request, id);
      await saved.update(id, { fields: request.body, revision: request.query.revision }, judge(request));
      return detail(request, id);
    },
  );
  http.delete(
    '/api/rules/:id',
    {
      config,
      schema: {
        summary: 'Remove a saved rule; its alerts end, and a shipped one that it replaced comes back',
        tags,
        params: byId,
        querystring: ofRevision,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      requireTheirs(request, id);
      await saved.remove(id, request.query.revision);
      return reply.code(204).send();
    },
  );
}

/** What a rule is judged by before it runs, and its templates. */
function judgedOfRead(read: ReadRule, rules: RulesService): readonly [Judged, readonly string[]] {
  if (read.kind === 'own') {
    const { id, labels, selectors } = rules.compile(read);
    return [{ id, labels, selectors }, Object.values(read.written.rule.annotations)];
  }
  const { id, rule } = read;
  const texts = [rule.labels, rule.kind === 'alerting' ? rule.annotations : {}].flatMap((all) => Object.values(all));
  return [judgedOf({ id, rule }), texts.map(({ source }) => source)];
}

function readRoutes(http: Http, { rules, alerting }: RuleRouteDeps): void {
  const openOf = (id: string): readonly AlertView[] => alerting.openOf(id);
  http.get(
    '/api/rules',
    {
      config: { permission: 'read', scoped: 'handler' },
      schema: { summary: 'Every rule with its health', tags: ['rules'], response: { 200: ruleList } },
    },
    async (request) => ({ items: ruleViews(rules, sightOf(request, openOf)) }),
  );
  http.post(
    '/api/rules/backtest',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'What a rule, there or not yet, would have done over the stored past',
        tags: ['rules'],
        body: backtestBody,
        response: { 200: backtestView },
      },
    },
    async (request, reply) => {
      const { id, rule, from: fromMs, to: toMs, step: stepMs } = request.body;
      const controller = new AbortController();
      reply.raw.once('close', () => controller.abort(new Error('the client is gone')));
      return rules.backtests.run({ id, rule, fromMs, toMs, stepMs }, controller.signal);
    },
  );
  http.get(
    '/api/v1/rules',
    {
      config: { permission: 'read', errors: 'prometheus', scoped: 'handler' },
      schema: { summary: 'Rules of rule files, as Prometheus shows them', tags: ['rules'], querystring: rulesQuery },
    },
    async (request) => {
      const { type, exclude_alerts, group_limit, group_next_token: token, ...lists } = request.query;
      const limit = group_limit ?? '0';
      if (!/^\d{1,9}$/.test(limit) || group_limit === '0') throw badParameter('group_limit must be a number greater than zero');
      if (token !== '' && group_limit === undefined)
        throw badParameter('group_limit needs to be present in order to paginate over the groups');
      const query = {
        type: type === '' ? undefined : type,
        names: lists['rule_name[]'],
        groups: lists['rule_group[]'],
        files: lists['file[]'],
        excludeAlerts: exclude_alerts === 'true' || exclude_alerts === '1',
        selectors: lists['match[]'].map(selectorOf),
      };
      const groups = prometheusGroups(rules.groups, query, sightOf(request, openOf));
      const page = pageOf(groups, groupToken, { limit: Number(limit), token });
      if (page === undefined) throw badParameter(`invalid group_next_token "${token}": were the rule groups changed?`);
      return { status: 'success', data: page };
    },
  );
  http.get(
    '/api/v1/alerts',
    {
      config: { permission: 'read', errors: 'prometheus', scoped: {} },
      schema: { summary: 'Pending and firing alerts, as Prometheus shows them', tags: ['alerts'] },
    },
    async () => ({ status: 'success', data: { alerts: alerting.open().map(prometheusAlert) } }),
  );
}

const badParameter = (message: string): AppError => new AppError('bad_input', 'bad_parameter', message);

/** Source: prometheus web/api/v1/api.go, getRuleGroupNextToken. */
const groupToken = ({ file, name }: Readonly<Record<string, unknown>>): string =>
  createHash('sha1')
    .update(`${String(file)};${String(name)}`)
    .digest('hex');

function selectorOf(text: string): readonly Matcher[] {
  const parsed = parseExpr(text);
  if (!parsed.ok) throw badParameter(`invalid parameter "match[]": ${parsed.error.message}`);
  if (parsed.value.kind !== 'selector') throw badParameter(`invalid parameter "match[]": "${text}" is no series selector`);
  return parsed.value.matchers;
}
