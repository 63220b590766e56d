/** A role while it is written: one choice per area. Pure. */
import type { AreaName, RoleDraft, RoleView } from '../api/wire.ts';
import { t } from '../language/t.ts';
import { slugOf } from './service-draft.ts';
import { itemsIn } from './sight.ts';

type Verb = 'read' | 'operate' | 'administer' | 'ingest';

/** Every area in the order of pages and documentation, with what it holds. */
export const AREA_WORDS: Readonly<Record<AreaName, string>> = {
  own: t('Own password and live page'),
  services: t('Services, downtime'),
  checks: t('Checks, recovery'),
  maintenance: t('Maintenance'),
  slas: t('SLAs, statements'),
  reports: t('Reports'),
  alerts: t('Alerts, rules, silences'),
  incidents: t('Incidents'),
  oncall: t('On call, escalation'),
  notifications: t('Notifications, routing'),
  status_pages: t('Status pages'),
  metrics: t('Metrics, queries, targets'),
  analytics: t('Analytics'),
  dashboards: t('Dashboards'),
  agents: t('Agents'),
  audit: t('Audit log'),
  access: t('People, tokens, roles'),
  system: t('Health, configuration, backups'),
};
export const AREAS = Object.keys(AREA_WORDS) as readonly AreaName[];

/** What may be chosen for an area; the higher includes the lower. */
export const LEVELS = [
  { value: '', label: t('nothing') },
  { value: 'read', label: t('read') },
  { value: 'operate', label: t('operate') },
  { value: 'administer', label: t('administer') },
  { value: 'ingest', label: t('only send samples') },
  { value: 'read ingest', label: t('read, send samples') },
  { value: 'operate ingest', label: t('operate, send samples') },
  { value: 'administer ingest', label: t('administer, send samples') },
] as const;
/** Where samples and results of programs are taken. */
const TAKES_SAMPLES: ReadonlySet<AreaName> = new Set(['checks', 'alerts', 'metrics']);
export const levelsOf = (area: AreaName, chosen: string) =>
  LEVELS.filter(({ value }) => value === chosen || TAKES_SAMPLES.has(area) || !value.includes('ingest'));

export const LANDINGS = [
  { value: '/', label: t('Overview') },
  { value: '/services', label: t('Services') },
  { value: '/slas', label: t('SLAs') },
  { value: '/alerts-dashboard', label: t('Alerts') },
  { value: '/incidents', label: t('Incidents') },
  { value: '/checks', label: t('Checks') },
  { value: '/targets', label: t('Targets') },
  { value: '/health', label: t('Health') },
  { value: '/notifications', label: t('Notifications') },
  { value: '/on-call', label: t('On call') },
  { value: '/maintenance', label: t('Maintenance') },
  { value: '/status-pages', label: t('Status pages') },
  { value: '/reports', label: t('Reports') },
  { value: '/analytics', label: t('Analytics') },
  { value: '/explore', label: t('Explore') },
  { value: '/dashboards', label: t('Dashboards') },
  { value: '/dashboards/executive', label: t('Dashboard: Executive') },
  { value: '/dashboards/technical', label: t('Dashboard: Technical') },
  { value: '/dashboards/operations', label: t('Dashboard: Operations') },
  { value: '/dashboards/business', label: t('Dashboard: Business') },
  { value: '/settings', label: t('Settings') },
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
