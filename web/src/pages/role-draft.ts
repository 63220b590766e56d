/** A role while it is written: one choice per area. Pure. */
import type { AreaName, RoleDraft, RoleView } from '../api/wire.ts';
import { slugOf } from './service-draft.ts';
import { itemsIn } from './sight.ts';

type Verb = 'read' | 'operate' | 'administer' | 'ingest';

/** Every area in the order of pages and documentation, with what it holds. */
export const AREA_WORDS: Readonly<Record<AreaName, string>> = {
  own: 'Own password and live page',
  services: 'Services, downtime',
  checks: 'Checks, recovery',
  maintenance: 'Maintenance',
  slas: 'SLAs, statements',
  reports: 'Reports',
  alerts: 'Alerts, rules, silences',
  incidents: 'Incidents',
  oncall: 'On call, escalation',
  notifications: 'Notifications, routing',
  status_pages: 'Status pages',
  metrics: 'Metrics, queries, targets',
  analytics: 'Analytics',
  dashboards: 'Dashboards',
  agents: 'Agents',
  audit: 'Audit log',
  access: 'People, tokens, roles',
  system: 'Health, configuration, backups',
};
export const AREAS = Object.keys(AREA_WORDS) as readonly AreaName[];

/** What may be chosen for an area; the higher includes the lower. */
export const LEVELS = [
  { value: '', label: 'nothing' },
  { value: 'read', label: 'read' },
  { value: 'operate', label: 'operate' },
  { value: 'administer', label: 'administer' },
  { value: 'ingest', label: 'only send samples' },
  { value: 'read ingest', label: 'read, send samples' },
  { value: 'operate ingest', label: 'operate, send samples' },
  { value: 'administer ingest', label: 'administer, send samples' },
] as const;
/** Where samples and results of programs are taken. */
const TAKES_SAMPLES: ReadonlySet<AreaName> = new Set(['checks', 'alerts', 'metrics']);
export const levelsOf = (area: AreaName, chosen: string) =>
  LEVELS.filter(({ value }) => value === chosen || TAKES_SAMPLES.has(area) || !value.includes('ingest'));

export const LANDINGS = [
  { value: '/', label: 'Overview' },
  { value: '/services', label: 'Services' },
  { value: '/slas', label: 'SLAs' },
  { value: '/alerts-dashboard', label: 'Alerts' },
  { value: '/incidents', label: 'Incidents' },
  { value: '/checks', label: 'Checks' },
  { value: '/targets', label: 'Targets' },
  { value: '/health', label: 'Health' },
  { value: '/notifications', label: 'Notifications' },
  { value: '/on-call', label: 'On call' },
  { value: '/maintenance', label: 'Maintenance' },
  { value: '/status-pages', label: 'Status pages' },
  { value: '/reports', label: 'Reports' },
  { value: '/analytics', label: 'Analytics' },
  { value: '/explore', label: 'Explore' },
  { value: '/dashboards', label: 'Dashboards' },
  { value: '/dashboards/executive', label: 'Dashboard: Executive' },
  { value: '/dashboards/technical', label: 'Dashboard: Technical' },
  { value: '/dashboards/operations', label: 'Dashboard: Operations' },
  { value: '/dashboards/business', label: 'Dashboard: Business' },
  { value: '/settings', label: 'Settings' },
] as const;
export const landingWord = (path: string): string => LANDINGS.find(({ value }) => value === path)?.label ?? path;

export type Draft = {
  readonly name: string;
  /** By area: a value of `LEVELS`. */
  readonly levels: Readonly<Partial<Record<AreaName, string>>>;
  readonly landing: string;
  /** With commas between. */
  readonly teams: string;
  readonly scope: string;
};

/** Whoever signs in needs to read what is their own. */
export const EMPTY: Draft = { name: '', levels: { own: 'read' }, landing: '/', teams: '', scope: '' };

/** The highest verb stands for the lower ones; `ingest` stands beside it. */
export function levelOf(verbs: readonly Verb[]): string {
  const highest = (['administer', 'operate', 'read'] as const).find((verb) => verbs.includes(verb));
  return [highest, verbs.includes('ingest') ? 'ingest' : undefined].filter((verb) => verb !== undefined).join(' ');
}

/** The role as it stands, or the beginning of another one that permits the same. */
export const draftOf = ({ name, permits, landing, teams, scope }: RoleView): Draft => ({
  name,
  levels: Object.fromEntries(Object.entries(permits).map(([area, verbs]) => [area, levelOf(verbs)])),
  landing,
  teams: teams.join(', '),
  scope,
});

/** `id` is of the role that is being changed; a new one gets it from its name. */
export function roleOf({ name, levels, landing, teams, scope }: Draft, id?: string): RoleDraft {
  const permits = AREAS.flatMap((area) => {
    const verbs = (levels[area] ?? '').split(' ').filter((verb): verb is Verb => verb !== '');
    return verbs.length === 0 ? [] : [[area, verbs] as const];
  });
  return {
    id: id ?? slugOf(name),
    name: name.trim(),
    permits: Object.fromEntries(permits),
    landing,
    teams: [...itemsIn(teams)],
    scope: scope.trim(),
  };
}
