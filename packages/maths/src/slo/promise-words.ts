import { lengthInWords } from '@nines/base/length-words.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { truncatedPercent } from './digits.ts';

/**
 * What a contract promises, in words: the same on its page and in every form of its statement. Takes the stored form of an indicator;
 * ratios are exact decimals as text, limits of the unit `seconds` are seconds.
 */
export type PromiseTerms = { readonly target: string; readonly indicator: PromisedIndicator };

export type PromisedIndicator = PromisedAvailability | PromisedSlices;

type PromisedAvailability = {
  readonly kind: 'availability';
  readonly degraded_weight: string | null;
  readonly recover_within_ms?: number;
};

type PromisedSlices = {
  readonly kind: 'threshold' | 'response_time' | 'throughput' | 'error_rate' | 'ratio' | 'composite';
  readonly query: string;
  readonly condition: '<' | '<=' | '>' | '>=';
  readonly threshold: number;
  readonly unit: string;
  readonly slice_ms: number;
  readonly reduce: string;
  readonly while_down: 'exclude' | 'bad' | 'measure';
  readonly counters?: { readonly good: string | null; readonly bad: string | null; readonly total: string; readonly min_events: number };
  readonly samples?: { readonly condition: PromisedSlices['condition']; readonly threshold: number };
  readonly budgeting?: 'occurrences' | 'timeslices' | 'ratio_timeslices';
  readonly parts?: readonly { readonly weight: number; readonly spec: PromisedSlices }[];
};

/** One term of a contract; `code` is PromQL. */
export type PromiseRow = { readonly name: string; readonly value: string; readonly code?: true };

/** More decimals than a target has. */
const MAX_DECIMALS = 9;

const COMPARED = { '<': 'below', '<=': 'at most', '>': 'above', '>=': 'at least' } as const;
const WHILE_DOWN = { exclude: 'not measured', bad: 'every slice is bad', measure: 'measured as ever' } as const;
const STATISTICS: Readonly<Record<string, string>> = {
  mean: 'mean',
  min: 'lowest value',
  max: 'highest value',
  last: 'last value',
  sum: 'sum',
};

/** `0.999` → `99.9 %`, truncated. */
export const ratioInWords = (ratio: number | string): string => `${truncatedPercent(Number(ratio), MAX_DECIMALS).replace(/\.?0+$/, '')} %`;

/** The rest of a contract that decides how time counts. */
export type CountingTerms = {
  readonly indicator: PromisedIndicator;
  readonly edges?: 'first_failure' | 'last_success' | 'midpoint';
  readonly unknown: { readonly kind: 'exclude' | 'down' | 'up' } | { readonly kind: 'carry_forward'; readonly max_gap_ms: number };
  readonly maintenance?: { readonly notice_ms: number; readonly allowance: { readonly length_ms: number; readonly per: string } | null };
  readonly hours?: {
    readonly zone: string;
    readonly weekly: Readonly<Record<string, readonly string[] | undefined>>;
    readonly holidays: readonly string[];
  };
  readonly credits?: {
    readonly currency: string;
    readonly tiers: readonly { readonly below: string; readonly credit: string }[];
    readonly cap: string;
  };
};

/** Everything that turns time into the figure, term by term. */
export function countingRows(terms: CountingTerms): readonly PromiseRow[] {
  return [
    ...promiseRows(terms.indicator),
    ...(terms.edges === undefined ? [] : [{ name: 'Outages begin and end', value: EDGES[terms.edges] }]),
    { name: 'Unknown time', value: unknownInWords(terms.unknown) },
    { name: 'Maintenance', value: maintenanceInWords(terms.maintenance) },
    { name: 'Service hours', value: hoursInWords(terms.hours) },
    { name: 'Credits', value: creditsInWords(terms.credits) },
  ];
}

const EDGES = {
  first_failure: 'with the first failed and the first good attempt',
  last_success: 'with the last attempt that saw the state before',
  midpoint: 'midway between the attempts around the change',
} as const;
const UNKNOWN = { exclude: 'is not counted, neither good nor bad', down: 'counts as bad', up: 'counts as good' } as const;

