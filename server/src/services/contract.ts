/**
 * The catalogue of services: name, owner, dependencies, checks. Declared in the configuration file (origin `file`) or made
 * in the UI or API (origin `ui`). File-owned objects are read-only in the API. Ids are stable slugs, unique per kind.
 * Leaving the file retires a service; its history stays. Dependency cycles are refused by name.
 * Never touches the ledger: it says what there is to watch, not how it fares.
 */
import { z } from 'zod';
import { bucketsView, downtimeView, intervalView } from '../availability/contract.ts';
import { importedView } from '../availability/imports/contract.ts';
import { checkSchema, checkView } from '../checks/contract.ts';
import { occurrenceView } from '../maintenance/contract.ts';
import { slug } from '../platform/config/fields.ts';
import type { CompositeRule } from '@nines/maths/slo/composite.ts';
import { compositeSchema } from './composite.ts';
import { judgeServices } from './evaluate.ts';

export type Origin = { readonly kind: 'file'; readonly place: string } | { readonly kind: 'ui' };

/** One declared service, as other domains see it. */
export type ServiceEntry = {
  readonly entityId: string;
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  /** With `team` where it has one. */
  readonly labels: Readonly<Record<string, string>>;
  readonly teamId: string;
  readonly tier: string;
  readonly description: string;
  readonly runbook: string;
  readonly tags: readonly string[];
  /** What it was said to depend on, and what it consists of. */
  readonly dependsOn: readonly string[];
  /** What it consists of; absent when its own checks decide. */
  readonly composite?: CompositeRule;
  /** Notifications about this service are held back while one that it depends on was already down. */
  readonly suppressWhenParentDown: boolean;
  readonly checks: readonly string[];
  readonly origin: Origin;
};

/** What a scope judges a service by. */
export const labelsOfService = ({ id, labels }: Pick<ServiceEntry, 'id' | 'labels'>): Readonly<Record<string, string>> => ({
  ...labels,
  service: id,
});

export interface ServiceCatalogue {
  /** By id. */
  list(): readonly ServiceEntry[];
  get(id: string): ServiceEntry | undefined;
  /** The services that depend on this one directly, by id. */
  dependents(id: string): readonly string[];
}

export const SERVICE_CODES = {
  notFound: 'service_not_found',
  exists: 'service_exists',
  ownedByFile: 'service_owned_by_file',
  invalid: 'service_invalid',
} as const;

/** Bounds of one installation's catalogue: ten thousand checks is what one core starts on time. */
const CATALOGUE_LIMITS = { services: 5_000, checksPerService: 100, dependencies: 100, tags: 50 } as const;

/** Labels that say what a series or an alert is, which a service cannot choose. */
const OWN_LABELS: ReadonlySet<string> = new Set([
  'team',
  'service',
  'check',
  'kind',
  'instance',
  'job',
  'location',
  'sla',
  'alertname',
  'severity',
  'owner',
  'violation',
  'phase',
]);
const labelName = z
  .string()
  .regex(/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/, 'the name of a label is letters, digits and "_", and does not begin with "__"')
  .refine((name) => !OWN_LABELS.has(name), 'this label is set by what it says: a team is written as "team:"');

/** One service as it is written in the file or sent to the API. */
export const serviceSchema = z.strictObject({
  id: slug,
  name: z.string().min(1).max(200).optional(),
  description: z.string().max(4_000).default(''),
  owner: z.string().max(200).default(''),
  /** Whose it is: who belongs to another team alone does not see it. The label `team` of its checks' series and of its alerts. */
  team: z.string().trim().max(100).default(''),
  /** Further labels of its checks' series and of its alerts. */
  labels: z.record(labelName, z.string().min(1).max(200)).default({}),
  tier: z
    .union([z.string().max(50), z.number().int()])
    .default('')
    .transform(String),
  runbook: z.string().max(2_000).default(''),
  tags: z.array(z.string().min(1).max(100)).max(CATALOGUE_LIMITS.tags).default([]),
  depends_on: z.array(slug).max(CATALOGUE_LIMITS.dependencies).default([]),
  suppress_when_parent_down: z.boolean().default(false),
  /** How many of its checks of impact `down` must be down for it to be. */
  down_when: z
    .union([z.enum(['any', 'all']), z.strictObject({ at_least: z.number().int().min(1).max(CATALOGUE_LIMITS.checksPerService) })])
    .default('any'),
  /** Instead of checks. */
  composite: compositeSchema.optional(),
  checks: z.array(checkSchema).max(CATALOGUE_LIMITS.checksPerService).default([]),
});
export type ServiceSpec = z.output<typeof serviceSchema>;
export type WrittenService = z.input<typeof serviceSchema>;

