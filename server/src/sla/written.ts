import { formatDuration } from '@nines/base/duration.ts';
import type { CountersSpec, SlaSpec, SlicedSpec } from './spec.ts';

/** The terms of a contract as a person writes them: the inverse of `slaDeclaration`, so that its parsing gives the same terms. */
export function writtenSlaOf(spec: SlaSpec): Readonly<Record<string, unknown>> {
  const { id, name, service, indicator, window, unknown: unknownTime, maintenance } = spec;
  const recovers = indicator.kind === 'availability' && indicator.recover_within_ms !== undefined;
  return {
    id,
    name,
    service,
    indicator: indicator.kind === 'availability' ? availability(indicator) : sliced(indicator),
    target: recovers ? undefined : spec.target,
    window: 'rolling_ms' in window ? { rolling: formatDuration(window.rolling_ms) } : window,
    interval: formatDuration(spec.interval_ms),
    unknown: unknownTime.kind,
    max_gap: unknownTime.kind === 'carry_forward' ? formatDuration(unknownTime.max_gap_ms) : undefined,
    max_unknown: spec.max_unknown,
    edges: spec.edges,
    burn: spec.burn?.map(({ long_ms: long, short_ms: short, after_ms: after, factor, severity }) => ({
      long: formatDuration(long),
      short: formatDuration(short),
      factor,
      severity,
      after: lengthOf(after),
    })),
    hours: spec.hours,
    maintenance: maintenance === undefined ? undefined : maintenanceTerms(maintenance),
    customers: spec.customers?.map(({ fee, ...customer }) => ({ ...customer, fee: fee ?? undefined })),
    credits: spec.credits,
  };
}

const lengthOf = (lengthMs: number | undefined): string | undefined => (lengthMs === undefined ? undefined : formatDuration(lengthMs));

const availability = ({ degraded_weight: weight, recover_within_ms: within }: Extract<SlaSpec['indicator'], { kind: 'availability' }>) => ({
  kind: 'availability',
  degraded_weight: weight ?? undefined,
  recover_within: lengthOf(within),
});

const maintenanceTerms = ({ notice_ms: notice, allowance }: NonNullable<SlaSpec['maintenance']>) => ({
  notice: formatDuration(notice),
  ...(allowance === null ? {} : { allowance: formatDuration(allowance.length_ms), per: allowance.per, zone: allowance.zone }),
});

function sliced(spec: SlicedSpec, isPart = false): Readonly<Record<string, unknown>> {
  const { kind, query, condition, threshold, unit, reduce, while_down: whileDown, counters, samples, budgeting } = spec;
  // The slices of parts are those of the whole.
  const slice = isPart ? undefined : formatDuration(spec.slice_ms);
  switch (kind) {
    case 'threshold':
      return { kind, query, condition, threshold, unit: unit === '' ? undefined : unit, slice, reduce, while_down: whileDown };
    case 'response_time':
      return { kind, query, below: formatDuration(Math.round(threshold * 1000)), statistic: reduce, slice, while_down: whileDown };
    case 'throughput':
      return { kind, events: counters?.total ?? query, at_least: threshold, slice, while_down: whileDown };
    case 'error_rate':
      return { kind, ...counted(counters), at_most: threshold, min_events: counters?.min_events, slice, while_down: whileDown };
    case 'ratio':
      if (samples !== undefined) return { kind, query, ...samples, budgeting, slice };
      if (counters === undefined) return { kind, error_ratio: query, slice };
      return { kind, ...counted(counters), budgeting, slice };
    case 'composite':
      return {
        kind,
        budgeting,
        slice,
        parts: spec.parts?.map((part) => ({ weight: part.weight, indicator: sliced(part.spec, true) })),
      };
  }
}

/** Two of the three; the third follows from them. */
const counted = (counters: CountersSpec | undefined) =>
  counters === undefined
    ? {}
    : counters.bad === null
      ? { good: counters.good, total: counters.total }
      : { bad: counters.bad, total: counters.total };
