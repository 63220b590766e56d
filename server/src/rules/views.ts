import type { Health } from './context.ts';
import type { LiveRule } from './group.ts';
import { judgedOf } from './prometheus-view.ts';
import type { RuleGroup } from './rule-file.ts';
import type { RulesService } from './service.ts';
import { OUTSIDE, type Shown, type Sight, WHOLE } from './sight.ts';
import type { ThresholdRule } from './threshold-rule.ts';
import type { Template } from './template-parse.ts';
import type { RuleView } from './view.ts';

type Open = Pick<RuleView, 'alerts_open' | 'state'>;

/** Every rule that is seen with its health, by id. */
export function ruleViews(rules: RulesService, sight: Pick<Sight, 'openOf'> & Partial<Pick<Sight, 'rule'>>): RuleView[] {
  const { rule: judge = () => WHOLE } = sight;
  const openOf = (id: string): Open => {
    const open = sight.openOf(id);
    const isFiring = open.some(({ condition }) => condition === 'firing');
    return { alerts_open: open.length, state: isFiring ? 'firing' : open.length > 0 ? 'pending' : 'inactive' };
  };
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
      ...openOf(id),
      spec: { summary },
    }),
  );
  const views = [
    ...rules.thresholds.flatMap((rule) => {
      const { id, labels } = rule.spec;
      return shownAs(thresholdView(rule, openOf(rule.id)), judge({ id, labels, selectors: undefined }));
    }),
    // They hold for every service, and say nothing of any.
    ...others,
    ...rules.groups.flatMap((group) =>
      group.rules.flatMap((rule) => shownAs(fileRuleView(rule, group.group, openOf(rule.id)), judge(judgedOf(rule)))),
    ),
    ...rules.unreadable.flatMap(({ saved, fault }) =>
      shownAs(unreadableView(saved.id, fault, openOf(saved.id)), judge({ id: saved.id, labels: {}, selectors: undefined })),
    ),
  ];
  const all = views.map((view): RuleView => {
    const saved = rules.savedOf(view.id)?.saved;
    return saved === undefined ? view : { ...view, origin: 'ui', revision: saved.revision };
  });
  return all.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A saved rule that this server cannot read: it is there to be changed or removed. */
const unreadableView = (id: string, fault: string, open: Open): RuleView => ({
  id,
  name: id,
  kind: 'alerting',
  origin: 'ui',
  place: '',
  query: '',
  health: 'err',
  last_error: fault,
  evaluated_at_ms: null,
  evaluation_ms: 0,
  ...open,
  spec: {},
});

const shownAs = (view: RuleView, shown: Shown | undefined): readonly RuleView[] => {
  if (shown === undefined) return [];
  const query = shown.query ? view.query : OUTSIDE;
  // Templates may query as well.
  const { annotations, ...spec } = view.spec;
  return [
    {
      ...view,
      query,
      spec: shown.query && annotations !== undefined ? { ...spec, annotations } : spec,
      last_error: shown.errors || view.last_error === '' ? view.last_error : OUTSIDE,
      ...(shown.errors ? {} : { undecided: null }),
    },
  ];
};

const healthOf = (health: Health): Pick<RuleView, 'health' | 'last_error' | 'evaluated_at_ms' | 'evaluation_ms'> => ({
  // A template that fails leaves the rule at work, but not as it was meant.
  health: health.fault === '' ? health.health : 'err',
  last_error: health.lastError || health.fault,
  evaluated_at_ms: health.evaluatedAtMs,
  evaluation_ms: health.evaluationMs,
});

function thresholdView({ spec, health }: ThresholdRule, open: Open): RuleView {
  const levels = spec.levels.map(({ severity, limit }) => ({ severity, ...limit }));
  return {
    id: spec.id,
    name: spec.alertname,
    kind: spec.kind,
    origin: spec.pack === undefined ? 'file' : 'shipped',
    place: spec.place,
    query: spec.metric,
    ...open,
    ...healthOf(health),
    undecided: health.undecided === '' ? null : health.undecided,
    spec: {
      levels,
      for_ms: spec.forMs,
      keep_firing_for_ms: spec.keepFiringForMs,
      pack: spec.pack ?? null,
      cooldown_ms: spec.cooldownMs,
      missing: spec.missing,
      labels: spec.labels,
      annotations: sourcesOf(spec.annotations),
      dashboard_only: spec.dashboardOnly,
    },
  };
}

const sourcesOf = (texts: Readonly<Record<string, Template>>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).map(([name, { source }]) => [name, source]));

function fileRuleView({ rule, id, health }: LiveRule, group: RuleGroup, open: Open): RuleView {
  const name = rule.kind === 'alerting' ? rule.alert : rule.record;
  const common = { group: group.name, interval_ms: group.intervalMs, labels: sourcesOf(rule.labels) };
  const spec =
    rule.kind === 'alerting'
      ? { ...common, for_ms: rule.forMs, keep_firing_for_ms: rule.keepFiringForMs, annotations: sourcesOf(rule.annotations) }
      : common;
  return {
    id,
    name,
    kind: rule.kind,
    origin: 'file',
    place: rule.place,
    query: rule.exprText,
    ...open,
    ...healthOf(health),
    spec,
  };
}
