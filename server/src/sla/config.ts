import { SECOND_MS } from '@nines/base/units.ts';
import { parseAmount } from '@nines/maths/slo/credits.ts';
import { z } from 'zod';
import { slug, uniqueIds } from '../platform/config/fields.ts';
import { hoursSchema } from '../platform/config/hours.ts';
import { length, positiveRatio, ratio } from './fields.ts';
import { indicatorConfig, indicatorFaults, indicatorSpec, probeDuration } from './indicators.ts';
import { EDGE_POLICIES } from '@nines/maths/slo/edges.ts';
import { maintenanceTermsSchema } from './overlay-terms.ts';
import { type SlaSpec, currencyDigits, longestWindowMs } from './spec.ts';
import { burnConfig, burnFaults, burnSpec, windowConfig } from './windows.ts';

/**
 * How SLAs are declared, in the configuration file and through the API alike. Parsing turns a declaration into a `SlaSpec`,
 * the form that is stored, versioned and printed in statements: every default filled in, lengths in milliseconds, ratios as
 * exact decimals.
 */

/** How long a last known state is carried into a gap unless the contract says otherwise. */
const DEFAULT_MAX_GAP = '5m';
/** The measurement interval of an availability objective; burn pairs shorter than two of these make no sense. */
const DEFAULT_INTERVAL_MS = 5 * SECOND_MS;
/** How often the worker steps: an objective whose budget is being spent is looked at in each step. */
export const SLA_STEP_MS = SECOND_MS;
/** How often an objective is looked at while all is well and nothing changes. */
export const CALM_LOOK_MS = 5 * SECOND_MS;

const MAX_CUSTOMERS = 1_000;
const MAX_TIERS = 20;
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

const customer = z.strictObject({
  id: slug,
  name: z.string().min(1).max(200).optional(),
  fee: z.union([z.string(), z.number()]).optional(),
});

const creditTerms = z.strictObject({
  currency: z.string().refine((code) => CURRENCIES.has(code), 'not a currency of ISO 4217 (write for example EUR)'),
  tiers: z
    .array(z.strictObject({ below: positiveRatio, credit: positiveRatio }))
    .min(1)
    .max(MAX_TIERS),
  cap: positiveRatio.default('1'),
});

const unknownPolicy = z.enum(['exclude', 'down', 'up', 'carry_forward']).default('exclude');

const declaration = z.strictObject({
  id: slug,
  name: z.string().min(1).max(200).optional(),
  service: slug,
  indicator: indicatorConfig,
  target: positiveRatio.optional(),
  window: windowConfig,
  /** Instead of the pairs that the window and the target give. */
  burn: burnConfig,
  /** How often the objective is measured; decides which burn pairs are watched and when a violation counts as long. */
  interval: length(SECOND_MS).optional(),
  unknown: unknownPolicy,
  /** For `carry_forward`: how long the last known state is carried into a gap. */
  max_gap: length(0).prefault(DEFAULT_MAX_GAP),
  /** Above this share of unknown time nothing is said. */
  max_unknown: ratio.default('0.5'),
  hours: hoursSchema.optional(),
  maintenance: maintenanceTermsSchema.optional(),
  /** Where an outage begins and ends between the attempts around its edges; of availability. */
  edges: z.enum(EDGE_POLICIES).default('first_failure'),
  customers: z.array(customer).max(MAX_CUSTOMERS).superRefine(uniqueIds('customer')).optional(),
  credits: creditTerms.optional(),
});

