import { parseRatioText } from '../spec.ts';
import { z } from 'zod';

/** OpenSLO v1 as its specification has it. Source: OpenSLO/OpenSLO, README of v1. */

const MAX_DESCRIPTION = 1_050;
const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a name has at most 63 lower-case letters, digits and "-"');
const absent = <Value>(value: Value | null | undefined): Value | undefined => value ?? undefined;

const metadata = z.object({
  name,
  displayName: z.string().optional(),
  labels: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const described = { description: z.string().max(MAX_DESCRIPTION).optional() };

const metricSource = z.object({
  metricSource: z.object({ metricSourceRef: z.string().optional(), type: z.string().optional(), spec: z.record(z.string(), z.unknown()) }),
});
export type MetricSource = z.output<typeof metricSource>;

const ratioMetric = z
  .object({
    counter: z.boolean().default(true),
    good: metricSource.optional(),
    bad: metricSource.optional(),
    total: metricSource.optional(),
    raw: metricSource.optional(),
    rawType: z.enum(['success', 'failure']).optional(),
  })
  .superRefine(({ good, bad, total, raw, rawType }, context) => {
    const counted = [good, bad].filter((part) => part !== undefined).length;
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    if (raw !== undefined ? counted > 0 || total !== undefined : counted !== 1 || total === undefined)
      refuse('a ratioMetric has good or bad, and total; or raw and rawType');
    else if (raw !== undefined && rawType === undefined) refuse('a raw ratio has a rawType: success or failure');
  });

const sliSpec = z
  .object({ ...described, thresholdMetric: metricSource.optional(), ratioMetric: ratioMetric.optional() })
  .refine(
    (spec) => (spec.thresholdMetric === undefined) !== (spec.ratioMetric === undefined),
    'an SLI has either a thresholdMetric or a ratioMetric',
  );
export type SliSpec = z.output<typeof sliSpec>;
const inlineSli = z.object({ metadata, spec: sliSpec });

const ratioBelowOne = z.number().min(0).lt(1, 'a target is below 1: of 100% there is no budget');
const objective = z
  .object({
    displayName: z.string().optional(),
    op: z.enum(['lte', 'gte', 'lt', 'gt']).optional(),
    value: z.number().optional(),
    target: ratioBelowOne.optional(),
    targetPercent: z.number().min(0).lt(100, 'a target is below 100: of 100% there is no budget').optional(),
    timeSliceTarget: z.number().gt(0).lte(1).optional(),
    timeSliceWindow: z.union([z.number().positive(), z.string()]).optional(),
    indicator: inlineSli.optional(),
    indicatorRef: z.string().optional(),
    compositeWeight: z.number().positive().optional(),
  })
  .refine((one) => (one.target === undefined) !== (one.targetPercent === undefined), 'an objective has either a target or a targetPercent');
export type Objective = z.output<typeof objective>;

const timeWindow = z.object({
  duration: z.string(),
  isRolling: z.boolean().default(false),
  calendar: z.object({ startTime: z.string(), timeZone: z.string() }).optional(),
});
export type TimeWindow = z.output<typeof timeWindow>;

const conditionSpec = z.object({
  ...described,
  severity: z.string(),
  condition: z.object({
    kind: z.literal('burnrate'),
    op: z.enum(['lte', 'gte', 'lt', 'gt']),
    threshold: z.number().positive(),
    lookbackWindow: z.string(),
    alertAfter: z.string().default('0m'),
  }),
});
const inlineCondition = z.object({ kind: z.literal('AlertCondition').optional(), metadata: metadata.optional(), spec: conditionSpec });
const policySpec = z.object({
  ...described,
  alertWhenNoData: z.boolean().default(false),
  alertWhenResolved: z.boolean().default(false),
  alertWhenBreaching: z.boolean().default(false),
  conditions: z.array(z.union([z.object({ conditionRef: z.string() }), inlineCondition])).max(1, 'an AlertPolicy has one condition'),
  notificationTargets: z.array(z.unknown()).default([]),
});
export type PolicySpec = z.output<typeof policySpec>;
const inlinePolicy = z.object({ kind: z.literal('AlertPolicy').optional(), metadata: metadata.optional(), spec: policySpec });

const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((found) => found ?? []);

const sloSpec = z.object({
  ...described,
  service: z.string().min(1),
  indicator: inlineSli.optional(),
  indicatorRef: z.string().optional(),
  timeWindow: z.array(timeWindow).length(1, 'an SLO has one timeWindow'),
  budgetingMethod: z.enum(['Occurrences', 'Timeslices', 'RatioTimeslices']),
  objectives: z.array(objective).min(1),
  alertPolicies: list(z.union([z.object({ alertPolicyRef: z.string() }), inlinePolicy])),
});
export type SloSpec = z.output<typeof sloSpec>;

const common = { apiVersion: z.literal('openslo/v1'), metadata };
export const openSloDocument = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('SLO'), spec: sloSpec }),
  z.object({ ...common, kind: z.literal('SLI'), spec: sliSpec }),
  z.object({ ...common, kind: z.literal('AlertPolicy'), spec: policySpec }),
  z.object({ ...common, kind: z.literal('AlertCondition'), spec: conditionSpec }),
  z.object({
    ...common,
    kind: z.literal('AlertNotificationTarget'),
    spec: z.object({ ...described, target: z.string() }),
  }),
  z.object({ ...common, kind: z.literal('Service'), spec: z.object(described).nullish().transform(absent) }),
  z.object({
    ...common,
    kind: z.literal('DataSource'),
    spec: z.object({ ...described, type: z.string(), connectionDetails: z.unknown() }),
  }),
]);
export type OpenSloDocument = z.output<typeof openSloDocument>;
export type OpenSlo = Extract<OpenSloDocument, { readonly kind: 'SLO' }>;

/** The target of an objective in exact decimals, as it was written: `0.995`. */
export function targetText({ target, targetPercent }: Objective): string {
  const parsed = parseRatioText(target === undefined ? `${targetPercent ?? 0}%` : String(target));
  return parsed.ok ? parsed.value : '0';
}
