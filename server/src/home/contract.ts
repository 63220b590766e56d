/**
 * What a person meets first: where they begin, and what a new installation still lacks.
 * Must never scrape or ask anything that nobody chose: what listens on this host is read from the kernel's own table.
 */
import { z } from 'zod';
import { ARRIVAL_WAYS } from '../collect/contract.ts';
import { landing } from '../platform/http/landing.ts';

/** The ways by which samples come from elsewhere. */
export const WAYS = [...ARRIVAL_WAYS, 'scrape'] as const;

export const STEPS = ['service', 'metrics', 'channel', 'sla', 'status_page'] as const;
export type StepId = (typeof STEPS)[number];

/** A program that listens on this host and is known to tell metrics. */
export const localProgram = z.object({
  port: z.int(),
  /** `node_exporter` */
  program: z.string(),
  /** What would be asked: `http://127.0.0.1:9100/metrics`. */
  url: z.string(),
  scraped: z.boolean(),
});
export type LocalProgram = z.output<typeof localProgram>;

const arrival = z.object({
  way: z.enum(WAYS),
  first_at_ms: z.int(),
  /** The metric that came first; of scrapes the job. */
  what: z.string(),
  /** Since the server started; of scrapes what the targets had last. */
  samples: z.int(),
});

export const firstRunView = z.object({
  steps: z.array(
    z.object({
      id: z.enum(STEPS),
      done: z.boolean(),
      /** How many there are: services, ways, channels, SLAs, pages. */
      count: z.int(),
      /** One of them, for the way there; null while there is none. */
      example: z.string().nullable(),
    }),
  ),
  arrivals: z.array(arrival),
  local: z.array(localProgram),
});
export type FirstRunView = z.output<typeof firstRunView>;

export const localTargetBody = z.strictObject({ port: z.int().min(1).max(65_535) });

export const preferencesView = z.object({ landing: z.string().nullable(), checklist_hidden: z.boolean() });
export type PreferencesView = z.output<typeof preferencesView>;
/** What is left out stays as it is; `landing: null` is the page of the role again. */
export const preferencesBody = z.strictObject({ landing: landing.nullable().optional(), checklist_hidden: z.boolean().optional() });
export type PreferencesBody = z.output<typeof preferencesBody>;