const unknownInWords = (unknown: CountingTerms['unknown']): string =>
  unknown.kind === 'carry_forward'
    ? `carries the last known state for at most ${lengthInWords(unknown.max_gap_ms)}`
    : UNKNOWN[unknown.kind];

function maintenanceInWords(terms: CountingTerms['maintenance']): string {
  if (terms === undefined) return 'counts as any other time';
  const { notice_ms: notice, allowance } = terms;
  const announced = notice === 0 ? 'before it began' : `${lengthInWords(notice)} before`;
  return `is taken out when announced ${announced}${allowance === null ? '' : `, at most ${lengthInWords(allowance.length_ms)} a ${allowance.per}`}`;
}

function hoursInWords(hours: CountingTerms['hours']): string {
  if (hours === undefined) return 'always promised';
  const days = Object.entries(hours.weekly).map(([day, stretches]) => `${capital(day)} ${(stretches ?? []).join(', ')}`);
  return `${days.join('; ')} (${hours.zone})${hours.holidays.length === 0 ? '' : `; not on ${hours.holidays.join(', ')}`}`;
}

function creditsInWords(credits: CountingTerms['credits']): string {
  if (credits === undefined) return 'none';
  const tiers = credits.tiers.map(({ below, credit }) => `${ratioInWords(credit)} below ${ratioInWords(below)}`);
  return `${tiers.join(', ')} of the fee in ${credits.currency}, at most ${ratioInWords(credits.cap)}`;
}

/** What is promised in one phrase, without its window: `At least 99.9 % of all events are good`. */
export function promiseInWords({ target, indicator }: PromiseTerms): string {
  const share = ratioInWords(target);
  if (indicator.kind === 'availability') {
    const withinMs = indicator.recover_within_ms;
    return withinMs === undefined ? `Up at least ${share} of the time` : `Outages end within ${lengthInWords(withinMs)} in the mean`;
  }
  const slices = `slices of ${lengthInWords(indicator.slice_ms)}`;
  const { kind, budgeting } = indicator;
  if (kind === 'ratio') {
    if (budgeting !== 'ratio_timeslices')
      return `At least ${share} of all ${indicator.samples === undefined ? 'events' : 'samples'} are good`;
    return `At least ${share} good in the mean of the ${slices}`;
  }
  if (kind === 'composite') {
    const parts = `${indicator.parts?.length ?? 0} parts`;
    if (budgeting === 'timeslices') return `All of ${parts} good in at least ${share} of the ${slices}`;
    if (budgeting === 'occurrences') return `At least ${share} of the events of ${parts} are good, each by its weight`;
    return `At least ${share} good over ${parts}, each by its weight, in the mean of the ${slices}`;
  }
  return `${capital(objectiveInWords(indicator))} in at least ${share} of the ${slices}`;
}

/** What counts as good. */
function promiseRows(indicator: PromisedIndicator): readonly PromiseRow[] {
  if (indicator.kind !== 'availability') return slicedRows(indicator);
  const weight = indicator.degraded_weight;
  const degraded = weight === null ? 'counts as good' : `counts as good by ${ratioInWords(weight)}`;
  if (indicator.recover_within_ms === undefined) return [{ name: 'Degraded time', value: degraded }];
  return [
    { name: 'Outages', value: 'those that ended within the window, with their whole length; one that goes on once it alone is too long' },
    { name: 'Degraded time', value: 'is no outage' },
  ];
}

function slicedRows(indicator: PromisedSlices): readonly PromiseRow[] {
  const { counters, parts, kind } = indicator;
  if (parts !== undefined) {
    return [
      { name: 'Slices', value: lengthInWords(indicator.slice_ms) },
      ...parts.flatMap(({ weight, spec }, index): readonly PromiseRow[] => [
        { name: `Part ${index + 1}`, value: `weight ${weight}: ${partInWords(spec)}` },
        ...queryRows(spec),
      ]),
    ];
  }
  const judged =
    kind === 'ratio' ? budgetingInWords(indicator) : `of ${lengthInWords(indicator.slice_ms)}, good with ${objectiveInWords(indicator)}`;
  const few = (counters?.min_events ?? 0) > 0 ? `; never bad with fewer than ${counters?.min_events} events` : '';
  return [
    ...queryRows(indicator),
    { name: 'Slices', value: `${judged}${few}` },
    { name: 'While the service is down', value: WHILE_DOWN[indicator.while_down] },
  ];
}

