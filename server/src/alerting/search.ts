/** Which open alerts a reader asks for, in which order, and how many there are of each kind; pure, one pass over all of them. */
import { AppError } from '@nines/base/errors.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { labelPairs, labelValue } from '@nines/model/labels.ts';
import { ALERT_STATES, type AlertState, SEVERITIES, type Severity } from './contract.ts';
import { type AlertRecord, stateOf } from './evaluate.ts';

/** `urgency`: worst severity first, newest within; what is pending comes last. */
export const ORDERS = ['newest', 'urgency'] as const;
export type Order = (typeof ORDERS)[number];

export type AlertSearch = {
  readonly severities: readonly Severity[];
  /** A rule's id, or a kind. */
  readonly rule: string | undefined;
  readonly service: string | undefined;
  /** A problem's id; '' for alerts without one. */
  readonly problem?: string | undefined;
  /** Alerts that overlap `[fromMs, toMs)`. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** A person's name; '' for nobody. */
  readonly assigned?: string | undefined;
  /** In the name, the rule, a label's value or the summary, whatever the case. */
  readonly text?: string | undefined;
  readonly matchers?: readonly Matcher[];
  /** What the reader may see; everything when absent. */
  readonly sees?: ((record: AlertRecord) => boolean) | undefined;
};

/** Worst first. */
const rankOf = (severity: Severity): number => SEVERITIES.length - 1 - SEVERITIES.indexOf(severity);
/** What has not fired yet comes behind what has. */
const placeOf = ({ severity, condition }: AlertRecord): number => rankOf(severity) + (condition === 'pending' ? SEVERITIES.length : 0);

/** The problem that an alert is in, if any: it stands beside the alert. */
export type ProblemOf = (alertId: string) => string | undefined;

export function matchesSearch(record: AlertRecord, search: AlertSearch, problemOf: ProblemOf): boolean {
  const { severities, rule, service, problem, fromMs, toMs, assigned, text, matchers, sees } = search;
  return (
    (severities.length === 0 || severities.includes(record.severity)) &&
    (rule === undefined || record.rule === rule || record.kind === rule) &&
    (service === undefined || record.service === service) &&
    (problem === undefined || (problemOf(record.id) ?? '') === problem) &&
    (fromMs === undefined || record.endsAtMs === null || record.endsAtMs > fromMs) &&
    (toMs === undefined || record.startsAtMs < toMs) &&
    (assigned === undefined || (record.handling.assignedTo ?? '') === assigned) &&
    (matchers === undefined || matchers.every(({ name, matches }) => matches(labelValue(record.labels, name)))) &&
    (sees === undefined || sees(record)) &&
    (text === undefined || holdsText(record, text.toLowerCase()))
  );
}

function holdsText(record: AlertRecord, text: string): boolean {
  const holds = (value: string | undefined): boolean => value?.toLowerCase().includes(text) === true;
  if (holds(record.alertname) || holds(record.rule) || holds(record.annotations['summary'])) return true;
  for (const [, value] of labelPairs(record.labels)) if (holds(value)) return true;
  return false;
}

/** Where a page ended, in the order of its list. */
type Place = { readonly rank: number; readonly atMs: number; readonly id: string };

/** Clients send back what they got. `AppError` `bad_cursor`. */
function parsePlace(cursor: string): Place {
  const [, rank, at, id] = /^(\d)\.(\d+)~(.+)$/.exec(cursor) ?? [];
  if (id === undefined) throw new AppError('bad_input', 'bad_cursor', 'not a cursor that this list gave', { field: 'cursor' });
  return { rank: Number(rank), atMs: Number(at), id };
}

const cursorAt = (record: AlertRecord): string => `${placeOf(record)}.${record.startsAtMs}~${record.id}`;

const isAfter = ({ startsAtMs, id }: AlertRecord, place: Place): boolean =>
  startsAtMs < place.atMs || (startsAtMs === place.atMs && id < place.id);

/** One page by urgency of what `newestFirst` gives, without more work than one pass. */
export function urgentPage(
  newestFirst: Iterable<AlertRecord>,
  asked: { readonly matches: (record: AlertRecord) => boolean; readonly cursor: string | undefined; readonly limit: number },
): { readonly items: readonly AlertRecord[]; readonly next: string | null } {
  const place = asked.cursor === undefined ? undefined : parsePlace(asked.cursor);
  const byRank: AlertRecord[][] = [...SEVERITIES, ...SEVERITIES].map(() => []);
  for (const record of newestFirst) {
    const rank = placeOf(record);
    const ofRank = byRank[rank];
    if (ofRank === undefined || ofRank.length > asked.limit) continue;
    if (place !== undefined && (rank < place.rank || (rank === place.rank && !isAfter(record, place)))) continue;
    if (asked.matches(record)) ofRank.push(record);
  }
  const found = byRank.flat();
  const items = found.slice(0, asked.limit);
  const last = items.at(-1);
  const more = found.length > items.length && last !== undefined;
  return { items, next: more ? cursorAt(last) : null };
}

