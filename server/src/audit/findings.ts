import { HOUR_MS } from '@nines/base/units.ts';
import { type BusinessHours, outOfHours } from '@nines/maths/calendar/hours.ts';
import { businessHours } from '../platform/config/hours.ts';
import type { AuditSettings } from './config.ts';
import { type AuditEntryView, REFUSED, SIGN_IN_REFUSED } from './contract.ts';

/** What single entries say stays an alert for so long. */
const SINGLE_MS = HOUR_MS;
const ROLE_CHANGED = 'role.changed';
/** Kinds of objects that have a role. */
const WITH_ROLE: ReadonlySet<string> = new Set(['users', 'people', 'tokens', 'invitations']);

/** What an entry means to those who watch over the log. */
export type AuditEvent = {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: 'sign_in_refused' | 'refused' | 'read' | 'administrator_made' | 'administered';
  readonly actor: string;
  readonly actorName: string;
  readonly address: string;
  /** Of a sign-in the account, of others the object. */
  readonly about: string;
  /** How many times, or how many bytes. */
  readonly amount: number;
};

export const AUDIT_ALERTS = {
  AuditSignInFailures: 'fewer sign-ins fail than the limit',
  AuditPermissionDenials: 'fewer requests are refused than the limit',
  AuditBulkExport: 'less is taken away than the limit',
  AuditAdministratorMade: 'nobody was given anything to administer within the hour',
  AuditOffHoursAdministration: 'nothing was administered out of hours within the hour',
} as const;
export type AuditAlert = keyof typeof AUDIT_ALERTS;

/** Something that somebody should know, with the entry that it rests on. */
export type Finding = {
  readonly alert: AuditAlert;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly value: number;
  readonly seq: number;
  readonly sinceMs: number;
};

/** Whether the holders of a role may administer anything. */
type Administers = (role: string) => boolean;

/** Undefined for what nobody watches. */
export function eventOf(entry: AuditEntryView, administers: Administers): AuditEvent | undefined {
  const kind = kindOf(entry, administers);
  if (kind === undefined) return undefined;
  const { seq, actor, address, object } = entry;
  const base = { seq, atMs: entry.at_ms, kind, actor: `${actor.kind} ${actor.id}`, actorName: actor.name, address: address ?? '' };
  const about = kind === 'sign_in_refused' ? (object.id ?? '') : [object.kind, object.id].filter((part) => part !== null).join('/');
  return { ...base, about, amount: kind === 'read' ? numberIn(entry.after, 'bytes') : 1 + numberIn(entry.asked, 'repeated') };
}

function kindOf(entry: AuditEntryView, administers: Administers): AuditEvent['kind'] | undefined {
  const { action, phase, actor, object, after, needs } = entry;
  if (action === SIGN_IN_REFUSED) return 'sign_in_refused';
  if (action === REFUSED) return 'refused';
  if (phase === 'answered' && numberIn(after, 'bytes') > 0 && action.startsWith('GET ')) return 'read';
  // The first administrator makes themselves, by a link that works once.
  if (phase === 'done' && isRaise(entry, administers)) return actor.id === object.id ? undefined : 'administrator_made';
  const isPerson = actor.kind === 'user' || actor.kind === 'token';
  return phase === 'asked' && needs === 'administer' && isPerson ? 'administered' : undefined;
}

/** Somebody was given a role that administers, or a role that people may hold already was given something to administer. */
function isRaise({ action, object, before, after }: AuditEntryView, administers: Administers): boolean {
  if (action === ROLE_CHANGED) {
    const had = new Set(administeredIn(before));
    return administeredIn(after).some((area) => !had.has(area));
  }
  const holds = (value: unknown): boolean => {
    const role = roleIn(value);
    return typeof role === 'string' && administers(role);
  };
  return WITH_ROLE.has(object.kind) && holds(after) && !holds(before);
}

/** The areas that a role administers, as it is written. */
function administeredIn(role: unknown): readonly string[] {
  const { permits } = (role ?? {}) as { readonly permits?: Readonly<Record<string, unknown>> };
  return Object.entries(permits ?? {}).flatMap(([area, verbs]) => ([verbs].flat().includes('administer') ? [area] : []));
}

const numberIn = (value: unknown, key: string): number => {
  const found = ((value ?? {}) as Readonly<Record<string, unknown>>)[key];
  return typeof found === 'number' ? found : 0;
};
const roleIn = (value: unknown): unknown => ((value ?? {}) as { readonly role?: unknown }).role;