/** Why a slice is bad: `missed: mean below 100 ms`. */
export function missedInWords(indicator: PromisedSlices): string {
  const { kind, budgeting } = indicator;
  if (kind === 'composite') return budgeting === 'timeslices' ? 'one of its parts was missed' : 'too many bad events over its parts';
  return kind === 'ratio' ? 'too many bad events' : `missed: ${objectiveInWords(indicator)}`;
}

function queryRows({ counters, query, kind, samples }: PromisedSlices): readonly PromiseRow[] {
  if (counters === undefined)
    return [{ name: kind === 'ratio' && samples === undefined ? 'Share of errors' : 'Query', value: query, code: true }];
  const written = [
    ['Good events', counters.good],
    ['Bad events', counters.bad],
    [kind === 'throughput' ? 'Events' : 'All events', counters.total],
  ] as const;
  return written.flatMap(([name, value]) => (value === null ? [] : [{ name, value, code: true }]));
}

function budgetingInWords({ slice_ms: sliceMs, samples, budgeting, unit }: PromisedSlices): string {
  const one =
    samples === undefined ? 'event' : `sample, good when ${COMPARED[samples.condition]} ${amountInWords(samples.threshold, unit)},`;
  const kept = `of ${lengthInWords(sliceMs)}`;
  return budgeting === 'ratio_timeslices' ? `${kept}; each counts alike, with its share of errors` : `${kept}; every ${one} counts alike`;
}

const partInWords = (spec: PromisedSlices): string => (spec.kind === 'ratio' ? 'share of good events' : objectiveInWords(spec));

/** `mean below 100 ms`; `at least 50 events/s`; `at most 1 % of the events bad`. */
function objectiveInWords({ kind, condition, threshold, unit, reduce }: PromisedSlices): string {
  const limit = `${COMPARED[condition]} ${amountInWords(threshold, unit)}`;
  if (kind === 'error_rate') return `${limit} of the events bad`;
  if (kind === 'throughput') return limit;
  const percentile = /^p(\d+)$/.exec(reduce)?.[1];
  return `${percentile === undefined ? (STATISTICS[reduce] ?? reduce) : `${percentile}th percentile`} ${limit}`;
}

function amountInWords(value: number, unit: string): string {
  if (unit === 'seconds' && value >= 0) return lengthInWords(withoutNoise(value * SECOND_MS));
  if (unit === 'ratio') return ratioInWords(value);
  return unit === '' ? String(value) : `${value} ${unit}`;
}

/** 0.0011 × 1000 is 1.1, not 1.1000000000000001. */
const withoutNoise = (value: number): number => Number(value.toPrecision(12));

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** A promise about the mean time to recovery, as views and statements have it: its target is 1 and its limit a mean in seconds. */
export type RecoveryFigures = {
  readonly target: number;
  readonly objective: { readonly unit: string; readonly statistic: string | null; readonly value: number };
  readonly budget: { readonly total_ms: number; readonly spent_ms: number };
};

/** The promised and the mean time to recovery, the mean null without an outage; undefined of any other promise. */
export function recoveryFigures({
  target,
  objective,
  budget,
}: RecoveryFigures): { readonly withinMs: number; readonly meanMs: number | null } | undefined {
  if (target !== 1 || objective.unit !== 'seconds' || objective.statistic !== 'mean') return undefined;
  const withinMs = objective.value * SECOND_MS;
  // The budget is the promised length times the outages, and what was spent of it is their length.
  return { withinMs, meanMs: budget.total_ms === 0 ? null : Math.floor((budget.spent_ms * withinMs) / budget.total_ms) };
}
