import { z } from 'zod';
import type { Alerting } from '../alerting/contract.ts';
import type { Http } from '../platform/http/contract.ts';
import type { Health } from './context.ts';
import type { LiveRule } from './group.ts';
import { prometheusAlert, prometheusGroups } from './prometheus-view.ts';
import type { RulesService } from './service.ts';
import type { ThresholdRule } from './threshold-rule.ts';

const many = z.union([z.string().transform((text) => [text]), z.array(z.string())]).default([]);
const rulesQuery = z.object({
  type: z.enum(['alert', 'record', '']).optional(),
  'rule_name[]': many,
  'rule_group[]': many,
  'file[]': many,
  exclude_alerts: z.string().optional(),
});

const ruleView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['threshold', 'alerting', 'recording', 'sla', 'service']),
  origin: z.enum(['shipped', 'file']),
  place: z.string(),
  query: z.string(),
  health: z.string(),
  last_error: z.string(),
  evaluated_at_ms: z.number().nullable(),
  evaluation_ms: z.number(),
  alerts_open: z.number(),
  spec: z.record(z.string(), z.unknown()),
});
type RuleView = z.infer<typeof ruleView>;
const ruleList = z.object({ items: z.array(ruleView) });

export type RuleRouteDeps = { readonly rules: RulesService; readonly alerting: Alerting };

/** Rules as they run, in our own form and in Prometheus'. */
export function ruleRoutes(http: Http, { rules, alerting }: RuleRouteDeps): void {
  http.get(
    '/api/rules',
    { config: { permission: 'read' }, schema: { summary: 'Every rule with its health', tags: ['rules'], response: { 200: ruleList } } },
    async () => ({ items: ruleViews(rules, alerting) }),
  );
  http.get(
    '/api/v1/rules',
    {
      config: { permission: 'read', errors: 'prometheus' },
      schema: { summary: 'Rules of rule files, as Prometheus shows them', tags: ['rules'], querystring: rulesQuery },
    },
    async (request) => {
      const { type, exclude_alerts, ...lists } = request.query;
      const query = {
        type: type === '' ? undefined : type,
        names: lists['rule_name[]'],
        groups: lists['rule_group[]'],
        files: lists['file[]'],
        excludeAlerts: exclude_alerts === 'true' || exclude_alerts === '1',
      };
      return { status: 'success', data: { groups: prometheusGroups(rules.groups, query, (id) => alerting.openOf(id)) } };
    },
  );
  http.get(
    '/api/v1/alerts',
    {
      config: { permission: 'read', errors: 'prometheus' },
      schema: { summary: 'Pending and firing alerts, as Prometheus shows them', tags: ['alerts'] },
    },
    async () => ({ status: 'success', data: { alerts: alerting.open().map(prometheusAlert) } }),
  );
}

function ruleViews(rules: RulesService, alerting: Alerting): RuleView[] {
  const openOf = (id: string): number => alerting.openOf(id).length;
  const others = rules.otherShipped.map(
    ({ id, name, summary }): RuleView => ({
      id,
      name,
      kind: id === 'RULE_003' ? 'sla' : 'service',
      origin: 'shipped',
      place: '',
      query: '',
      health: 'ok',
      last_error: '',
      evaluated_at_ms: null,
      evaluation_ms: 0,
      alerts_open: openOf(id),
      spec: { summary },
    }),
  );
  const views = [
    ...rules.thresholds.map((rule) => thresholdView(rule, openOf(rule.id))),
    ...others,
    ...rules.groups.flatMap((group) => group.rules.map((rule) => fileRuleView(rule, group.group.name, openOf(rule.id)))),
  ];
  return views.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const healthOf = (health: Health): Pick<RuleView, 'health' | 'last_error' | 'evaluated_at_ms' | 'evaluation_ms'> => ({
  health: health.health,
  last_error: health.lastError,
  evaluated_at_ms: health.evaluatedAtMs,
  evaluation_ms: health.evaluationMs,
});

function thresholdView({ spec, health }: ThresholdRule, open: number): RuleView {
  const levels = spec.levels.map(({ severity, limit }) => ({ severity, ...limit }));
  return {
    id: spec.id,
    name: spec.alertname,
    kind: 'threshold',
    origin: spec.origin,
    place: '',
    query: spec.metric,
    alerts_open: open,
    ...healthOf(health),
    spec: {
      levels,
      for_ms: spec.forMs,
      cooldown_ms: spec.cooldownMs,
      missing: spec.missing,
      labels: spec.labels,
      dashboard_only: spec.dashboardOnly,
    },
  };
}

function fileRuleView({ rule, id, health }: LiveRule, group: string, open: number): RuleView {
  const name = rule.kind === 'alerting' ? rule.alert : rule.record;
  const spec = rule.kind === 'alerting' ? { group, for_ms: rule.forMs, keep_firing_for_ms: rule.keepFiringForMs } : { group };
  return {
    id,
    name,
    kind: rule.kind,
    origin: 'file',
    place: rule.place,
    query: rule.exprText,
    alerts_open: open,
    ...healthOf(health),
    spec,
  };
}
