import { MINUTE_MS, SECOND_MS, ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';
import { planAggregate } from './aggregate-plan.ts';
import { MAX_ELEMENTS } from './context.ts';
import { KINDS, type RuleKind, type WrittenRule } from './kinds.ts';
import { PACKS } from './packs/names.ts';
import { labels } from './rule-fields.ts';

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

/** Ids are unique among the rules of all kinds. */
function refineIds(rules: WrittenLists, context: z.core.$RefinementCtx): void {
  const seen = new Set<string>();
  for (const { list } of Object.values(KINDS)) {
    rules[list].forEach(({ id }, index) => {
      if (seen.has(id)) context.addIssue({ code: 'custom', message: `the rule id "${id}" is used twice`, path: [list, index, 'id'] });
      seen.add(id);
    });
  }
}
type WrittenLists = { readonly [K in RuleKind as (typeof KINDS)[K]['list']]: readonly { readonly id: string }[] };

/** The section `rules`. */
export const rulesConfig = z
  .strictObject({
    /** Prometheus rule files; paths and globs relative to the configuration file. */
    files: z.array(z.string()).default([]),
    /** Of groups that name no interval: those of `files`, and those that definitions of SLOs bring. */
    evaluation_interval: duration({ minMs: SECOND_MS }).default(ms(MINUTE_MS)),
    /** `$externalLabels` in templates; added to what other Prometheus servers read from us. */
    external_labels: labels,
    thresholds: z.array(KINDS.threshold.schema).default([]),
    composites: z.array(KINDS.composite.schema).default([]),
    absences: z.array(KINDS.absence.schema).default([]),
    changes: z.array(KINDS.change.schema).default([]),
    forecasts: z.array(KINDS.forecast.schema).default([]),
    anomalies: z.array(KINDS.anomaly.schema).default([]),
    compliance: z.array(KINDS.compliance.schema).default([]),
    /** Streaming aggregates: recording rules that are kept up at write time. */
    aggregates: z.array(aggregate).max(MAX_AGGREGATES, `at most ${MAX_AGGREGATES} streaming aggregates`).default([]),
    /** Shipped sets of rules that are on. */
    packs: z.array(z.enum(PACKS)).default(['default']),
  })
  .superRefine(refineIds)
  .prefault({});
export type RulesConfig = z.infer<typeof rulesConfig>;

/** A rule with where it stands in the configuration. */
export type PlacedRule = WrittenRule & { readonly path: readonly [string, string, number] };

/** Every rule that is written, in the order of the kinds. */
export function writtenRules(config: RulesConfig): readonly PlacedRule[] {
  return (Object.keys(KINDS) as RuleKind[]).flatMap((kind) => {
    const { list } = KINDS[kind];
    // The compiler does not follow that a list holds the rules of its own kind.
    return config[list].map((rule, i) => ({ kind, rule, path: ['rules', list, i] }) as unknown as PlacedRule);
  });
}
