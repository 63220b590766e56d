/** Which problems of the past other rules would have opened an incident for. Nothing is changed and nobody is told. Pure. */
import { z } from 'zod';
import { SEVERITIES } from '../alerting/contract.ts';
import type { ProblemAlertView, ProblemView } from '../problems/contract.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { CATEGORIES } from './contract.ts';
import { type Facts, type IncidentRules, categoryBy, opensBy, severityBy } from './rules.ts';

/** What is listed; the rest is counted. */
const MAX_SHOWN = 100;

const outcome = z.object({ severity: z.enum(SEVERITIES), category: z.enum(CATEGORIES), why: z.string() });
export const rulesPreview = z.object({
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  /** Problems of that time, and whether there were more than are looked at. */
  problems: z.number(),
  more: z.boolean(),
  /** For how many of them an incident opens, by the rules that were sent and by those in force. */
  opened: z.number(),
  opened_now: z.number(),
  /** Those for which either opens one, newest first; at most a hundred. `then` or `now` is null where none opens. */
  items: z.array(
    z.object({
      problem: z.string(),
      title: z.string(),
      at_ms: z.number(),
      services: z.array(z.string()),
      /** By the rules that were sent. */
      then: outcome.nullable(),
      /** By the rules in force. */
      now: outcome.nullable(),
    }),
  ),
});
export type RulesPreview = z.infer<typeof rulesPreview>;

export type PastProblem = { readonly problem: ProblemView; readonly alerts: readonly ProblemAlertView[] };

export function previewOf(
  past: readonly PastProblem[],
  { sent, inForce }: { readonly sent: IncidentRules; readonly inForce: IncidentRules },
  services: Pick<ServiceCatalogue, 'get'>,
): Pick<RulesPreview, 'problems' | 'opened' | 'opened_now' | 'items'> {
  const items = past.map(({ problem, alerts }) => ({
    problem: problem.id,
    title: problem.title,
    at_ms: problem.opened_at_ms,
    services: [...problem.services],
    then: outcomeOf(sent, { problem, alerts }, services),
    now: outcomeOf(inForce, { problem, alerts }, services),
  }));
  return {
    problems: past.length,
    opened: items.filter(({ then }) => then !== null).length,
    opened_now: items.filter(({ now }) => now !== null).length,
    items: items.filter(({ then, now }) => then !== null || now !== null).slice(0, MAX_SHOWN),
  };
}

function outcomeOf(
  rules: IncidentRules,
  { problem, alerts }: PastProblem,
  services: Pick<ServiceCatalogue, 'get'>,
): z.infer<typeof outcome> | null {
  for (const alert of mostUrgentFirst(alerts)) {
    const opens = opensBy(rules, alert.severity, factsOf(alert, services));
    if (opens?.value !== true) continue;
    const [cause] = problem.causes;
    const telling = alerts.find(({ service }) => cause?.kind === 'service' && service === cause.subject) ?? alert;
    const facts = factsOf(telling, services);
    const severity = severityBy(rules, facts, { worst: problem.severity, services: problem.services.length });
    return { severity: severity.value, category: categoryBy(rules, facts).value, why: opens.why };
  }
  return null;
}

/** In the order in which alerts are asked whether they open an incident. */
export const mostUrgentFirst = (alerts: readonly ProblemAlertView[]): readonly ProblemAlertView[] =>
  alerts.toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || a.active_at_ms - b.active_at_ms);

/** What rules look at of an alert. */
export function factsOf(alert: ProblemAlertView, services: Pick<ServiceCatalogue, 'get'>): Facts {
  const { alertname, severity, service, labels } = alert;
  return { ...labels, alertname, severity, ...aboutService(service ?? undefined, services) };
}

export function aboutService(id: string | undefined, services: Pick<ServiceCatalogue, 'get'>): Facts {
  const service = id === undefined ? undefined : services.get(id);
  return { service: id ?? '', tier: service?.tier ?? '', owner: service?.owner ?? '' };
}
