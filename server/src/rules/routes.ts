import { createHash } from 'node:crypto';
import { AppError } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { z } from 'zod';
import type { AlertView, Alerting } from '../alerting/contract.ts';
import { duration } from '../platform/config/fields.ts';
import type { Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { pageOf, prometheusAlert, prometheusGroups } from './prometheus-view.ts';
import type { RulesService } from './service.ts';
import { sightOf } from './sight.ts';
import { ruleView } from './view.ts';
import { ruleViews } from './views.ts';

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

export type RuleRouteDeps = { readonly rules: RulesService; readonly alerting: Alerting };

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
export function ruleRoutes(http: Http, { rules, alerting }: RuleRouteDeps): void {
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