/** How long events matter. */
export const longestMs = ({ sign_ins, refusals, exports }: AuditSettings): number =>
  Math.max(SINGLE_MS, sign_ins.window, refusals.window, exports.window);

/** What the events of the last hours amount to at `nowMs`. Pure. */
export function decide(events: readonly AuditEvent[], settings: AuditSettings, nowMs: number): readonly Finding[] {
  const { sign_ins, refusals, exports, administration_hours: hours } = settings;
  const within = (kind: AuditEvent['kind'], lengthMs: number): readonly AuditEvent[] =>
    events.filter((event) => event.kind === kind && event.atMs > nowMs - lengthMs && event.atMs <= nowMs);
  const signIns = within('sign_in_refused', sign_ins.window);
  return [
    ...bursts(signIns, ({ about }) => about, sign_ins.per_account).map(
      (burst): Finding => ({
        ...asFinding(burst, 'AuditSignInFailures', { by: 'account', account: burst.key }),
        summary: `${burst.sum} sign-ins to one account failed`,
      }),
    ),
    ...bursts(signIns, ({ address }) => address, sign_ins.per_address).map(
      (burst): Finding => ({
        ...asFinding(burst, 'AuditSignInFailures', { by: 'address', address: burst.key }),
        summary: `${burst.sum} sign-ins from ${burst.key} failed`,
      }),
    ),
    ...bursts(within('refused', refusals.window), ({ actor }) => actor, refusals.per_actor).map(
      (burst): Finding => ({
        ...asFinding(burst, 'AuditPermissionDenials', { actor: burst.key }),
        summary: `${burst.sum} requests of ${nameOf(burst)} were refused, the last of them for ${burst.last.about}`,
      }),
    ),
    ...bursts(within('read', exports.window), ({ actor }) => actor, exports.bytes).map(
      (burst): Finding => ({
        ...asFinding(burst, 'AuditBulkExport', { actor: burst.key }),
        summary: `${nameOf(burst)} took ${burst.sum} bytes away, the last of them from ${burst.last.about}`,
      }),
    ),
    ...(settings.administrators ? within('administrator_made', SINGLE_MS) : []).map(
      (event): Finding => ({
        ...asFinding(single(event), 'AuditAdministratorMade', { object: event.about }),
        summary: `${event.actorName || event.actor} let ${event.about} administer`,
      }),
    ),
    ...outside(hours === undefined ? [] : within('administered', SINGLE_MS), hours === undefined ? undefined : businessHours(hours)),
  ];
}

type Burst = { readonly key: string; readonly sum: number; readonly first: AuditEvent; readonly last: AuditEvent };

/** The keys under which events amount to at least `limit`. */
function bursts(events: readonly AuditEvent[], keyOf: (event: AuditEvent) => string, limit: number): readonly Burst[] {
  const byKey = new Map<string, Burst>();
  for (const event of events) {
    const key = keyOf(event);
    const before = byKey.get(key);
    byKey.set(key, { key, sum: (before?.sum ?? 0) + event.amount, first: before?.first ?? event, last: event });
  }
  return [...byKey.values()].filter(({ key, sum }) => key !== '' && sum >= limit);
}

const single = (event: AuditEvent): Burst => ({ key: event.actor, sum: event.amount, first: event, last: event });
const nameOf = ({ last }: Burst): string => (last.actorName === '' ? last.actor : last.actorName);

/** By actor: one alert for an evening's work. */
function outside(events: readonly AuditEvent[], hours: BusinessHours | undefined): readonly Finding[] {
  if (hours === undefined) return [];
  const out = events.filter(
    ({ atMs }) => outOfHours(hours, { fromMs: atMs, toMs: atMs + 1 } as Parameters<typeof outOfHours>[1]).length > 0,
  );
  return bursts(out, ({ actor }) => actor, 1).map((burst) => ({
    ...asFinding(burst, 'AuditOffHoursAdministration', { actor: burst.key }),
    summary: `${nameOf(burst)} administers out of hours: ${burst.last.about}`,
  }));
}

const asFinding = ({ sum, first, last }: Burst, alert: AuditAlert, labels: Finding['labels']): Omit<Finding, 'summary'> => ({
  alert,
  labels,
  value: sum,
  seq: last.seq,
  sinceMs: first.atMs,
});
