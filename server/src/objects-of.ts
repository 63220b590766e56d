import { formatDuration } from '@nines/base/duration.ts';
import type { Dashboards } from './dashboards/service.ts';
import { writtenPolicyOf } from './escalation/contract.ts';
import { writtenMaintenanceOf } from './maintenance/contract.ts';
import { type DeclarationView, type ObjectKind, type ObjectName, type ObjectRef } from './objects/contract.ts';
import { type Naming, usedBy } from './objects/evaluate.ts';
import {
  merge,
  ofDashboards,
  ofDeliveries,
  ofEscalation,
  ofHolders,
  ofIncidentRules,
  ofMaintenance,
  ofOncall,
  ofRecovery,
  ofRouting,
  ofRules,
  ofServices,
  ofSilences,
  ofSlas,
  ofStatements,
  ofStatusPages,
} from './objects/naming.ts';
import { type Place, isRedacted, nested, yamlOf } from './objects/yaml.ts';
import type { Parts } from './parts.ts';
import { redactContacts } from './platform/config/redact.ts';
import type { Roles } from './roles/service.ts';
import { rulesOfPacks } from './rules/packs/packs.ts';
import { writtenOf } from './services/written.ts';
import { writtenSlaOf } from './sla/contract.ts';
import { shownOf } from './status-pages/pages.ts';

type Sources = { readonly parts: Parts; readonly dashboards: Dashboards; readonly roles: Roles };

/** What every object of this installation names now. */
export async function namingOf({ parts, dashboards, roles }: Sources): Promise<Naming> {
  const { config } = parts.config();
  const { services, checks, slas, statusPages, maintenance, oncall, escalating, silences } = parts;
  const boards = await dashboards.list();
  return merge([
    ofServices(services.list(), checks.list()),
    ofSlas(slas.book.entries().map(({ contract }) => contract.spec)),
    ofStatusPages(statusPages.pages.list().map(({ spec }) => spec)),
    ofMaintenance(maintenance.list()),
    ofRules(rulesIn(parts)),
    ofSilences(silences.list()),
    ofDashboards(await Promise.all(boards.map(({ id }) => dashboards.get(id)))),
    ofDeliveries(await dashboards.sentThrough()),
    ofEscalation([...escalating.policies.inForce().values()], config.escalation),
    ofOncall(
      oncall.roster.people.list().map(({ spec }) => spec),
      oncall.roster.schedules.list().map(({ spec }) => spec),
    ),
    routed(parts),
    ofIncidentRules(parts.incidents.incidents.rules().rules.escalation),
    ofStatements(config.statements),
    ofRecovery(config.recovery.actions),
    ofHolders(await roles.list()),
  ]);
}

function routed({ channels }: Parts) {
  const inForce = channels.inForce();
  return ofRouting(inForce.routing, inForce.channels);
}

/** How what names a channel is called before its name. */
const CALLED: Readonly<Partial<Record<ObjectKind, string>>> = {
  channels: 'the channel',
  'escalation/policies': 'the escalation policy',
  'oncall/people': 'on call:',
  'status-pages': 'the status page',
};

/** What names a channel, in words. That it takes what no other route does is its own matter. */
export async function usesOfChannel(sources: Sources, id: string): Promise<readonly string[]> {
  const users = usedBy(await namingOf(sources), { kind: 'channels', id });
  return wordsOf(users.filter((one) => one.kind !== 'settings' || one.id !== 'routing.default'));
}

/** What names a channel, as a person says it; of a dashboard's deliveries with the way there, because no list shows them. */
export const wordsOf = (users: readonly ObjectName[]): readonly string[] =>
  users.map(({ kind, id, name }) =>
    kind === 'dashboards'
      ? `the deliveries of the dashboard ${name} (/dashboards/${encodeURIComponent(id)}, under Share)`
      : `${CALLED[kind] ?? ''} ${name}`.trim(),
  );

function rulesIn({ rules }: Parts) {
  const own = rules.thresholds.map(({ spec: { id, alertname, labels, newFigure } }) => ({
    id,
    name: alertname,
    labels,
    exprs: newFigure().inputs.flatMap(({ sources }) => sources.map(({ expr }) => expr)),
  }));
  const ofFiles = rules.groups.flatMap((group) =>
    group.rules.map(({ id, rule }) => ({
      id,
      name: rule.kind === 'alerting' ? rule.alert : rule.record,
      labels: {},
      exprs: [rule.exprText],
    })),
  );
  return [...own, ...ofFiles];
}

/** Besides its id: a rule's alerts have a name. */
export function otherNamesOf({ rules }: Parts, { kind, id }: ObjectRef): readonly string[] {
  if (kind !== 'rules') return [];
  const own = rules.thresholds.find((rule) => rule.id === id)?.spec.alertname;
  const ofFile = rules.groups.flatMap((group) => group.rules).find((rule) => rule.id === id)?.rule;
  return [...(own === undefined ? [] : [own]), ...(ofFile?.kind === 'alerting' ? [ofFile.alert] : [])];
}

