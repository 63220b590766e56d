/**
 * Problems: alerts that belong together because they are close in time and by service, dependency or label, with what
 * probably caused them. A suggestion for people: it changes no alert, holds back nothing and opens nothing by itself.
 * Every alert that fires is in exactly one problem, be it alone. Problems that turn out to be one are merged; the absorbed one
 * keeps its id and says into which it went.
 */
import { z } from 'zod';
import { SEVERITIES } from '../alerting/contract.ts';

export const PROBLEM_CODES = { notFound: 'problem_not_found' } as const;

export const PROBLEM_STATES = ['open', 'resolved', 'merged'] as const;

/** What a cause is: a declared service, or what a label names (a host, a rack), or only the name of an alert. */
export const causeView = z.object({
  kind: z.enum(['service', 'label', 'alert']),
  /** The service's id, `label=value`, or the alert's name. */
  subject: z.string(),
  /** 0 to 1, for ordering; no probability. */
  score: z.number(),
  /** The share of the problem's alerts that it would explain, 0 to 1. */
  explains: z.number(),
  first_at_ms: z.number().nullable(),
  reasons: z.array(z.string()),
});
export type CauseView = z.infer<typeof causeView>;

/** The shape of `GET /api/problems` items. */
export const problemView = z.object({
  id: z.string(),
  state: z.enum(PROBLEM_STATES),
  /** The most probable cause with how much stands behind it, in words. */
  title: z.string(),
  severity: z.enum(SEVERITIES),
  opened_at_ms: z.number(),
  /** When an alert last joined. */
  last_at_ms: z.number(),
  resolved_at_ms: z.number().nullable(),
  merged_into: z.string().nullable(),
  alerts: z.number(),
  alerts_open: z.number(),
  /** At most a hundred, those with most alerts first. */
  services: z.array(z.string()),
  /** At most three, most probable first. */
  causes: z.array(causeView),
});
export type ProblemView = z.infer<typeof problemView>;

/** The services that a problem names: those of its alerts, and those that probably caused it. */
export const servicesNamedBy = ({ services, causes }: Pick<ProblemView, 'services' | 'causes'>): readonly string[] => [
  ...services,
  ...causes.flatMap(({ kind, subject }) => (kind === 'service' ? [subject] : [])),
];

/** One alert of a problem and why it is there. */
export const problemAlertView = z.object({
  alert: z.string(),
  alertname: z.string(),
  severity: z.enum(SEVERITIES),
  service: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  active_at_ms: z.number(),
  joined_at_ms: z.number(),
  ended_at_ms: z.number().nullable(),
  because: z.string(),
});
export type ProblemAlertView = z.infer<typeof problemAlertView>;

/** Reads for other domains. */
export interface Problems {
  /** The problem that an alert is in; undefined before it fired or when it was forgotten. */
  of(alertId: string): string | undefined;
  /** What is open or ended lately; undefined for older ones. An absorbed problem is answered with the one that it went into. */
  get(id: string): ProblemView | undefined;
  /** Open ones, the one that an alert joined last first. */
  open(): readonly ProblemView[];
  /** Those that began in [fromMs, toMs), newest first; absorbed ones are left out. */
  began(span: { readonly fromMs: number; readonly toMs: number; readonly limit: number }): Promise<readonly ProblemView[]>;
  /** The alerts of a problem, also of one of long ago; an absorbed one has those of the one that it went into. None when it was removed. */
  alertsOf(id: string): Promise<readonly ProblemAlertView[]>;
}
