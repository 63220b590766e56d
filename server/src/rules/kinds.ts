/** The kinds of rules that are written in the configuration, each under a list of its own, and what each may say. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, ms } from '@nines/base/units.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';
import { alertFields, CONDITIONS, labelName, limitFields, metric, refineClear, threshold } from './rule-fields.ts';

const thresholdRule = z
  .strictObject({
    ...alertFields,
    metric,
    ...limitFields,
    /** What a series that stops means: an alert stays as it is, fires, or ends. */
    missing: z.enum(['keep', 'fire', 'resolve']).default('keep'),
  })
  .superRefine(refineClear);

/** One condition, or several under one of the words. */
export type WrittenTree = {
  readonly metric?: string | undefined;
  readonly condition?: (typeof CONDITIONS)[number] | undefined;
  readonly threshold?: number | undefined;
  readonly clear?: number | undefined;
  readonly all?: readonly WrittenTree[] | undefined;
  readonly any?: readonly WrittenTree[] | undefined;
  readonly not?: WrittenTree | undefined;
  readonly at_least?: number | undefined;
  readonly of?: readonly WrittenTree[] | undefined;
};

const parts = z.lazy(() => z.array(tree).min(1, 'write at least one condition').max(50, 'at most 50 conditions'));
const tree: z.ZodType<WrittenTree, unknown> = z.lazy(() =>
  z
    .strictObject({
      metric: metric.optional(),
      condition: z.enum(CONDITIONS).optional(),
      threshold: threshold.optional(),
      clear: threshold.optional(),
      all: parts.optional(),
      any: parts.optional(),
      not: tree.optional(),
      at_least: z.number().int().min(1).optional(),
      of: parts.optional(),
    })
    .superRefine(refineTree),
);

function refineTree(written: WrittenTree, context: z.core.$RefinementCtx): void {
  const complain = (message: string, path: readonly string[] = []): void => context.addIssue({ code: 'custom', message, path: [...path] });
  const forms = (['metric', 'all', 'any', 'not', 'at_least'] as const).filter((key) => written[key] !== undefined);
  if (forms.length !== 1) return complain('write one of "metric", "all", "any", "not" and "at_least" with "of"');
  const { metric: name, condition = '>', threshold: limit, clear, at_least: least, of } = written;
  if (least !== undefined && of === undefined) complain('"at_least" needs the conditions under "of"');
  if (of !== undefined && least === undefined) complain('"of" needs "at_least"', ['of']);
  if (least !== undefined && of !== undefined && least > of.length)
    complain(`of ${of.length} conditions ${least} never hold`, ['at_least']);
  if (name === undefined && (limit ?? clear ?? written.condition) !== undefined) complain('a threshold needs its "metric" beside it');
  if (name !== undefined && limit === undefined) complain('a condition needs a "threshold"');
  if (name !== undefined && limit !== undefined) refineClear({ condition, threshold: limit, clear }, context);
  if (written.not !== undefined && hasClear(written.not)) complain('clear makes no sense under "not"', ['not']);
}

function hasClear(written: WrittenTree): boolean {
  if (written.clear !== undefined) return true;
  const below = [...(written.all ?? []), ...(written.any ?? []), ...(written.of ?? [])];
  return below.some(hasClear) || (written.not !== undefined && hasClear(written.not));
}

const compositeRule = z.strictObject({
  ...alertFields,
  when: tree,
  /** One alert per set of these labels; series without any of them count everywhere. */
  by: z.array(labelName).default(['instance']),
});

/** An expression has no sample of its own that could be missing, and of a glob's series nobody knows which are meant. */
const selector = metric.refine((text) => {
  const parsed = parseExpr(text);
  return parsed.ok ? parsed.value.kind === 'selector' : !/[*?]/.test(text);
}, 'write the name of a metric or a selector: only series can be absent');