/** What is written about customers and credits, in its stored form; absent where nothing is. */
function partiesOf(declared: z.output<typeof declaration>, context: z.core.$RefinementCtx): Pick<SlaSpec, 'customers' | 'credits'> {
  const { customers, credits } = declared;
  const digits = credits === undefined ? 0 : currencyDigits(credits.currency);
  customers?.forEach(({ fee }, index) => {
    const fault =
      fee === undefined || (credits !== undefined && parseAmount(String(fee), digits) !== undefined)
        ? undefined
        : credits === undefined
          ? 'a fee needs `credits`, which say its currency'
          : `not an amount of ${credits.currency}: "${fee}" (write at most ${digits} decimals)`;
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault, path: ['customers', index, 'fee'] });
  });
  return {
    ...(customers === undefined
      ? {}
      : { customers: customers.map(({ id, name, fee }) => ({ id, name: name ?? id, fee: fee === undefined ? null : String(fee) })) }),
    ...(credits === undefined ? {} : { credits }),
  };
}

/** One declared SLA. Its output is a `SlaSpec`. */
export const slaDeclaration = declaration.transform((declared, context): SlaSpec => {
  const { indicator, window } = declared;
  const isRecovery = indicator.kind === 'availability' && indicator.recover_within !== undefined;
  const target = declared.target ?? '1';
  const windowMs = longestWindowMs(window);
  const intervalMs = declared.interval ?? (indicator.kind === 'availability' ? DEFAULT_INTERVAL_MS : indicator.slice);
  const refuse = (path: readonly (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', message: `the SLA "${declared.id}": ${message}`, path: [...path] });
  for (const { path, message } of indicatorFaults(indicator, windowMs)) refuse(['indicator', ...path], message);
  for (const { path, message } of burnFaults(declared.burn, { target, windowMs, intervalMs })) refuse(['burn', ...path], message);
  if (declared.edges !== 'first_failure' && indicator.kind !== 'availability')
    refuse(['edges'], '`edges` belongs to the indicator availability');
  if (isRecovery && declared.target !== undefined) refuse(['target'], 'it promises a length, so it has no target');
  else if (isRecovery && declared.burn !== undefined) refuse(['burn'], 'a promise of recovery has no burn rate');
  else if (!isRecovery && declared.target === undefined) refuse(['target'], 'it has no target; write for example 99.9%');
  else if (!isRecovery && Number(target) === 1) refuse(['target'], 'a target of 100% leaves no budget; write for example 99.99%');
  return {
    id: declared.id,
    name: declared.name ?? declared.id,
    service: declared.service,
    indicator: indicatorSpec(indicator, { service: declared.service, target }),
    target,
    window,
    interval_ms: intervalMs,
    unknown: declared.unknown === 'carry_forward' ? { kind: 'carry_forward', max_gap_ms: declared.max_gap } : { kind: declared.unknown },
    max_unknown: declared.max_unknown,
    ...burnSpec(declared.burn),
    ...(declared.hours === undefined ? {} : { hours: declared.hours }),
    ...(declared.maintenance === undefined ? {} : { maintenance: declared.maintenance }),
    ...(declared.edges === 'first_failure' ? {} : { edges: declared.edges }),
    ...partiesOf(declared, context),
  };
});

/** The section `slas`: an empty list by default. */
export const slasConfig = z.array(slaDeclaration).default([]).superRefine(uniqueIds('SLA'));

/**
 * The section `sla_examples`: switches on the shipped definitions by naming the service that each is about. A declared SLA
 * of the same id replaces the shipped one.
 */
export const slaExamplesConfig = z
  .strictObject({
    trading_system: slug.optional(),
    api_gateway: slug.optional(),
    database: slug.optional(),
    ai_models: slug.optional(),
    market_data: slug.optional(),
    platform: slug.optional(),
    recovery: slug.optional(),
    automatic_recovery: slug.optional(),
  })
  .default({});
export type SlaExamplesConfig = z.infer<typeof slaExamplesConfig>;

/** The shipped definitions that are switched on, as specs, without those whose id is declared. */
export function shippedSlas(examples: SlaExamplesConfig, declared: readonly SlaSpec[]): readonly SlaSpec[] {
  const taken = new Set(declared.map((spec) => spec.id));
  return SHIPPED.flatMap(({ role, ...shape }) => {
    const service = examples[role];
    return service === undefined || taken.has(shape.id)
      ? []
      : [slaDeclaration.parse({ ...shape, service, ...indicatorFor(shape, service) })];
  });
}

type Shape = Omit<z.input<typeof declaration>, 'service'>;

/** Fills the service into a shipped query. */
function indicatorFor(shape: Shape, service: string): Pick<Shape, 'indicator'> {
  if (shape.indicator.kind !== 'threshold') return { indicator: shape.indicator };
  return { indicator: { ...shape.indicator, query: probeDuration(service) } };
}

const responseTime = (limit: string, slice: string, reduce: 'mean' | 'p95'): Shape['indicator'] => ({
  kind: 'threshold',
  query: 'probe_duration_seconds',
  condition: '<',
  threshold: limit,
  slice,
  reduce,
});

/**
 * The shipped definitions. Each response-time objective names its statistic: the mean where a slice holds a few
 * probes, a percentile where it holds enough of them. 95 % of the slices must be good. Of the platform itself, its own absence is down:
 * the one who measures cannot be excused by not measuring.
 */
const SHIPPED: readonly (Shape & { readonly role: keyof SlaExamplesConfig })[] = [
  {
    role: 'trading_system',
    id: 'SLA_001',
    name: 'Trading system uptime',
    indicator: { kind: 'availability' },
    target: '99.9%',
    window: { rolling: '24h' },
    interval: '5m',
  },
  {
    role: 'api_gateway',
    id: 'SLA_002',
    name: 'API response time',
    indicator: responseTime('100ms', '1m', 'mean'),
    target: '95%',
    window: { rolling: '1h' },
  },
  {
    role: 'database',
    id: 'SLA_003',
    name: 'Database response time',
    indicator: responseTime('50ms', '5m', 'mean'),
    target: '95%',
    window: { rolling: '4h' },
  },
  {
    role: 'ai_models',
    id: 'SLA_004',
    name: 'AI model response time',
    indicator: responseTime('200ms', '10m', 'p95'),
    target: '95%',
    window: { rolling: '2h' },
  },
  {
    role: 'market_data',
    id: 'SLA_005',
    name: 'Market data feed latency',
    indicator: responseTime('10ms', '1m', 'mean'),
    target: '95%',
    window: { rolling: '1h' },
  },
  {
    role: 'platform',
    id: 'SLA_006',
    name: 'The monitoring itself',
    indicator: { kind: 'availability' },
    target: '99.99%',
    window: { rolling: '30d' },
    unknown: 'down',
  },
  {
    role: 'recovery',
    id: 'SLA_007',
    name: 'Mean time to recovery',
    indicator: { kind: 'availability', recover_within: '15m' },
    window: { rolling: '30d' },
  },
  {
    role: 'automatic_recovery',
    id: 'SLA_008',
    name: 'Mean time to automatic recovery',
    indicator: { kind: 'availability', recover_within: '5m' },
    window: { rolling: '30d' },
  },
];

/** What cannot be seen in one declaration alone: a service that nobody declared. Paths are within the section `slas`. */
export function unknownServices(
  slas: readonly SlaSpec[],
  services: ReadonlySet<string>,
): readonly { readonly index: number; readonly message: string }[] {
  return slas.flatMap((spec, index) =>
    services.has(spec.service) ? [] : [{ index, message: `the SLA "${spec.id}" is about "${spec.service}", which is no declared service` }],
  );
}

/** The same for the examples that are switched on. Roles are the keys of the section `sla_examples`. */
export function unknownExampleServices(
  examples: SlaExamplesConfig,
  services: ReadonlySet<string>,
): readonly { readonly role: string; readonly message: string }[] {
  return Object.entries(examples).flatMap(([role, service]) =>
    service === undefined || services.has(service) ? [] : [{ role, message: `there is no service "${service}" for the example ${role}` }],
  );
}
