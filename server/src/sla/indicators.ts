import { parseDuration } from '@nines/base/duration.ts';
import { MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { CONDITIONS, REDUCERS, WHILE_DOWN } from '@nines/maths/slo/slices.ts';
import { type Expr, unwrap } from '@nines/promql/ast.ts';
import { typeOf } from '@nines/promql/check.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { z } from 'zod';
import { counterTerms } from './counters.ts';
import { length, ratio } from './fields.ts';
import { type AvailabilitySpec, type CountersSpec, type SlicedSpec, complementText, parseRatioText } from './spec.ts';

/** What SLAs measure, as it is declared. Each kind but `availability` becomes a `SlicedSpec`. */

const MIN_SLICE_MS = SECOND_MS;
const DEFAULT_SLICE = '1m';
/** Longest query text of an indicator. */
const MAX_QUERY_LENGTH = 10_000;
/** A ratio keeps each slice: so many of them are the most that a window may have. */
const MAX_SLICES_OF_EVENTS = 100_000;

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

/** PromQL for one series of numbers. A plain selector is read sample by sample, all its series together. */
const query = z
  .string()
  .max(MAX_QUERY_LENGTH)
  .superRefine((text, context) => {
    const parsed = parseExpr(text);
    if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error.message });
    else if (typeOf(parsed.value) !== 'vector' && typeOf(parsed.value) !== 'scalar')
      context.addIssue({ code: 'custom', message: 'the query must give numbers at an instant: a vector or a scalar' });
    else if (isSplit(parsed.value))
      context.addIssue({ code: 'custom', message: `"${text}" gives several series where one is needed; aggregate without labels` });
  });

/** Whether an expression is an aggregation by labels, which gives a series for each of their values. */
function isSplit(expr: Expr): boolean {
  const inner = unwrap(expr);
  if (inner.kind === 'binary')
    return isSplit(inner.left) && inner.op !== 'unless' ? true : isSplit(inner.right) && inner.matching === undefined;
  return inner.kind === 'aggregate' && (inner.grouping.length > 0 || inner.without);
}

/** PromQL for counters: a selector, or sums and differences of selectors. */
const counters = z
  .string()
  .max(MAX_QUERY_LENGTH)
  .superRefine((text, context) => {
    const terms = counterTerms(text);
    if (!terms.ok) context.addIssue({ code: 'custom', message: terms.error });
  });

const slice = length(MIN_SLICE_MS).prefault(DEFAULT_SLICE);
const whileDown = z.enum(WHILE_DOWN);

const availability = z.strictObject({
  kind: z.literal('availability'),
  degraded_weight: ratio.optional(),
  /** Promised is the mean time to recovery instead of the time up. */
  recover_within: length(SECOND_MS).optional(),
});

const thresholdIndicator = z.strictObject({
  kind: z.literal('threshold'),
  query,
  condition: z.enum(CONDITIONS),
  threshold,
  unit: z.string().max(32).optional(),
  slice,
  reduce: z.enum(REDUCERS).default('mean'),
  while_down: whileDown.default('exclude'),
});

const responseTime = z.strictObject({
  kind: z.literal('response_time'),
  /** Seconds; by default those of the service's own checks. */
  query: query.optional(),
  below: z.string().transform((text, context) => {
    const parsed = parseDuration(text);
    if (parsed.ok) return parsed.value / SECOND_MS;
    context.addIssue({ code: 'custom', message: parsed.error });
    return z.NEVER;
  }),
  statistic: z.enum(REDUCERS).default('mean'),
  slice,
  while_down: whileDown.default('exclude'),
});

const throughput = z.strictObject({
  kind: z.literal('throughput'),
  events: counters,
  /** Events per second. */
  at_least: z.number().positive(),
  slice,
  while_down: whileDown.default('exclude'),
});

const parts = { good: counters.optional(), bad: counters.optional(), total: counters.optional() };

const errorRate = z.strictObject({
  kind: z.literal('error_rate'),
  ...parts,
  at_most: ratio,
  /** A slice with fewer events is not bad. */
  min_events: z.number().int().nonnegative().default(0),
  slice,
  while_down: whileDown.default('measure'),
});

const ratioIndicator = z.strictObject({
  kind: z.literal('ratio'),
  ...parts,
  /** Instead of counters: each sample of this is an event, good when it meets the condition. */
  query: query.optional(),
  condition: z.enum(CONDITIONS).optional(),
  threshold: threshold.optional(),
  /** Or: PromQL for the share of errors, from 0 to 1. */
  error_ratio: query.optional(),
  /** `occurrences`: every event counts alike. `ratio_timeslices`: every slice does, with its share of errors. */
  budgeting: z.enum(['occurrences', 'ratio_timeslices']).optional(),
  slice,
});

