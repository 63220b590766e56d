/** Whom an incident is told to and when, and in which words for whom. Pure. */
import { formatDuration } from '@nines/base/duration.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Audience } from './contract.ts';
import { type Incident, isActive } from './evaluate.ts';
import type { IncidentRules } from './rules.ts';

type Step = IncidentRules['escalation'][number];
export type Contact = Step['contacts'][number];
/** One person or channel that is to be told of one step. */
export type Telling = { readonly step: string; readonly audience: Audience; readonly contact: Contact; readonly atMs: EpochMs };

/** Everybody that the rules name for an incident of its severity, with when, told or not. Instants follow from when it opened, so a restart changes none. */
export function tellingsOf(incident: Incident, rules: IncidentRules): readonly Telling[] {
  const steps = rules.escalation.filter(({ severities }) => severities.includes(incident.severity));
  return steps.flatMap(({ id, audience, after_ms: afterMs, contacts }) =>
    contacts.map((contact) => ({ step: id, audience, contact, atMs: (incident.openedAtMs + afterMs) as EpochMs })),
  );
}

/** Those who are to be told now. */
export function dueTellings(incident: Incident, rules: IncidentRules, nowMs: EpochMs): readonly Telling[] {
  if (!isActive(incident)) return [];
  const untilAcknowledged = new Set(rules.escalation.filter(({ until }) => until === 'acknowledged').map(({ id }) => id));
  return tellingsOf(incident, rules).filter(
    (one) =>
      one.atMs <= nowMs &&
      !wasTold(incident, one) &&
      (incident.acknowledgedAtMs === null || incident.acknowledgedAtMs > one.atMs || !untilAcknowledged.has(one.step)),
  );
}

export const wasTold = ({ escalated }: Incident, { step, contact }: Telling): boolean =>
  escalated.some((told) => told.step === step && told.channel === contact.channel && told.to === (contact.to ?? null));

export type Told = {
  readonly services: readonly string[];
  readonly alerts: number;
  readonly causes: readonly { readonly subject: string; readonly reasons: readonly string[] }[];
  readonly nowMs: EpochMs;
  readonly url: string;
};

/** The message for an audience: what concerns it, and nothing that does not. */
export function wordsFor(audience: Audience, incident: Incident, about: Told): { readonly title: string; readonly text: string } {
  const { services, alerts, causes, nowMs, url } = about;
  const what =
    services.length === 0
      ? incident.title
      : services.slice(0, 5).join(', ') + (services.length > 5 ? ` and ${services.length - 5} more` : '');
  const since = `since ${new Date(incident.startedAtMs).toISOString()} (${formatDuration(Math.max(0, Math.round((nowMs - incident.startedAtMs) / 1_000) * 1_000))})`;
  const isOver = !isActive(incident);
  const name = `INC-${incident.number}`;
  const status = isOver ? incident.state : `${incident.severity}, ${incident.state}`;
  const commander = incident.roles.commander ?? 'nobody yet';
  const [cause] = causes;
  const lines: Readonly<Record<Audience, readonly string[]>> = {
    technical: [
      `${incident.title} (${status}) ${since}.`,
      `Affected: ${what}; ${alerts} ${alerts === 1 ? 'alert' : 'alerts'}.`,
      cause === undefined ? 'No probable cause yet.' : `Probable cause: ${cause.subject} (${cause.reasons.join('; ')}).`,
      `Category ${incident.category}: ${incident.categoryWhy}.`,
    ],
    operations: [`${incident.title} (${status}) ${since}.`, `Affected: ${what}.`, `Commander: ${commander}.`],
    business: [
      isOver ? `${what}: the trouble is over (${incident.state}).` : `${what}: customers may be affected ${since}.`,
      isOver ? '' : `People work on it; commander: ${commander}.`,
    ],
    executive: [
      isOver
        ? `${what} works again; the incident lasted ${lasted(incident)}.`
        : `${what} is disturbed ${since}, severity ${incident.severity}.`,
      isOver ? '' : `Commander: ${commander}.`,
    ],
  };
  return {
    title: `${name}: ${isOver ? `${incident.state}: ` : ''}${incident.title}`,
    text: [...lines[audience].filter((line) => line !== ''), url].join('\n'),
  };
}

const lasted = ({ startedAtMs, mitigatedAtMs, resolvedAtMs }: Incident): string =>
  formatDuration(Math.max(0, Math.round(((mitigatedAtMs ?? resolvedAtMs ?? startedAtMs) - startedAtMs) / 1_000) * 1_000));