const absenceRule = z
  .strictObject({
    ...alertFields,
    metric: selector,
    /** Silence from this on is absence. */
    after: duration({ minMs: SECOND_MS }).default(ms(5 * MINUTE_MS)),
    /** A series that was silent for this long is gone for good, and its alert ends. */
    forget: duration({ minMs: MINUTE_MS, maxMs: 30 * DAY_MS }).default(ms(DAY_MS)),
  })
  .superRefine(({ after, forget }, context) => {
    if (after >= forget) context.addIssue({ code: 'custom', message: 'forget must be longer than after', path: ['forget'] });
  });

const changeRule = z
  .strictObject({
    ...alertFields,
    metric,
    ...limitFields,
    /** Against the value this long ago. */
    over: duration({ minMs: SECOND_MS, maxMs: 30 * DAY_MS }).default(ms(5 * MINUTE_MS)),
    as: z.enum(['absolute', 'percent', 'per_second']).default('absolute'),
  })
  .superRefine(refineClear);

const forecastRule = z
  .strictObject({
    ...alertFields,
    for: duration().default(ms(5 * MINUTE_MS)),
    metric,
    ...limitFields,
    condition: z.enum(['>', '>=', '<', '<=']).default('>'),
    /** How far ahead the value is looked for. */
    ahead: duration({ minMs: MINUTE_MS, maxMs: 30 * DAY_MS }).default(ms(HOUR_MS)),
    /** The line goes through this much of the past. */
    over: duration({ minMs: 10 * MINUTE_MS, maxMs: 90 * DAY_MS }).default(ms(4 * HOUR_MS)),
    /** How sure the stated doubt is. */
    confidence: z.number().min(0.5).max(0.999).default(0.95),
  })
  .superRefine(refineClear);

const anomalyRule = z
  .strictObject({
    ...alertFields,
    for: duration().default(ms(5 * MINUTE_MS)),
    metric,
    /** Usual is what was in this much of the past … */
    over: duration({ minMs: 10 * MINUTE_MS, maxMs: 7 * DAY_MS }).default(ms(6 * HOUR_MS)),
    /** … or at the same time of the last seven of these. */
    season: duration({ minMs: HOUR_MS, maxMs: 7 * DAY_MS }).optional(),
    /** Spreads from the usual (robust standard deviations) beyond which a value is unusual, and at which it is usual again. */
    deviations: z.number().min(1).max(100).default(6),
    clear: z.number().min(0).default(3),
    direction: z.enum(['both', 'above', 'below']).default('both'),
    min_change: z.number().min(0).default(0),
    /** Consecutive readings that must be unusual. */
    readings: z.number().int().min(2, 'one reading alone is an outlier, not an anomaly').max(100).default(3),
  })
  .superRefine(({ clear, deviations }, context) => {
    if (clear > deviations) context.addIssue({ code: 'custom', message: 'clear must not be above deviations', path: ['clear'] });
  });

const complianceRule = z.strictObject({
  ...alertFields,
  severity: alertFields.severity.default('critical'),
  /** A glob over the label `control`. */
  controls: z.string().min(1).default('*'),
  /** Only those of this standard, as the label `standard` names it. */
  standard: z.string().min(1).optional(),
});

/** `list` is the key of the configuration under which rules of the kind stand. */
export const KINDS = {
  threshold: { list: 'thresholds', schema: thresholdRule },
  composite: { list: 'composites', schema: compositeRule },
  absence: { list: 'absences', schema: absenceRule },
  change: { list: 'changes', schema: changeRule },
  forecast: { list: 'forecasts', schema: forecastRule },
  anomaly: { list: 'anomalies', schema: anomalyRule },
  compliance: { list: 'compliance', schema: complianceRule },
} as const;
export type RuleKind = keyof typeof KINDS;
export const RULE_KINDS = [
  'threshold',
  'composite',
  'absence',
  'change',
  'forecast',
  'anomaly',
  'compliance',
] as const satisfies readonly RuleKind[];
export type WrittenRule = { readonly [K in RuleKind]: { readonly kind: K; readonly rule: z.infer<(typeof KINDS)[K]['schema']> } }[RuleKind];