const partIndicator = z.discriminatedUnion('kind', [thresholdIndicator, responseTime, throughput, errorRate, ratioIndicator]);
const MAX_PARTS = 20;

/** Several indicators under one target; the slices of all are those of the whole. */
const compositeIndicator = z.strictObject({
  kind: z.literal('composite'),
  budgeting: z.enum(['occurrences', 'timeslices', 'ratio_timeslices']).default('occurrences'),
  slice,
  parts: z
    .array(z.strictObject({ weight: z.number().positive().max(1e6).default(1), indicator: partIndicator }))
    .min(2)
    .max(MAX_PARTS),
});

export const indicatorConfig = z.discriminatedUnion('kind', [
  availability,
  thresholdIndicator,
  responseTime,
  throughput,
  errorRate,
  ratioIndicator,
  compositeIndicator,
]);
export type IndicatorConfig = z.output<typeof indicatorConfig>;

/** What is wrong with an indicator as a whole: its window, its parts. Paths are within the indicator. */
export type IndicatorFault = { readonly path: readonly (string | number)[]; readonly message: string };

export function indicatorFaults(declared: IndicatorConfig, windowMs: number): readonly IndicatorFault[] {
  const faults: IndicatorFault[] = [];
  if (declared.kind === 'availability') return faults;
  if (declared.slice > windowMs) faults.push({ path: ['slice'], message: 'a slice is longer than the window' });
  if (declared.kind === 'composite') return [...faults, ...partFaults(declared, windowMs)];
  if (declared.kind !== 'ratio' && declared.kind !== 'error_rate') return faults;
  const given = (['good', 'bad', 'total'] as const).filter((part) => declared[part] !== undefined);
  if (declared.kind === 'ratio' && declared.query !== undefined) {
    if (given.length > 0 || declared.error_ratio !== undefined)
      faults.push({ path: ['query'], message: 'write counters, error_ratio or query, one of them' });
    if (declared.condition === undefined || declared.threshold === undefined)
      faults.push({ path: ['query'], message: 'samples need a condition and a threshold' });
  } else if (declared.kind === 'ratio' && declared.error_ratio !== undefined) {
    if (given.length > 0) faults.push({ path: ['error_ratio'], message: 'write either error_ratio or counters, not both' });
    if (declared.budgeting === 'occurrences')
      faults.push({ path: ['budgeting'], message: 'a ratio without counters has no events to budget' });
  } else if (given.length < 2) {
    faults.push({ path: [], message: 'a ratio needs two of good, bad and total' });
  } else if (given.length > 2) {
    faults.push({ path: ['total'], message: 'good, bad and total together could contradict each other; leave one out' });
  }
  if (declared.kind === 'ratio' && windowMs / declared.slice > MAX_SLICES_OF_EVENTS) {
    const minutes = Math.ceil(windowMs / MAX_SLICES_OF_EVENTS / MINUTE_MS);
    faults.push({ path: ['slice'], message: `a window has at most ${MAX_SLICES_OF_EVENTS} slices; make them ${minutes}m` });
  }
  return faults;
}

function partFaults(
  { parts: declared, slice: sliceMs, budgeting }: Extract<IndicatorConfig, { readonly kind: 'composite' }>,
  windowMs: number,
): readonly IndicatorFault[] {
  return declared.flatMap(({ indicator }, index) => {
    const at = ['parts', index, 'indicator'];
    const own = indicatorFaults({ ...indicator, slice: sliceMs }, windowMs).map(({ path, message }) => ({
      path: [...at, ...path],
      message,
    }));
    const hasEvents = indicator.kind === 'ratio' && indicator.error_ratio === undefined;
    if (budgeting === 'timeslices' || hasEvents || (budgeting === 'ratio_timeslices' && indicator.kind === 'ratio')) return own;
    return [...own, { path: at, message: 'a part without counters has no events to budget; write a ratio, or budgeting: timeslices' }];
  });
}

/** The stored form of an indicator. `target` is the exact decimal of the promise. */
export function indicatorSpec(
  declared: IndicatorConfig,
  about: { readonly service: string; readonly target: string },
): AvailabilitySpec | SlicedSpec {
  return declared.kind === 'availability'
    ? {
        kind: 'availability',
        degraded_weight: declared.degraded_weight ?? null,
        ...(declared.recover_within === undefined ? {} : { recover_within_ms: declared.recover_within }),
      }
    : slicedSpec(declared, about);
}

