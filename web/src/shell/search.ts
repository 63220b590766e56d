/** What the address of each page may carry, checked on the way in: an address typed by hand never breaks a page. */
import type { View } from '../timeline/view.ts';

export const RANGES = ['10m', '1h', '24h', '7d', '30d', '90d'] as const;
export type Range = (typeof RANGES)[number];

const RANGE_MS: Readonly<Record<Range, number>> = {
  '10m': 600_000,
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
  '90d': 7_776_000_000,
};

export const rangeMs = (range: Range): number => RANGE_MS[range];

export type Raw = Readonly<Record<string, unknown>>;

export type RootSearch = { kiosk?: 1 };
export type RangeSearch = { range?: Range; from?: number; to?: number };
/** `at`: the instant whose evidence is open. */
export type ServiceSearch = RangeSearch & { check?: string; at?: number; downtime?: string };
/** `day`: the day of the calendar that the stretch is. */
export type SlaSearch = RangeSearch & { at?: number; day?: string };
/** `team`: only what is about services of that team; `add`: the form for a new one is open. */
export type ListSearch = { q?: string; team?: string; add?: 1 };
/** What a filter of a list becomes; undefined and '' take it away. */
export type ListChange = { readonly q?: string; readonly team?: string | undefined };
/** `at`: the results around that instant, rather than the latest. */
export type ChecksSearch = ListSearch & { check?: string; at?: number };
/** How far back the charts of one check reach. */
export const CHECK_HOURS = [1, 24, 168] as const;
/** `at`: the attempt of that instant, with those around it. */
export type CheckSearch = { at?: number; hours?: (typeof CHECK_HOURS)[number] };
export type TargetsSearch = { q?: string } & { job?: string; state?: TargetFilter; target?: string };
/** `ask`: the form is open, about `[from, to)` where that is named. */
export type ExclusionSearch = { exclusion?: string; ask?: 1; from?: number; to?: number };
/** A period, perhaps never issued: by name, or by its ends. */
export type StatementSearch = { period?: string; zone?: string; from?: number; to?: number; customer?: string };
/** `compare`: beside the revision before. */
export type IssuedSearch = { compare?: 1 };
/** `sla`: the chosen contracts, with commas between. */
export type ReportsSearch = StatementSearch & { sla?: string; q?: string };
/** `labels`: of the alert whose way is shown, as typed. */
export type RoutesSearch = { labels?: string };
/** `day`: any day of the week or month that is shown. */
export type OnCallSearch = { schedule?: string; view?: 'week' | 'month'; day?: string };
export type NotificationSearch = { status?: (typeof DELIVERY_STATUSES)[number]; channel?: string };
/** `group`: what the list is grouped by; `alert`: the one that is open; `view`: statistics instead of the list. */
export type AlertSearch = {
  q?: string;
  status?: AlertStatus;
  severity?: string;
  service?: string;
  team?: string;
  source?: string;
  problem?: string;
  /** `me`, `nobody` or a name. */
  assigned?: string;
  /** A matcher: `instance="a"`. */
  label?: string;
  group?: string;
  alert?: string;
  view?: 'statistics';
  days?: number;
};
/** `silence`: the one that is open; `new`: with these matchers a new one is being made. */
export type SilenceSearch = { silence?: string; new?: string };

const ALERT_STATUSES = ['open', 'firing', 'acknowledged', 'pending', 'suppressed', 'resolved', 'all'] as const;
export type AlertStatus = (typeof ALERT_STATUSES)[number];

const DELIVERY_STATUSES = ['queued', 'delivered', 'suppressed', 'dead'] as const;

const TARGET_FILTERS = ['troubled', 'up', 'down', 'unknown', 'dropped'] as const;
/** `troubled` is everything but a target that is up with all its samples. */
export type TargetFilter = (typeof TARGET_FILTERS)[number];

const text = (value: unknown): string | undefined => {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
};
/** The last instant that a Date can be. */
const MAX_INSTANT_MS = 8_640_000_000_000_000;
const instant = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_INSTANT_MS ? value : undefined;
const oneOf = <Word extends string>(words: readonly Word[], value: unknown): Word | undefined => words.find((word) => word === value);

/** Drops fields that are `undefined`, so that they do not appear in the address. */
function defined<Search extends object>(search: { [Key in keyof Search]: Search[Key] | undefined }): Search {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Search;
}

export const rootSearch = (raw: Raw): RootSearch => (raw.kiosk === 1 || raw.kiosk === '1' ? { kiosk: 1 } : {});

