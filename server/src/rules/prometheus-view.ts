/** Rules and alerts in the shapes of Prometheus' `/api/v1/rules` and `/api/v1/alerts`. Source: prometheus web/api/v1/api.go. */
import type { Matcher } from '@nines/base/matcher.ts';
import { ZERO_TIME } from '@nines/base/zero-time.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { FileGroup, LiveRule } from './group.ts';
import { selectorsOf } from './metric.ts';
import type { FileRule } from './rule-file.ts';
import { type Judged, OUTSIDE, type Shown, type Sight } from './sight.ts';

export type RulesQuery = {
  readonly type: 'alert' | 'record' | undefined;
  readonly names: readonly string[];
  readonly groups: readonly string[];
  readonly files: readonly string[];
  readonly excludeAlerts: boolean;
  /** A rule is kept when its labels, as they are written, satisfy any of these; all are kept without one. */
  readonly selectors: readonly (readonly Matcher[])[];
};

const timeOf = (atMs: number | null): string => (atMs === null ? ZERO_TIME : new Date(atMs).toISOString());

/** Go's `FormatFloat(v, 'e', -1, 64)`. */
function exponential(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

export const prometheusAlert = (alert: AlertView): Record<string, unknown> => ({
  labels: alert.labels,
  annotations: alert.annotations,
  state: alert.condition,
  activeAt: timeOf(alert.active_at_ms),
  ...(alert.keep_firing_since_ms === null ? {} : { keepFiringSince: timeOf(alert.keep_firing_since_ms) }),
  value: exponential(alert.value),
});

const hasLabels = ({ labels }: FileRule, matchers: readonly Matcher[]): boolean =>
  matchers.every(({ name, matches }) => matches(labels[name]?.source ?? ''));

/** Groups without a rule that the query keeps are left out, as in Prometheus. */
export function prometheusGroups(
  groups: readonly FileGroup[],
  query: RulesQuery,
  sight: Sight,
): readonly Readonly<Record<string, unknown>>[] {
  const keeps = (list: readonly string[], value: string): boolean => list.length === 0 || list.includes(value);
  return groups
    .filter(({ group }) => keeps(query.groups, group.name) && keeps(query.files, group.file))
    .map((live) => {
      const rules = live.rules.filter(
        ({ rule }) =>
          (query.type === undefined || (query.type === 'alert') === (rule.kind === 'alerting')) &&
          keeps(query.names, rule.kind === 'alerting' ? rule.alert : rule.record) &&
          (query.selectors.length === 0 || query.selectors.some((matchers) => hasLabels(rule, matchers))),
      );
      const shown = rules.flatMap((one) => {
        const how = sight.rule(judgedOf(one));
        return how === undefined ? [] : [{ one, how }];
      });
      return { live, rules: shown };
    })
    .filter(({ rules, live }) => rules.length > 0 || (live.rules.length === 0 && sight.isFull))
    .map(({ live, rules }) => ({
      name: live.group.name,
      file: live.group.file,
      rules: rules.map(({ one, how }) => prometheusRule(one, how, { open: sight.openOf(one.id), withAlerts: !query.excludeAlerts })),
      interval: live.group.intervalMs / 1000,
      limit: live.group.limit,
      evaluationTime: live.health.evaluationMs / 1000,
      lastEvaluation: timeOf(live.health.evaluatedAtMs),
    }));
}

/** A label that is a template may come out as anything. */
export const judgedOf = ({ rule, id }: Pick<LiveRule, 'rule' | 'id'>): Judged => ({
  id,
  labels: Object.fromEntries(
    Object.entries(rule.labels).flatMap(([name, { source }]) => (source.includes('{{') ? [] : [[name, source] as const])),
  ),
  selectors: selectorsOf(rule.expr),
});

function prometheusRule(
  { rule, health }: LiveRule,
  how: Shown,
  { open, withAlerts }: { readonly open: readonly AlertView[]; readonly withAlerts: boolean },
): Record<string, unknown> {
  const templates = (texts: Readonly<Record<string, { readonly source: string }>>): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([name, template]) => [name, template.source]));
  const common = {
    query: how.query ? rule.exprText : OUTSIDE,
    labels: templates(rule.labels),
    health: health.health,
    ...(health.lastError === '' ? {} : { lastError: how.errors ? health.lastError : OUTSIDE }),
    evaluationTime: health.evaluationMs / 1000,
    lastEvaluation: timeOf(health.evaluatedAtMs),
  };
  if (rule.kind === 'recording') {
    // Prometheus leaves empty labels out here, and only here.
    const { labels, ...rest } = common;
    return { name: rule.record, ...rest, ...(Object.keys(labels).length === 0 ? {} : { labels }), type: 'recording' };
  }
  return {
    state: open.some((alert) => alert.condition === 'firing') ? 'firing' : open.length > 0 ? 'pending' : 'inactive',
    name: rule.alert,
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    annotations: templates(rule.annotations),
    ...(withAlerts ? { alerts: open.map(prometheusAlert) } : {}),
    ...common,
    type: 'alerting',
  };
}

export type Page<T> = { readonly groups: readonly T[]; readonly groupNextToken?: string };

/** `limit` groups (0 is no bound) from the one that `token` names. Undefined when no group has that token. */
export function pageOf<T>(groups: readonly T[], tokenOf: (group: T) => string, { limit, token }: PageQuery): Page<T> | undefined {
  const from = token === '' ? 0 : groups.findIndex((group) => tokenOf(group) === token);
  if (from < 0) return undefined;
  const next = limit === 0 ? undefined : groups[from + limit];
  const page = { groups: groups.slice(from, limit === 0 ? undefined : from + limit) };
  return next === undefined ? page : { ...page, groupNextToken: tokenOf(next) };
}
export type PageQuery = { readonly limit: number; readonly token: string };
