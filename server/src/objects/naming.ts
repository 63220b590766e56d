/** What the objects of each domain name, from the forms in which they are in force. Pure. */
import { type Matcher, matcher } from '@nines/base/matcher.ts';
import type { CheckSpec } from '../checks/contract.ts';
import type { DashboardView } from '../dashboards/contract.ts';
import type { EscalationConfig, PolicySpec, Target } from '../escalation/contract.ts';
import type { ChannelsConfig, RoutingConfig } from '../notify/contract.ts';
import { type Person, type ScheduleSpec, membersOf } from '../oncall/contract.ts';
import type { ServiceEntry } from '../services/contract.ts';
import type { SlaSpec } from '../sla/contract.ts';
import { type StatusPageSpec, servicesOf } from '../status-pages/contract.ts';
import type { ObjectKind, ObjectName, Use } from './contract.ts';
import type { Link, Matches, Naming, Reads } from './evaluate.ts';

export type Part = Partial<Naming>;

const link = (from: ObjectName, how: Use, kind: ObjectKind, id: string): Link => ({ from, to: { kind, id }, how });

export function ofServices(services: readonly ServiceEntry[], checks: readonly Pick<CheckSpec, 'id' | 'vote'>[]): Part {
  const links = services.flatMap((service): Link[] => {
    const from: ObjectName = { kind: 'services', id: service.id, name: service.name };
    const members = new Set(service.composite?.members.map(({ id }) => id));
    return [
      ...service.dependsOn.map((id) => link(from, members.has(id) ? 'consists_of' : 'depends_on', 'services', id)),
      ...service.checks.map((id) => link(from, 'asks_for', 'checks', id)),
      ...service.checks.map((id) => link({ kind: 'checks', id, name: id }, 'belongs_to', 'services', service.id)),
    ];
  });
  const places = checks.flatMap(({ id, vote }) =>
    (vote?.locations ?? []).map((location) => link({ kind: 'checks', id, name: id }, 'runs_at', 'agents', location)),
  );
  return { links: [...links, ...places] };
}

export function ofSlas(specs: readonly SlaSpec[]): Part {
  const named = specs.map((spec) => ({ spec, from: { kind: 'slas', id: spec.id, name: spec.name } as const }));
  return {
    links: named.map(({ spec, from }) => link(from, 'measures', 'services', spec.service)),
    reads: named.flatMap(({ spec: { indicator }, from }) =>
      indicator.kind === 'availability' ? [] : [{ from, how: 'reads' as const, exprs: indicator.query.split('; ') }],
    ),
  };
}

export const ofStatusPages = (pages: readonly StatusPageSpec[]): Part => ({
  links: pages.flatMap((page) => {
    const from: ObjectName = { kind: 'status-pages', id: page.id, name: page.title };
    const email = page.subscriptions.email === undefined ? [] : [link(from, 'sends_to', 'channels', page.subscriptions.email)];
    return [...servicesOf(page).map(({ service }) => link(from, 'shows', 'services', service)), ...email];
  }),
});

export const ofMaintenance = (
  windows: readonly { readonly id: string; readonly name: string; readonly services: readonly string[] }[],
): Part => ({
  links: windows.flatMap(({ id, name, services }) =>
    services.map((service) => link({ kind: 'maintenance', id, name }, 'works_on', 'services', service)),
  ),
});

/** Rules with what they read, and with the labels that they set. */
export function ofRules(
  rules: readonly {
    readonly id: string;
    readonly name: string;
    readonly exprs: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  }[],
): Part {
  const named = rules.map((rule) => ({ ...rule, from: { kind: 'rules', id: rule.id, name: rule.name } as const }));
  return {
    reads: named.map(({ from, exprs }): Reads => ({ from, how: 'reads', exprs })),
    links: named.flatMap(({ from, labels }) =>
      labels['service'] === undefined ? [] : [link(from, 'reads', 'services', labels['service'])],
    ),
  };
}

export const ofSilences = (
  silences: readonly { readonly id: string; readonly comment: string; readonly matchers: readonly Matcher[] }[],
): Part => ({
  matches: silences.map(
    ({ id, comment, matchers }): Matches => ({ from: { kind: 'silences', id, name: comment }, how: 'mutes', matchers }),
  ),
});

export const ofDashboards = (dashboards: readonly DashboardView[]): Part =>
  merge(
    dashboards.map((dashboard) => {
      const known = PARTS.get(dashboard.spec);
      if (known !== undefined) return known;
      const part = ofDashboard(dashboard);
      PARTS.set(dashboard.spec, part);
      return part;
    }),
  );

