/** What the address of the inbox says, as a question to the server and as a decision about one alert. Pure. */
import type { AlertView } from '../api/wire.ts';
import type { AlertSearch } from '../shell/search.ts';

/** The fields of `GET /api/alerts`, `/counts` and `/groups`. */
export type AlertQuestion = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Without what decides about the page alone. */
export function questionOf({ q, status, severity, service, team, source, assigned, label, problem }: AlertSearch): AlertQuestion {
  const labels = [...(label === undefined ? [] : [label]), ...(team === undefined ? [] : [matcherText('team', team)])];
  const of = { label: labels.length > 1 ? labels : labels[0], problem };
  return { q, status: status === 'open' ? undefined : status, severity, service, source, assigned, ...of };
}

/** How many filters are set. */
export const filtersIn = (search: AlertSearch): number =>
  Object.values(questionOf(search)).reduce<number>(
    (sum, value) => sum + (value === undefined ? 0 : Array.isArray(value) ? value.length : 1),
    0,
  );

/** `name="value"` and `name!="value"`, the matchers that a page can judge by itself. */
const PLAIN_MATCHER = /^\s*([^\s=!~,"{}]+)\s*(!?=)\s*"((?:[^"\\]|\\.)*)"\s*$/;

/** A matcher of one label and its value. */
export const matcherText = (name: string, value: string): string => `${name}=${JSON.stringify(value)}`;

/** Whether an alert belongs into the list; undefined when only the server can tell. */
export function belongs(alert: AlertView, search: AlertSearch, me: string): boolean | undefined {
  const { status = 'open', severity, service, team, source, assigned, q, label, problem } = search;
  if (status === 'open' && alert.condition === 'resolved') return false;
  if (status !== 'open' && status !== 'all' && alert.state !== status) return false;
  if (severity !== undefined && !severity.split(',').includes(alert.severity)) return false;
  if (service !== undefined && alert.service !== service) return false;
  if (team !== undefined && alert.labels['team'] !== team) return false;
  if (problem !== undefined && (alert.problem ?? '') !== problem) return false;
  if (source !== undefined && alert.rule !== source && alert.kind !== source) return false;
  const person = assigned === 'me' ? me : assigned === 'nobody' ? '' : assigned;
  if (person !== undefined && (alert.assigned_to ?? '') !== person) return false;
  if (q !== undefined && !holdsText(alert, q.trim().toLowerCase())) return false;
  if (label === undefined) return true;
  const [, name, op, written = ''] = PLAIN_MATCHER.exec(label) ?? [];
  if (name === undefined) return undefined;
  const value = written.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  return ((alert.labels[name] ?? '') === value) === (op === '=');
}

const holdsText = ({ alertname, rule, annotations, labels }: AlertView, text: string): boolean =>
  [alertname, rule, annotations['summary'] ?? '', ...Object.values(labels)].some((value) => value.toLowerCase().includes(text));

export const GROUPINGS = ['service', 'problem', 'rule', 'alertname', 'severity', 'assigned'] as const;

/** The search that finds just one group. */
export function searchOfGroup(search: AlertSearch, key: string): AlertSearch {
  const { group: by = '', ...rest } = search;
  if (by.startsWith('label:')) return { ...rest, label: matcherText(by.slice('label:'.length), key) };
  switch (by) {
    case 'service':
      return key === '' ? { ...rest, label: matcherText('service', '') } : { ...rest, service: key };
    case 'problem':
      return { ...rest, problem: key };
    case 'rule':
      return { ...rest, source: key };
    case 'severity':
      return { ...rest, severity: key };
    case 'assigned':
      return { ...rest, assigned: key === '' ? 'nobody' : key };
    default:
      return { ...rest, label: matcherText('alertname', key) };
  }
}