/** A page by urgency from any place of the list, counted from its first, and how long the list is. */
export function urgentPageAt(
  newestFirst: Iterable<AlertRecord>,
  asked: { readonly matches: (record: AlertRecord) => boolean; readonly offset: number; readonly limit: number },
): { readonly items: readonly AlertRecord[]; readonly next: string | null; readonly total: number } {
  const byRank: AlertRecord[][] = [...SEVERITIES, ...SEVERITIES].map(() => []);
  for (const record of newestFirst) if (asked.matches(record)) byRank[placeOf(record)]?.push(record);
  const found = byRank.flat();
  const end = asked.offset + asked.limit;
  const items = found.slice(asked.offset, end);
  const last = items.at(-1);
  return { items, next: last !== undefined && end < found.length ? cursorAt(last) : null, total: found.length };
}

/** How many alerts there are of each severity in each state. */
export type AlertCounts = {
  readonly total: number;
  readonly firing: number;
  readonly bySeverity: Record<Severity, Record<AlertState, number>>;
};

export function countAlerts(records: Iterable<AlertRecord>, nowMs: number, matches: (record: AlertRecord) => boolean): AlertCounts {
  const none = (): Record<AlertState, number> => Object.fromEntries(ALERT_STATES.map((state) => [state, 0])) as Record<AlertState, number>;
  const bySeverity = Object.fromEntries(SEVERITIES.map((severity) => [severity, none()])) as Record<Severity, Record<AlertState, number>>;
  let total = 0;
  let firing = 0;
  for (const record of records) {
    if (!matches(record)) continue;
    const state = stateOf(record, nowMs);
    bySeverity[record.severity][state]++;
    total++;
    if (state === 'firing') firing++;
  }
  return { total, firing, bySeverity };
}

/** Alerts that have one thing in common. */
export type AlertGroup = {
  readonly key: string;
  readonly total: number;
  /** Of them, those that fire and wait for somebody. */
  readonly firing: number;
  readonly worst: Severity;
  readonly newestAtMs: number;
};

/** What alerts may be grouped by; `label:` and a name for any label. */
export const GROUPINGS = ['service', 'problem', 'alertname', 'rule', 'kind', 'severity', 'assigned'] as const;
export type Grouping = (typeof GROUPINGS)[number] | `label:${string}`;

function keyOf(record: AlertRecord, by: Grouping, problemOf: ProblemOf): string {
  switch (by) {
    case 'service':
      return record.service ?? '';
    case 'problem':
      return problemOf(record.id) ?? '';
    case 'assigned':
      return record.handling.assignedTo ?? '';
    case 'alertname':
    case 'rule':
    case 'kind':
    case 'severity':
      return record[by];
    default:
      return labelValue(record.labels, by.slice('label:'.length));
  }
}

/** The groups with the worst first, then those in which most fires. */
export function groupAlerts(
  records: Iterable<AlertRecord>,
  asked: {
    readonly by: Grouping;
    readonly nowMs: number;
    readonly matches: (record: AlertRecord) => boolean;
    readonly problemOf: ProblemOf;
  },
): readonly AlertGroup[] {
  const groups = new Map<string, AlertGroup>();
  for (const record of records) {
    if (!asked.matches(record)) continue;
    const key = keyOf(record, asked.by, asked.problemOf);
    const before = groups.get(key);
    const worst = before === undefined || rankOf(record.severity) < rankOf(before.worst) ? record.severity : before.worst;
    const firing = (before?.firing ?? 0) + (stateOf(record, asked.nowMs) === 'firing' ? 1 : 0);
    const newestAtMs = Math.max(before?.newestAtMs ?? 0, record.startsAtMs);
    groups.set(key, { key, total: (before?.total ?? 0) + 1, firing, worst, newestAtMs });
  }
  return [...groups.values()].sort(
    (a, b) => rankOf(a.worst) - rankOf(b.worst) || b.firing - a.firing || b.total - a.total || (a.key < b.key ? -1 : 1),
  );
}