/** Dashboards that are sent by mail through a channel that they name. */
export const ofDeliveries = (
  deliveries: readonly { readonly dashboard: string; readonly title: string; readonly channel: string }[],
): Part => ({
  links: deliveries.map(({ dashboard, title, channel }) =>
    link({ kind: 'dashboards', id: dashboard, name: title }, 'sends_to', 'channels', channel),
  ),
});

/** By the document of a revision, which never changes: there may be a thousand dashboards, and every one is asked each time. */
const PARTS = new WeakMap<DashboardView['spec'], Part>();

function ofDashboard({ id, title, spec }: DashboardView): Part {
  const from: ObjectName = { kind: 'dashboards', id, name: title };
  const links: Link[] = [];
  const exprs: string[] = [];
  const urls: string[] = [];
  for (const panel of Object.values(spec.panels)) {
    for (const { url } of panel.links) urls.push(url);
    if (!('source' in panel)) continue;
    const { source } = panel;
    if (source.from === 'promql') exprs.push(...source.queries.map(({ expr }) => expr));
    if (source.from === 'services') links.push(...source.ids.map((one) => link(from, 'shows', 'services', one)));
    if (source.from === 'slas') links.push(...source.ids.map((one) => link(from, 'shows', 'slas', one)));
    if (source.from === 'checks') links.push(...source.services.map((one) => link(from, 'shows', 'services', one)));
  }
  for (const url of urls) {
    const [, kind, one] = /^\/(dashboards|services|slas|checks)\/([^/?#]+)/.exec(url) ?? [];
    if (one !== undefined) links.push(link(from, 'shows', kind as ObjectKind, one));
  }
  return { links, reads: [{ from, how: 'shows', exprs }] };
}

const targetLink = (from: ObjectName, target: Target): readonly Link[] => {
  if (target.kind === 'channel') return [link(from, 'escalates_to', 'channels', target.channel)];
  if (target.kind === 'person') return [link(from, 'escalates_to', 'oncall/people', target.person)];
  return target.kind === 'schedule' ? [link(from, 'escalates_to', 'oncall/schedules', target.schedule)] : [];
};

export function ofEscalation(policies: readonly PolicySpec[], config: EscalationConfig): Part {
  const setting = (name: string): ObjectName => ({ kind: 'settings', id: `escalation.${name}`, name: `escalation.${name}` });
  return {
    links: [
      ...policies.flatMap(({ id, name, levels, outside }) => {
        const from: ObjectName = { kind: 'escalation/policies', id, name };
        const stand = typeof outside === 'object' ? [link(from, 'falls_back_to', 'escalation/policies', outside.policy)] : [];
        return [...levels.flatMap(({ targets }) => targets.flatMap((one) => targetLink(from, one))), ...stand];
      }),
      ...config.contacts.flat().flatMap((one) => targetLink(setting('contacts'), one)),
      ...config.stakeholders.flatMap(({ id, targets }) => targets.flatMap((one) => targetLink(setting(`stakeholders.${id}`), one))),
      ...Object.entries(config.severities).map(([severity, id]) =>
        link(setting(`severities.${severity}`), 'escalates_to', 'escalation/policies', id),
      ),
      ...config.heartbeats.flatMap(({ channel }) =>
        channel === undefined ? [] : [link(setting('heartbeats'), 'sends_to', 'channels', channel)],
      ),
    ],
    matches: config.stakeholders.map(({ id, matchers }) => ({ from: setting(`stakeholders.${id}`), how: 'matches' as const, matchers })),
  };
}

export function ofOncall(people: readonly Person[], schedules: readonly ScheduleSpec[]): Part {
  return {
    links: [
      ...people.flatMap(({ id, name, contacts, user }) => {
        const from: ObjectName = { kind: 'oncall/people', id, name };
        const signsIn = user === undefined ? [] : [link(from, 'belongs_to', 'people', user)];
        return [...contacts.map(({ channel }) => link(from, 'sends_to', 'channels', channel)), ...signsIn];
      }),
      ...schedules.flatMap((schedule) =>
        [...membersOf(schedule)].map((person) =>
          link({ kind: 'oncall/schedules', id: schedule.id, name: schedule.name ?? schedule.id }, 'has_as_member', 'oncall/people', person),
        ),
      ),
    ],
  };
}

type Node = NonNullable<RoutingConfig['tree']>;

export function ofRouting(routing: RoutingConfig, channels: ChannelsConfig): Part {
  const receivers = new Map(routing.receivers.map(({ name, channels: ids }) => [name, ids]));
  const setting = (name: string): ObjectName => ({ kind: 'settings', id: `routing.${name}`, name: `routing.${name}` });
  const links: Link[] = [
    ...routing.default.map((id) => link(setting('default'), 'sends_to', 'channels', id)),
    ...(routing.rest ?? []).map((id) => link(setting('default'), 'sends_to', 'channels', id)),
    ...channels.flatMap(({ id, failover }) =>
      failover === undefined ? [] : [link({ kind: 'channels', id, name: id }, 'falls_back_to', 'channels', failover)],
    ),
    ...routing.receivers.flatMap(({ name, channels: ids }) =>
      ids.map((id) => link(setting(`receivers.${name}`), 'sends_to', 'channels', id)),
    ),
  ];
  const matches: Matches[] = routing.inhibit_rules.map((rule, index) => ({
    from: { kind: 'inhibit-rules', id: String(index), name: `inhibit rule ${index + 1}` },
    how: 'mutes',
    matchers: [
      ...matchersOf({ matchers: rule.source_matchers, match: rule.source_match }),
      ...matchersOf({ matchers: rule.target_matchers, match: rule.target_match }),
    ],
  }));
  const known = new Set(channels.map(({ id }) => id));
  const walk = (node: Node, path: string): void => {
    const matchers = matchersOf(node);
    const name =
      path === '' ? 'the root route' : matchers.map(({ name: label, op, value }) => `${label}${op}${JSON.stringify(value)}`).join(', ');
    const from: ObjectName = { kind: 'routes', id: path === '' ? 'root' : path, name: name === '' ? `route ${path}` : name };
    const { receiver, escalation } = node;
    if (receiver !== undefined)
      for (const id of receivers.get(receiver) ?? (known.has(receiver) ? [receiver] : []))
        links.push(link(from, 'sends_to', 'channels', id));
    if (escalation !== undefined) links.push(link(from, 'escalates_to', 'escalation/policies', escalation));
    if (matchers.length > 0) matches.push({ from, how: 'matches', matchers });
    node.routes.forEach((child, index) => walk(child, path === '' ? String(index) : `${path}/${index}`));
  };
  if (routing.tree !== undefined) walk(routing.tree, '');
  return { links, matches };
}

const matchersOf = ({
  matchers,
  match,
}: {
  readonly matchers: readonly (readonly Matcher[])[];
  readonly match: Readonly<Record<string, string>>;
}): readonly Matcher[] => [
  ...matchers.flat(),
  ...Object.entries(match).flatMap(([name, value]) => {
    const made = matcher(name, '=', value);
    return made.ok ? [made.value] : [];
  }),
];

export const ofStatements = (
  schedules: readonly { readonly id: string; readonly slas: readonly string[]; readonly channel: string }[],
): Part => ({
  links: schedules.flatMap(({ id, slas, channel }) => {
    const from: ObjectName = { kind: 'statement-schedules', id, name: id };
    return [...slas.map((sla) => link(from, 'reports_on', 'slas', sla)), link(from, 'sends_to', 'channels', channel)];
  }),
});

export const ofRecovery = (actions: readonly { readonly id: string; readonly check: string }[]): Part => ({
  links: actions.map(({ id, check }) => link({ kind: 'recovery/actions', id, name: id }, 'repairs', 'checks', check)),
});

export const ofHolders = (
  roles: readonly { readonly id: string; readonly holders: readonly { kind: 'user' | 'token'; name: string }[] }[],
): Part => ({
  links: roles.flatMap(({ id, holders }) =>
    holders.map(({ kind, name }) => link({ kind: kind === 'user' ? 'people' : 'tokens', id: name, name }, 'holds', 'roles', id)),
  ),
});

/** The steps of the rules of incidents that name channels. */
export const ofIncidentRules = (
  steps: readonly { readonly id: string; readonly contacts: readonly { readonly channel: string }[] }[],
): Part => ({
  links: steps.flatMap(({ id, contacts }) => {
    const from: ObjectName = { kind: 'settings', id: `incident-rules.${id}`, name: `incident rules: ${id}` };
    return contacts.map(({ channel }) => link(from, 'sends_to', 'channels', channel));
  }),
});

export const merge = (parts: readonly Part[]): Naming => ({
  links: parts.flatMap(({ links = [] }) => links),
  reads: parts.flatMap(({ reads = [] }) => reads),
  matches: parts.flatMap(({ matches = [] }) => matches),
});
