import { formatDuration } from '@nines/base/duration.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, WEEK_MS } from '@nines/base/units.ts';
import { stringify } from 'yaml';
import type { MaintenanceTermsSpec } from '../overlay-terms.ts';
import { type BurnPairSpec, type CountersSpec, type SlaSpec, type SlicedSpec, complementText } from '../spec.ts';

/** Contracts as OpenSLO v1. What it has no words for stands in an annotation, so that a file comes back as it went. */

/** Of metric sources that are indicators of ours: the state of a service, limits with a statistic. */
export const NINES_SOURCE = 'Nines';
export const TERMS_ANNOTATION = 'nines/terms';
/** An exported policy names the short window of its pair. */
export const burnName = /^burn-([0-9a-z]+)-/;

export const openSloText = (specs: readonly SlaSpec[]): string =>
  specs.map((spec) => stringify(openSloOf(spec), { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');

export function openSloOf(spec: SlaSpec): object {
  const { indicator } = spec;
  const terms = termsOf(spec);
  const composite = compositeOf(spec);
  const { method, sli, objective } = measureOf(spec);
  return {
    apiVersion: 'openslo/v1',
    kind: 'SLO',
    metadata: {
      name: nameOf(spec),
      ...(spec.name === spec.id ? {} : { displayName: spec.name }),
      annotations: { [TERMS_ANNOTATION]: JSON.stringify(terms) },
    },
    spec: {
      service: spec.service,
      ...(composite === undefined
        ? {
            indicator: {
              metadata: { name: `${indicator.kind.replaceAll('_', '-')}-${'slice_ms' in indicator ? 'slices' : 'time'}` },
              spec: sli,
            },
          }
        : {}),
      timeWindow: [windowOf(spec)],
      budgetingMethod: composite?.method ?? method,
      // A promise of recovery has no target, and OpenSLO asks for one.
      objectives: composite?.objectives ?? [{ ...objective, target: Number(spec.target) === 1 ? 0.99 : Number(spec.target) }],
      alertPolicies: policiesOf(spec),
    },
  };
}

/** A name that OpenSLO allows: 63 lower-case letters, digits and `-`, none of these at an end. */
const nameOf = ({ id }: SlaSpec): string =>
  id
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '') || 'sla';

/** Whether a length can be written in OpenSLO's units. */
const isWhole = (lengthMs: number): boolean => lengthMs % MINUTE_MS === 0;

/** In the words of a declaration: what OpenSLO has no words for, and what its words would round. */
function termsOf(spec: SlaSpec): object {
  const unknown =
    spec.unknown.kind === 'carry_forward'
      ? { unknown: spec.unknown.kind, max_gap: formatDuration(spec.unknown.max_gap_ms) }
      : { unknown: spec.unknown.kind };
  const { window, burn, hours, maintenance } = spec;
  const isBurnWhole = burn?.every(({ long_ms: longMs }) => isWhole(longMs)) ?? true;
  return {
    ...(nameOf(spec) === spec.id ? {} : { id: spec.id }),
    ...(String(Number(spec.target)) === spec.target || spec.target === '1' ? {} : { target: spec.target }),
    ...('rolling_ms' in window && !isWhole(window.rolling_ms) ? { window: { rolling: formatDuration(window.rolling_ms) } } : {}),
    ...(burn === undefined || (burn.length > 0 && isBurnWhole) ? {} : { burn: burn.map(pairOf) }),
    ...(hours === undefined ? {} : { hours }),
    ...(maintenance === undefined ? {} : { maintenance: maintenanceOf(maintenance) }),
    interval: formatDuration(spec.interval_ms),
    ...unknown,
    max_unknown: spec.max_unknown,
    ...(spec.edges === undefined ? {} : { edges: spec.edges }),
    ...(spec.customers === undefined
      ? {}
      : { customers: spec.customers.map(({ fee, ...customer }) => (fee === null ? customer : { ...customer, fee })) }),
    ...(spec.credits === undefined ? {} : { credits: spec.credits }),
  };
}

const pairOf = ({ long_ms: longMs, short_ms: shortMs, factor, severity }: BurnPairSpec): object => ({
  long: formatDuration(longMs),
  short: formatDuration(shortMs),
  factor,
  severity,
});

const maintenanceOf = ({ notice_ms: noticeMs, allowance }: MaintenanceTermsSpec): object => ({
  notice: formatDuration(noticeMs),
  ...(allowance === null ? {} : { allowance: formatDuration(allowance.length_ms), per: allowance.per, zone: allowance.zone }),
});

function windowOf({ window }: SlaSpec): object {
  if ('rolling_ms' in window) return { duration: shorthandOf(window.rolling_ms), isRolling: true };
  const unit = { day: 'd', week: 'w', month: 'M', quarter: 'Q', year: 'Y' }[window.calendar];
  return {
    duration: `${window.every}${unit}`,
    isRolling: false,
    calendar: { startTime: window.anchor.replace('T', ' '), timeZone: window.zone },
  };
}

/** The largest unit that divides a length; OpenSLO has none below a minute. */
function shorthandOf(lengthMs: number): string {
  for (const [unit, ms] of [
    ['w', WEEK_MS],
    ['d', DAY_MS],
    ['h', HOUR_MS],
  ] as const)
    if (lengthMs % ms === 0) return `${lengthMs / ms}${unit}`;
  return `${Math.max(1, Math.round(lengthMs / MINUTE_MS))}m`;
}

type Measure = { readonly method: string; readonly sli: object; readonly objective: object };

function measureOf({ indicator }: SlaSpec): Measure {
  if (indicator.kind === 'availability') {
    const { degraded_weight: weight, recover_within_ms: withinMs } = indicator;
    const written = {
      kind: 'availability',
      ...(weight === null ? {} : { degraded_weight: weight }),
      ...(withinMs === undefined ? {} : { recover_within: formatDuration(withinMs) }),
    };
    return ours(written, { op: 'gte', value: 1, timeSliceTarget: 1, timeSliceWindow: '1m' });
  }
  const slices = { timeSliceWindow: shorthandOf(indicator.slice_ms) };
  const { counters } = indicator;
  if (indicator.slice_ms % MINUTE_MS !== 0 || (counters?.min_events ?? 0) > 0)
    return ours(writtenOf(indicator), { op: 'gte', value: 1, timeSliceTarget: 1, ...slices });
  if (counters !== undefined && indicator.kind === 'error_rate' && indicator.while_down === 'measure') {
    return {
      method: 'Timeslices',
      sli: ratioOf(counters),
      objective: { timeSliceTarget: Number(complementText(String(indicator.threshold))), ...slices },
    };
  }
  if (counters !== undefined && indicator.kind === 'ratio') {
    if (indicator.budgeting === 'ratio_timeslices') return { method: 'RatioTimeslices', sli: ratioOf(counters), objective: slices };
    if (indicator.slice_ms === MINUTE_MS) return { method: 'Occurrences', sli: ratioOf(counters), objective: {} };
  }
  return ours(writtenOf(indicator), { op: 'gte', value: 1, timeSliceTarget: 1, ...slices });
}

/** A composite in OpenSLO's own words, where it has them: parts of counters. */
function compositeOf({ indicator, target }: SlaSpec): { readonly method: string; readonly objectives: readonly object[] } | undefined {
  if (indicator.kind !== 'composite' || indicator.budgeting === 'timeslices') return undefined;
  const isPlain = indicator.parts?.every(({ spec }) => spec.kind === 'ratio' && spec.counters !== undefined) === true;
  const isOccurrences = indicator.budgeting === 'occurrences';
  if (!isPlain || (isOccurrences ? indicator.slice_ms !== MINUTE_MS : !isWhole(indicator.slice_ms))) return undefined;
  return {
    method: isOccurrences ? 'Occurrences' : 'RatioTimeslices',
    objectives: (indicator.parts ?? []).map(({ weight, spec }, index) => ({
      target: Number(target),
      ...(isOccurrences ? {} : { timeSliceWindow: shorthandOf(indicator.slice_ms) }),
      compositeWeight: weight,
      indicator: { metadata: { name: `part-${index + 1}` }, spec: spec.counters === undefined ? {} : ratioOf(spec.counters) },
    })),
  };
}

const ours = (indicator: object, objective: object): Measure => ({
  method: 'Timeslices',
  sli: { thresholdMetric: { metricSource: { type: NINES_SOURCE, spec: { indicator } } } },
  objective,
});

function ratioOf({ good, bad, total }: CountersSpec): object {
  const source = (query: string): object => ({ metricSource: { type: 'Prometheus', spec: { query } } });
  return { ratioMetric: { counter: true, ...(bad === null ? { good: source(good ?? '') } : { bad: source(bad) }), total: source(total) } };
}

/** A stored indicator in the words of its declaration. */
function writtenOf(spec: SlicedSpec): object {
  const slice = formatDuration(spec.slice_ms);
  const { counters } = spec;
  const parts =
    counters === undefined ? {} : { ...(counters.bad === null ? { good: counters.good } : { bad: counters.bad }), total: counters.total };
  switch (spec.kind) {
    case 'threshold': {
      const { query, condition, threshold, unit, reduce, while_down } = spec;
      return { kind: spec.kind, query, condition, threshold, unit, slice, reduce, while_down };
    }
    case 'response_time':
      return {
        kind: spec.kind,
        query: spec.query,
        below: formatDuration(spec.threshold * 1_000),
        statistic: spec.reduce,
        slice,
        while_down: spec.while_down,
      };
    case 'throughput':
      return { kind: spec.kind, events: counters?.total, at_least: spec.threshold, slice, while_down: spec.while_down };
    case 'error_rate':
      return { kind: spec.kind, ...parts, at_most: spec.threshold, min_events: counters?.min_events, slice, while_down: spec.while_down };
    case 'composite':
      return {
        kind: spec.kind,
        budgeting: spec.budgeting,
        slice,
        parts: spec.parts?.map((part) => ({ weight: part.weight, indicator: writtenOf(part.spec) })),
      };
    case 'ratio':
      if (counters !== undefined) return { kind: spec.kind, ...parts, budgeting: spec.budgeting, slice };
      if (spec.samples !== undefined) return { kind: spec.kind, query: spec.query, ...spec.samples, slice };
      return { kind: spec.kind, error_ratio: spec.query, slice };
  }
}

const policiesOf = ({ burn = [] }: SlaSpec): readonly object[] =>
  (burn.every(({ long_ms: longMs }) => isWhole(longMs)) ? burn : []).map(
    ({ long_ms: longMs, short_ms: shortMs, factor, severity, after_ms: afterMs = 0 }, index) => ({
      kind: 'AlertPolicy',
      metadata: { name: `burn-${formatDuration(shortMs)}-${index + 1}` },
      spec: {
        alertWhenBreaching: true,
        alertWhenResolved: true,
        conditions: [
          {
            kind: 'AlertCondition',
            metadata: { name: `burn-${index + 1}` },
            spec: {
              severity: severity === 'critical' ? 'page' : 'ticket',
              condition: {
                kind: 'burnrate',
                op: 'gt',
                threshold: factor,
                lookbackWindow: shorthandOf(longMs),
                alertAfter: afterMs === 0 ? '0m' : formatDuration(afterMs),
              },
            },
          },
        ],
        notificationTargets: [],
      },
    }),
  );
