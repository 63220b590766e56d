import { parseDuration } from '@nines/base/duration.ts';
import { MINUTE_MS, SECOND_MS, ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { DEFAULT_COOLDOWN_MS, SEVERITIES } from '../alerting/contract.ts';
import { duration, slug, uniqueIds } from '../platform/config/fields.ts';
import { planAggregate } from './aggregate-plan.ts';
import { MAX_ELEMENTS } from './context.ts';
import { problemOfMetric } from './metric.ts';
import { parseTemplate } from './template-parse.ts';

export const CONDITIONS = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Condition = (typeof CONDITIONS)[number];

/** A number, a percentage as the figure before its sign (`90%` is 90), or a duration in seconds (`100ms` is 0.1). */
const threshold = z.union([z.number(), z.string()]).transform((written, context): number => {
  if (typeof written === 'number') return written;
  if (/^-?\d+(\.\d+)?%?$/.test(written)) return Number.parseFloat(written);
  const parsed = parseDuration(written);
  if (parsed.ok) return parsed.value / 1000;
  context.addIssue({ code: 'custom', message: `not a threshold: "${written}" (write a number, a percentage or a duration)` });
  return z.NEVER;
});

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'write a label name: letters, digits and "_"');
const labels = z.record(labelName, z.string()).default({});

const template = z.string().superRefine((text, context) => {
  const parsed = parseTemplate(text);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error });
});

const thresholdRule = z
  .strictObject({
    id: slug,
    /** The alert's name; the id when left out. */
    name: z.string().min(1).optional(),
    /** A dotted name (`system.cpu.percent`), a glob over metric names (`node_*_total`) or a PromQL selector or expression. */
    metric: z
      .string()
      .min(1)
      .superRefine((metric, context) => {
        const problem = problemOfMetric(metric);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      }),
    condition: z.enum(CONDITIONS).default('>'),
    threshold,
    /** The alert ends when the value has come back to this; the threshold when left out. */
    clear: threshold.optional(),
    for: duration().default(ms(0)),
    severity: z.enum(SEVERITIES).default('warning'),
    cooldown: duration().default(ms(DEFAULT_COOLDOWN_MS)),
    service: z.string().optional(),
    labels,
    annotations: z.record(labelName, template).default({}),
    /** What a series that stops means: an alert stays as it is, fires, or ends. */
    missing: z.enum(['keep', 'fire', 'resolve']).default('keep'),
  })
  .superRefine((rule, context) => {
    if (rule.clear === undefined) return;
    const above = rule.condition === '>' || rule.condition === '>=';
    const below = rule.condition === '<' || rule.condition === '<=';
    if (above && rule.clear > rule.threshold) {
      context.addIssue({ code: 'custom', message: 'clear must not be above the threshold', path: ['clear'] });
    }
    if (below && rule.clear < rule.threshold) {
      context.addIssue({ code: 'custom', message: 'clear must not be below the threshold', path: ['clear'] });
    }
    if (!above && !below) context.addIssue({ code: 'custom', message: 'clear makes no sense with == and !=', path: ['clear'] });
  });
export type ThresholdConfig = z.infer<typeof thresholdRule>;

/** Most streaming aggregates: each keeps state of its own. */
const MAX_AGGREGATES = 200;
const DEFAULT_MAX_SERIES = 100_000;

const aggregate = z
  .strictObject({
    /** The name of the series that are recorded. */
    record: z.string().min(1),
    /** PromQL of the kind that can be kept up at write time: packages/promql/src/streaming/plan.ts. */
    expr: z.string().min(1),
    /** A value is recorded at each multiple of it. */
    interval: duration({ minMs: SECOND_MS }).default(ms(MINUTE_MS)),
    /** How long after that multiple the value is told, for samples that come a little late. */
    query_offset: duration().default(ms(0)),
    labels,
    /** Most series that one selector of the expression may read. With more of them the aggregate is queried like a rule. */
    max_series: z.number().int().min(1).max(1_000_000).default(DEFAULT_MAX_SERIES),
    /** Most series that are recorded. */
    limit: z.number().int().min(1).default(MAX_ELEMENTS),
  })
  .superRefine(({ expr, interval }, context) => {
    const planned = planAggregate({ expr, interval });
    if (!planned.ok) context.addIssue({ code: 'custom', message: planned.error, path: ['expr'] });
  });
export type AggregateConfig = z.infer<typeof aggregate>;

/** The section `rules`. */
export const rulesConfig = z
  .strictObject({
    /** Prometheus rule files; paths and globs relative to the configuration file. */
    files: z.array(z.string()).default([]),
    /** Of groups that name no interval: those of `files`, and those that definitions of SLOs bring. */
    evaluation_interval: duration({ minMs: SECOND_MS }).default(ms(MINUTE_MS)),
    /** `$externalLabels` in templates; added to what other Prometheus servers read from us. */
    external_labels: labels,
    thresholds: z.array(thresholdRule).default([]).superRefine(uniqueIds('rule')),
    /** Streaming aggregates: recording rules that are kept up at write time. */
    aggregates: z.array(aggregate).max(MAX_AGGREGATES, `at most ${MAX_AGGREGATES} streaming aggregates`).default([]),
    /** Shipped sets of rules that are on. */
    packs: z.array(z.enum(['default'])).default(['default']),
  })
  .prefault({});
export type RulesConfig = z.infer<typeof rulesConfig>;