/** A range by name, or exact ends; ends without sense are dropped. */
export function rangeSearch(raw: Raw): RangeSearch {
  const { from, to } = raw;
  const range = oneOf(RANGES, raw.range);
  if (
    typeof from === 'number' &&
    typeof to === 'number' &&
    Number.isSafeInteger(from) &&
    Number.isSafeInteger(to) &&
    from >= 0 &&
    from < to &&
    to <= MAX_INSTANT_MS
  ) {
    return { from, to };
  }
  return range === undefined ? {} : { range };
}

export type IncidentsSearch = { readonly status?: 'open' | 'resolved' | 'all'; readonly team?: string };
export const incidentsSearch = (raw: Raw): IncidentsSearch =>
  defined<IncidentsSearch>({ status: oneOf(['open', 'resolved', 'all'], raw['status']), team: text(raw.team) });

export const listSearch = (raw: Raw): ListSearch => ({
  ...defined<ListSearch>({ q: text(raw.q), team: text(raw.team) }),
  ...(raw.add === 1 ? { add: 1 } : {}),
});

/** `view`: the map instead of the list; `focus`: the service that it is drawn around, `depth` dependencies far. */
export type MapSearch = {
  readonly q?: string | undefined;
  readonly team?: string | undefined;
  readonly view?: 'map' | undefined;
  readonly focus?: string | undefined;
  readonly depth?: number | undefined;
};
const MAX_DEPTH = 10;
export const mapSearch = (raw: Raw): MapSearch =>
  defined<MapSearch>({
    ...listSearch(raw),
    view: oneOf(['map'], raw['view']),
    focus: text(raw['focus']),
    depth:
      typeof raw['depth'] === 'number' && Number.isInteger(raw['depth']) && raw['depth'] > 0
        ? Math.min(raw['depth'], MAX_DEPTH)
        : undefined,
  });

export const notificationSearch = (raw: Raw): NotificationSearch =>
  defined<NotificationSearch>({ status: oneOf(DELIVERY_STATUSES, raw.status), channel: text(raw.channel) });

export const onCallSearch = (raw: Raw): OnCallSearch =>
  defined<OnCallSearch>({ schedule: text(raw.schedule), view: oneOf(['week', 'month'], raw.view), day: text(raw.day) });

export const serviceSearch = (raw: Raw): ServiceSearch => ({
  ...rangeSearch(raw),
  ...defined<ServiceSearch>({ check: text(raw.check), at: instant(raw.at), downtime: text(raw.downtime) }),
});
export const slaSearch = (raw: Raw): SlaSearch => ({
  ...rangeSearch(raw),
  ...defined<SlaSearch>({ at: instant(raw.at), day: text(raw.day) }),
});
const span = ({ from, to }: Raw): { from?: number; to?: number } => {
  const [fromMs, toMs] = [instant(from), instant(to)];
  return fromMs === undefined || toMs === undefined || fromMs >= toMs ? {} : { from: fromMs, to: toMs };
};
export const exclusionSearch = (raw: Raw): ExclusionSearch => ({
  ...span(raw),
  ...(raw.ask === 1 ? { ask: 1 } : {}),
  ...defined<ExclusionSearch>({ exclusion: text(raw.exclusion) }),
});
export const statementSearch = (raw: Raw): StatementSearch => ({
  ...span(raw),
  ...defined<StatementSearch>({ period: text(raw.period), zone: text(raw.zone), customer: text(raw.customer) }),
});
export const issuedSearch = (raw: Raw): IssuedSearch => (raw.compare === 1 ? { compare: 1 } : {});
export const reportsSearch = (raw: Raw): ReportsSearch => ({
  ...statementSearch(raw),
  ...defined<ReportsSearch>({ sla: text(raw.sla), q: text(raw.q) }),
});
export const routesSearch = (raw: Raw): RoutesSearch => defined<RoutesSearch>({ labels: text(raw.labels) });
export const checkSearch = (raw: Raw): CheckSearch =>
  defined<CheckSearch>({ at: instant(raw.at), hours: CHECK_HOURS.find((hours) => hours === raw['hours']) });
export const checksSearch = (raw: Raw): ChecksSearch =>
  defined<ChecksSearch>({ q: text(raw.q), team: text(raw.team), check: text(raw.check), at: instant(raw.at) });

export const targetsSearch = (raw: Raw): TargetsSearch =>
  defined<TargetsSearch>({ q: text(raw.q), job: text(raw.job), state: oneOf(TARGET_FILTERS, raw.state), target: text(raw.target) });

