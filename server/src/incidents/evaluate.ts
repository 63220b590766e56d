/** The life of an incident as pure decisions: what it is, what is asked of it, what follows or why it is refused. */
import { formatDuration } from '@nines/base/duration.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Severity } from '../alerting/contract.ts';
import type { Category, IncidentEdit, IncidentRole, IncidentState } from './contract.ts';

export type Told = {
  readonly step: string;
  readonly channel: string;
  readonly to: string | null;
  readonly atMs: number;
  readonly state: 'told' | 'failed';
};

export type Incident = {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly summary: string;
  readonly state: IncidentState;
  readonly severity: Severity;
  readonly severityWhy: string;
  readonly category: Category;
  readonly categoryWhy: string;
  readonly roles: Readonly<Partial<Record<IncidentRole, string>>>;
  readonly team: string;
  readonly openedBy: string;
  readonly startedAtMs: EpochMs;
  readonly openedAtMs: EpochMs;
  readonly acknowledgedAtMs: EpochMs | null;
  readonly mitigatedAtMs: EpochMs | null;
  readonly resolvedAtMs: EpochMs | null;
  readonly closedAtMs: EpochMs | null;
  readonly resolvesAtMs: EpochMs | null;
  readonly mergedInto: string | null;
  readonly escalated: readonly Told[];
  readonly revision: number;
};

/** One line of the time line; `atMs`, actor and id come from whoever saves it. */
export type Entry = { readonly kind: string; readonly text: string; readonly data?: Readonly<Record<string, unknown>> };
/** What follows from a decision: the incident as it is then, and what its time line says of it. */
export type Decided = { readonly after: Incident; readonly entries: readonly Entry[] };

const NEXT: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
  open: ['acknowledged', 'investigating', 'mitigated', 'resolved'],
  acknowledged: ['investigating', 'mitigated', 'resolved'],
  investigating: ['mitigated', 'resolved'],
  mitigated: ['investigating', 'resolved'],
  resolved: ['investigating', 'closed'],
  closed: ['investigating'],
};

/** What an incident may become next. One that went into another stays as it is. */
export const nextStates = ({ state, mergedInto }: Incident): readonly IncidentState[] => (mergedInto === null ? NEXT[state] : []);

/** Whether anybody still has to do something about the trouble itself. */
export const isActive = ({ state }: Incident): boolean => state === 'open' || state === 'acknowledged' || state === 'investigating';
/** Not over: it may come back by itself. */
export const isUnresolved = (incident: Incident): boolean => isActive(incident) || incident.state === 'mitigated';

export type Cause = { readonly atMs: EpochMs; readonly why: string };

/** Refusals are sentences for the person who asked. */
export function changeState(incident: Incident, state: IncidentState, { atMs, why }: Cause): Result<Decided, string> {
  if (incident.mergedInto !== null) return err('this incident went into another one; change that');
  if (state === incident.state) return err(`the incident is ${state} already`);
  const allowed = NEXT[incident.state];
  if (!allowed.includes(state)) return err(`an incident that is ${incident.state} can become ${allowed.join(' or ')}, not ${state}`);
  const reopened =
    state === 'investigating' && (incident.state === 'mitigated' || incident.state === 'resolved' || incident.state === 'closed');
  const after: Incident = { ...incident, state, ...timesOf(incident, state, atMs), resolvesAtMs: null };
  const text = reopened ? `${incident.state} → investigating, opened again` : `${incident.state} → ${state}`;
  return ok({
    after,
    entries: [{ kind: 'state', text: why === '' ? text : `${text}: ${why}`, data: { from: incident.state, to: state } }],
  });
}

/** The first acknowledgement stays; an end is taken back when it turns out to be none. */
function timesOf(incident: Incident, state: IncidentState, atMs: EpochMs): Partial<Incident> {
  const acknowledgedAtMs = incident.acknowledgedAtMs ?? atMs;
  switch (state) {
    case 'open':
      return { mitigatedAtMs: null, resolvedAtMs: null, closedAtMs: null };
    case 'acknowledged':
      return { acknowledgedAtMs };
    case 'investigating':
      return { acknowledgedAtMs, mitigatedAtMs: null, resolvedAtMs: null, closedAtMs: null };
    case 'mitigated':
      return { mitigatedAtMs: atMs };
    case 'resolved':
      return { mitigatedAtMs: incident.mitigatedAtMs ?? atMs, resolvedAtMs: atMs };
    case 'closed':
      return { closedAtMs: atMs };
  }
}

/** Its alerts have all ended: nobody has to hurry any more, and after a while of quiet it resolves by itself. */
export function alertsEnded(incident: Incident, resolveAfterMs: number | null, atMs: EpochMs): Decided | undefined {
  if (!isActive(incident)) return undefined;
  const resolvesAtMs = resolveAfterMs === null ? null : ((atMs + resolveAfterMs) as EpochMs);
  const then = resolveAfterMs === null ? '' : `; resolves in ${formatDuration(resolveAfterMs)} unless one returns`;
  const entry = {
    kind: 'state',
    text: `${incident.state} → mitigated: all alerts have ended${then}`,
    data: { from: incident.state, to: 'mitigated' },
  };
  return { after: { ...incident, state: 'mitigated', mitigatedAtMs: atMs, resolvesAtMs }, entries: [entry] };
}

