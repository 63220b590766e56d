/**
 * The rules of incidents: what opens one, what category and severity it has, whom to tell when. They are data that people edit; the
 * first that matches decides, and its reason is kept with the incident. Matchers look at the labels of an alert and at what is known
 * of its service (`tier`, `owner`).
 */
import { type Matcher, matcher, mustMatcher } from '@nines/base/matcher.ts';
import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { SEVERITIES, type Severity } from '../alerting/contract.ts';
import { slug } from '../platform/config/fields.ts';
import { AUDIENCES, CATEGORIES, type Category } from './contract.ts';

const MAX_RULES = 200;
const MAX_MATCHERS = 20;
const MAX_CONTACTS = 50;

const matcherSchema = z
  .strictObject({ name: z.string().min(1).max(200), op: z.enum(['=', '!=', '=~', '!~']).default('='), value: z.string().max(2_000) })
  .superRefine(({ name, op, value }, context) => {
    const made = matcher(name, op, value);
    if (!made.ok) context.addIssue({ code: 'custom', message: made.error, path: ['value'] });
  });
const match = z.array(matcherSchema).max(MAX_MATCHERS).default([]);
const severities = z.array(z.enum(SEVERITIES)).min(1);
const ruled = { id: slug, match, why: z.string().max(500).default('') };
const afterMs = z
  .number()
  .int()
  .min(0)
  .max(7 * DAY_MS);

export const incidentRules = z.strictObject({
  /** The first that matches an alert says whether it opens an incident; none: it does not. */
  open: z.array(z.strictObject({ ...ruled, severities, opens: z.boolean().default(true) })).max(MAX_RULES),
  categories: z.array(z.strictObject({ ...ruled, category: z.enum(CATEGORIES) })).max(MAX_RULES),
  /** None that matches: the worst severity of its alerts. */
  severities: z
    .array(z.strictObject({ ...ruled, min_services: z.number().int().min(1).max(10_000).default(1), severity: z.enum(SEVERITIES) }))
    .max(MAX_RULES),
  /** Whom to tell, so long after it opened, until it is mitigated (or acknowledged). Nobody as long as no contact is named. */
  escalation: z
    .array(
      z.strictObject({
        id: slug,
        audience: z.enum(AUDIENCES),
        severities,
        after_ms: afterMs,
        until: z.enum(['acknowledged', 'mitigated']).default('mitigated'),
        contacts: z.array(z.strictObject({ channel: z.string().min(1).max(200), to: z.string().max(500).optional() })).max(MAX_CONTACTS),
      }),
    )
    .max(MAX_RULES),
  /** How long it must be quiet after its last alert ended until it resolves by itself; null: people resolve it. */
  resolve_after_ms: afterMs.nullable(),
});
export type IncidentRules = z.output<typeof incidentRules>;

type Match = IncidentRules['open'][number]['match'];
const label = (name: string, value: string): Match => [{ name, op: '=~', value }];

/** What applies until somebody changes it. */
export const DEFAULT_RULES: IncidentRules = {
  open: [
    {
      id: 'busy-processor',
      match: label('alertname', 'HighCpu'),
      why: 'a busy processor alone wakes nobody',
      severities: ['critical'],
      opens: false,
    },
    { id: 'critical', match: [], why: 'severity critical and above', severities: ['critical', 'emergency'], opens: true },
  ],
  categories: [
    {
      id: 'security',
      match: label('alertname', '(?i).*(security|intrusion|vulnerab|unauthor|login|brute|cve|certificate|tls|cert).*'),
      why: 'the alert is about security',
      category: 'security',
    },
    {
      id: 'third-party',
      match: label('tier', '(?i)(external|third.?party|vendor)'),
      why: 'the service is somebody else’s',
      category: 'third_party',
    },
    {
      id: 'model',
      match: label('alertname', '(?i).*(drift|model|accuracy|inference|training|prediction).*'),
      why: 'the alert is about a model',
      category: 'model',
    },
    {
      id: 'data',
      match: label('alertname', '(?i).*(database|postgres|mysql|redis|mongo|replication|backup|pipeline|queue|kafka|etl|ingest).*'),
      why: 'the alert is about data or where it is kept',
      category: 'data',
    },
    {
      id: 'business',
      match: label('alertname', '(?i).*(revenue|order|payment|checkout|conversion|signup|business).*'),
      why: 'the alert is about the business',
      category: 'business',
    },
    {
      id: 'infrastructure',
      match: label('alertname', '(?i).*(cpu|memory|disk|network|host|node|gpu|kube|pod|instance|filesystem|clock).*'),
      why: 'the alert is about a machine',
      category: 'infrastructure',
    },
    { id: 'application', match: [], why: 'nothing else fits', category: 'application' },
  ],
  severities: [
    {
      id: 'many-services',
      match: label('severity', 'critical|emergency'),
      why: 'five services or more are affected',
      min_services: 5,
      severity: 'emergency',
    },
  ],
  escalation: [
    { id: 'technical', audience: 'technical', severities: ['critical', 'emergency'], after_ms: 0, until: 'acknowledged', contacts: [] },
    {
      id: 'operations',
      audience: 'operations',
      severities: ['critical', 'emergency'],
      after_ms: 5 * MINUTE_MS,
      until: 'mitigated',
      contacts: [],
    },
    {
      id: 'business',
      audience: 'business',
      severities: ['critical', 'emergency'],
      after_ms: 15 * MINUTE_MS,
      until: 'mitigated',
      contacts: [],
    },
    { id: 'executive', audience: 'executive', severities: ['emergency'], after_ms: 15 * MINUTE_MS, until: 'mitigated', contacts: [] },
  ],
  resolve_after_ms: 10 * MINUTE_MS,
};

/** What rules look at: the labels of an alert and what is known of its service. */
export type Facts = Readonly<Record<string, string>>;
export type Why<T> = { readonly value: T; readonly why: string };

/** Patterns are compiled once for as long as their rules apply. */
const compiled = new WeakMap<Match, readonly Matcher[]>();

function matches({ match: written }: { readonly match: Match }, facts: Facts): boolean {
  const known = compiled.get(written) ?? written.map(({ name, op, value }) => mustMatcher(name, op, value));
  compiled.set(written, known);
  return known.every((one) => one.matches(facts[one.name] ?? ''));
}

const because = ({ id, why }: { readonly id: string; readonly why: string }): string => `rule "${id}"${why === '' ? '' : `: ${why}`}`;

/** Whether an alert opens an incident, and by which rule; undefined when none says anything. */
export function opensBy(rules: IncidentRules, severity: Severity, facts: Facts): Why<boolean> | undefined {
  const rule = rules.open.find((one) => one.severities.includes(severity) && matches(one, facts));
  return rule === undefined ? undefined : { value: rule.opens, why: because(rule) };
}

export function categoryBy(rules: IncidentRules, facts: Facts): Why<Category> {
  const rule = rules.categories.find((one) => matches(one, facts));
  return rule === undefined ? { value: 'application', why: 'no rule matches' } : { value: rule.category, why: because(rule) };
}

export function severityBy(
  rules: IncidentRules,
  facts: Facts,
  about: { readonly worst: Severity; readonly services: number },
): Why<Severity> {
  const rule = rules.severities.find((one) => about.services >= one.min_services && matches(one, facts));
  return rule === undefined
    ? { value: about.worst, why: 'the worst severity of its alerts' }
    : { value: rule.severity, why: `${because(rule)} (${about.services} ${about.services === 1 ? 'service' : 'services'})` };
}