/** Where objects of a kind stand in the configuration. */
const PLACES: Readonly<Partial<Record<ObjectKind, Place>>> = {
  channels: ['channels', '[]'],
  'escalation/policies': ['escalation', 'policies', '[]'],
  maintenance: ['maintenance', '[]'],
  'oncall/people': ['oncall', 'people', '[]'],
  'oncall/schedules': ['oncall', 'schedules', '[]'],
  'recovery/actions': ['recovery', 'actions', '[]'],
  roles: ['access', 'roles', '[]'],
  services: ['services', '[]'],
  slas: ['slas', '[]'],
  'statement-schedules': ['statements', '[]'],
  'status-pages': ['status_pages', '[]'],
};
const RULE_LISTS = ['thresholds', 'composites', 'absences', 'changes', 'forecasts', 'anomalies', 'compliance', 'aggregates'] as const;

type Found = { readonly place: Place; readonly value: unknown; readonly origin: string; readonly file?: DeclarationView['file'] };

/** An object as the configuration holds it: what the file says word for word, and what was made here as a person would write it. */
export async function declarationOf(sources: Sources, of: ObjectRef): Promise<DeclarationView | undefined> {
  const found = written(sources.parts, of) ?? (await made(sources, of));
  if (found === undefined) return undefined;
  const yaml = yamlOf(redactContacts(nested(found.place, found.value)));
  return { yaml, file: found.file ?? 'nines.yml', origin: found.origin, redacted: isRedacted(yaml) };
}

/** What stands in the file. */
function written(parts: Parts, { kind, id }: ObjectRef): Found | undefined {
  const { written: document, place: placeOf } = parts.config();
  const listAt = (path: readonly PropertyKey[]): readonly unknown[] => {
    const value = path.reduce<unknown>((inner, key) => (inner as Fields | undefined)?.[String(key)], document);
    return Array.isArray(value) ? value : [];
  };
  const found = (path: readonly string[], place: Place, key = 'id'): Found | undefined => {
    const list = listAt(path);
    const index = list.findIndex((one) => (one as Fields | null)?.[key] === id);
    return index < 0 ? undefined : { place, value: list[index], origin: placeOf([...path, index]) };
  };
  if (kind === 'checks') return checkIn(listAt(['services']), id, placeOf);
  if (kind === 'rules') {
    for (const list of RULE_LISTS) {
      const rule = found(['rules', list], ['rules', list, '[]'], list === 'aggregates' ? 'record' : 'id');
      if (rule !== undefined) return rule;
    }
    return undefined;
  }
  if (kind === 'routes') return routeIn(document, id, placeOf);
  const place = PLACES[kind];
  return place === undefined
    ? undefined
    : found(
        place.filter((key) => key !== '[]'),
        place,
      );
}

type Fields = Readonly<Record<string, unknown>>;

function checkIn(services: readonly unknown[], id: string, placeOf: (path: readonly PropertyKey[]) => string): Found | undefined {
  for (const [index, service] of services.entries()) {
    const checks = (service as Fields | null)?.['checks'];
    if (!Array.isArray(checks)) continue;
    const at = checks.findIndex((one) => (one as Fields | null)?.['id'] === id);
    if (at < 0) continue;
    const value = { id: (service as Fields)['id'], checks: [checks[at]] };
    return { place: ['services', '[]'], value, origin: placeOf(['services', index, 'checks', at]) };
  }
  return undefined;
}

/** A route with the receiver of the root, without which no tree loads. */
function routeIn(document: unknown, id: string, placeOf: (path: readonly PropertyKey[]) => string): Found | undefined {
  const root = ((document as Fields | null)?.['routing'] as Fields | undefined)?.['tree'] as Fields | undefined;
  if (root === undefined) return undefined;
  const steps = id === 'root' || id === '' ? [] : id.split('/').map(Number);
  const path = ['routing', 'tree', ...steps.flatMap((step) => ['routes', step])];
  const node = steps.reduce<unknown>(
    (inner, step) => ((inner as Fields | undefined)?.['routes'] as readonly unknown[] | undefined)?.[step],
    root,
  );
  if (node === undefined) return undefined;
  const value = steps.length === 0 ? node : { receiver: root['receiver'], routes: [node] };
  return { place: ['routing', 'tree'], value, origin: placeOf(path) };
}

