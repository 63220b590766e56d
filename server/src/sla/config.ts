import { parseDuration } from '@nines/base/duration.ts';
import { DAY_MS, SECOND_MS } from '@nines/base/units.ts';
import { parseAmount } from '@nines/maths/slo/credits.ts';
import { CONDITIONS, REDUCERS, WHILE_DOWN } from '@nines/maths/slo/slices.ts';
import { typeOf } from '@nines/promql/check.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { z } from 'zod';
import { duration, slug, uniqueIds } from '../platform/config/fields.ts';
import { type SlaSpec, currencyDigits, parseRatioText } from './spec.ts';

/**
 * How SLAs are declared, in the configuration file and through the API alike. Parsing turns a declaration into a `SlaSpec`,
 * the form that is stored, versioned and printed in statements: every default filled in, lengths in milliseconds, ratios as
 * exact decimals.
 */

/** A window shorter than this is over before anyone has read the alert; longer than this is no rolling window. */
const MIN_WINDOW_MS = 10 * SECOND_MS;
const MAX_WINDOW_MS = 400 * DAY_MS;
const MIN_SLICE_MS = SECOND_MS;
/** How long a last known state is carried into a gap unless the contract says otherwise. */
const DEFAULT_MAX_GAP = '5m';
/** The measurement interval of an availability objective; burn pairs shorter than two of these make no sense. */
const DEFAULT_INTERVAL_MS = 5 * SECOND_MS;
/** How often the worker steps: an objective whose budget is being spent is looked at in each step. */
export const SLA_STEP_MS = SECOND_MS;
/** How often an objective is looked at while all is well and nothing changes. */
export const CALM_LOOK_MS = 5 * SECOND_MS;
const DEFAULT_SLICE = '1m';
/** Longest query text of a threshold indicator. */
const MAX_QUERY_LENGTH = 10_000;

const MAX_CUSTOMERS = 1_000;
const MAX_TIERS = 20;
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

const length = (minMs: number) => duration({ minMs, maxMs: MAX_WINDOW_MS });

/** `99.9%` or `0.999`, kept as the exact decimal `0.999`. */
const ratio = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseRatioText(String(value));
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

const positiveRatio = ratio.refine((text) => Number(text) > 0, 'a target of 0 promises nothing; write for example 99.9%');

/** A number, a percentage (a ratio) or a duration (seconds). */
const threshold = z.union([z.number(), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return { value, unit: '' };
  if (/^[+-]?\d+(\.\d+)?$/.test(value)) return { value: Number(value), unit: '' };
  if (value.endsWith('%')) {
    const parsed = parseRatioText(value);
    if (parsed.ok) return { value: Number(parsed.value), unit: 'ratio' };
  }
  const parsed = parseDuration(value);
  if (parsed.ok) return { value: parsed.value / SECOND_MS, unit: 'seconds' };
  context.addIssue({ code: 'custom', message: `not a threshold: "${value}" (write for example 100ms, 5% or 250)` });
  return z.NEVER;
});

const availability = z.strictObject({ kind: z.literal('availability'), degraded_weight: ratio.optional() });

const thresholdIndicator = z.strictObject({
  kind: z.literal('threshold'),
  /** PromQL. A plain selector is read sample by sample; anything else is evaluated at steps within the slice. */
  query: z
    .string()
    .max(MAX_QUERY_LENGTH)
    .superRefine((text, context) => {
      const parsed = parseExpr(text);
      if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error.message });
      else if (typeOf(parsed.value) !== 'vector' && typeOf(parsed.value) !== 'scalar')
        context.addIssue({ code: 'custom', message: 'the query must give numbers at an instant: a vector or a scalar' });
    }),
  condition: z.enum(CONDITIONS),
  threshold,
  unit: z.string().max(32).optional(),
  slice: length(MIN_SLICE_MS).prefault(DEFAULT_SLICE),
  reduce: z.enum(REDUCERS).default('mean'),
  while_down: z.enum(WHILE_DOWN).default('exclude'),
});

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
  indicator: z.discriminatedUnion('kind', [availability, thresholdIndicator]),
  target: positiveRatio,
  window: z.strictObject({ rolling: length(MIN_WINDOW_MS) }),
  /** How often the objective is measured; decides which burn pairs are watched and when a violation counts as long. */
  interval: length(SECOND_MS).optional(),
  unknown: unknownPolicy,
  /** For `carry_forward`: how long the last known state is carried into a gap. */
  max_gap: length(0).prefault(DEFAULT_MAX_GAP),
  /** Above this share of unknown time nothing is said. */
  max_unknown: ratio.default('0.5'),
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
  if (indicator.kind === 'threshold' && indicator.slice > window.rolling) {
    context.addIssue({ code: 'custom', message: 'a slice is longer than the window', path: ['indicator', 'slice'] });
  }
  return {
    id: declared.id,
    name: declared.name ?? declared.id,
    service: declared.service,
    indicator:
      indicator.kind === 'availability'
        ? { kind: 'availability', degraded_weight: indicator.degraded_weight ?? null }
        : {
            kind: 'threshold',
            query: indicator.query,
            condition: indicator.condition,
            threshold: indicator.threshold.value,
            unit: indicator.unit ?? indicator.threshold.unit,
            slice_ms: indicator.slice,
            reduce: indicator.reduce,
            while_down: indicator.while_down,
          },
    target: declared.target,
    window: { rolling_ms: window.rolling },
    interval_ms: declared.interval ?? (indicator.kind === 'threshold' ? indicator.slice : DEFAULT_INTERVAL_MS),
    unknown: declared.unknown === 'carry_forward' ? { kind: 'carry_forward', max_gap_ms: declared.max_gap } : { kind: declared.unknown },
    max_unknown: declared.max_unknown,
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
  if (shape.indicator.kind === 'availability') return { indicator: shape.indicator };
  return { indicator: { ...shape.indicator, query: `probe_duration_seconds{service=${JSON.stringify(service)}}` } };
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
 * The five shipped definitions. Each response-time objective names its statistic: the mean where a slice holds a few
 * probes, a percentile where it holds enough of them. 95 % of the slices must be good.
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