/** The section `services` of the configuration. What contradicts itself across services is refused at its place. */
export const servicesConfig = z
  .array(serviceSchema)
  .max(CATALOGUE_LIMITS.services)
  .superRefine((services, context) => {
    for (const { path, message } of judgeServices(services)) context.addIssue({ code: 'custom', path: [...path], message });
  })
  .default([]);

const uptimeView = z.object({
  window_ms: z.number(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  /** Up and degraded over known time; null when nothing is known. No contract: an SLA says how unknown time counts. */
  ratio: z.number().nullable(),
  buckets: bucketsView,
});

const stateNow = z.enum(['up', 'degraded', 'down', 'unknown']);

/** The shape of `GET /api/services` items. */
export const serviceView = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  owner: z.string(),
  team: z.string(),
  labels: z.record(z.string(), z.string()),
  tier: z.string(),
  runbook: z.string(),
  tags: z.array(z.string()),
  depends_on: z.array(z.string()),
  dependents: z.array(z.string()),
  suppress_when_parent_down: z.boolean(),
  state: stateNow,
  unknown_reason: z.string().nullable(),
  since_at_ms: z.number(),
  /** What decided the state, in words; null when nothing did. */
  why: z.string().nullable(),
  /** Some check of it changes its state too often. */
  flapping: z.boolean(),
  monitored_since_at_ms: z.number().nullable(),
  /** What it consists of: each member with its weight and state now; null when its own checks decide. */
  composite: z
    .object({
      rule: z.string(),
      at_least: z.number(),
      members: z.array(z.object({ service: z.string(), weight: z.number(), state: stateNow })),
    })
    .nullable(),
  checks: z.array(checkView),
  /** Of its own, also where `checks` was left out. */
  check_count: z.number(),
  origin: z.object({ kind: z.enum(['file', 'ui']), place: z.string().nullable() }),
});
export type ServiceView = z.infer<typeof serviceView>;

/** A service reached over dependencies: 1 directly. */
const relatedView = z.object({ service: z.string(), distance: z.number(), state: stateNow, since_at_ms: z.number() });

/** What a service depends on, what depends on it, nearest first, and why it probably fails, most probable first; see causes.ts. */
const impactView = z.object({
  upstream: z.array(relatedView),
  downstream: z.array(relatedView),
  causes: z.array(
    z.object({
      service: z.string(),
      state: stateNow,
      since_at_ms: z.number(),
      explains: z.array(z.string()),
      /** Nothing that it depends on fails. */
      is_root: z.boolean(),
    }),
  ),
});

/** The shape of `GET /api/services/{id}`. `spec` is the declaration, ready to be saved as a copy. */
export const serviceDetailView = serviceView.extend({
  uptime: z.object({ '24h': uptimeView, '7d': uptimeView, '30d': uptimeView }),
  impact: impactView,
  downtimes: z.array(downtimeView),
  /** What goes on and what is announced for the next 30 days. */
  maintenance: z.array(occurrenceView),
  spec: z.unknown(),
});
export type ServiceDetailView = z.infer<typeof serviceDetailView>;
export type UptimeView = z.infer<typeof uptimeView>;

/** The shape of `GET /api/services/{id}/timeline`. */
export const timelineView = z.object({
  service: z.string(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  monitored_since_at_ms: z.number().nullable(),
  intervals: z.array(intervalView),
  buckets: bucketsView,
  /** Planned maintenance lies on top of the states; whether it counts is a contract's business. */
  maintenance: z.array(occurrenceView),
  /** What other monitors saw of it; it stands where our own checks saw nothing. */
  imported: z.array(importedView),
});
export type TimelineView = z.infer<typeof timelineView>;

/** The shape of `GET /api/services/{id}/reliability`. Lengths are null where there is nothing to take a mean of. */
export const reliabilityView = z.object({
  service: z.string(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  outages: z.number(),
  down_ms: z.number(),
  good_ms: z.number(),
  unknown_ms: z.number(),
  longest_ms: z.number().nullable(),
  mean_down_ms: z.number().nullable(),
  mtbf_ms: z.number().nullable(),
  recovered: z.number(),
  mttr_ms: z.number().nullable(),
  mttr_median_ms: z.number().nullable(),
  /** From the start of an outage to when the ledger knew of it. */
  detected: z.number(),
  mttd_ms: z.number().nullable(),
  /** From the firing of an alert about the service to its acknowledgement by a person. */
  acknowledged: z.number(),
  mtta_ms: z.number().nullable(),
});

export type ReliabilityView = z.output<typeof reliabilityView>;