/** What was made here, what other files bring, and what the product ships. */
async function made({ parts, dashboards, roles }: Sources, { kind, id }: ObjectRef): Promise<Found | undefined> {
  const place = PLACES[kind] ?? [];
  switch (kind) {
    case 'services': {
      const [spec, entry] = [parts.services.specOf(id), parts.services.get(id)];
      if (spec === undefined || entry === undefined) return undefined;
      return { place, value: writtenOf(spec, 'redacted'), origin: entry.origin.kind === 'file' ? entry.origin.place : 'ui' };
    }
    case 'checks':
      return checkMade(parts, id);
    case 'channels': {
      const known = parts.channels.inForce().channels.some((one) => one.id === id) ? parts.channels.get(id) : undefined;
      return known && { place, value: known.channel, origin: known.origin };
    }
    case 'slas': {
      const entry = parts.slas.book.get(id);
      if (entry === undefined) return undefined;
      const origin = entry.origin.kind === 'file' ? entry.origin.place : 'ui';
      return { place, value: writtenSlaOf(entry.contract.spec), origin };
    }
    case 'status-pages': {
      const page = parts.statusPages.pages.get(id);
      return page && { place, value: shownOf(page.spec), origin: page.place ?? 'ui' };
    }
    case 'maintenance': {
      const window = parts.maintenance.list().find((one) => one.id === id);
      return (
        window && {
          place,
          value: writtenMaintenanceOf(window as unknown as Parameters<typeof writtenMaintenanceOf>[0]),
          origin: window.origin,
        }
      );
    }
    case 'oncall/people':
    case 'oncall/schedules': {
      const { people, schedules } = parts.oncall.roster;
      const one = kind === 'oncall/people' ? people.get(id) : schedules.get(id);
      return one && { place, value: one.spec, origin: one.place ?? 'ui' };
    }
    case 'escalation/policies': {
      const spec = parts.escalating.policies.inForce().get(id);
      if (spec === undefined) return undefined;
      // A shipped policy tells whom the contacts name; without any it is those that are to be written.
      if (!spec.levels.some(({ targets }) => targets.length > 0))
        return { place: ['escalation'], value: { contacts: [] }, origin: 'shipped' };
      return { place, value: writtenPolicyOf(spec), origin: parts.escalating.policies.get(id).origin };
    }
    case 'roles': {
      const role = (await roles.list()).find((one) => one.id === id);
      if (role === undefined) return undefined;
      const { name, permits, teams, scope } = role;
      const narrowed = { ...(teams.length === 0 ? {} : { teams }), ...(scope === '' ? {} : { scope }) };
      return { place, value: { id, name, permits, ...narrowed }, origin: role.origin };
    }
    case 'dashboards': {
      const known = (await dashboards.list()).find((one) => one.id === id);
      if (known === undefined) return undefined;
      const { spec } = await dashboards.get(id);
      return { place: [], value: spec, origin: known.place === '' ? known.origin : known.place, file: 'dashboard' };
    }
    case 'rules':
      return ruleMade(parts, id);
    default:
      return undefined;
  }
}

function checkMade({ services }: Parts, id: string): Found | undefined {
  const entry = services.list().find(({ checks }) => checks.includes(id));
  const spec = entry && services.specOf(entry.id);
  if (entry === undefined || spec === undefined) return undefined;
  const checks = (writtenOf(spec, 'redacted').checks ?? []).filter((one) => one.id === id);
  const origin = entry.origin.kind === 'file' ? entry.origin.place : 'ui';
  return { place: ['services', '[]'], value: { id: entry.id, checks }, origin };
}

/** Fields of rules that are lengths of time. */
const LENGTHS: ReadonlySet<string> = new Set(['for', 'keep_firing_for', 'cooldown', 'over', 'ahead', 'after', 'forget', 'season']);
const LIST_OF = {
  threshold: 'thresholds',
  composite: 'composites',
  absence: 'absences',
  change: 'changes',
  forecast: 'forecasts',
  anomaly: 'anomalies',
  compliance: 'compliance',
} as const;

/** A rule of a pack in the form of the configuration, or one of a rule file in Prometheus' form. */
function ruleMade({ rules, config }: Parts, id: string): Found | undefined {
  const saved = rules.savedOf(id);
  if (saved?.read?.kind === 'own') {
    const { kind: _kind, ...fields } = saved.saved.written;
    return { place: ['rules', LIST_OF[saved.read.written.kind], '[]'], value: fields, origin: 'ui' };
  }
  const packed = rulesOfPacks(config().config.rules.packs).find(({ written: { rule } }) => saved === undefined && rule.id === id);
  if (packed !== undefined) {
    const fields = Object.entries(packed.written.rule).map(([key, value]) => [
      key,
      LENGTHS.has(key) && typeof value === 'number' ? formatDuration(value) : value,
    ]);
    return { place: ['rules', LIST_OF[packed.written.kind], '[]'], value: Object.fromEntries(fields), origin: 'shipped' };
  }
  for (const { group, rules: live } of rules.groups) {
    const rule = live.find((one) => one.id === id)?.rule;
    if (rule === undefined) continue;
    const texts = (all: Readonly<Record<string, { readonly source: string }>>) =>
      Object.keys(all).length === 0 ? undefined : Object.fromEntries(Object.entries(all).map(([name, { source }]) => [name, source]));
    const length = (lengthMs: number): string | undefined => (lengthMs === 0 ? undefined : formatDuration(lengthMs));
    const labels = texts(rule.labels);
    const value =
      rule.kind === 'recording'
        ? { record: rule.record, expr: rule.exprText, labels }
        : {
            alert: rule.alert,
            expr: rule.exprText,
            for: length(rule.forMs),
            keep_firing_for: length(rule.keepFiringForMs),
            labels,
            annotations: texts(rule.annotations),
          };
    const place = ['groups', '[]'];
    const file = { name: group.name, interval: formatDuration(group.intervalMs), rules: [value] };
    return { place, value: file, origin: saved === undefined ? rule.place : 'ui', file: 'rule_file' };
  }
  return undefined;
}
