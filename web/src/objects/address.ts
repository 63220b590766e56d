/** Where an object is on the pages, and where its record is in the API. Pure. */

/** Objects with a page, a drawer or a place in a list of their own: `at` is put before the id. */
const PAGES: Readonly<Record<string, string>> = {
  alerts: '/alerts-dashboard?alert=',
  checks: '/checks/',
  dashboards: '/dashboards/',
  incidents: '/incidents/',
  'oncall/schedules': '/on-call?schedule=',
  problems: '/alerts-dashboard?problem=',
  rules: '/rules?rule=',
  services: '/services/',
  silences: '/silences?silence=',
  slas: '/slas/',
  statements: '/statements/',
  targets: '/targets?target=',
};
/** Objects that stand in a list: the address leads to their line. */
const LISTS: Readonly<Record<string, string>> = {
  agents: '/agents',
  channels: '/settings/channels',
  'escalation/policies': '/escalation',
  'inhibit-rules': '/routes',
  maintenance: '/maintenance',
  'oncall/people': '/on-call',
  people: '/settings/people',
  'recovery/actions': '/checks',
  reports: '/reports',
  roles: '/settings/roles',
  routes: '/routes',
  settings: '/settings/configuration',
  'statement-schedules': '/reports',
  'status-pages': '/status-pages',
  tokens: '/settings/tokens',
};

/** What marks the line of an object, and stands behind `#` in its address. */
export const anchorOf = (kind: string, id: string): string => `${kind.replaceAll('/', '-')}-${encodeURIComponent(id)}`;

/** The stable address of an object within this installation; undefined for what has no place of its own. */
export function addressOf(kind: string, id: string): string | undefined {
  const page = PAGES[kind];
  if (page !== undefined) return `${page}${encodeURIComponent(id)}`;
  const list = LISTS[kind];
  return list === undefined ? undefined : `${list}#${anchorOf(kind, id)}`;
}

/** Kinds whose single record the API answers only as a line of their list. */
const LISTED: ReadonlySet<string> = new Set(['agents', 'tokens', 'people', 'targets']);
const RECORDS: ReadonlySet<string> = new Set([
  ...LISTED,
  'alerts',
  'downtime',
  'incidents',
  'problems',
  'reports',
  'silences',
  'statements',
]);

/** The API's path to the record of an object that no configuration holds, and whether it is a list to be searched; undefined for what one holds. */
export function recordOf(kind: string, id: string): { readonly path: string; readonly isList: boolean } | undefined {
  if (!RECORDS.has(kind)) return undefined;
  return LISTED.has(kind) ? { path: `/api/${kind}`, isList: true } : { path: `/api/${kind}/${encodeURIComponent(id)}`, isList: false };
}