/** An alert is back, or a new one joined. */
export function alertsReturned(incident: Incident, why: string): Decided | undefined {
  if (incident.state !== 'mitigated' && incident.state !== 'resolved') return undefined;
  const state = incident.acknowledgedAtMs === null ? 'open' : 'investigating';
  const after = { ...incident, state, mitigatedAtMs: null, resolvedAtMs: null, resolvesAtMs: null } as const;
  return { after, entries: [{ kind: 'state', text: `${incident.state} → ${state}: ${why}`, data: { from: incident.state, to: state } }] };
}

/** It was quiet for long enough. */
export function quietLongEnough(incident: Incident, nowMs: EpochMs): Decided | undefined {
  if (incident.state !== 'mitigated' || incident.resolvesAtMs === null || nowMs < incident.resolvesAtMs) return undefined;
  const entry = { kind: 'state', text: 'mitigated → resolved: it stayed quiet', data: { from: 'mitigated', to: 'resolved' } };
  return { after: { ...incident, state: 'resolved', resolvedAtMs: nowMs, resolvesAtMs: null }, entries: [entry] };
}

/** Severity and category as rules see them now; what a person decided stays. */
export function reclassify(
  incident: Incident,
  found: { readonly severity: { readonly value: Severity; readonly why: string } },
): Decided | undefined {
  const { value, why } = found.severity;
  if (value === incident.severity || incident.severityWhy.startsWith(BY_PERSON)) return undefined;
  const text = `severity ${incident.severity} → ${value}: ${why}`;
  return {
    after: { ...incident, severity: value, severityWhy: why },
    entries: [{ kind: 'severity', text, data: { from: incident.severity, to: value } }],
  };
}

const BY_PERSON = 'set by ';

/** What a person changes; an edit that changes nothing leaves no line. */
export function edit(
  incident: Incident,
  { title, summary, severity, category, roles, started_at: startedAtMs }: IncidentEdit,
  by: string,
): Decided {
  const entries: Entry[] = [];
  let after = incident;
  const change = (part: Partial<Incident>, entry: Entry): void => {
    after = { ...after, ...part };
    entries.push(entry);
  };
  if (title !== undefined && title !== incident.title)
    change({ title }, { kind: 'title', text: `title: ${title}`, data: { from: incident.title } });
  if (summary !== undefined && summary !== incident.summary)
    change({ summary }, { kind: 'summary', text: 'summary changed', data: { from: incident.summary } });
  if (severity !== undefined && severity !== incident.severity) {
    const text = `severity ${incident.severity} → ${severity}`;
    change({ severity, severityWhy: `${BY_PERSON}${by}` }, { kind: 'severity', text, data: { from: incident.severity, to: severity } });
  }
  if (category !== undefined && category !== incident.category) {
    const text = `category ${incident.category} → ${category}`;
    change({ category, categoryWhy: `${BY_PERSON}${by}` }, { kind: 'category', text, data: { from: incident.category, to: category } });
  }
  if (startedAtMs !== undefined && startedAtMs !== incident.startedAtMs) {
    const data = { from_at_ms: incident.startedAtMs, to_at_ms: startedAtMs };
    change({ startedAtMs }, { kind: 'started', text: `the trouble began at ${new Date(startedAtMs).toISOString()}`, data });
  }
  for (const [role, person] of Object.entries(roles ?? {}) as [IncidentRole, string | null][]) {
    const before = after.roles[role];
    const next = person === '' ? null : person;
    if ((before ?? null) === next) continue;
    const { [role]: _left, ...others } = after.roles;
    change(
      { roles: next === null ? others : { ...others, [role]: next } },
      { kind: 'role', text: next === null ? `nobody is ${role}` : `${next} is ${role}`, data: { role, from: before ?? null, to: next } },
    );
  }
  return { after, entries };
}

/** Another incident turned out to be the same. */
export function mergeInto(incident: Incident, kept: Incident, atMs: EpochMs): Decided {
  const text = `the same as INC-${kept.number}: their problems turned out to be one`;
  const after: Incident = {
    ...incident,
    state: 'closed',
    closedAtMs: atMs,
    resolvedAtMs: incident.resolvedAtMs ?? atMs,
    resolvesAtMs: null,
    mergedInto: kept.id,
  };
  return { after, entries: [{ kind: 'merged', text, data: { into: kept.id } }] };
}

/** From the beginning of the trouble to the incident, from there to its acknowledgement, and from the beginning to the end of the trouble. */
export function lengthsOf(incident: Incident): {
  readonly detectMs: number;
  readonly acknowledgeMs: number | null;
  readonly resolveMs: number | null;
} {
  const { startedAtMs, openedAtMs, acknowledgedAtMs, mitigatedAtMs, resolvedAtMs } = incident;
  const endMs = mitigatedAtMs ?? resolvedAtMs;
  return {
    detectMs: Math.max(0, openedAtMs - startedAtMs),
    acknowledgeMs: acknowledgedAtMs === null ? null : Math.max(0, acknowledgedAtMs - openedAtMs),
    resolveMs: endMs === null ? null : Math.max(0, endMs - startedAtMs),
  };
}