function slicedSpec(
  declared: Exclude<IndicatorConfig, { readonly kind: 'availability' }>,
  about: { readonly service: string; readonly target: string },
): SlicedSpec {
  switch (declared.kind) {
    case 'threshold': {
      const unit = declared.unit ?? declared.threshold.unit;
      const { query: text, condition } = declared;
      return {
        ...slicing(declared),
        kind: 'threshold',
        query: text,
        condition,
        threshold: declared.threshold.value,
        unit,
        reduce: declared.reduce,
      };
    }
    case 'response_time': {
      const text = declared.query ?? probeDuration(about.service);
      const judged = { query: text, condition: '<', threshold: declared.below, unit: 'seconds', reduce: declared.statistic } as const;
      return { ...slicing(declared), kind: 'response_time', ...judged };
    }
    case 'throughput': {
      const judged = { query: declared.events, condition: '>=', threshold: declared.at_least, unit: 'events/s', reduce: 'mean' } as const;
      return {
        ...slicing(declared),
        kind: 'throughput',
        ...judged,
        counters: { good: null, bad: null, total: declared.events, min_events: 0 },
      };
    }
    case 'error_rate': {
      const counted = countersOf(declared, declared.min_events);
      const judged = { query: counted.total, condition: '<=', threshold: Number(declared.at_most), unit: 'ratio', reduce: 'mean' } as const;
      return { ...slicing(declared), kind: 'error_rate', ...judged, counters: counted };
    }
    case 'ratio':
      return ratioSpec(declared, about.target);
    case 'composite':
      return compositeSpec(declared, about);
  }
}

function compositeSpec(
  { slice: sliceMs, budgeting, parts: declared }: Extract<IndicatorConfig, { readonly kind: 'composite' }>,
  about: { readonly service: string; readonly target: string },
): SlicedSpec {
  const together = budgeting === 'timeslices' ? {} : { budgeting };
  const read = declared.map(({ weight, indicator }) => ({
    weight,
    spec: slicedSpec(indicator.kind === 'ratio' ? { ...indicator, slice: sliceMs, ...together } : { ...indicator, slice: sliceMs }, about),
  }));
  const judged = { condition: '>=', threshold: Number(about.target), unit: 'ratio', reduce: 'mean', while_down: 'measure' } as const;
  return { kind: 'composite', query: read.map(({ spec }) => spec.query).join('; '), ...judged, slice_ms: sliceMs, budgeting, parts: read };
}

export const probeDuration = (service: string): string => `probe_duration_seconds{service=${JSON.stringify(service)}}`;

const slicing = (declared: {
  readonly slice: number;
  readonly while_down: SlicedSpec['while_down'];
}): Pick<SlicedSpec, 'slice_ms' | 'while_down'> => ({
  slice_ms: declared.slice,
  while_down: declared.while_down,
});

type Parts = { readonly good?: string | undefined; readonly bad?: string | undefined; readonly total?: string | undefined };

/** Of good and bad without a total, the total is both. */
const countersOf = ({ good, bad, total }: Parts, minEvents: number): CountersSpec => ({
  good: bad === undefined ? (good ?? null) : null,
  bad: bad ?? null,
  total: total ?? `${good ?? ''} + ${bad ?? ''}`,
  min_events: minEvents,
});

function ratioSpec(declared: Extract<IndicatorConfig, { readonly kind: 'ratio' }>, target: string): SlicedSpec {
  const shared = { kind: 'ratio', unit: 'ratio', slice_ms: declared.slice, reduce: 'mean', while_down: 'measure' } as const;
  const { error_ratio: errorRatio, condition, threshold: limit } = declared;
  if (declared.query !== undefined) {
    const samples = { condition: condition ?? '>=', threshold: limit?.value ?? 0 };
    return {
      ...shared,
      query: declared.query,
      condition: '>=',
      threshold: Number(target),
      samples,
      budgeting: declared.budgeting ?? 'occurrences',
    };
  }
  if (errorRatio !== undefined) {
    // The measured value is the share of errors, so it is compared with what the target allows.
    return { ...shared, query: errorRatio, condition: '<=', threshold: Number(complementText(target)), budgeting: 'ratio_timeslices' };
  }
  const counted = countersOf(declared, 0);
  const budgeting = declared.budgeting ?? 'occurrences';
  return { ...shared, query: counted.total, condition: '>=', threshold: Number(target), counters: counted, budgeting };
}