export const RULE_FILTERS = ['troubled', 'firing', 'pending', 'waiting'] as const;
/** Which rules are listed, and the one that is open. */
/** `new`: the form of a rule is open; `edit`: that of the rule that is open. */
export type RulesSearch = {
  readonly q?: string;
  readonly state?: (typeof RULE_FILTERS)[number];
  readonly rule?: string;
  readonly edit?: 1;
  readonly new?: 1;
};
export const rulesSearch = (raw: Raw): RulesSearch =>
  defined<RulesSearch>({
    q: text(raw.q),
    state: oneOf(RULE_FILTERS, raw.state),
    rule: text(raw.rule),
    edit: raw['edit'] === 1 ? 1 : undefined,
    new: raw['new'] === 1 ? 1 : undefined,
  });

export const alertSearch = (raw: Raw): AlertSearch =>
  defined<AlertSearch>({
    q: text(raw.q),
    status: oneOf(ALERT_STATUSES, raw.status),
    severity: severities(raw.severity),
    service: text(raw.service),
    team: text(raw.team),
    source: text(raw.source),
    problem: text(raw.problem),
    assigned: text(raw.assigned),
    label: text(raw.label),
    group: text(raw.group),
    alert: text(raw.alert),
    view: oneOf(['statistics'], raw.view),
    days: [1, 7, 30, 90].find((days) => days === raw.days),
  });

/** Known ones, with commas between. */
function severities(value: unknown): string | undefined {
  const known = (text(value) ?? '').split(',').filter((word) => ['info', 'warning', 'critical', 'emergency'].includes(word));
  return known.length === 0 ? undefined : known.join(',');
}

/** `object`: `silences/7`, or a kind alone; `entry`: the one that is open. */
export type AuditSearch = {
  actor?: string;
  action?: string;
  object?: string;
  phase?: 'asked' | 'done' | 'read';
  from?: number;
  to?: number;
  entry?: number;
};
export const auditSearch = (raw: Raw): AuditSearch =>
  defined<AuditSearch>({
    actor: text(raw.actor),
    action: text(raw.action),
    object: text(raw.object),
    phase: oneOf(['asked', 'done', 'read'], raw.phase),
    from: instant(raw.from),
    to: instant(raw.to),
    entry: instant(raw.entry),
  });
export type ConfigurationSearch = { version?: number };
export const configurationSearch = (raw: Raw): ConfigurationSearch => defined<ConfigurationSearch>({ version: instant(raw.version) });

/** `op`: the operation that is open, `GET /api/slas`. */
export type ApiDocsSearch = { q?: string; op?: string };
export const apiDocsSearch = (raw: Raw): ApiDocsSearch => defined<ApiDocsSearch>({ q: text(raw.q), op: text(raw.op) });

/** `policy`: the one that is being changed; `add`: the form of a new one is open. */
export type EscalationSearch = { add?: 1; policy?: string };
export const escalationSearch = (raw: Raw): EscalationSearch =>
  defined<EscalationSearch>({ add: raw.add === 1 ? 1 : undefined, policy: text(raw.policy) });

/** `channel`: the one that is being changed. */
export type ChannelsSearch = { add?: 1; channel?: string };
export const channelsSearch = (raw: Raw): ChannelsSearch =>
  defined<ChannelsSearch>({ add: raw.add === 1 ? 1 : undefined, channel: text(raw.channel) });

export type RolesSearch = { role?: string };
export const rolesSearch = (raw: Raw): RolesSearch => defined<RolesSearch>({ role: text(raw.role) });

export const silenceSearch = (raw: Raw): SilenceSearch => defined<SilenceSearch>({ silence: text(raw.silence), new: text(raw.new) });

/** The range a page opens with: the shortest up to a day that shows everything since `sinceMs`. A sliver of a day shows nothing. */
export function fittingRange(sinceMs: number | null, nowMs: number): Range {
  const ageMs = sinceMs === null ? 0 : nowMs - sinceMs;
  return (['10m', '1h'] as const).find((range) => ageMs <= rangeMs(range)) ?? '24h';
}

/** The stretch of time an address means at `nowMs`. */
export function viewOf(search: RangeSearch, fallback: Range, nowMs: number): View {
  if (search.from !== undefined && search.to !== undefined) return { fromMs: search.from, toMs: search.to };
  return { fromMs: nowMs - rangeMs(search.range ?? fallback), toMs: nowMs };
}
